//! Values as a settings file writes them: `"500 ms"`, `"16 KiB"`, `1000`.
//!
//! Owns how times and sizes are written and read. Must not know any key.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};

/// Units of time in milliseconds, the largest first.
const TIMES: [(&str, u64); 5] = [
    ("d", 24 * 60 * 60 * 1_000),
    ("h", 60 * 60 * 1_000),
    ("min", 60 * 1_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Units of size in bytes, the largest first.
const SIZES: [(&str, u64); 4] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

/// A time, written as `"500 ms"`; units are ms, s, min, h and d.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(u64);

/// A size, written as `"16 KiB"`; units are B, KiB, MiB and GiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(u64);

/// A number of things, written as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Count(u64);

impl Span {
    /// So many milliseconds.
    pub const fn ms(number: u64) -> Self {
        Self(number)
    }

    /// So many seconds.
    pub const fn s(number: u64) -> Self {
        Self(number * 1_000)
    }

    /// So many days.
    pub const fn d(number: u64) -> Self {
        Self(number * TIMES[0].1)
    }
}

impl Bytes {
    /// So many bytes.
    pub const fn b(number: u64) -> Self {
        Self(number)
    }

    /// So many KiB.
    pub const fn kib(number: u64) -> Self {
        Self(number << 10)
    }

    /// So many MiB.
    pub const fn mib(number: u64) -> Self {
        Self(number << 20)
    }

    /// As a number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl Count {
    /// So many.
    pub const fn of(number: u64) -> Self {
        Self(number)
    }
}

/// How a value stands in a settings file, quotes included.
pub trait Written: fmt::Display + Copy + Ord {
    /// The text after `=`.
    fn toml(&self) -> String;
}

impl Written for Span {
    fn toml(&self) -> String {
        format!("\"{self}\"")
    }
}

impl Written for Bytes {
    fn toml(&self) -> String {
        format!("\"{self}\"")
    }
}

impl Written for Count {
    fn toml(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&with_unit(self.0, &TIMES))
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&with_unit(self.0, &SIZES))
    }
}

impl fmt::Display for Count {
    /// As TOML groups digits: 16_384.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        let first = (digits.len() - 1) % 3 + 1;
        f.write_str(&digits[..first])?;
        (first..digits.len())
            .step_by(3)
            .try_for_each(|at| write!(f, "_{}", &digits[at..at + 3]))
    }
}

/// By the largest unit that divides it.
fn with_unit(number: u64, units: &[(&str, u64)]) -> String {
    let divides = |(_, size): &&(&str, u64)| number >= *size && number.is_multiple_of(*size);
    match units.iter().find(divides).or(units.last()) {
        Some((unit, size)) => format!("{} {unit}", number / size),
        None => number.to_string(),
    }
}

fn parse(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let unit = text[end..].trim_start();
    let (_, size) = units.iter().find(|(name, _)| *name == unit)?;
    text[..end].parse::<u64>().ok()?.checked_mul(*size)
}

/// Text that is no such value. The operator must act.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("allowed is {0}")]
pub struct ValueError(&'static str);

const SPAN_ALLOWED: &str = "a time as \"500 ms\", in ms, s, min, h or d";
const BYTES_ALLOWED: &str = "a size as \"16 KiB\", in B, KiB, MiB or GiB";
const COUNT_ALLOWED: &str = "a whole number, 0 or more";

impl FromStr for Span {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let value = parse(text, &TIMES).ok_or(ValueError(SPAN_ALLOWED));
        value.map(Self)
    }
}

impl FromStr for Bytes {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let value = parse(text, &SIZES).ok_or(ValueError(BYTES_ALLOWED));
        value.map(Self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        text(from, SPAN_ALLOWED)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        text(from, BYTES_ALLOWED)
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Whole;
        impl Visitor<'_> for Whole {
            type Value = Count;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(COUNT_ALLOWED)
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Count, E> {
                let wrong = |_| E::invalid_value(Unexpected::Signed(number), &self);
                u64::try_from(number).map(Count).map_err(wrong)
            }
        }
        from.deserialize_i64(Whole)
    }
}

/// Reads a value that is written as text and read by `FromStr`; `allowed` says
/// what it may be.
///
/// # Errors
/// It is no text, or not such a one.
pub fn text<'de, T, D>(from: D, allowed: &'static str) -> Result<T, D::Error>
where
    T: FromStr,
    D: Deserializer<'de>,
{
    struct Text<T>(&'static str, std::marker::PhantomData<T>);
    impl<T: FromStr> Visitor<'_> for Text<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
            text.parse()
                .map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
        }
    }
    from.deserialize_str(Text(allowed, std::marker::PhantomData))
}

/// Reads an address.
///
/// # Errors
/// It is none.
pub fn address<'de, D: Deserializer<'de>>(from: D) -> Result<SocketAddr, D::Error> {
    text(from, "IP:PORT, as 127.0.0.1:7100")
}

impl From<Duration> for Span {
    fn from(duration: Duration) -> Self {
        Self(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    }
}

impl From<Span> for Duration {
    fn from(span: Span) -> Self {
        Duration::from_millis(span.0)
    }
}

/// Numbers of cores; what does not fit is refused by a range before.
macro_rules! numbers {
    ($($value:ident: $($number:ty),*;)*) => {$($(
        impl From<$number> for $value {
            fn from(number: $number) -> Self {
                Self(u64::try_from(number).unwrap_or(u64::MAX))
            }
        }

        impl From<$value> for $number {
            fn from(value: $value) -> Self {
                Self::try_from(value.0).unwrap_or(Self::MAX)
            }
        }
    )*)*};
}

numbers! {
    Bytes: u32, u64, usize;
    Count: u32, u64, usize;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for (text, ms) in [("500 ms", 500), ("3 s", 3_000), ("10 min", 600_000)] {
            let span: Span = text.parse().unwrap();
            assert_eq!((span, span.to_string().as_str()), (Span(ms), text));
        }
        assert_eq!(Span::d(30).to_string(), "30 d");
        assert_eq!("0 ms".parse::<Span>().unwrap().to_string(), "0 ms");
        for (text, bytes) in [("1 B", 1), ("16 KiB", 16 << 10), ("2 GiB", 2 << 30)] {
            let size: Bytes = text.parse().unwrap();
            assert_eq!((size, size.to_string().as_str()), (Bytes(bytes), text));
        }
        assert_eq!("16KiB".parse::<Bytes>(), Ok(Bytes::kib(16)));
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1_000"),
            (1 << 20, "1_048_576"),
        ] {
            assert_eq!(Count(number).to_string(), text);
        }
    }

    #[test]
    fn without_a_unit_or_beyond_what_fits_is_refused() {
        for wrong in [
            "",
            "500",
            "ms",
            "5 m",
            "-1 s",
            "1.5 s",
            "99999999999999999999 s",
        ] {
            assert!(wrong.parse::<Span>().is_err(), "{wrong}");
        }
        for wrong in ["16", "16 kB", "KiB", "18446744073709551615 KiB"] {
            assert!(wrong.parse::<Bytes>().is_err(), "{wrong}");
        }
    }
}
