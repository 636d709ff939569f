//! What this client asks for besides messages, at a pace that servers allow.
//!
//! Owns what waits, what is asked, and the bounds. Must not know a connection.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use proto::client::{ChangeFriend, ClientPacket, EndDevice, Read, Transient};
use proto::clock::Moment;
use proto::codes::Code;
use proto::friends::FriendAction;
use proto::ids::{DeviceId, Stamp, UserId};
use proto::rate::{Allowance, Usage};
use proto::status::Status;

use super::error::{ChangeError, RequestError};

/// Requests per second and at once: below what a server allows by default.
const PACE: (u32, u32) = (25, 50);

/// What has no answer for this long is given up.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// The most changes, of relations and of devices, that wait or are asked.
pub(super) const CHANGES_MAX: usize = 32;

/// The most peers whose read marks wait.
pub(super) const READS_MAX: usize = 1_024;

/// The most typing notices and signals that wait; the next is shed.
pub(super) const TRANSIENTS_MAX: usize = 16;

/// What became of a change.
pub(super) type Changed = (u32, Result<(), ChangeError>);

#[derive(Debug)]
struct Change {
    request: u32,
    packet: ClientPacket,
    until: Moment,
    asked: bool,
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
    last_change: u32,
    devices: Option<Listing>,
    reads: BTreeMap<UserId, Stamp>,
    transients: VecDeque<Transient>,
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
            last_change: 0,
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

    pub(super) fn transient(&mut self, transient: Transient) {
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

    fn ask(
        &mut self,
        now: Moment,
        packet: impl FnOnce(u32) -> ClientPacket,
    ) -> Result<u32, RequestError> {
        if self.changes.len() >= CHANGES_MAX {
            return Err(RequestError::Busy);
        }
        self.last_change = self.last_change.wrapping_add(1);
        let request = self.last_change;
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

    /// `None` for an answer to nothing.
    pub(super) fn answered(&mut self, request: u32, code: Option<Code>) -> Option<Changed> {
        let same = |change: &Change| change.request == request;
        let at = self.changes.iter().position(same)?;
        self.changes.remove(at)?;
        let result = code.map_or(Ok(()), |code| Err(ChangeError::Refused(code)));
        Some((request, result))
    }

    /// The next packet that the pace allows.
    pub(super) fn transmit(&mut self, now: Moment) -> Option<ClientPacket> {
        self.paused = None;
        if !self.waits() {
            return None;
        }
        if let Err(pause) = self.usage.take(now, &self.allowance) {
            self.paused = Some(now + pause);
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
        self.transients.pop_front().map(ClientPacket::Transient)
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
    /// no use later; the rest waits.
    pub(super) fn lost(&mut self) -> Vec<Changed> {
        self.paused = None;
        self.transients.clear();
        if let Some(listing) = &mut self.devices {
            listing.asked = false;
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
mod tests {
    use super::*;

    const START: Moment = Moment(1_000_000);

    fn ben() -> UserId {
        UserId::new("ben").unwrap()
    }

    #[test]
    fn a_flood_is_paced_and_only_the_newest_read_mark_leaves() {
        let mut requests = Requests::new();
        for n in 0..500 {
            requests.read(ben(), Stamp(500 - n)).unwrap();
        }
        let read = Read {
            peer: ben(),
            up_to: Stamp(500),
        };
        assert_eq!(requests.transmit(START), Some(ClientPacket::Read(read)));
        assert!(requests.is_idle());
        let mut left = 0;
        for n in 0..500 {
            requests.read(ben(), Stamp(1_000 + n)).unwrap();
            left += u32::from(requests.transmit(START).is_some());
        }
        assert_eq!(left, PACE.1 - 1);
        let later = requests.deadline().unwrap();
        assert!(later > START && later <= START + Duration::from_secs(1));
        assert!(requests.transmit(later).is_some());
    }

    #[test]
    fn a_change_is_asked_once_and_answered_or_given_up() {
        let mut requests = Requests::new();
        let first = requests.change(START, FriendAction::Block, ben()).unwrap();
        let second = requests.change(START, FriendAction::Accept, ben()).unwrap();
        assert_ne!(first, second);
        assert!(requests.transmit(START).is_some());
        assert!(requests.transmit(START).is_some());
        assert_eq!(requests.transmit(START), None);
        assert_eq!(requests.answered(first, None), Some((first, Ok(()))));
        assert_eq!(requests.answered(first, None), None);
        assert!(requests.expired(START).is_empty());
        let given_up = requests.expired(requests.deadline().unwrap());
        assert_eq!(given_up, [(second, Err(ChangeError::Unanswered))]);
    }

    #[test]
    fn what_was_not_asked_survives_a_lost_connection() {
        let mut requests = Requests::new();
        let asked = requests.change(START, FriendAction::Block, ben()).unwrap();
        requests.transmit(START);
        let waiting = requests.change(START, FriendAction::Accept, ben()).unwrap();
        assert_eq!(requests.lost(), [(asked, Err(ChangeError::Unanswered))]);
        let Some(ClientPacket::ChangeFriend(change)) = requests.transmit(START) else {
            panic!("the second change waits");
        };
        assert_eq!(change.request, waiting);
    }

    #[test]
    fn the_devices_are_asked_for_once_and_again_on_the_next_connection() {
        let mut requests = Requests::new();
        requests.devices(START);
        requests.devices(START);
        assert_eq!(requests.transmit(START), Some(ClientPacket::GetDevices));
        assert_eq!(requests.transmit(START), None);
        assert!(!requests.is_idle());
        requests.lost();
        assert_eq!(requests.transmit(START), Some(ClientPacket::GetDevices));
        assert!(!requests.devices_expired(START));
        assert!(requests.devices_expired(START + PATIENCE));
        assert!(requests.is_idle());
    }

    #[test]
    fn bounds_have_an_answer() {
        let mut requests = Requests::new();
        for _ in 0..CHANGES_MAX {
            requests.change(START, FriendAction::Block, ben()).unwrap();
        }
        let one_more = requests.change(START, FriendAction::Block, ben());
        assert_eq!(one_more, Err(RequestError::Busy));
        for n in 0..READS_MAX {
            let peer = UserId::new(format!("u{n}")).unwrap();
            requests.read(peer, Stamp(1)).unwrap();
        }
        assert_eq!(requests.read(ben(), Stamp(1)), Err(RequestError::Busy));
    }
}
