//! The SDK's session under any server, application and network.
//!
//! Owns what happens to it and what must hold afterwards. What servers say is
//! `said`'s. The session is taken in as a module: outside its package it is
//! nobody's to use.

mod said;

#[path = "../../../../client/src/session/mod.rs"]
#[allow(dead_code, unused_imports)]
mod session;

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use proto::client::ClientPacket;
use proto::ids::{Identity, MessageId, Stamp};
use proto::server::ServerPacket;
use proto::status::Status;

use crate::cast::{self, USERS};
use crate::script::{Clock, Script};
use session::{Account, Confirmation, Credentials, Effect, Event, Session, To, Wants};

/// The window that most log-ins grant.
pub(crate) const WINDOW_MESSAGES: u32 = 4;
pub(crate) const BODY_BYTES_MAX: usize = 32;

/// An input has at most so many events.
const EVENTS_MAX: usize = 600;

/// What has to end by itself has by then.
const ROUNDS_MAX: usize = 2_000;

/// Runs one script against a session.
pub fn sdk(bytes: &[u8]) {
    let mut world = World::new(Script::new(bytes));
    for _ in 0..EVENTS_MAX {
        if world.script.is_over() {
            break;
        }
        world.step();
        world.speak();
    }
    world.end();
}

struct World<'a> {
    script: Script<'a>,
    clock: Clock,
    session: Session,
    /// Messages that were taken, and whether they have their fate.
    sent: HashMap<MessageId, bool>,
    /// Changes that were taken and have no answer.
    changes: HashSet<u32>,
    /// Deliveries of this connection, and what was acknowledged.
    delivered: u64,
    acknowledged: u64,
    /// The log-in was said, on this connection.
    logged_in: bool,
    shown: HashSet<Identity>,
    unconfirmed: VecDeque<Identity>,
    confirmation: Confirmation,
    is_closing: bool,
    is_closed: bool,
}

impl<'a> World<'a> {
    fn new(mut script: Script<'a>) -> Self {
        let choices = script.byte();
        let credentials = match choices & 1 {
            0 => Credentials::Open(USERS[0].clone()),
            _ => Credentials::Token("a.b.c".to_owned()),
        };
        let account = Account {
            credentials,
            device: Some(cast::device(&mut script)),
            status: Some(Status::online()),
            heartbeat: Duration::from_secs(30),
        };
        let confirmation = match choices & 2 {
            0 => Confirmation::Automatic,
            _ => Confirmation::Manual,
        };
        Self {
            script,
            clock: Clock::default(),
            session: Session::new(account, confirmation, choices.into()),
            sent: HashMap::new(),
            changes: HashSet::new(),
            delivered: 0,
            acknowledged: 0,
            logged_in: false,
            shown: HashSet::new(),
            unconfirmed: VecDeque::new(),
            confirmation,
            is_closing: false,
            is_closed: false,
        }
    }

    fn step(&mut self) {
        let now = self.clock.now().moment;
        let mut out = Vec::new();
        match self.script.pick(16) {
            0 => self.dial(),
            1 => self.session.lost(now, "lost".to_owned(), &mut out),
            2 => self.log_in(),
            3..=5 => self.deliver(),
            6 | 7 => {
                let packet = said::answer(&mut self.script);
                self.hears(packet);
            }
            8 => {
                let packet = said::news(&mut self.script);
                self.hears(packet);
            }
            9 | 10 => self.send(),
            11 => self.request(),
            12 => self.take(),
            13 => self.confirm(),
            14 => self.pass_time(),
            _ => self.rare(),
        }
        self.heard(out);
    }

    fn dial(&mut self) {
        let now = self.clock.now().moment;
        let mut out = Vec::new();
        match self.session.wants() {
            Wants::Dial => {}
            Wants::Another => return self.moves(),
            Wants::Rest | Wants::Connection | Wants::Nothing => return,
        }
        if self.script.once_in(4) {
            self.session.dial_failed(now, "no".to_owned(), &mut out);
        } else {
            self.connects();
        }
        self.heard(out);
    }

