//! The simulation's store: the shards' contract, kept in memory.
//!
//! Owns: what is durable in the simulated world. Too simple to be wrong: no
//! rows, no caches, nothing is purged before its time. Must not know: when
//! requests arrive, or which of them fail; that is the world's.

mod groups;
mod user;

use std::collections::{BTreeMap, BTreeSet};

use msgd_core::store::{
    Claim, KeptGroup, Letter, Mailbox, MailboxSettings, OPEN_IDENTITIES_MAX, Outcome, Position,
    Remembered, Request, Seen, StoreSettings, Stored,
};
use proto::ids::{GroupId, Identity, Incarnation, Stamp, Token, UserId};
use proto::slot::{SLOTS, Slot};

pub use groups::Group;
use groups::Groups;
use user::{User, stored};

/// A store that all shards of the world share.
#[derive(Debug)]
pub struct Store {
    settings: MailboxSettings,
    /// By slot.
    slots: Vec<Holding>,
    dead: BTreeSet<Incarnation>,
    alive: BTreeMap<Incarnation, Stamp>,
    /// What a shard said last; messages age by it.
    now: Option<Stamp>,
    users: BTreeMap<UserId, User>,
    groups: Groups,
}

/// What became of a message that was appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is in the mailbox, here.
    Waiting(Position),
    /// A cursor was moved over it.
    Acknowledged,
    /// It was dropped by its age.
    Expired,
}

#[derive(Debug, Clone)]
struct Holding {
    token: Token,
    holder: Option<Incarnation>,
    recent: Vec<Remembered>,
}

impl Store {
    /// An empty store.
    pub fn new(settings: StoreSettings) -> Self {
        let nobody = Holding {
            token: Token(0),
            holder: None,
            recent: Vec::new(),
        };
        Self {
            settings: settings.mailbox,
            slots: vec![nobody; usize::from(SLOTS)],
            dead: BTreeSet::new(),
            alive: BTreeMap::new(),
            now: None,
            users: BTreeMap::new(),
            groups: Groups::new(settings.log),
        }
    }

    /// The incarnation's lease is over: its slots are granted to others.
    pub fn incarnation_died(&mut self, shard: Incarnation) {
        self.dead.insert(shard);
    }

    /// Whether an incarnation is known to be dead.
    pub fn is_dead(&self, shard: Incarnation) -> bool {
        self.dead.contains(&shard)
    }

    /// Who has a slot.
    pub fn holder(&self, slot: Slot) -> Option<Incarnation> {
        self.slots[slot.index()].holder
    }

    /// What became of a message, if it was ever appended. If it was appended
    /// twice, the one that waits counts.
    pub fn find(&self, to: &UserId, identity: &Identity) -> Option<Kept> {
        let user = self.users.get(to)?;
        let is_it = |letter: &Letter| letter.message.identity() == *identity;
        let waiting = user.letters.iter().find(|(_, letter)| is_it(letter));
        match waiting {
            Some((position, _)) => Some(Kept::Waiting(*position)),
            None => user.left.get(identity).copied(),
        }
    }

    /// The groups that are there.
    pub fn groups(&self) -> impl Iterator<Item = (&GroupId, &Group)> {
        self.groups.all()
    }

    /// A group, if it is there.
    pub fn group(&self, group: &GroupId) -> Option<&Group> {
        self.groups.get(group)
    }

    /// The groups that are kept of a user.
    pub fn groups_of(&self, user: &UserId) -> &[KeptGroup] {
        self.users.get(user).map_or(&[], |user| &user.groups)
    }

