//! A session that is logged in: what comes to it unasked.
//!
//! Owns what is pushed, and what waits for `SUB`. Must not know commands.

use bytes::Bytes;
use proto::client::ClientPacket;
use proto::clock::Moment;
use proto::group::Action;
use proto::ids::{GroupId, UserId};
use proto::rate::{Allowance, Usage};
use proto::server::{Deliver, GroupDeliver, History, LoginOk, ServerPacket};

use crate::groups::Groups;
use crate::json::{self, Message, News};
use crate::pull::Pull;
use crate::reply;
use crate::turn::Turn;

// With the door that is what one who waits takes.
const _: () = assert!(size_of::<Live>() <= 112);

/// A session that is logged in.
#[derive(Debug)]
pub struct Live {
    user: UserId,
    /// The groups that the user is in.
    pub groups: Groups,
    /// Messages are pushed.
    is_told: bool,
    /// From users, without an acknowledgement. The session keeps them within
    /// its window.
    kept: Vec<Deliver>,
    pull: Option<Box<Pull>>,
    /// The number of the last request.
    request: u32,
    requests: Usage,
}

impl Live {
    /// The log-in is accepted.
    pub fn new(login: &LoginOk) -> Self {
        Self {
            user: login.user.clone(),
            groups: Groups::default(),
            is_told: false,
            kept: Vec::new(),
            pull: None,
            request: 0,
            requests: Usage::default(),
        }
    }

    /// The number of a new request.
    pub fn next_request(&mut self) -> u32 {
        self.request = self.request.wrapping_add(1);
        self.request
    }

    /// Counts a command's first request, or says when there is room for it. Half
    /// of what the session allows at once is left for pages.
    pub fn count_request(&mut self, turn: &Turn) -> Result<(), Moment> {
        let per_second = turn.settings.requests_per_second;
        self.count(per_second.saturating_mul(2), turn)
    }

    /// Counts a page; commands wait for the room that it takes.
    pub fn count_page(&mut self, turn: &Turn) {
        // There is room for so many in any case.
        let _ = self.count(u32::MAX, turn);
    }

    fn count(&mut self, at_once: u32, turn: &Turn) -> Result<(), Moment> {
        let allowance = Allowance::new(turn.settings.requests_per_second, at_once);
        let now = turn.now.moment;
        let taken = self.requests.take(now, &allowance);
        taken.map_err(|wait| now + wait)
    }

    /// Pushes from now on, first what was kept.
    pub fn subscribe(&mut self, turn: &mut Turn) {
        self.is_told = true;
        for deliver in std::mem::take(&mut self.kept) {
            self.delivered(&deliver, turn);
        }
    }

    /// Takes what comes unasked.
    pub fn hear(&mut self, packet: &ServerPacket, turn: &mut Turn) {
        match packet {
            ServerPacket::Deliver(deliver) => self.delivered(deliver, turn),
            ServerPacket::GroupDeliver(deliver) => self.logged(deliver, turn),
            ServerPacket::GroupState(state) => {
                self.groups.enter(state, self.is_told);
                self.catch_up(turn);
            }
            ServerPacket::GroupHead { group, head } => {
                self.groups.reach(group, head.place, self.is_told);
                self.catch_up(turn);
            }
            ServerPacket::GroupLeft { group, change } => {
                let was_in = self.groups.leave(group);
                let by_leaving =
                    |(by, action): &(UserId, Action)| *by == self.user && *action == Action::Leave;
                if was_in && !change.as_ref().is_some_and(by_leaving) {
                    let left = group.as_str();
                    self.push(&News::Left { left }, turn);
                }
            }
            ServerPacket::GroupInvited { group, by } => {
                let (invited, by) = (group.as_str(), by.as_str());
                self.push(&News::Invited { invited, by }, turn);
            }
            ServerPacket::GroupApplied { group, user } => {
                let (applied, by) = (group.as_str(), user.as_str());
                self.push(&News::Applied { applied, by }, turn);
            }
            ServerPacket::Goaway(goaway) => {
                let leaving_ms = u64::from(goaway.after_ms) + u64::from(goaway.spread_ms);
                self.push(&News::Leaving { leaving_ms }, turn);
            }
            ServerPacket::History(page) => self.paged(page, turn),
            ServerPacket::GroupResult { request, .. } => {
                if let Some(group) = self.awaited(*request) {
                    self.rest(group, true, turn);
                }
            }
            _ => {}
        }
    }

    /// When to call [`Live::tick`].
    pub fn deadline(&self) -> Option<Moment> {
        self.pull.as_ref().map(|pull| pull.until())
    }

    /// Asks for what is missing, where it is time for that.
    pub fn tick(&mut self, turn: &mut Turn) {
        let now = turn.now.moment;
        match self.pull.take().map(|pull| *pull) {
            Some(Pull::Asked { group, until, .. }) if until <= now => self.rest(group, true, turn),
            Some(Pull::Rest { after, until }) if until <= now => self.pull(Some(&after), turn),
            pull => self.pull = pull.map(Box::new),
        }
    }

    fn push(&self, news: &News, turn: &mut Turn) {
        if self.is_told {
            reply::push(&json::write(news), turn.out);
        }
    }

    fn delivered(&mut self, deliver: &Deliver, turn: &mut Turn) {
        if self.is_told {
            reply::push(&json::write(&Message::direct(deliver)), turn.out);
            turn.ask(ClientPacket::Ack { seq: deliver.seq });
        } else {
            // The body is a part of something larger that is not to be kept.
            self.kept.push(Deliver {
                body: Bytes::copy_from_slice(&deliver.body),
                ..deliver.clone()
            });
        }
    }

    fn logged(&mut self, deliver: &GroupDeliver, turn: &mut Turn) {
        if !self.groups.deliver(deliver, &self.user, self.is_told) {
            return self.catch_up(turn);
        }
        if let Some(message) = Message::logged(&deliver.entry, Some(&deliver.group)) {
            reply::push(&json::write(&message), turn.out);
        }
    }

    fn catch_up(&mut self, turn: &mut Turn) {
        if self.is_told && self.pull.is_none() {
            self.pull(None, turn);
        }
    }

    fn pull(&mut self, after: Option<&GroupId>, turn: &mut Turn) {
        let request = self.request.wrapping_add(1);
        let begun = Pull::begin(&self.groups, after, request, turn.now.moment);
        self.pull = None;
        if let Some((pull, packet)) = begun {
            self.pull = Some(Box::new(pull));
            self.request = request;
            self.count_page(turn);
            turn.ask(packet);
        }
    }

    fn awaited(&self, request: u32) -> Option<GroupId> {
        self.pull.as_ref()?.awaits(request).cloned()
    }

    fn rest(&mut self, group: GroupId, is_refused: bool, turn: &Turn) {
        let rest = Pull::rest(group, is_refused, turn.now.moment);
        self.pull = Some(Box::new(rest));
    }

    fn paged(&mut self, page: &History, turn: &mut Turn) {
        let Some(group) = self.awaited(page.request) else {
            return;
        };
        let filled = self.groups.fill(&group, page, &self.user);
        if filled.skipped > 0 {
            let (skipped, group) = (filled.skipped, group.as_str());
            self.push(&News::Skipped { skipped, group }, turn);
        }
        for entry in filled.entries {
            if let Some(message) = Message::logged(entry, Some(&group)) {
                reply::push(&json::write(&message), turn.out);
            }
        }
        self.rest(group, false, turn);
    }
}