    fn moves(&mut self) {
        if self.script.once_in(4) {
            return self.session.stays();
        }
        let mut out = Vec::new();
        self.session.moved(self.clock.now().moment, &mut out);
        self.is_connected();
        self.heard(out);
    }

    fn connects(&mut self) {
        self.session.dialed(self.clock.now().moment);
        self.is_connected();
    }

    fn is_connected(&mut self) {
        self.delivered = 0;
        self.acknowledged = 0;
        self.logged_in = false;
    }

    /// Connected and logged in at once, for scripts that are about the rest.
    fn log_in(&mut self) {
        if self.session.wants() == Wants::Rest
            && let Some(deadline) = self.session.deadline()
        {
            self.clock.go_on_to(deadline);
            self.tick();
        }
        if self.session.wants() == Wants::Dial {
            self.connects();
        }
        self.speak();
        let packet = said::greeting(&mut self.script);
        self.hears(packet);
    }

    /// Mostly under the number that is next.
    fn deliver(&mut self) {
        let wrong = self.script.once_in(32);
        let seq = self.delivered + if wrong { 2 } else { 1 };
        let packet = said::delivery(&mut self.script, seq);
        if self.has_connection() && self.logged_in {
            self.delivered = seq;
        }
        self.hears(packet);
    }

    fn hears(&mut self, packet: ServerPacket) {
        let mut out = Vec::new();
        let known = self.script.once_in(16);
        let now = self.clock.now().moment;
        self.session.received(now, packet, known, &mut out);
        self.heard(out);
    }

    fn send(&mut self) {
        let now = self.clock.now().moment;
        let id = self
            .script
            .once_in(2)
            .then(|| cast::message_id(&mut self.script));
        let to = cast::user(&mut self.script);
        let body = cast::body(&mut self.script, BODY_BYTES_MAX);
        if let Ok(id) = self.session.send(now, id, To::User(to), body) {
            let before = self.sent.insert(id, false);
            assert_ne!(before, Some(false), "{id} is under way");
            assert!(!self.is_closed);
        }
    }

    fn request(&mut self) {
        let now = self.clock.now().moment;
        let asked = match self.script.pick(6) {
            0 | 1 => {
                let action = cast::action(&mut self.script);
                let peer = cast::user(&mut self.script);
                self.session.change_friend(now, action, peer).map(Some)
            }
            2 => {
                let device = cast::device(&mut self.script);
                self.session.end_device(now, device).map(Some)
            }
            3 => self.session.ask_devices(now).map(|()| None),
            4 => {
                let status = cast::status(&mut self.script);
                self.session.set_status(status).map(|()| None)
            }
            _ => {
                let peer = cast::user(&mut self.script);
                self.session.typing(peer.clone());
                let up_to = Stamp(self.script.byte().into());
                self.session.mark_read(peer, up_to).map(|()| None)
            }
        };
        if let Ok(Some(number)) = asked {
            assert!(self.changes.insert(number), "{number} is asked already");
        }
    }

    fn take(&mut self) {
        let mut out = Vec::new();
        let event = self.session.take(self.clock.now().moment, &mut out);
        self.heard(out);
        let Some(event) = event else {
            return;
        };
        assert!(!self.is_closed, "{event:?} after the end");
        match event {
            Event::Message(message) => {
                let identity = message.identity();
                assert!(
                    self.shown.insert(identity.clone()),
                    "{identity:?} is shown once"
                );
                self.unconfirmed.push_back(identity);
            }
            Event::Closed { .. } => self.is_closed = true,
            _ => {}
        }
    }

