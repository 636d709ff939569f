//! The cluster as a static list: every daemon is given the same shards.
//!
//! Owns how a shard is named on a command line, and the ring of such a list.
//! Its epoch is 1 as long as the daemons run.

use std::fmt;
use std::str::FromStr;

use proto::ids::{Epoch, IdError, ShardId};
use proto::ring::{Member, Ring, RingError};
use serde::{Deserialize, Deserializer};

use crate::settings::sheet::{Reload, Sheet};
use crate::settings::value;

/// What a list of shards may be.
const ALLOWED: &str = "NAME=HOST:PORT for each shard, no name twice";

/// A shard, and where it listens for gateways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardAddress {
    /// Its name, its place on the ring.
    pub name: ShardId,
    /// `HOST:PORT`.
    pub address: String,
}

/// Why words are no shard. The operator must act.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShardAddressError {
    /// No `=`, or no port behind it.
    #[error("allowed is NAME=HOST:PORT")]
    Form,
    /// The name is none.
    #[error("the name before `=`: {0}")]
    Name(#[from] IdError),
}

/// Whether words are `HOST:PORT`.
pub fn is_host_and_port(words: &str) -> bool {
    let parts = words.rsplit_once(':');
    parts.is_some_and(|(host, port)| {
        !host.is_empty() && !host.contains(char::is_whitespace) && port.parse::<u16>().is_ok()
    })
}

impl FromStr for ShardAddress {
    type Err = ShardAddressError;

    fn from_str(words: &str) -> Result<Self, ShardAddressError> {
        let (name, address) = words.split_once('=').ok_or(ShardAddressError::Form)?;
        if !is_host_and_port(address) {
            return Err(ShardAddressError::Form);
        }
        Ok(Self {
            name: ShardId::new(name)?,
            address: address.to_owned(),
        })
    }
}

impl fmt::Display for ShardAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.address)
    }
}

impl<'de> Deserialize<'de> for ShardAddress {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        value::text(from, "NAME=HOST:PORT")
    }
}

/// Puts the list on the sheet, under `shards`.
pub fn describe(shards: &[ShardAddress], sheet: &mut Sheet) {
    sheet.list("shards", shards, ALLOWED, Reload::No);
    if let Err(error) = ring(shards) {
        let names: Vec<String> = shards.iter().map(ShardAddress::to_string).collect();
        let value = format!("[{}] ({error})", names.join(", "));
        sheet.wrong("shards", value, ALLOWED);
    }
}

/// The ring of a static list, all of weight 1.
///
/// # Errors
/// A name twice, or too many.
pub fn ring(shards: &[ShardAddress]) -> Result<Ring, RingError> {
    let member = |shard: &ShardAddress| Member {
        shard: shard.name.clone(),
        weight: 1,
    };
    Ring::build(Epoch(1), shards.iter().map(member).collect())
}
