//! Commands and scripts.
//!
//! Owns what is known of a command beside its words: by which key it is routed,
//! and whether it changes anything.

use redis::{Cmd, ToRedisArgs};

use crate::hash;
use crate::life::Life;

/// A command with the key that it is about.
#[derive(Debug, Clone)]
pub struct Command {
    pub(crate) inner: Cmd,
    pub(crate) slot: u16,
    pub(crate) writes: bool,
    /// In which life of the server it may be carried out; `None`: in any.
    pub(crate) life: Option<Life>,
}

impl Command {
    /// A command that changes nothing: its name and its key.
    pub fn read(name: &str, key: impl AsRef<[u8]>) -> Self {
        Self::new(name, key.as_ref(), false)
    }

    /// A command that changes something: its name and its key.
    pub fn write(name: &str, key: impl AsRef<[u8]>) -> Self {
        Self::new(name, key.as_ref(), true)
    }

    /// A command that changes nothing and does not begin with its key, which is
    /// among the arguments that follow.
    pub fn read_by(name: &str, key: impl AsRef<[u8]>) -> Self {
        let mut inner = Cmd::with_capacity(6, 64);
        inner.arg(name);
        Self {
            inner,
            slot: hash::slot(key.as_ref()),
            writes: false,
            life: None,
        }
    }

    /// A script with its keys, which have one tag. There is at least one key;
    /// without any the script runs where keys without a tag are.
    pub fn script<K: AsRef<[u8]>>(script: &Script, keys: &[K]) -> Self {
        let mut inner = Cmd::with_capacity(3 + keys.len(), 128);
        inner.arg("EVALSHA").arg(&script.hash).arg(keys.len());
        for key in keys {
            inner.arg(key.as_ref());
        }
        let first = keys.first().map_or(&b""[..], AsRef::as_ref);
        Self {
            inner,
            slot: hash::slot(first),
            writes: script.writes,
            life: None,
        }
    }

    /// One more argument.
    #[must_use]
    pub fn arg(mut self, argument: impl ToRedisArgs) -> Self {
        self.inner.arg(argument);
        self
    }

    /// Not to be carried out in another life of the server than this: what was
    /// asked earlier may be forgotten there. It is [`Failure::Another`] then.
    ///
    /// [`Failure::Another`]: crate::Failure::Another
    #[must_use]
    pub fn only_in(mut self, life: Option<Life>) -> Self {
        self.life = life;
        self
    }

    fn new(name: &str, key: &[u8], writes: bool) -> Self {
        let mut inner = Cmd::with_capacity(6, 64 + key.len());
        inner.arg(name).arg(key);
        Self {
            inner,
            slot: hash::slot(key),
            writes,
            life: None,
        }
    }
}

/// A script in Lua, which servers know by its hash.
#[derive(Debug, Clone)]
pub struct Script {
    pub(crate) text: &'static str,
    hash: String,
    writes: bool,
}

impl Script {
    /// A script that changes nothing.
    pub fn reading(text: &'static str) -> Self {
        Self::new(text, false)
    }

    /// A script that changes something.
    pub fn writing(text: &'static str) -> Self {
        Self::new(text, true)
    }

    fn new(text: &'static str, writes: bool) -> Self {
        let hash = redis::Script::new(text).get_hash().to_owned();
        Self { text, hash, writes }
    }
}
