//! Why something was not done.

use proto::ids::IdError;
use shared::Failure;

use crate::look::RecordError;

/// Why the registry did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// It does not answer, or not what a registry does; wait and ask again.
    #[error(transparent)]
    Redis(#[from] Failure),
    /// Something else is at its keys. The operator must act.
    #[error("the registry holds something else: {0}")]
    Record(#[from] RecordError),
    /// A shard's name is none. The operator must act.
    #[error("the registry holds a shard whose name is none: {0}")]
    Name(#[from] IdError),
    /// An answer that no script of this version gives.
    #[error("the registry answered what nobody asked")]
    Answer,
    /// A process elsewhere has the name, and lives.
    #[error("the name is that of a shard at {0}, which lives")]
    Taken(String),
    /// The lease is over, for ever.
    #[error("the lease is over")]
    Over,
    /// There is no such shard.
    #[error("no such shard")]
    Unknown,
    /// Nobody else lives who could have its slots.
    #[error("no other shard lives that could have its slots")]
    Last,
}
