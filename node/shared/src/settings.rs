//! How a Redis is used.
//!
//! Owns what an operator chooses. Must not know how it is done.

use std::time::Duration;

use crate::address::Address;

/// Whom to trust over TLS, and what to show.
#[derive(Clone, Default)]
pub struct Trust {
    /// Certificates, in PEM, that may have signed the servers'; `None`: those
    /// that the system trusts.
    pub authority: Option<Vec<u8>>,
    /// The own chain and its key, in PEM.
    pub own: Option<(Vec<u8>, Vec<u8>)>,
}

/// Without the key.
impl std::fmt::Debug for Trust {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let own = self.own.is_some();
        write!(f, "Trust {{ own: {own}, .. }}")
    }
}

/// Replicas that must have what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirm {
    /// How many at least.
    pub replicas: u32,
    /// For so long they are waited for; less than the patience for replies.
    pub patience: Duration,
}

/// How a Redis is used.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it is.
    pub address: Address,
    /// Over TLS.
    pub trust: Trust,
    /// A server that is silent for longer is given up.
    pub patience: Duration,
    /// What counts as written, beside the server's own settings.
    pub confirm: Option<Confirm>,
}
