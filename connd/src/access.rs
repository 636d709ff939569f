//! Who is let in, and how: the keys of tokens and TLS, as read from their files.
//!
//! Owns what of them changes while a gateway runs. Must not know how they are
//! named.

use std::sync::Arc;

use crate::tls::Tls;
use crate::token::Tokens;

/// What gateways check clients with.
#[derive(Debug, Clone)]
pub struct Access {
    /// The keys of tokens.
    pub tokens: Arc<Tokens>,
    /// TLS, or none.
    pub tls: Tls,
}

impl Access {
    /// As it was read.
    pub fn new((tokens, tls): (Tokens, Tls)) -> Self {
        let tokens = Arc::new(tokens);
        Self { tokens, tls }
    }

    /// What holds after these were read: what may not change stays.
    pub fn replaced_by(&self, (tokens, tls): (Tokens, Tls)) -> Self {
        Self {
            tokens: self.tokens.replaced_by(tokens),
            tls: self.tls.replaced_by(tls),
        }
    }
}
