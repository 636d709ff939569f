//! The groups of this user: which there are, what is missing of each, and how
//! far they are read.
//!
//! Owns the asking for what is missing and the pace of read marks. Must not
//! know a connection, nor what waits to be told.

mod changes;
mod pulls;
mod views;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proto::client::{ClientPacket, GetHistory, GroupRead};
use proto::clock::Moment;
use proto::codes::{Code, Next};
use proto::group::{Belongs, Conversation, GroupState, Head, LogEntry, Range, ReadTo, UserGroup};
use proto::ids::{GroupId, LogEpoch, MessageId, UserId};
use proto::limits::{PAGE_MAX, USER_GROUPS_MAX};
use proto::server::History;

use self::pulls::Pulls;
use super::log::{Held, Log, Told};
use super::seen::Newest;

/// How far a group is read is reported this often at most.
pub(super) const READ_PAUSE: Duration = Duration::from_secs(1);

/// The most own messages whose echoes are known.
const SENT_MAX: usize = 1_024;

/// What the log-in's groups are to those known before.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Named {
    /// This user is in them no more.
    pub(super) left: Vec<GroupId>,
    /// This user was invited to them, and by whom.
    pub(super) invited: Vec<(GroupId, UserId)>,
}

/// The groups of this user, at most [`USER_GROUPS_MAX`]; nobody is in more, and
/// what a server sends beyond is dropped.
#[derive(Debug, Default)]
pub(super) struct Groups {
    user: Option<UserId>,
    members: BTreeMap<GroupId, Member>,
    /// Named at the log-in; their state has not come.
    awaited: BTreeSet<GroupId>,
    invitations: BTreeMap<GroupId, UserId>,
    /// Own messages.
    sent: Newest<MessageId, SENT_MAX>,
    held: Held,
    pulls: Pulls,
    /// Of which groups a read mark is due, and when.
    reads: BTreeMap<GroupId, Moment>,
}

/// One of them.
#[derive(Debug)]
struct Member {
    state: GroupState,
    log: Log,
    /// Up to this entry the state has what was changed.
    changed_to: u64,
    /// When it was last reported how far it is read.
    reported: Option<Moment>,
}

impl Groups {
    /// A log-in named the groups; the states of those in which this user is
    /// follow.
    pub(super) fn connected(&mut self, user: UserId, groups: Vec<UserGroup>) -> Named {
        self.user = Some(user);
        self.awaited.clear();
        let before = std::mem::take(&mut self.invitations);
        let mut named = Named::default();
        for UserGroup { group, belongs } in groups.into_iter().take(USER_GROUPS_MAX) {
            match belongs {
                Belongs::Member => drop(self.awaited.insert(group)),
                Belongs::Invited { by } => {
                    if !before.contains_key(&group) {
                        named.invited.push((group.clone(), by.clone()));
                    }
                    self.invitations.insert(group, by);
                }
            }
        }
        let gone = self.members.keys().filter(|g| !self.awaited.contains(*g));
        named.left = gone.cloned().collect();
        for group in &named.left {
            self.left(group);
        }
        named
    }

    /// The connection is gone: what was asked is not answered.
    pub(super) fn lost(&mut self) {
        self.pulls.lost();
    }

    /// What a group is. `false`: nothing is known of it still.
    pub(super) fn state(
        &mut self,
        now: Moment,
        mut state: GroupState,
        told: &mut Vec<Told>,
    ) -> bool {
        let group = state.group.clone();
        self.awaited.remove(&group);
        self.invitations.remove(&group);
        if self.members.len() >= USER_GROUPS_MAX && !self.members.contains_key(&group) {
            return false;
        }
        let member = self.members.entry(group.clone()).or_insert_with(|| Member {
            log: Log::after(state.head),
            changed_to: 0,
            reported: None,
            state: state.clone(),
        });
        let ours = member.state.read;
        let is_same_log = member.log.epoch() == state.head.place.epoch;
        member.log.ends(state.head, &mut self.held, told);
        member.changed_to = state.head.place.seq;
        if is_same_log && ours.seq > state.read.seq {
            // What was reported before the connection was lost.
            state.read = ours;
            self.reads.entry(group.clone()).or_insert(now);
        }
        state.head = member.log.head();
        member.state = state;
        self.look(now, &group);
        true
    }

