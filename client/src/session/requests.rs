//! What this client asks for besides messages, at a pace that servers allow.
//!
//! Owns what waits, what is asked, and the bounds. Must not know a connection.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use proto::client::{
    ChangeFriend, ChangeGroup, ClientPacket, EndDevice, GetHistory, GetMembers, Read,
};
use proto::clock::Moment;
use proto::codes::Code;
use proto::friends::FriendAction;
use proto::group::{Action, Conversation, Range, Which};
use proto::ids::{DeviceId, GroupId, Stamp, UserId};
use proto::rate::{Allowance, Usage};
use proto::server::{History, Members};
use proto::status::Status;

use super::error::{ChangeError, RequestError};

/// Requests per second and at once: below what a server allows by default.
const PACE: (u32, u32) = (25, 50);

/// What has no answer for this long is given up.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// The most changes, and questions about groups, that wait or are asked.
pub(super) const CHANGES_MAX: usize = 32;

/// The most peers whose read marks wait.
pub(super) const READS_MAX: usize = 1_024;

/// The most typing notices and signals that wait; the next is shed.
pub(super) const TRANSIENTS_MAX: usize = 16;

/// What became of a change or a question.
pub(super) type Changed = (u32, Result<Answer, ChangeError>);

/// What answers a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The change is done.
    Done,
    /// A page of those whom a group knows.
    Members(Box<Members>),
    /// A part of a history.
    History(Box<History>),
}

impl Answer {
    fn is_to(&self, packet: &ClientPacket) -> bool {
        match packet {
            ClientPacket::GetMembers(_) => matches!(self, Self::Members(_)),
            ClientPacket::GetHistory(_) => matches!(self, Self::History(_)),
            _ => matches!(self, Self::Done),
        }
    }
}

#[derive(Debug)]
struct Change {
    request: u32,
    packet: ClientPacket,
    until: Moment,
    asked: bool,
}

impl Change {
    /// It only asks: asked twice it does no harm.
    fn is_question(&self) -> bool {
        matches!(
            self.packet,
            ClientPacket::GetMembers(_) | ClientPacket::GetHistory(_)
        )
    }
}

/// The devices are wanted.
#[derive(Debug)]
struct Listing {
    until: Moment,
    asked: bool,
}

/// Requests that wait or have no answer.
#[derive(Debug)]
pub(super) struct Requests {
    allowance: Allowance,
    usage: Usage,
    /// Nothing leaves before.
    paused: Option<Moment>,
    token: Option<String>,
    status: Option<Status>,
    changes: VecDeque<Change>,
    last_request: u32,
    devices: Option<Listing>,
    reads: BTreeMap<UserId, Stamp>,
    transients: VecDeque<ClientPacket>,
}

impl Requests {
    pub(super) fn new() -> Self {
        Self {
            allowance: Allowance::new(PACE.0, PACE.1),
            usage: Usage::default(),
            paused: None,
            token: None,
            status: None,
            changes: VecDeque::new(),
            last_request: 0,
            devices: None,
            reads: BTreeMap::new(),
            transients: VecDeque::new(),
        }
    }

    pub(super) fn token(&mut self, token: String) {
        self.token = Some(token);
    }

    pub(super) fn status(&mut self, status: Status) {
        self.status = Some(status);
    }

    /// Read marks only go forward, so the newest says all.
    pub(super) fn read(&mut self, peer: UserId, up_to: Stamp) -> Result<(), RequestError> {
        if self.reads.len() >= READS_MAX && !self.reads.contains_key(&peer) {
            return Err(RequestError::Busy);
        }
        let newest = self.reads.entry(peer).or_default();
        *newest = up_to.max(*newest);
        Ok(())
    }

    /// Of no use later.
    pub(super) fn transient(&mut self, transient: ClientPacket) {
        if self.transients.len() < TRANSIENTS_MAX {
            self.transients.push_back(transient);
        }
    }

    pub(super) fn change(
        &mut self,
        now: Moment,
        action: FriendAction,
        peer: UserId,
    ) -> Result<u32, RequestError> {
        self.ask(now, |request| {
            ClientPacket::ChangeFriend(ChangeFriend {
                request,
                action,
                peer,
            })
        })
    }

    pub(super) fn end_device(
        &mut self,
        now: Moment,
        device: DeviceId,
    ) -> Result<u32, RequestError> {
        self.ask(now, |request| {
            ClientPacket::EndDevice(EndDevice { request, device })
        })
    }

    pub(super) fn change_group(
        &mut self,
        now: Moment,
        group: GroupId,
        action: Action,
    ) -> Result<u32, RequestError> {
        self.ask(now, |request| {
            ClientPacket::ChangeGroup(ChangeGroup {
                request,
                group,
                action,
            })
        })
    }

    pub(super) fn members(
        &mut self,
        now: Moment,
        group: GroupId,
        which: Which,
        after: Option<UserId>,
    ) -> Result<u32, RequestError> {
        self.ask(now, |request| {
            ClientPacket::GetMembers(GetMembers {
                request,
                group,
                which,
                after,
            })
        })
    }

    pub(super) fn history(
        &mut self,
        now: Moment,
        of: Conversation,
        range: Range,
        count: u32,
    ) -> Result<u32, RequestError> {
        self.ask(now, |request| {
            ClientPacket::GetHistory(GetHistory {
                request,
                of,
                range,
                count,
            })
        })
    }

