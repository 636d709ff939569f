//! The cluster as a static list: every daemon is given the same shards.
//!
//! Owns how a shard is named on a command line, and the ring of such a list.
//! Its epoch is 1 as long as the daemons run.

use std::str::FromStr;

use proto::ids::{Epoch, IdError, ShardId};
use proto::ring::{Member, Ring, RingError};

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
    /// No `=`.
    #[error("allowed is NAME=HOST:PORT")]
    Form,
    /// The name is none.
    #[error("the name before `=`: {0}")]
    Name(#[from] IdError),
}

impl FromStr for ShardAddress {
    type Err = ShardAddressError;

    fn from_str(words: &str) -> Result<Self, ShardAddressError> {
        let (name, address) = words.split_once('=').ok_or(ShardAddressError::Form)?;
        Ok(Self {
            name: ShardId::new(name)?,
            address: address.to_owned(),
        })
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