    /// The end of a group's log. Whether it is one of this user's.
    pub(super) fn ends(
        &mut self,
        now: Moment,
        group: &GroupId,
        head: Head,
        told: &mut Vec<Told>,
    ) -> bool {
        self.hears(now, group, told, |log, held, told| {
            log.ends(head, held, told);
        })
    }

    /// An entry of a group's log. Likewise.
    pub(super) fn entry(
        &mut self,
        now: Moment,
        group: &GroupId,
        epoch: LogEpoch,
        entry: LogEntry,
        told: &mut Vec<Told>,
    ) -> bool {
        self.hears(now, group, told, |log, held, told| {
            log.hear(epoch, entry, held, told);
        })
    }

    /// The answer to what was asked for by [`Groups::transmit`]; of which group,
    /// or the history back if it is of another.
    pub(super) fn page(
        &mut self,
        now: Moment,
        history: History,
        told: &mut Vec<Told>,
    ) -> Result<GroupId, History> {
        let Some(group) = self.pulls.answered(history.request) else {
            return Err(history);
        };
        self.hears(now, &group, told, |log, held, told| {
            log.page(history, held, told);
        });
        Ok(group)
    }

    /// What was asked for is refused. `false`: it was not asked for here.
    pub(super) fn refused(&mut self, now: Moment, request: u32, code: Code) -> bool {
        let Some(group) = self.pulls.answered(request) else {
            return false;
        };
        if let Some(member) = self.members.get_mut(&group) {
            if code.next() == Next::Again {
                self.pulls.again_later(now, group);
            } else {
                member.log.is_refused();
            }
        }
        true
    }

    /// Does something with a log, and what follows from it.
    fn hears(
        &mut self,
        now: Moment,
        group: &GroupId,
        told: &mut Vec<Told>,
        what: impl FnOnce(&mut Log, &mut Held, &mut Vec<Told>),
    ) -> bool {
        let Some(member) = self.members.get_mut(group) else {
            return false;
        };
        let (epoch, first) = (member.log.epoch(), told.len());
        what(&mut member.log, &mut self.held, told);
        if member.log.epoch() != epoch {
            member.begins_anew();
            self.reads.remove(group);
        }
        member.state.head = member.log.head();
        for told in &told[first..] {
            if let Told::Entry(entry) = told {
                member.changed_by(entry, self.user.as_ref());
            }
        }
        self.look(now, group);
        true
    }

    /// Whether something is to be asked for.
    fn look(&mut self, now: Moment, group: &GroupId) {
        let member = self.members.get(group);
        if member.is_some_and(|member| member.log.is_behind()) {
            self.pulls.want(now, group);
        } else {
            self.pulls.want_no_more(group);
        }
    }

    /// This user is not in a group any more, or not invited. Whether they were.
    pub(super) fn left(&mut self, group: &GroupId) -> bool {
        self.awaited.remove(group);
        self.reads.remove(group);
        self.pulls.want_no_more(group);
        let was_invited = self.invitations.remove(group).is_some();
        let Some(mut member) = self.members.remove(group) else {
            return was_invited;
        };
        member.log.forget(&mut self.held);
        true
    }

    /// This user has declined an invitation.
    pub(super) fn declined(&mut self, group: &GroupId) {
        self.invitations.remove(group);
    }

    /// This user is invited. `false`: that is known, or there are too many.
    pub(super) fn invited(&mut self, group: GroupId, by: UserId) -> bool {
        let is_full = self.invitations.len() >= USER_GROUPS_MAX;
        if self.members.contains_key(&group) || is_full {
            return false;
        }
        self.invitations.insert(group, by).is_none()
    }

