//! Who logs in.
//!
//! Owns what a log-in says of this client. Must not know what is granted.

use std::fmt;
use std::time::Duration;

use proto::client::Login;
use proto::friends::ListHash;
use proto::ids::{DeviceId, UserId};
use proto::limits::VERSION;
use proto::status::Status;

/// What proves who logs in.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// The bare name, for a server in open mode.
    Open(UserId),
    /// A signed token, made by the business's own server.
    Token(String),
}

// A token is a secret.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(user) => write!(f, "Open({user})"),
            Self::Token(_) => f.write_str("Token(..)"),
        }
    }
}

/// What a log-in says of this client.
#[derive(Debug, Clone)]
pub struct Account {
    /// What proves who logs in.
    pub credentials: Credentials,
    /// Which device; `None` only where the token names it.
    pub device: Option<DeviceId>,
    /// The status to show from the log-in on; none: what other devices of the
    /// user show, else online.
    pub status: Option<Status>,
    /// How often something is sent at least; the server may choose otherwise.
    pub heartbeat: Duration,
}

impl Account {
    pub(super) fn login(&self, friends_hash: Option<ListHash>) -> Login {
        let (token, user) = match &self.credentials {
            Credentials::Open(user) => (String::new(), Some(user.clone())),
            Credentials::Token(token) => (token.clone(), None),
        };
        Login {
            version_min: VERSION,
            version_max: VERSION,
            features: 0,
            token,
            user,
            device: self.device.clone(),
            friends_hash,
            heartbeat_ms: u32::try_from(self.heartbeat.as_millis()).unwrap_or(u32::MAX),
            status: self.status.clone(),
        }
    }
}
