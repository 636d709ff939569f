//! The gateway's core under any events.
//!
//! Owns what happens to it and in which order. What must hold afterwards is
//! `promises`' to say; what packets and envelopes there are, `said`'s.

mod promises;
mod said;

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use connd_core::{Claims, Effect, Event, Gateway, Leaving, Settings};
use proto::client::ClientPacket;
use proto::codes::Code;
use proto::ids::{LoginOrder, SessionId, Stamp, Token};
use proto::link::{Batch, Down, Up};
use proto::slot::Slot;

use crate::cast::{self, RINGS, SHARDS};
use crate::script::{Clock, Script};
use promises::Promises;

/// Small bounds, so that they are met.
pub(crate) const WINDOW_MESSAGES: u32 = 4;
pub(crate) const BODY_BYTES_MAX: u32 = 32;
const WINDOW_BYTES: u32 = 80;
const SESSIONS_MAX: usize = 6;

/// An input has at most so many events.
const EVENTS_MAX: usize = 600;

/// Envelopes that a link may give back.
const GIVEN_MAX: usize = 16;

/// Runs one script against a gateway.
pub fn gateway(bytes: &[u8]) {
    let mut world = World::new(Script::new(bytes));
    for _ in 0..EVENTS_MAX {
        if world.script.is_over() {
            break;
        }
        world.step();
    }
    world.end();
}

struct World<'a> {
    script: Script<'a>,
    clock: Clock,
    gateway: Gateway,
    promises: Promises,
    /// The number of the newest connection.
    opened: u64,
    ring: usize,
    /// Tokens that are being checked.
    checking: VecDeque<SessionId>,
    /// What was put on links lately.
    given: VecDeque<Up>,
}

fn settings() -> Settings {
    Settings {
        window_messages: WINDOW_MESSAGES,
        window_bytes: WINDOW_BYTES,
        body_bytes_max: BODY_BYTES_MAX,
        sessions_max: SESSIONS_MAX,
        sessions_per_address_max: 4,
        logins_per_second: 8,
        requests_per_second: 4,
        ..Settings::default()
    }
}

impl<'a> World<'a> {
    fn new(script: Script<'a>) -> Self {
        let mut gateway = Gateway::new(settings(), RINGS[0].clone());
        let links = SHARDS.iter().map(|shard| gateway.link(shard)).collect();
        Self {
            script,
            clock: Clock::default(),
            gateway,
            promises: Promises::new(links),
            opened: 0,
            ring: 0,
            checking: VecDeque::new(),
            given: VecDeque::new(),
        }
    }

    fn step(&mut self) {
        match self.script.pick(16) {
            0 => self.open(),
            1 => self.log_in(),
            2..=6 => self.receive(),
            7 => self.check_token(),
            8..=10 => self.arrive(),
            11 => self.link_changes(),
            12 => self.give_back(),
            13 => self.end_session(),
            14 => self.pass_time(),
            _ => self.rare(),
        }
    }

    fn session(&mut self) -> SessionId {
        SessionId(self.opened.saturating_sub(self.script.pick(8) as u64))
    }

    fn open(&mut self) {
        self.opened += 1;
        let address = IpAddr::V4(Ipv4Addr::new(10, 0, 0, self.script.byte() % 2));
        let session = SessionId(self.opened);
        self.happens(Event::Opened { session, address });
    }

    /// All of a log-in at once, for scripts that are about what follows.
    fn log_in(&mut self) {
        let shard = self.script.pick(SHARDS.len());
        self.link_up(shard);
        self.open();
        let session = SessionId(self.opened);
        let packet = Ok(said::login(&mut self.script));
        self.happens(Event::Received { session, packet });
        let Some(at) = self.checking.iter().position(|other| *other == session) else {
            return;
        };
        self.checking.remove(at);
        let claims = self.claims();
        let slot = Slot::of(&claims.user);
        let claims = Ok(claims);
        self.happens(Event::Authenticated { session, claims });
        let link = self.gateway.link(RINGS[self.ring].owner(slot));
        let token = Token(1);
        let order = LoginOrder { token, number: 1 };
        let envelope = Down::Accepted {
            session,
            token,
            order,
            groups: Vec::new(),
        };
        let envelopes = vec![envelope];
        let epoch = RINGS[self.ring].epoch();
        let batch = Batch { epoch, envelopes };
        self.happens(Event::Arrived { link, batch });
    }

    fn receive(&mut self) {
        let session = self.session();
        let packet = if self.script.once_in(32) {
            Err(Code::Malformed)
        } else {
            let unacknowledged = self.promises.delivered(session);
            Ok(said::packet(&mut self.script, unacknowledged))
        };
        self.happens(Event::Received { session, packet });
    }

    fn claims(&mut self) -> Claims {
        let end =
            |script: &mut Script<'_>| 1_795_000_000_000_000 + 10_000_000 * script.byte() as u64;
        Claims {
            user: cast::user(&mut self.script),
            device: (!self.script.once_in(2)).then(|| cast::device(&mut self.script)),
            expires: self.script.once_in(4).then(|| Stamp(end(&mut self.script))),
        }
    }

