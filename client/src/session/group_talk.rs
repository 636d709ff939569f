//! What is said of groups, in both directions.
//!
//! Owns what the application asks of groups, and which packet goes where. Must
//! not know what is missing, nor when it is asked for.

use proto::client::{ClientPacket, GroupRead, GroupTransient};
use proto::clock::Moment;
use proto::group::{Action, Conversation, Head, LogEntry, Logged, Range, ReadTo, Which};
use proto::ids::{GroupId, LogEpoch, UserId};
use proto::limits::{BODY_BYTES_MAX, PAGE_MAX, TEXT_BYTES_MAX};
use proto::server::{GroupDeliver, ServerPacket};

use super::connection::{Phase, changed};
use super::error::{ChangeError, RequestError};
use super::event::Event;
use super::group_event::{Group, GroupEntry, GroupSkipped};
use super::groups::Named;
use super::log::Told;
use super::requests::Answer;
use super::{Effect, Session};

impl Session {
    /// Asks for something to be done to a group; its answer carries the number
    /// returned here.
    pub(crate) fn change_group(
        &mut self,
        now: Moment,
        group: GroupId,
        action: Action,
    ) -> Result<u32, RequestError> {
        self.check_open()?;
        if let Action::Create { title, .. } | Action::Rename { title } = &action
            && title.len() > TEXT_BYTES_MAX
        {
            return Err(RequestError::TooLong(TEXT_BYTES_MAX));
        }
        self.requests.change_group(now, group, action)
    }

    /// Asks whom a group knows; its answer carries the number returned here.
    pub(crate) fn members(
        &mut self,
        now: Moment,
        group: GroupId,
        which: Which,
        after: Option<UserId>,
    ) -> Result<u32, RequestError> {
        self.check_open()?;
        self.requests.members(now, group, which, after)
    }

    /// Asks for a part of a history; its answer carries the number returned
    /// here.
    pub(crate) fn history(
        &mut self,
        now: Moment,
        of: Conversation,
        range: Range,
        count: usize,
    ) -> Result<u32, RequestError> {
        self.check_open()?;
        // At most 500.
        let count = count.clamp(1, PAGE_MAX) as u32;
        self.requests.history(now, of, range, count)
    }

    /// This user has read a group up to here.
    pub(crate) fn mark_group_read(
        &mut self,
        now: Moment,
        group: &GroupId,
        read: ReadTo,
    ) -> Result<(), RequestError> {
        self.check_open()?;
        let is_member = self.groups.read(now, group, read);
        is_member.ok_or(RequestError::NotMember)
    }

    /// A signal to a group; of no use later, so it may be shed.
    pub(crate) fn group_transient(&mut self, transient: GroupTransient) {
        let limit = self.granted.as_ref().map_or(0, |g| g.body_bytes_max);
        let fits = transient.body.len() <= limit.min(BODY_BYTES_MAX);
        if fits && matches!(self.phase, Phase::Live(_)) {
            let packet = ClientPacket::GroupTransient(transient);
            self.requests.transient(packet);
        }
    }

    /// The groups in which this user is, as far as they are known.
    pub(crate) fn groups(&self) -> Vec<Group> {
        self.groups.all()
    }

    /// One of them.
    pub(crate) fn group(&self, group: &GroupId) -> Option<Group> {
        self.groups.of(group)
    }

    /// How many were named whose state has not come.
    pub(crate) fn groups_awaited(&self) -> usize {
        self.groups.awaited()
    }

    /// To which groups this user is invited, and by whom.
    pub(crate) fn invitations(&self) -> Vec<(GroupId, UserId)> {
        self.groups.invitations()
    }

    /// Whether something missing can be asked for now that could not before.
    pub(crate) fn wants_pages(&self, now: Moment) -> bool {
        let is_live = matches!(self.phase, Phase::Live(_));
        is_live && !self.requests.is_paused() && self.groups.has_something(now)
    }

    /// The log-in named the groups.
    pub(super) fn groups_named(&mut self, named: Named) {
        for group in named.left {
            let change = None;
            self.news.tidings(Event::GroupLeft { group, change });
        }
        for (group, by) in named.invited {
            self.news.tidings(Event::GroupInvited { group, by });
        }
    }