    /// The user has read a group up to here. `None`: it is none of theirs.
    pub(super) fn read(&mut self, now: Moment, group: &GroupId, read: ReadTo) -> Option<()> {
        let member = self.members.get_mut(group)?;
        let head = member.log.head();
        let read = ReadTo {
            seq: read.seq.min(head.place.seq),
            messages: read.messages.min(head.messages),
        };
        if read.seq > member.state.read.seq {
            member.state.read = read;
            let next = member.reported.map_or(now, |at| at + READ_PAUSE);
            self.reads.entry(group.clone()).or_insert(next.max(now));
        }
        Some(())
    }

    /// Another device of this user has read a group. Whether that is news.
    pub(super) fn read_elsewhere(&mut self, read: &GroupRead) -> bool {
        let Some(member) = self.members.get_mut(&read.group) else {
            return false;
        };
        let is_same_log = member.log.epoch() == read.epoch;
        let is_news = is_same_log && read.read.seq >= member.state.read.seq;
        if is_news {
            member.state.read = read.read;
            self.reads.remove(&read.group);
        }
        is_news
    }

    /// Whether [`Groups::transmit`] has something to say now.
    pub(super) fn has_something(&self, now: Moment) -> bool {
        self.next_due().is_some_and(|due| due <= now)
    }

    /// A read mark that is due, else a question for what is missing in a group,
    /// under this number; with the group, and what is told of it before.
    pub(super) fn transmit(
        &mut self,
        now: Moment,
        request: u32,
        told: &mut Vec<Told>,
    ) -> Option<(GroupId, Option<ClientPacket>)> {
        if let Some(read) = self.next_read(now) {
            return Some((read.group.clone(), Some(ClientPacket::GroupRead(read))));
        }
        let group = self.pulls.due(now, &self.held)?;
        let member = self.members.get_mut(&group)?;
        let after = member.log.missing(&mut self.held, told);
        for told in &*told {
            if let Told::Entry(entry) = told {
                member.changed_by(entry, self.user.as_ref());
            }
        }
        let Some(after) = after else {
            self.pulls.want_no_more(&group);
            return Some((group, None));
        };
        self.pulls.asked(now, &group, request);
        let get = GetHistory {
            request,
            of: Conversation::Group(group.clone()),
            range: Range::After(after),
            count: PAGE_MAX as u32,
        };
        Some((group, Some(ClientPacket::GetHistory(get))))
    }

    fn next_read(&mut self, now: Moment) -> Option<GroupRead> {
        let mut due = self.reads.iter().filter(|(_, at)| **at <= now);
        let group = due.next()?.0.clone();
        self.reads.remove(&group);
        let member = self.members.get_mut(&group)?;
        member.reported = Some(now);
        Some(GroupRead {
            group,
            epoch: member.log.epoch(),
            read: member.state.read,
        })
    }

    /// Gives up on questions without an answer; they are asked again.
    pub(super) fn tick(&mut self, now: Moment) {
        for group in self.pulls.expired(now) {
            self.look(now, &group);
        }
    }

    fn next_due(&self) -> Option<Moment> {
        let reads = self.reads.values().copied();
        reads.chain(self.pulls.next_due(&self.held)).min()
    }

    /// When something is to be said or given up next. What is due is no
    /// deadline while the pace holds it back.
    pub(super) fn deadline(&self, is_paused: bool) -> Option<Moment> {
        let due = self.next_due().filter(|_| !is_paused);
        [due, self.pulls.deadline()].into_iter().flatten().min()
    }

    /// Whether no read mark waits.
    pub(super) fn is_idle(&self) -> bool {
        self.reads.is_empty()
    }

    /// The application has an entry of this weight.
    pub(super) fn taken(&mut self, weight: usize) {
        self.held.release(weight);
    }
}
