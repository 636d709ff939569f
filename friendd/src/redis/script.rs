//! Where lists lie in Redis, and the commands and scripts about them.
//!
//! Owns the names of keys and fields, and which arguments each script has. Must
//! not know when one is needed.

use proto::ids::UserId;
use shared::{Command, Script};

use super::edition::Edition;
use super::intent::{Id, Intent, Written};

/// What the keys of all users begin with.
pub(crate) const KEYS: &str = "im:friends:";

/// The hash of one user. Only the user is the tag, so that users are spread
/// over the servers of a Cluster.
pub(crate) fn key(user: &UserId) -> String {
    format!("{KEYS}{{{user}}}")
}

/// Where a change with this user leaves its mark at the second one.
fn mark(first: &UserId) -> String {
    format!("by:{first}")
}

/// Which list is stored, and what is pending.
pub(super) fn look(user: &UserId) -> Command {
    let command = Command::read("HMGET", key(user));
    command.arg("pending").arg("edition")
}

/// The list that is stored, and what is pending.
pub(super) fn load(user: &UserId) -> Command {
    let command = Command::read("HMGET", key(user));
    command.arg("pending").arg("list")
}

/// All scripts.
#[derive(Debug)]
pub(super) struct Scripts {
    save: Script,
    prepare: Script,
    confirm: Script,
    apply: Script,
    finish: Script,
    forget: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            save: Script::writing(include_str!("lua/save.lua")),
            prepare: Script::writing(include_str!("lua/prepare.lua")),
            confirm: Script::writing(include_str!("lua/confirm.lua")),
            apply: Script::writing(include_str!("lua/apply.lua")),
            finish: Script::writing(include_str!("lua/finish.lua")),
            forget: Script::writing(include_str!("lua/forget.lua")),
        }
    }

    pub(super) fn all(&self) -> Vec<Script> {
        let all = [
            &self.save,
            &self.prepare,
            &self.confirm,
            &self.apply,
            &self.finish,
            &self.forget,
        ];
        all.map(Clone::clone).into()
    }

    pub(super) fn save(&self, user: &UserId, replaces: Edition, new: &Written) -> Command {
        Command::script(&self.save, &[key(user)])
            .arg(replaces.bytes())
            .arg(new.edition.bytes())
            .arg(&new.record)
    }

    pub(super) fn prepare(&self, first: &UserId, replaces: Edition, intent: &Intent) -> Command {
        Command::script(&self.prepare, &[key(first)])
            .arg(replaces.bytes())
            .arg(intent.encode())
    }

    pub(super) fn confirm(&self, first: &UserId, pending: &[u8]) -> Command {
        Command::script(&self.confirm, &[key(first)]).arg(pending)
    }

    pub(super) fn apply(&self, first: &UserId, intent: &Intent) -> Command {
        Command::script(&self.apply, &[key(&intent.second)])
            .arg(mark(first))
            .arg(&intent.id[..])
            .arg(intent.replaces.bytes())
            .arg(intent.new_second.edition.bytes())
            .arg(&intent.new_second.record)
    }

    /// `new`: what is written, unless the change has failed.
    pub(super) fn finish(&self, first: &UserId, id: &Id, new: Option<&Written>) -> Command {
        let command = Command::script(&self.finish, &[key(first)]).arg(&id[..]);
        match new {
            Some(new) => command.arg(new.edition.bytes()).arg(&new.record),
            None => command,
        }
    }

    pub(super) fn forget(&self, first: &UserId, second: &UserId, id: &Id) -> Command {
        Command::script(&self.forget, &[key(second)])
            .arg(mark(first))
            .arg(&id[..])
    }
}
