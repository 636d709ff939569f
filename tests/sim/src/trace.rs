//! What happened, as a number to compare and as text to read.
//!
//! Owns the hash by which two runs of one seed are compared. Must not know
//! what the marks mean.

use crate::agenda::Time;

/// The course of a run.
#[derive(Debug)]
pub struct Trace {
    hash: u64,
    spoken: bool,
}

impl Trace {
    /// A trace of nothing yet; `spoken`: what happens is printed.
    pub fn new(spoken: bool) -> Self {
        Self {
            // FNV-1a.
            hash: 0xcbf2_9ce4_8422_2325,
            spoken,
        }
    }

    /// Notes that something happened.
    pub fn mark(&mut self, at: Time, kind: u8, numbers: &[u64]) {
        self.mix(at);
        self.mix(u64::from(kind));
        for number in numbers {
            self.mix(*number);
        }
    }

    /// Prints a line, if anybody reads.
    pub fn say(&self, at: Time, line: impl FnOnce() -> String) {
        if self.spoken {
            let (s, us) = (at / 1_000_000, at % 1_000_000);
            println!("{s:3}.{us:06} {}", line());
        }
    }

    /// The hash of all marks so far.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    fn mix(&mut self, number: u64) {
        for byte in number.to_le_bytes() {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
