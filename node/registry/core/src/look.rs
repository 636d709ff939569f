//! What the registry holds, as one look found it.
//!
//! Owns how a shard is written down there. Must not know servers, nor what
//! follows from it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use proto::ids::{Epoch, Incarnation, ShardId};
use proto::ring::WEIGHT_MAX;

/// A port of a machine, as a number: of two processes with the same one at most
/// one lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Berth(pub u64);

/// A shard, as it is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its share of the slots; 0: it is drained and has none.
    pub weight: u16,
    /// The ring since which it has had slots. Who knows an older one may not
    /// know that it is one of those who call others dead.
    pub since: Epoch,
    /// The process that is it.
    pub incarnation: Incarnation,
    /// Where that runs.
    pub berth: Berth,
    /// Where gateways connect, as `HOST:PORT`.
    pub address: String,
}

/// A record that nobody of this cluster wrote. The operator must act: something
/// else uses these keys, or a newer version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no shard: it is `WEIGHT RING INCARNATION BERTH HOST:PORT`")]
pub struct RecordError(String);

impl FromStr for Record {
    type Err = RecordError;

    fn from_str(text: &str) -> Result<Self, RecordError> {
        let error = || RecordError(text.to_owned());
        let mut words = text.splitn(5, ' ');
        let mut word = || words.next().ok_or_else(error);
        let weight = word()?.parse().map_err(|_| error())?;
        let mut number = || word()?.parse().map_err(|_| error());
        let (since, incarnation, berth) = (number()?, number()?, number()?);
        let address = word()?.to_owned();
        if weight > WEIGHT_MAX {
            return Err(error());
        }
        Ok(Self {
            weight,
            since: Epoch(since),
            incarnation: Incarnation(incarnation),
            berth: Berth(berth),
            address,
        })
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            weight,
            since,
            incarnation,
            berth,
            address,
        } = self;
        // The number: an incarnation is shown as a name elsewhere.
        let (since, incarnation, berth) = (since.0, incarnation.0, berth.0);
        write!(f, "{weight} {since} {incarnation} {berth} {address}")
    }
}

/// The last that the registry has heard of an incarnation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// Nothing: it has forgotten.
    Lost,
    /// It renewed its lease.
    Renewed {
        /// The how-manieth renewal that it asked for; 0: it joined.
        number: u64,
        /// The newest ring of which it had heard by then.
        known: Epoch,
    },
    /// It has ended, or was called dead. That is final.
    Over,
}

/// A shard, as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its name.
    pub name: ShardId,
    /// What is written down of it.
    pub record: Record,
    /// How long its lease goes on by the server's clock; none: it is over, or
    /// soon called so. For who shows it: nothing hangs on that clock.
    pub lease: Option<Duration>,
    /// The last that was heard of it.
    pub sign: Sign,
}

/// One that is off the ring, and may hold slots yet: it has left, or was
/// removed, or another has its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaver {
    /// The name that it had.
    pub name: ShardId,
    /// Which process.
    pub incarnation: Incarnation,
    /// Where it ran.
    pub berth: Berth,
    /// The last that was heard of it.
    pub sign: Sign,
}

/// All of it, at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The ring's number; 0: there was none yet.
    pub epoch: Epoch,
    /// The shards, by name.
    pub found: Vec<Found>,
    /// Those that are going.
    pub leavers: Vec<Leaver>,
    /// The public addresses of gateways.
    pub gateways: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_is_written() {
        for text in [
            "1 3 17 99 127.0.0.1:7200",
            "0 8 1099511627776 18446744073709551615 [::1]:7200",
        ] {
            assert_eq!(text.parse::<Record>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn anything_else_is_named() {
        for text in [
            "",
            "1",
            "1 3 17 9",
            "x 3 17 9 a:1",
            "101 3 17 9 a:1",
            "1 3 -1 9 a:1",
        ] {
            let error = text.parse::<Record>().unwrap_err();
            assert!(error.to_string().starts_with(&format!("`{text}`")));
        }
    }
}