    fn confirm(&mut self) {
        if self.confirmation == Confirmation::Automatic || self.unconfirmed.is_empty() {
            return;
        }
        let at = self.script.pick(self.unconfirmed.len());
        let mut out = Vec::new();
        if let Some(identity) = self.unconfirmed.remove(at) {
            let now = self.clock.now().moment;
            self.session.confirm(now, &identity, &mut out);
        }
        self.heard(out);
    }

    fn pass_time(&mut self) {
        if self.script.once_in(2) {
            if let Some(deadline) = self.session.deadline() {
                self.clock.go_on_to(deadline);
            }
            self.tick();
        } else {
            self.clock.pass(&mut self.script);
        }
    }

    fn tick(&mut self) {
        let mut out = Vec::new();
        let now = self.clock.now().moment;
        self.session.tick(now, &mut out);
        self.heard(out);
        self.speak();
        let next = self.session.deadline();
        assert!(next.is_none_or(|next| next > now), "what was due is done");
    }

    fn rare(&mut self) {
        let mut out = Vec::new();
        match self.script.pick(3) {
            0 => {
                let time = Duration::from_millis(self.script.byte().into());
                let until = self.clock.now().moment + time;
                self.session.close(until, &mut out);
                self.is_closing = true;
            }
            1 => {
                let taken = self.session.refresh_token("d.e.f".to_owned());
                assert!(taken.is_ok() || self.session.wants() == Wants::Nothing || self.is_closing);
            }
            _ => {
                let packet = said::closing(&mut self.script);
                self.hears(packet);
            }
        }
        self.heard(out);
    }

    fn heard(&mut self, out: Vec<Effect>) {
        for effect in out {
            match effect {
                Effect::Settle { id, .. } => {
                    let before = self.sent.insert(id, true);
                    assert_eq!(before, Some(false), "{id} has one fate");
                }
                Effect::Changed { request, .. } => {
                    assert!(self.changes.remove(&request), "{request} has one answer");
                }
                Effect::Devices(_) => {}
                Effect::Remember(identity) => {
                    assert!(self.shown.contains(&identity), "{identity:?} was shown");
                }
            }
        }
    }

    fn has_connection(&self) -> bool {
        matches!(self.session.wants(), Wants::Connection | Wants::Another)
    }

    /// All that the session has to say now.
    fn speak(&mut self) {
        for _ in 0..ROUNDS_MAX {
            let is_connected = self.has_connection();
            let Some(packet) = self.session.transmit(self.clock.now().moment) else {
                return;
            };
            assert!(is_connected, "{packet:?} without a connection");
            match packet {
                ClientPacket::Login(_) => {
                    assert!(!self.logged_in, "one log-in for a connection");
                    self.logged_in = true;
                }
                ClientPacket::Ack { seq } => {
                    assert!(seq > self.acknowledged && seq <= self.delivered);
                    self.acknowledged = seq;
                }
                ClientPacket::Send(send) => {
                    assert!(self.logged_in);
                    assert_eq!(self.sent.get(&send.id), Some(&false), "it has no fate");
                }
                _ => assert!(self.logged_in, "the log-in comes first"),
            }
        }
        panic!("it speaks for ever");
    }

    /// Closed, and without a server: all has its fate, and nothing follows.
    fn end(&mut self) {
        let mut out = Vec::new();
        let until = self.clock.now().moment + Duration::from_secs(1);
        self.session.close(until, &mut out);
        self.heard(out);
        for _ in 0..ROUNDS_MAX {
            self.speak();
            let Some(deadline) = self.session.deadline() else {
                break;
            };
            self.clock.go_on_to(deadline);
            self.tick();
        }
        assert_eq!(self.session.wants(), Wants::Nothing);
        while self.session.has_news() && !self.is_closed {
            self.take();
        }
        assert!(self.is_closed, "the application is told of the end");
        let unsettled = self.sent.values().filter(|is_settled| !**is_settled);
        assert_eq!(unsettled.count(), 0, "every message has a fate");
        assert!(self.changes.is_empty(), "every change has an answer");
    }
}
