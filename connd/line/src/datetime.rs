//! Dates and times as people write them, in UTC.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use proto::ids::Stamp;
use serde::{Serialize, Serializer};

/// A time that is shown as `2014-08-11 12:12:12.123`, in UTC.
#[derive(Debug, Clone, Copy)]
pub struct Shown(pub Stamp);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = i64::try_from(self.0.0).unwrap_or(i64::MAX);
        // What lies beyond the calendar is shown as its end.
        let time = Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX);
        let at = Offset::UTC.to_datetime(time);
        let (year, month, day) = (at.year(), at.month(), at.day());
        let (hour, minute, second) = (at.hour(), at.minute(), at.second());
        let millis = at.millisecond();
        write!(
            f,
            "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{millis:03}"
        )
    }
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Reads what [`Shown`] writes, with or without a fraction, and RFC 3339. A time
/// before 1970 is 1970.
pub fn read(text: &str) -> Option<Stamp> {
    // A name of a zone would be believed less than the offset before it.
    if text.contains('[') {
        return None;
    }
    let in_utc = |at: DateTime| Offset::UTC.to_timestamp(at).ok();
    let time = match text.parse::<Timestamp>() {
        Ok(time) => time,
        Err(_) => in_utc(text.parse().ok()?)?,
    };
    Some(Stamp(u64::try_from(time.as_microsecond()).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_it_is_shown() {
        let stamp = Stamp(1_407_759_132_123_000);
        assert_eq!(Shown(stamp).to_string(), "2014-08-11 12:12:12.123");
        for same in [
            "2014-08-11 12:12:12.123",
            "2014-08-11T12:12:12.123Z",
            "2014-08-11T14:12:12.123+02:00",
            "2014-08-11 14:12:12.123+02:00",
        ] {
            assert_eq!(read(same), Some(stamp), "{same}");
        }
        let whole = Some(Stamp(1_407_759_132_000_000));
        assert_eq!(read("2014-08-11 12:12:12"), whole);
        assert_eq!(read("1931-08-11 12:12:12"), Some(Stamp(0)));
        assert_eq!(Shown(Stamp(0)).to_string(), "1970-01-01 00:00:00.000");
        let last = "9999-12-30 22:00:00.999";
        assert_eq!(Shown(Stamp(u64::MAX)).to_string(), last);
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for wrong in [
            "",
            "yesterday",
            "12:12:12",
            "2014-13-11 12:12:12",
            "2014-08-11  12:12:12",
            "2014-08-11 12:12:12 ",
            " 2014-08-11 12:12:12",
            "2014-08-11 25:12:12",
            "1407759132",
            "2014-08-11 12:12:12[Europe/Berlin]",
        ] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
    }
}
