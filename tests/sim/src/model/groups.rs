//! The logs of groups, and what follows from them alone: who is in, and who may
//! do what.
//!
//! Owns every entry that ever became durable. Must not know stores.

use std::collections::{BTreeMap, BTreeSet};

use proto::client::ChangeGroup;
use proto::group::{Action, Entrance, LogEntry, Logged, Role};
use proto::ids::{GroupId, LogEpoch, UserId};

use crate::brief;
use crate::observed::Observed;

/// A log, and the group that it makes.
#[derive(Debug, Default)]
pub struct GroupLog {
    /// From the first on.
    pub entries: Vec<LogEntry>,
    /// Who is in it, as what.
    pub roles: BTreeMap<UserId, Role>,
    /// When each came in, and behind which entry they were out again.
    pub stays: BTreeMap<UserId, Vec<(u64, Option<u64>)>>,
    /// Who may not write until somebody says so.
    muted: BTreeSet<UserId>,
    banned: BTreeSet<UserId>,
    /// How one comes in.
    entrance: Option<Entrance>,
    has_ended: bool,
}

/// A change that a client asked for.
#[derive(Debug)]
struct Asked {
    client: usize,
    change: ChangeGroup,
}

/// All logs, and what was asked.
#[derive(Debug, Default)]
pub struct Groups {
    /// By name and epoch.
    pub logs: BTreeMap<(GroupId, LogEpoch), GroupLog>,
    /// What was asked last by each client under each number.
    asked: Vec<Asked>,
    /// Members that a group may have.
    pub members_max: usize,
    /// The first entry that may not stand where it does.
    pub wrong: Option<String>,
}

impl Groups {
    pub(super) fn observe(&mut self, observed: &Observed<'_>) {
        match observed {
            Observed::Logged {
                group,
                epoch,
                entry,
            } => {
                let newest = self.newest(group).map_or(*epoch, |(newest, _)| newest);
                let log = self.logs.entry(((*group).clone(), *epoch)).or_default();
                let allowed = match newest > *epoch {
                    true => Err("is in a log that is not the newest"),
                    false => log.allows(entry, self.members_max),
                };
                if let Err(why) = allowed {
                    let entry = brief::entry(entry);
                    self.wrong = Some(format!("in {group}, {entry} {why}"));
                }
                log.entries.push((*entry).clone());
                log.replay(entry);
            }
            Observed::AsksGroup { client, change } => self.asked.push(Asked {
                client: *client,
                change: (*change).clone(),
            }),
            _ => {}
        }
    }

    /// What a client asked for under this number.
    pub fn asked(&self, client: usize, request: u32) -> Option<&ChangeGroup> {
        let mut asked = self.asked.iter().rev();
        let found = asked.find(|of| of.client == client && of.change.request == request);
        found.map(|of| &of.change)
    }

    /// The newest log of a group.
    pub fn newest(&self, group: &GroupId) -> Option<(LogEpoch, &GroupLog)> {
        let all = (group.clone(), LogEpoch(0))..=(group.clone(), LogEpoch(u64::MAX));
        let (key, log) = self.logs.range(all).next_back()?;
        Some((key.1, log))
    }
}