    /// A packet about groups came.
    pub(super) fn told_of_groups(
        &mut self,
        now: Moment,
        packet: ServerPacket,
        out: &mut Vec<Effect>,
    ) {
        let mut told = Vec::new();
        match packet {
            ServerPacket::GroupState(state) => {
                let group = state.group.clone();
                if self.groups.state(now, *state, &mut told) {
                    self.news.group(group.clone());
                    self.tell(&group, told);
                }
            }
            ServerPacket::GroupDeliver(deliver) => self.logged(now, deliver),
            ServerPacket::GroupHead { group, head } => self.ends(now, &group, head),
            // An own one may come back.
            ServerPacket::GroupTransient(transient) if self.groups.is_me(&transient.from) => {}
            ServerPacket::GroupTransient(transient) => self.news.group_transient(transient),
            ServerPacket::GroupLeft { group, change } => self.left_group(group, change),
            ServerPacket::GroupInvited { group, by } => self.invited_to(group, by),
            ServerPacket::GroupApplied { group, user } => {
                self.news.tidings(Event::GroupApplied { group, user });
            }
            ServerPacket::GroupResult { request, code } => {
                if code.is_some_and(|code| self.groups.refused(now, request, code)) {
                    return;
                }
                let result = code.map_or(Ok(Answer::Done), |code| Err(ChangeError::Refused(code)));
                self.answered(request, result, out);
            }
            ServerPacket::Members(members) => {
                self.answered(members.request, Ok(Answer::Members(members)), out);
            }
            ServerPacket::History(history) => match self.groups.page(now, *history, &mut told) {
                Ok(group) => self.tell(&group, told),
                Err(history) => {
                    let history = Box::new(history);
                    self.answered(history.request, Ok(Answer::History(history)), out);
                }
            },
            // The rest is not about groups; and nobody asks for their list, which
            // every log-in brings.
            _ => {}
        }
    }

    fn ends(&mut self, now: Moment, group: &GroupId, head: Head) {
        let mut told = Vec::new();
        if self.groups.ends(now, group, head, &mut told) {
            self.news.group(group.clone());
            self.tell(group, told);
        }
    }

    fn left_group(&mut self, group: GroupId, change: Option<(UserId, Action)>) {
        if self.groups.left(&group) {
            self.news.tidings(Event::GroupLeft { group, change });
        }
    }

    fn invited_to(&mut self, group: GroupId, by: UserId) {
        if self.groups.invited(group.clone(), by.clone()) {
            self.news.tidings(Event::GroupInvited { group, by });
        }
    }

    fn logged(&mut self, now: Moment, deliver: GroupDeliver) {
        let GroupDeliver {
            group,
            epoch,
            entry,
        } = deliver;
        let mut told = Vec::new();
        if self.groups.entry(now, &group, epoch, entry, &mut told) {
            self.tell(&group, told);
        }
    }

    fn answered(
        &mut self,
        request: u32,
        result: Result<Answer, ChangeError>,
        out: &mut Vec<Effect>,
    ) {
        let Some((packet, answered)) = self.requests.take(request, result) else {
            return;
        };
        if let (ClientPacket::ChangeGroup(change), Ok(_)) = (packet, &answered.1)
            && change.action == Action::Leave
        {
            // An invitation that is declined.
            self.groups.declined(&change.group);
        }
        changed(vec![answered], out);
    }

    /// Another device of this user has read a group.
    pub(super) fn group_read_elsewhere(&mut self, read: &GroupRead) -> bool {
        let is_news = self.groups.read_elsewhere(read);
        if is_news {
            self.news.group(read.group.clone());
        }
        is_news
    }

    /// Read marks, and questions for what is missing, as far as the pace allows.
    pub(super) fn next_of_groups(&mut self, now: Moment) -> Option<ClientPacket> {
        if !self.groups.has_something(now) || !self.requests.may(now) {
            return None;
        }
        let mut told = Vec::new();
        let request = self.requests.number();
        let (group, packet) = self.groups.transmit(now, request, &mut told)?;
        self.tell(&group, told);
        packet
    }

    /// What a group's log says is told.
    fn tell(&mut self, group: &GroupId, told: Vec<Told>) {
        let Some(epoch) = self.groups.epoch(group) else {
            return;
        };
        for told in told {
            let is_change = matches!(&told, Told::Entry(e) if matches!(e.what, Logged::Change(_)));
            if is_change || told == Told::Anew {
                self.news.group(group.clone());
            }
            let event = self.event_of(group.clone(), epoch, told);
            self.news.logged(event);
        }
    }

    fn event_of(&self, group: GroupId, epoch: LogEpoch, told: Told) -> Event {
        match told {
            Told::Anew => Event::GroupAnew { group, epoch },
            Told::Skipped(first, last) => Event::GroupSkipped(GroupSkipped {
                group,
                epoch,
                first,
                last,
            }),
            Told::Entry(entry) => Event::GroupEntry(GroupEntry {
                mentions_me: self.groups.mentions_me(&entry),
                is_echo: self.groups.is_echo(&entry),
                group,
                epoch,
                entry,
            }),
        }
    }
}

/// What an event of a log weighs in what is held.
pub(super) fn weight(event: &Event) -> usize {
    match event {
        Event::GroupEntry(entry) => LogEntry::weight(&entry.entry),
        _ => 0,
    }
}
