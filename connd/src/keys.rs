//! The keys of a gateway, as an operator names them: by flags, or in the
//! section `tokens` of a settings file.
//!
//! Owns how a key's file is named and read. Must not know what a token says.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;

use clap::Args;
use node::layers::Given;
use node::settings::sheet::{Reload, Sheet};
use serde::Deserialize;

use crate::token::{Key, KeyError, Tokens};

/// What a list of keys may be.
const ALLOWED: &str = "KID=FILE, no KID twice";

/// The keys of a gateway on its command line.
#[derive(Debug, Clone, Args)]
pub struct TokenFlags {
    /// A public Ed25519 key that tokens are checked with, as KID=FILE (PEM).
    /// With any key there is no open mode.
    #[arg(long = "key", value_name = "KID=FILE", value_delimiter = ',')]
    pub keys: Option<Vec<String>>,
    /// A secret that HS256 tokens are checked with, as KID=FILE.
    #[arg(long = "secret", value_name = "KID=FILE", value_delimiter = ',')]
    pub secrets: Option<Vec<String>>,
}

/// The keys of a gateway in its settings file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokensSection {
    keys: Vec<String>,
    secrets: Vec<String>,
}

/// Why something is no key. The operator must act.
#[derive(Debug, thiserror::Error)]
enum NoKey {
    #[error("it is not KID=FILE")]
    Form,
    #[error("there is a key of this KID already")]
    Twice,
    #[error("the file cannot be read: {0}")]
    Unreadable(std::io::Error),
    #[error("{0}")]
    Content(#[from] KeyError),
}

impl TokensSection {
    /// Whether no key is named: clients need no token.
    pub fn is_open(&self) -> bool {
        self.keys.is_empty() && self.secrets.is_empty()
    }

    /// Puts over it what the command line and the environment say.
    pub fn put_over(&mut self, flags: TokenFlags, given: &mut Given<'_>) {
        given.put("keys", "tokens.keys", &mut self.keys, flags.keys);
        given.put(
            "secrets",
            "tokens.secrets",
            &mut self.secrets,
            flags.secrets,
        );
    }

    /// Puts its keys on the sheet.
    pub fn describe(&self, sheet: &mut Sheet) {
        sheet.section("tokens");
        sheet.list("keys", &self.keys, ALLOWED, Reload::Yes);
        sheet.list("secrets", &self.secrets, ALLOWED, Reload::Yes);
    }

    /// Reads the keys; the sheet is told of those that are none.
    pub fn open(&self, sheet: &mut Sheet) -> Tokens {
        if self.is_open() {
            return Tokens::Open;
        }
        sheet.section("tokens");
        let mut keys = HashMap::new();
        for pair in &self.keys {
            if let Err(error) = add(&mut keys, pair, Key::ed25519) {
                let allowed = "KID=FILE, the file a public Ed25519 key in PEM";
                sheet.wrong("keys", format!("{pair} ({error})"), allowed);
            }
        }
        let secret = |bytes: &[u8]| Key::hs256(bytes.trim_ascii());
        for pair in &self.secrets {
            if let Err(error) = add(&mut keys, pair, secret) {
                let allowed = "KID=FILE, the file a secret of at least 32 bytes";
                sheet.wrong("secrets", format!("{pair} ({error})"), allowed);
            }
        }
        Tokens::Signed(keys)
    }

    /// Takes what SIGHUP may change: keys, but neither into open mode nor out
    /// of it, since who is logged in was let in by the one or the other.
    pub fn take_over(&mut self, new: &Self) {
        if self.is_open() == new.is_open() {
            self.clone_from(new);
        }
    }
}

fn add(
    keys: &mut HashMap<String, Key>,
    pair: &str,
    read: impl Fn(&[u8]) -> Result<Key, KeyError>,
) -> Result<(), NoKey> {
    let (kid, file) = pair.split_once('=').ok_or(NoKey::Form)?;
    if keys.contains_key(kid) {
        return Err(NoKey::Twice);
    }
    let bytes = std::fs::read(Path::new(file)).map_err(NoKey::Unreadable)?;
    keys.insert(kid.to_owned(), read(&bytes)?);
    Ok(())
}

/// Puts the address for clients on the sheet: without keys anyone may be
/// anyone, so only this machine may reach it.
pub fn describe_listen(listen: SocketAddr, tokens: &TokensSection, sheet: &mut Sheet) {
    let allowed = "IP:PORT; without keys a loopback address";
    sheet.words("listen", listen, allowed, Reload::No);
    if tokens.is_open() && !listen.ip().is_loopback() {
        let allowed = "a loopback address, since without keys (tokens.keys, tokens.secrets) \
                       anyone may be anyone";
        sheet.wrong("listen", listen, allowed);
    }
}