    /// Carries a request out, durably. What is to be told if it fails instead
    /// is [`Request::failed`]'s to say.
    pub fn execute(&mut self, request: Request) -> Vec<Outcome> {
        if let Some(claim) = request.claim() {
            let is_release = matches!(request, Request::Release { .. });
            let slot = &self.slots[claim.slot.index()];
            if slot.token != claim.token || slot.holder.is_none() && !is_release {
                return vec![Outcome::Refused { claim }];
            }
        }
        match request {
            Request::Claim { slots, shard } => slots
                .into_iter()
                .map(|slot| self.claim(slot, shard))
                .collect(),
            Request::Release { claim, recent } => {
                let token = claim.token;
                let holder = None;
                self.slots[claim.slot.index()] = Holding {
                    token,
                    holder,
                    recent,
                };
                Vec::new()
            }
            Request::Open { claim, user, since } => {
                let mailbox = self.open(&user, since);
                vec![Outcome::Opened {
                    claim,
                    user,
                    mailbox: Some(mailbox),
                }]
            }
            Request::Append {
                claim,
                user,
                behind,
                messages,
            } => {
                let settings = self.settings;
                let mailbox = self.user(&user);
                let (first, count) = mailbox.append(behind, messages, &settings);
                vec![Outcome::Appended {
                    claim,
                    user,
                    first,
                    count,
                }]
            }
            Request::Read {
                claim,
                user,
                reader,
                from,
                count_max,
                bytes_max,
            } => {
                let letters = self.user(&user).read(from, count_max, bytes_max);
                vec![Outcome::Read {
                    claim,
                    user,
                    reader,
                    from,
                    letters: Some(letters),
                }]
            }
            Request::Advance {
                claim,
                user,
                cursor,
            } => {
                self.user(&user).leave_before(cursor, Kept::Acknowledged);
                let done = true;
                vec![Outcome::Advanced { claim, user, done }]
            }
            Request::Note { user, receipt, .. } => {
                self.user(&user).note(receipt);
                Vec::new()
            }
            Request::TakeNotes { claim, user } => {
                let receipts = std::mem::take(&mut self.user(&user).notes);
                vec![Outcome::Notes {
                    claim,
                    user,
                    receipts,
                }]
            }
            Request::Seen { user, seen, .. } => {
                self.user(&user).seen = Some(seen);
                Vec::new()
            }
            Request::Alive {
                shard,
                stamp,
                steady,
            } => {
                self.alive.insert(shard, stamp);
                if steady {
                    self.now = Some(stamp);
                }
                Vec::new()
            }
            Request::KeepGroups {
                claim,
                user,
                groups,
            } => {
                self.user(&user).groups = groups;
                let done = true;
                vec![Outcome::GroupsKept { claim, user, done }]
            }
            request => self.of_group(request),
        }
    }

    fn of_group(&mut self, request: Request) -> Vec<Outcome> {
        let outcome = match request {
            Request::OpenGroup {
                claim,
                group,
                since,
            } => {
                let found = self.groups.open(&group, since);
                Outcome::GroupOpened {
                    claim,
                    group,
                    found,
                }
            }
            Request::WriteGroup {
                claim,
                group,
                write,
            } => {
                let done = self.groups.write(&group, *write, self.now);
                Outcome::GroupWritten { claim, group, done }
            }
            Request::ReadLog {
                claim,
                group,
                reader,
                range,
                count_max,
                bytes_max,
            } => {
                let page = self.groups.read(&group, range, (count_max, bytes_max));
                Outcome::LogRead {
                    claim,
                    group,
                    reader,
                    page,
                }
            }
            Request::EndGroup { group, .. } => {
                self.groups.end(&group);
                return Vec::new();
            }
            // No other is one of a group.
            _ => return Vec::new(),
        };
        vec![outcome]
    }

    fn claim(&mut self, slot: Slot, shard: Incarnation) -> Outcome {
        let holding = &mut self.slots[slot.index()];
        let is_free = |holder: Incarnation| holder == shard || self.dead.contains(&holder);
        if !holding.holder.is_none_or(is_free) {
            return Outcome::Held { slot };
        }
        holding.token.0 += 1;
        holding.holder = Some(shard);
        Outcome::Claimed {
            claim: Claim {
                slot,
                token: holding.token,
            },
            recent: std::mem::take(&mut holding.recent),
        }
    }

    fn open(&mut self, name: &UserId, since: Stamp) -> Mailbox {
        let user = self.user(name);
        let wanted = user
            .letters
            .iter()
            .rev()
            .filter(|(_, letter)| letter.message.stamp >= since)
            .take(OPEN_IDENTITIES_MAX);
        let mut latest: Vec<Stored> = wanted.map(stored).collect();
        latest.reverse();
        let (cursor, end, notes) = (user.cursor, user.end, !user.notes.is_empty());
        let last_seen = match user.seen {
            Some(Seen::Here(shard)) => self.alive.get(&shard).copied(),
            Some(Seen::At(stamp)) => Some(stamp),
            None => None,
        };
        let groups = self.user(name).groups.clone();
        Mailbox {
            cursor,
            end,
            latest,
            notes,
            last_seen,
            groups,
        }
    }

    /// The user, without messages that are too old at the front.
    fn user(&mut self, name: &UserId) -> &mut User {
        let user = self.users.entry(name.clone()).or_default();
        let age_max = self.settings.age_max.as_micros();
        let is_expired = |letter: &Letter| {
            let dies = u128::from(letter.message.stamp.0) + age_max;
            self.now.is_some_and(|now| dies < u128::from(now.0))
        };
        let fresh = user.letters.iter().find(|(_, letter)| !is_expired(letter));
        let cursor = fresh.map_or(user.end, |(position, _)| *position);
        user.leave_before(cursor, Kept::Expired);
        user
    }
}