    fn check_token(&mut self) {
        let Some(session) = self.checking.pop_front() else {
            return;
        };
        let claims = if self.script.once_in(8) {
            Err(Code::TokenInvalid)
        } else {
            Ok(self.claims())
        };
        self.happens(Event::Authenticated { session, claims });
    }

    fn arrive(&mut self) {
        let shard = self.script.choose(&SHARDS);
        let link = self.gateway.link(shard);
        let count = 1 + self.script.pick(3);
        let mut envelopes = Vec::with_capacity(count);
        for _ in 0..count {
            let session = self.session();
            let newest = self.promises.generation(session);
            envelopes.push(said::envelope(&mut self.script, session, newest));
        }
        let epoch = RINGS[self.ring].epoch();
        let batch = Batch { epoch, envelopes };
        self.happens(Event::Arrived { link, batch });
    }

    fn link_up(&mut self, at: usize) {
        let shard = SHARDS[at].clone();
        let link = self.gateway.link(&shard);
        self.promises.link_up(link);
        self.happens(Event::LinkUp { shard });
    }

    fn link_changes(&mut self) {
        let at = self.script.pick(SHARDS.len());
        if self.script.once_in(2) {
            return self.link_up(at);
        }
        let shard = SHARDS[at].clone();
        let link = self.gateway.link(&shard);
        self.promises.link_down(link);
        self.happens(Event::LinkDown { shard });
    }

    fn give_back(&mut self) {
        if self.given.is_empty() {
            return;
        }
        let at = self.script.pick(self.given.len());
        if let Some(envelope) = self.given.remove(at) {
            self.happens(Event::LinkFull { envelope });
        }
    }

    fn end_session(&mut self) {
        let session = self.session();
        if self.script.once_in(2) {
            self.promises.gone(session);
            self.happens(Event::Closed { session });
        } else {
            self.happens(Event::Clogged { session });
        }
    }

    fn pass_time(&mut self) {
        if self.script.once_in(2) {
            if let Some(deadline) = self.gateway.next_deadline() {
                self.clock.go_on_to(deadline);
            }
            self.tick();
        } else {
            self.clock.pass(&mut self.script);
        }
    }

    fn tick(&mut self) {
        self.happens(Event::Tick);
        let now = self.clock.now().moment;
        let next = self.gateway.next_deadline();
        assert!(
            next.is_none_or(|next| next > now),
            "a tick leaves nothing that is due"
        );
    }

    fn rare(&mut self) {
        match self.script.pick(5) {
            0 | 1 => {
                let ring = self.script.pick(RINGS.len());
                self.ring = self.ring.max(ring);
                self.happens(Event::RingChanged(RINGS[ring].clone()));
            }
            2 => {
                let times = [100, 2_000, 60_000];
                let mut time = || Duration::from_millis(*self.script.choose(&times));
                self.gateway.set_settings(Settings {
                    login_patience: time(),
                    send_patience: time(),
                    resend_after: time(),
                    heartbeat_max: time(),
                    heartbeat_min: Duration::from_millis(50),
                    ..settings()
                });
            }
            3 => self.happens(Event::Leaving(Leaving::default())),
            _ => self.happens(Event::Stopping),
        }
    }

    /// One event, and what must hold after it.
    fn happens(&mut self, event: Event) {
        self.promises.before(&event);
        let mut effects = Vec::new();
        self.gateway.handle(self.clock.now(), event, &mut effects);
        self.gateway.check_invariants();
        for effect in &effects {
            match effect {
                Effect::Authenticate { session, .. } => self.checking.push_back(*session),
                Effect::Forward { envelope, .. } => {
                    if self.given.len() >= GIVEN_MAX {
                        self.given.pop_front();
                    }
                    self.given.push_back(envelope.clone());
                }
                Effect::Write { .. }
                | Effect::Offer { .. }
                | Effect::Gather { .. }
                | Effect::Spread { .. }
                | Effect::SpreadLater { .. }
                | Effect::Close { .. }
                | Effect::Hold { .. } => {}
            }
        }
        self.promises.after(&effects);
        assert_eq!(self.gateway.sessions(), self.promises.sessions());
        assert_eq!(self.gateway.epoch(), RINGS[self.ring].epoch());
    }

    /// Clients that say nothing any more are all closed in the end.
    fn end(&mut self) {
        for _ in 0..2_000 {
            let Some(deadline) = self.gateway.next_deadline() else {
                break;
            };
            self.clock.go_on_to(deadline);
            self.tick();
        }
        assert_eq!(self.gateway.sessions(), 0, "somebody stays for ever");
        assert_eq!(self.gateway.next_deadline(), None);
    }
}

/// The id of a message that a packet sends.
fn sends(packet: &ClientPacket) -> Option<&proto::client::Send> {
    match packet {
        ClientPacket::Send(send) => Some(send),
        _ => None,
    }
}