    /// A number that no request has that is not answered.
    pub(super) fn number(&mut self) -> u32 {
        self.last_request = self.last_request.wrapping_add(1);
        self.last_request
    }

    fn ask(
        &mut self,
        now: Moment,
        packet: impl FnOnce(u32) -> ClientPacket,
    ) -> Result<u32, RequestError> {
        if self.changes.len() >= CHANGES_MAX {
            return Err(RequestError::Busy);
        }
        let request = self.number();
        self.changes.push_back(Change {
            request,
            packet: packet(request),
            until: now + PATIENCE,
            asked: false,
        });
        Ok(request)
    }

    /// Whoever asks while a question is under way shares its answer.
    pub(super) fn devices(&mut self, now: Moment) {
        self.devices.get_or_insert(Listing {
            until: now + PATIENCE,
            asked: false,
        });
    }

    /// The devices came, wanted or not.
    pub(super) fn devices_came(&mut self) {
        self.devices = None;
    }

    /// Whether the devices were given up by now.
    pub(super) fn devices_expired(&mut self, now: Moment) -> bool {
        self.devices.take_if(|l| l.until <= now).is_some()
    }

    /// What was asked for is done, or is refused. `None` for an answer to
    /// nothing.
    pub(super) fn answered(&mut self, request: u32, code: Option<Code>) -> Option<Changed> {
        let result = code.map_or(Ok(Answer::Done), |code| Err(ChangeError::Refused(code)));
        self.take(request, result).map(|(_, changed)| changed)
    }

    /// Likewise, with what was asked for.
    pub(super) fn take(
        &mut self,
        request: u32,
        result: Result<Answer, ChangeError>,
    ) -> Option<(ClientPacket, Changed)> {
        let is_it = |change: &Change| {
            let is_answer = result.as_ref().map_or(true, |a| a.is_to(&change.packet));
            change.request == request && is_answer
        };
        let at = self.changes.iter().position(is_it)?;
        let change = self.changes.remove(at)?;
        Some((change.packet, (request, result)))
    }

    /// The next packet that the pace allows.
    pub(super) fn transmit(&mut self, now: Moment) -> Option<ClientPacket> {
        self.paused = None;
        if !self.waits() {
            return None;
        }
        if !self.may(now) {
            return None;
        }
        if let Some(token) = self.token.take() {
            return Some(ClientPacket::RefreshToken { token });
        }
        if let Some(change) = self.changes.iter_mut().find(|change| !change.asked) {
            change.asked = true;
            return Some(change.packet.clone());
        }
        if let Some(listing) = self.devices.as_mut().filter(|listing| !listing.asked) {
            listing.asked = true;
            return Some(ClientPacket::GetDevices);
        }
        if let Some(status) = self.status.take() {
            return Some(ClientPacket::SetStatus(status));
        }
        if let Some((peer, up_to)) = self.reads.pop_first() {
            return Some(ClientPacket::Read(Read { peer, up_to }));
        }
        self.transients.pop_front()
    }

    /// Whether the pace allows one more now.
    pub(super) fn may(&mut self, now: Moment) -> bool {
        let used = self.usage.take(now, &self.allowance);
        self.paused = used.err().map(|pause| now + pause);
        self.paused.is_none()
    }

    /// Whether the pace holds something back.
    pub(super) fn is_paused(&self) -> bool {
        self.paused.is_some()
    }

    /// When to look again.
    pub(super) fn deadline(&self) -> Option<Moment> {
        let untils = self.changes.iter().map(|change| change.until);
        let devices = self.devices.as_ref().map(|listing| listing.until);
        untils.chain(devices).chain(self.paused).min()
    }

    /// Changes that were given up by now.
    pub(super) fn expired(&mut self, now: Moment) -> Vec<Changed> {
        self.give_up(|change| change.until <= now)
    }

    /// The log-in says what the status and the token are.
    pub(super) fn connected(&mut self) {
        self.status = None;
        self.token = None;
    }

    /// The connection is gone: what was asked may have been done. Typing is of
    /// no use later; the rest waits, and questions are asked again.
    pub(super) fn lost(&mut self) -> Vec<Changed> {
        self.paused = None;
        self.transients.clear();
        if let Some(listing) = &mut self.devices {
            listing.asked = false;
        }
        let questions = self.changes.iter_mut();
        for question in questions.filter(|change| change.is_question()) {
            question.asked = false;
        }
        self.give_up(|change| change.asked)
    }

    /// Empties it.
    pub(super) fn end(&mut self) -> Vec<Changed> {
        let given_up = self.give_up(|_| true);
        *self = Self::new();
        given_up
    }

    /// Whether nothing waits and nothing is without an answer.
    pub(super) fn is_idle(&self) -> bool {
        !self.waits() && self.changes.is_empty() && self.devices.is_none()
    }

    fn waits(&self) -> bool {
        let change = self.changes.iter().any(|change| !change.asked);
        let devices = self.devices.as_ref().is_some_and(|listing| !listing.asked);
        let kept = self.token.is_some() || self.status.is_some();
        change || devices || kept || !self.reads.is_empty() || !self.transients.is_empty()
    }

    fn give_up(&mut self, which: impl Fn(&Change) -> bool) -> Vec<Changed> {
        let mut given_up = Vec::new();
        self.changes.retain(|change| {
            let gone = which(change);
            if gone {
                given_up.push((change.request, Err(ChangeError::Unanswered)));
            }
            !gone
        });
        given_up
    }
}

#[cfg(test)]
mod tests;