impl GroupLog {
    /// Whether the entry may stand here, by those before it alone; why not.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn allows(&self, entry: &LogEntry, members_max: usize) -> Result<(), &'static str> {
        let before = self.entries.last();
        let messages = before.map_or(0, |before| before.messages);
        let is_message = matches!(entry.what, Logged::Message { .. });
        if entry.seq != self.entries.len() as u64 + 1 {
            return Err("has another number");
        }
        if entry.messages != messages + u64::from(is_message) {
            return Err("counts the messages wrongly");
        }
        if before.is_some_and(|before| before.stamp > entry.stamp) {
            return Err("is stamped before the one before it");
        }
        if self.has_ended {
            return Err("comes after the end");
        }
        match &entry.what {
            Logged::Message { .. } if !self.roles.contains_key(&entry.from) => {
                Err("is by nobody who is in it")
            }
            Logged::Message { .. } if self.muted.contains(&entry.from) => {
                Err("is by somebody who is muted")
            }
            Logged::Message { .. } => Ok(()),
            Logged::Change(action) if self.may(&entry.from, action, members_max) => Ok(()),
            Logged::Change(_) => Err("is not allowed to who did it"),
        }
    }

    fn may(&self, actor: &UserId, action: &Action, members_max: usize) -> bool {
        let role = self.roles.get(actor).copied();
        let admin = role >= Some(Role::Admin);
        let owner = role == Some(Role::Owner);
        let is_in = |user: &UserId| self.roles.contains_key(user);
        let above = |user: &UserId| admin && is_in(user) && role.as_ref() > self.roles.get(user);
        let may_come = |user: &UserId| {
            !is_in(user) && !self.banned.contains(user) && self.roles.len() < members_max
        };
        match action {
            Action::Create { .. } => self.entries.is_empty(),
            _ if self.entries.is_empty() => false,
            // Invitations are in no log.
            Action::Join => may_come(actor),
            Action::Leave => role.is_some() && !owner,
            Action::Rename { .. } => admin,
            Action::SetEntrance(entrance) => admin && self.entrance != Some(*entrance),
            Action::Invite(user) | Action::Admit(user) => admin && may_come(user),
            Action::Deny(_) => false,
            Action::SetRole { user, role } => {
                owner && user != actor && self.roles.get(user).is_some_and(|of| of != role)
            }
            Action::Transfer(user) => owner && is_in(user) && user != actor,
            Action::Kick(user) | Action::Mute { user, .. } | Action::Unmute(user) => above(user),
            Action::Ban(user) => {
                !self.banned.contains(user) && if is_in(user) { above(user) } else { admin }
            }
            Action::Unban(user) => admin && self.banned.contains(user),
            Action::Dissolve => owner,
        }
    }

    fn replay(&mut self, entry: &LogEntry) {
        let Logged::Change(action) = &entry.what else {
            return;
        };
        let (seq, actor) = (entry.seq, &entry.from);
        match action {
            Action::Create { entrance, .. } => {
                self.entrance = Some(*entrance);
                self.comes(seq, actor, Role::Owner);
            }
            Action::Join => self.comes(seq, actor, Role::Member),
            Action::Invite(user) | Action::Admit(user) => self.comes(seq, user, Role::Member),
            Action::Leave => self.goes(seq, actor),
            Action::Kick(user) => self.goes(seq, user),
            Action::Ban(user) => {
                self.goes(seq, user);
                self.banned.insert(user.clone());
            }
            Action::Unban(user) => drop(self.banned.remove(user)),
            Action::SetEntrance(entrance) => self.entrance = Some(*entrance),
            Action::SetRole { user, role } => drop(self.roles.insert(user.clone(), *role)),
            Action::Transfer(user) => {
                self.roles.insert(actor.clone(), Role::Admin);
                self.roles.insert(user.clone(), Role::Owner);
                // Nobody could unmute the owner.
                self.muted.remove(user);
            }
            Action::Mute { user, seconds: 0 } => drop(self.muted.insert(user.clone())),
            // The later mute counts, and this one ends by itself.
            Action::Mute { user, .. } | Action::Unmute(user) => drop(self.muted.remove(user)),
            Action::Dissolve => {
                let users: Vec<UserId> = self.roles.keys().cloned().collect();
                for user in users {
                    self.goes(seq, &user);
                }
                self.has_ended = true;
            }
            Action::Rename { .. } | Action::Deny(_) => {}
        }
    }

    fn comes(&mut self, seq: u64, user: &UserId, role: Role) {
        self.roles.insert(user.clone(), role);
        let stays = self.stays.entry(user.clone()).or_default();
        stays.push((seq, None));
    }

    fn goes(&mut self, seq: u64, user: &UserId) {
        self.muted.remove(user);
        if self.roles.remove(user).is_some()
            && let Some(stay) = self.stays.get_mut(user).and_then(|stays| stays.last_mut())
        {
            stay.1 = Some(seq);
        }
    }
}
