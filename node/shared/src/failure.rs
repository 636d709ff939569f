//! What can become of a command.

use std::sync::Arc;

use redis::{RedisError, ServerError, Value};
use thiserror::Error;

/// First words of a server that is not the one to ask, or not now.
const AWAY: [&str; 6] = [
    "READONLY",
    "LOADING",
    "MASTERDOWN",
    "NOSCRIPT",
    "CLUSTERDOWN",
    "MOVED",
];

/// What a server says of a key that another one has by now, while the slot is
/// its own.
pub(crate) const ASK: &str = "ASK";

/// What came of one command.
pub type Reply = Result<Value, Failure>;

/// Why there is no reply, or none that can be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Failure {
    /// The connection was lost, or there is none. The command may have been
    /// carried out or not.
    #[error("no connection to Redis: {0}")]
    Lost(Arc<str>),
    /// The server is another, or another start of it, than it was to be: it was
    /// not carried out.
    #[error("another Redis has the key by now")]
    Another,
    /// The server refused it: it was not carried out.
    #[error("Redis says: {code} {text}")]
    Said {
        /// The first word.
        code: Arc<str>,
        /// The rest.
        text: Arc<str>,
    },
    /// It was carried out, but too few replicas have acknowledged it: it may be
    /// gone after a fail-over.
    #[error("{acknowledged} replicas have acknowledged, not {wanted}")]
    Unconfirmed {
        /// How many have.
        acknowledged: u32,
        /// How many were to.
        wanted: u32,
    },
}

impl Failure {
    /// The server's first word about it, if it said anything.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Said { code, .. } => Some(code),
            Self::Lost(_) | Self::Another | Self::Unconfirmed { .. } => None,
        }
    }

    /// Whether another server, or another start of it, may answer next.
    pub fn is_lost(&self) -> bool {
        match self {
            Self::Lost(_) | Self::Another => true,
            Self::Said { code, .. } => AWAY.contains(&&**code),
            Self::Unconfirmed { .. } => false,
        }
    }

    pub(crate) fn lost(why: impl ToString) -> Self {
        Self::Lost(why.to_string().into())
    }

    pub(crate) fn driver(error: &RedisError) -> Self {
        Self::lost(error)
    }

    pub(crate) fn said(error: &ServerError) -> Self {
        Self::Said {
            code: error.code().into(),
            text: error.details().unwrap_or_default().into(),
        }
    }
}
