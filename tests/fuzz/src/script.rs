//! Bytes as a script of what happens: each choice takes one byte.
//!
//! Owns how bytes are read and how time passes. Must not know what is chosen.

use std::time::Duration;

use proto::clock::{Moment, Now};
use proto::ids::Stamp;

/// What is left of the input.
#[derive(Debug)]
pub struct Script<'a> {
    bytes: &'a [u8],
}

impl<'a> Script<'a> {
    /// From the first byte on.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// Whether every byte was taken; from here on every choice is the first.
    pub fn is_over(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.bytes.split_first() else {
            return 0;
        };
        self.bytes = rest;
        *first
    }

    /// A number below `count`.
    pub fn pick(&mut self, count: usize) -> usize {
        usize::from(self.byte()) % count
    }

    /// One of them.
    pub fn choose<'b, T>(&mut self, of: &'b [T]) -> &'b T {
        &of[self.pick(of.len())]
    }

    /// Yes once in `count` times.
    pub fn once_in(&mut self, count: usize) -> bool {
        self.pick(count) == count - 1
    }
}

/// The two clocks that a core is given.
#[derive(Debug)]
pub struct Clock {
    moment: Moment,
    wall: Stamp,
}

/// How far the wall clock is set back at once.
const SET_BACK: Duration = Duration::from_secs(3_600);

impl Default for Clock {
    /// A second after the start, some time in 2026.
    fn default() -> Self {
        Self {
            moment: Moment(1_000_000),
            wall: Stamp(1_795_000_000_000_000),
        }
    }
}

impl Clock {
    /// The time of an event.
    pub fn now(&self) -> Now {
        Now {
            moment: self.moment,
            wall: self.wall,
        }
    }

    /// Goes on by this much.
    pub fn go_on(&mut self, time: Duration) {
        self.moment = self.moment + time;
        let micros = u64::try_from(time.as_micros()).expect("no such times are chosen");
        self.wall.0 += micros;
    }

    /// Goes on to a deadline, if that is not over.
    pub fn go_on_to(&mut self, deadline: Moment) {
        self.go_on(deadline.since(self.moment));
    }

    /// A little, a lot, or the wall clock back.
    pub fn pass(&mut self, script: &mut Script<'_>) {
        let millis = match script.pick(8) {
            0 => 1,
            1 => 25,
            2 => 150,
            3 => 600,
            4 => 2_500,
            5 => 35_000,
            6 => 900_000,
            _ => {
                let back = u64::try_from(SET_BACK.as_micros()).expect("an hour");
                self.wall.0 -= back;
                return;
            }
        };
        self.go_on(Duration::from_millis(millis));
    }
}
