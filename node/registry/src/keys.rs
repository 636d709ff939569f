//! Where things are in the registry, and the scripts that change them.
//!
//! Owns keys and scripts. All keys carry the tag `{ring}`, so that they lie
//! together in a Cluster.

use proto::ids::{Epoch, Incarnation};
use registry_core::look::Sign;
use shared::Script;

/// The ring: `epoch`, and `shard:<name>` with the record of each.
const RING: &str = "im:{ring}";

/// Public addresses of gateways, each by the time at which its lease ends.
pub(crate) const GATEWAYS: &str = "im:{ring}:gateways";

/// Admin addresses of daemons, likewise.
pub(crate) const DAEMONS: &str = "im:{ring}:daemons";

/// One entry, whose id is the epoch: who waits for a newer one is woken by it.
pub(crate) const NEWS: &str = "im:{ring}:news";

/// The keys of every script.
pub(crate) const KEYS: [&str; 3] = [RING, GATEWAYS, NEWS];

/// What was last heard of an incarnation, for a day: whoever must know whether
/// one is dead reads it with [`sign`].
pub fn lease(incarnation: Incarnation) -> String {
    format!("{RING}:lease:{}", incarnation.0)
}

/// What is written of an incarnation.
pub fn sign(text: Option<&str>) -> Sign {
    let Some(text) = text.filter(|text| *text != "lost") else {
        return Sign::Lost;
    };
    let mut numbers = text.split(' ').map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(number)), Some(Ok(known))) => Sign::Renewed {
            number,
            known: Epoch(known),
        },
        _ => Sign::Over,
    }
}

/// As it is written.
pub(crate) fn written(sign: Sign) -> String {
    match sign {
        Sign::Renewed { number, known } => format!("{number} {}", known.0),
        Sign::Lost => "lost".to_owned(),
        Sign::Over => "over".to_owned(),
    }
}

/// The scripts, by name.
#[derive(Debug, Clone)]
pub(crate) struct Scripts {
    pub(crate) look: Script,
    pub(crate) join: Script,
    pub(crate) renew: Script,
    pub(crate) end: Script,
    pub(crate) leave: Script,
    pub(crate) weigh: Script,
    pub(crate) remove: Script,
    pub(crate) expire: Script,
    pub(crate) raise: Script,
    pub(crate) announce: Script,
}

macro_rules! text {
    ($name:literal) => {
        concat!(
            include_str!("scripts/begin.lua"),
            include_str!(concat!("scripts/", $name, ".lua"))
        )
    };
}

impl Scripts {
    pub(crate) fn all(&self) -> Vec<Script> {
        let Self {
            look,
            join,
            renew,
            end,
            leave,
            weigh,
            remove,
            expire,
            raise,
            announce,
        } = self.clone();
        vec![
            look, join, renew, end, leave, weigh, remove, expire, raise, announce,
        ]
    }

    pub(crate) fn new() -> Self {
        Self {
            look: Script::reading(text!("look")),
            join: Script::writing(text!("join")),
            renew: Script::writing(text!("renew")),
            end: Script::writing(text!("end")),
            leave: Script::writing(text!("leave")),
            weigh: Script::writing(text!("weigh")),
            remove: Script::writing(text!("remove")),
            expire: Script::writing(text!("expire")),
            raise: Script::writing(text!("raise")),
            announce: Script::writing(text!("announce")),
        }
    }
}
