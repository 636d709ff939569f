//! The life of a connection: dialed, greeted, live, lost, and back again.
//!
//! Owns where the session stands, its deadlines, and whether it comes back.
//! Must not know what is said on a live connection.

use std::time::Duration;

use proto::clock::Moment;
use proto::codes::{Code, Next};
use proto::ids::Stamp;
use proto::server::{Closing, Goaway, LoginOk};
use smol_str::SmolStr;

use super::error::ChangeError;
use super::event::{Connected, Event, Fate, Reason};
use super::inbox::Ledger;
use super::outbox::Window;
use super::requests::Changed;
use super::{Effect, Session, Wants};

/// From the connection to the log-in answer.
pub(super) const LOGIN_PATIENCE: Duration = Duration::from_secs(15);

/// How long a log-out may take to leave.
pub(super) const PARTING: Duration = Duration::from_secs(1);

/// Where a session stands.
#[derive(Debug)]
pub(super) enum Phase {
    /// No connection; the next is tried at this moment.
    Resting { until: Moment },
    /// A connection is wanted.
    Dialing,
    /// Connected; the log-in is not answered.
    Greeting { since: Moment, asked: bool },
    /// Logged in.
    Live(Box<Live>),
    /// Waits for the application to give a fresh token.
    Tokenless,
    /// Never again.
    Over,
}

/// What belongs to one live connection.
#[derive(Debug)]
pub(super) struct Live {
    /// When the log-in was answered.
    pub(super) since: Moment,
    /// As granted.
    pub(super) heartbeat: Duration,
    /// When the last packet came.
    pub(super) heard: Moment,
    /// When the last packet left.
    pub(super) spoke: Moment,
    /// A ping left since something came.
    pub(super) pinged: bool,
    /// Its deliveries.
    pub(super) ledger: Ledger,
    /// Whether the server is going away.
    pub(super) moving: Moving,
}

/// What a client does about a server that goes away. It holds on to the
/// connection until it has another one: who finds none is served to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moving {
    /// The server has not said that it goes away.
    Not,
    /// It leaves at this moment.
    At(Moment),
    /// Another connection is wanted.
    Now,
    /// There is no other, or no need of one.
    Nowhere,
}

impl Live {
    /// When a ping is due: nothing was said, or nothing heard, for a heartbeat.
    pub(super) fn ping_at(&self) -> Moment {
        let unsaid = self.spoke + self.heartbeat;
        if self.pinged {
            return unsaid;
        }
        unsaid.min(self.heard + self.heartbeat)
    }

    /// When something is due.
    fn next_look(&self) -> Moment {
        let next = self.silent_at().min(self.ping_at());
        match self.moving {
            Moving::At(at) => next.min(at),
            Moving::Not | Moving::Now | Moving::Nowhere => next,
        }
    }

    /// When the server counts as gone.
    fn silent_at(&self) -> Moment {
        self.heard + 2 * self.heartbeat
    }
}

/// What a log-in granted; it holds on until the next one.
#[derive(Debug)]
pub(super) struct Granted {
    pub(super) window: Window,
    pub(super) body_bytes_max: usize,
    server_time: Stamp,
    at: Moment,
}

impl Granted {
    /// The server's clock now, in milliseconds since 1970.
    pub(super) fn server_ms(&self, now: Moment) -> u64 {
        let since = now.since(self.at).as_millis() as u64;
        self.server_time.as_ms() + since
    }
}

/// The application closes the session.
#[derive(Debug)]
pub(super) struct Farewell {
    /// Until then answers are waited for; or, once `last`, for the log-out to
    /// leave.
    pub(super) until: Moment,
    pub(super) last: bool,
}

impl Session {
    /// The shell has a connection.
    pub(crate) fn dialed(&mut self, now: Moment) {
        if matches!(self.phase, Phase::Dialing) {
            let (since, asked) = (now, false);
            self.phase = Phase::Greeting { since, asked };
        }
    }

    /// The shell found no address that takes a connection.
    pub(crate) fn dial_failed(&mut self, now: Moment, text: String, out: &mut Vec<Effect>) {
        if matches!(self.phase, Phase::Dialing) {
            self.go_back(now, Reason::Unreachable(text), Duration::ZERO, out);
        }
    }

    /// The connection broke, or what came is no packet.
    pub(crate) fn lost(&mut self, now: Moment, text: String, out: &mut Vec<Effect>) {
        if matches!(self.phase, Phase::Greeting { .. } | Phase::Live(_)) {
            self.go_back(now, Reason::Lost(text), Duration::ZERO, out);
        }
    }

    pub(super) fn greeted(&mut self, now: Moment, ok: LoginOk) {
        self.granted = Some(Granted {
            window: Window {
                messages: ok.window_messages.max(1) as usize,
                bytes: ok.window_bytes as usize,
            },
            body_bytes_max: ok.body_bytes_max as usize,
            server_time: ok.server_time,
            at: now,
        });
        let heartbeat_ms = u64::from(ok.heartbeat_ms.max(1_000));
        self.phase = Phase::Live(Box::new(Live {
            since: now,
            heartbeat: Duration::from_millis(heartbeat_ms),
            heard: now,
            spoke: now,
            pinged: false,
            ledger: Ledger::default(),
            moving: Moving::Not,
        }));
        self.inbox.connected();
        self.presence.connected();
        self.friends.connected(now);
        let named = self.groups.connected(ok.user.clone(), ok.groups);
        self.news.state(Event::Connected(Connected {
            user: ok.user,
            device: ok.device,
            session: ok.session,
            server_time: ok.server_time,
        }));
        self.groups_named(named);
    }

    /// The server's one error before its close.
    pub(super) fn closing(&mut self, now: Moment, closing: Closing, out: &mut Vec<Effect>) {
        let Closing {
            code,
            text,
            come_back_after_ms,
        } = closing;
        let not_before = Duration::from_millis(u64::from(come_back_after_ms));
        match code.next() {
            Next::ComeBack | Next::Again => {
                self.go_back(now, Reason::Closed { code, text }, not_before, out);
            }
            Next::FreshToken if self.token_is_fresh => {
                self.go_back(now, Reason::FreshToken, not_before, out);
            }
            Next::FreshToken => {
                self.leave(now, out);
                self.phase = Phase::Tokenless;
                self.news.state(Event::TokenExpired);
                self.end_if_nothing_waits(out);
            }
            Next::StayAway | Next::Final => self.end(Some(code), text, out),
        }
    }

    /// The server is about to stop. Its clients leave at moments that they draw,
    /// so that not all come to the others at once.
    pub(super) fn sent_away(&mut self, now: Moment, goaway: Goaway) {
        let Phase::Live(live) = &mut self.phase else {
            return;
        };
        // Drawn once: who is asked again does not stay for longer.
        if live.moving == Moving::Not {
            let drawn = self.dice.up_to(u64::from(goaway.spread_ms));
            let after = u64::from(goaway.after_ms) + drawn;
            live.moving = Moving::At(now + Duration::from_millis(after));
        }
    }

    /// The shell has another connection, and lets the one before go.
    pub(crate) fn moved(&mut self, now: Moment, out: &mut Vec<Effect>) {
        if self.wants() != Wants::Another {
            return;
        }
        self.leave(now, out);
        let (since, asked) = (now, false);
        self.phase = Phase::Greeting { since, asked };
        let (after, reason) = (Duration::ZERO, Reason::Goaway);
        self.news.state(Event::Reconnecting { after, reason });
    }

    /// The shell found no other connection: the server closes this one when it
    /// stops.
    pub(crate) fn stays(&mut self) {
        if let Phase::Live(live) = &mut self.phase {
            live.moving = Moving::Nowhere;
        }
    }

    /// Leaves the connection, if there is one, and rests before the next.
    pub(super) fn go_back(
        &mut self,
        now: Moment,
        reason: Reason,
        not_before: Duration,
        out: &mut Vec<Effect>,
    ) {
        self.leave(now, out);
        let after = self.backoff.next(not_before, &mut self.dice);
        let until = now + after;
        self.phase = Phase::Resting { until };
        self.news.state(Event::Reconnecting { after, reason });
        self.end_if_nothing_waits(out);
    }

    /// What belonged to the connection goes with it.
    fn leave(&mut self, now: Moment, out: &mut Vec<Effect>) {
        if let Phase::Live(live) = &self.phase {
            self.backoff.held(now.since(live.since));
        }
        self.outbox.lost();
        self.friends.lost();
        self.groups.lost();
        changed(self.requests.lost(), out);
    }

    /// The application wants no more; what has no answer is waited for until
    /// `until`.
    pub(crate) fn close(&mut self, until: Moment, out: &mut Vec<Effect>) {
        if self.is_ending() {
            return;
        }
        let last = false;
        self.farewell = Some(Farewell { until, last });
        if !matches!(self.phase, Phase::Live(_)) {
            self.end_if_nothing_waits(out);
        }
    }

    /// Whether nothing waits for the wire or for an answer.
    pub(super) fn is_flushed(&self) -> bool {
        self.outbox.is_empty() && self.requests.is_idle() && self.groups.is_idle()
    }

    /// A farewell without a connection has nobody to log out from.
    fn end_if_nothing_waits(&mut self, out: &mut Vec<Effect>) {
        let given_up = self.farewell.as_ref().is_some_and(|f| f.last);
        if self.farewell.is_some() && (self.is_flushed() || given_up) {
            self.end(None, SmolStr::default(), out);
        }
    }

    /// The session is over; what has no answer has no known fate.
    pub(super) fn end(&mut self, code: Option<Code>, text: SmolStr, out: &mut Vec<Effect>) {
        self.give_up(code.unwrap_or(Code::FateUnknown), out);
        self.phase = Phase::Over;
        self.news.state(Event::Closed { code, text });
    }

    fn give_up(&mut self, code: Code, out: &mut Vec<Effect>) {
        let settle = |id| Effect::Settle {
            id,
            fate: Fate::Unknown { code },
        };
        out.extend(self.outbox.give_up().map(settle));
        if self.requests.devices_expired(Moment(u64::MAX)) {
            out.push(Effect::Devices(Err(ChangeError::Unanswered)));
        }
        changed(self.requests.end(), out);
    }

    /// Does what is due by now.
    pub(crate) fn tick(&mut self, now: Moment, out: &mut Vec<Effect>) {
        if matches!(self.phase, Phase::Over) {
            return;
        }
        changed(self.requests.expired(now), out);
        if self.requests.devices_expired(now) {
            out.push(Effect::Devices(Err(ChangeError::Unanswered)));
        }
        self.groups.tick(now);
        self.farewell_due(now, out);
        self.move_due(now);
        match &self.phase {
            Phase::Resting { until } if *until <= now => self.phase = Phase::Dialing,
            Phase::Greeting { since, .. } if *since + LOGIN_PATIENCE <= now => {
                self.go_back(now, Reason::Silent, Duration::ZERO, out);
            }
            Phase::Live(live) if live.silent_at() <= now => {
                self.go_back(now, Reason::Silent, Duration::ZERO, out);
            }
            _ => {}
        }
    }

    fn move_due(&mut self, now: Moment) {
        let is_ending = self.farewell.is_some();
        let Phase::Live(live) = &mut self.phase else {
            return;
        };
        if matches!(live.moving, Moving::At(at) if at <= now) {
            // Who closes soon is served here until then.
            live.moving = if is_ending {
                Moving::Nowhere
            } else {
                Moving::Now
            };
        }
    }

    fn farewell_due(&mut self, now: Moment, out: &mut Vec<Effect>) {
        let live = matches!(self.phase, Phase::Live(_));
        let Some(farewell) = &mut self.farewell else {
            return;
        };
        if now < farewell.until {
            return;
        }
        if live && !farewell.last {
            farewell.last = true;
            farewell.until = now + PARTING;
            self.give_up(Code::FateUnknown, out);
        } else {
            self.end(None, SmolStr::default(), out);
        }
    }

    /// When [`Session::tick`] or [`Session::transmit`] has something to do
    /// next, at the latest.
    pub(crate) fn deadline(&self) -> Option<Moment> {
        if matches!(self.phase, Phase::Over) {
            return None;
        }
        let own = match &self.phase {
            Phase::Resting { until } => Some(*until),
            Phase::Greeting { since, .. } => Some(*since + LOGIN_PATIENCE),
            Phase::Live(live) => Some(live.next_look()),
            Phase::Dialing | Phase::Tokenless | Phase::Over => None,
        };
        let farewell = self.farewell.as_ref().map(|f| f.until);
        let requests = self.requests.deadline();
        let friends = self.friends.deadline();
        let live = matches!(self.phase, Phase::Live(_));
        let groups = self.groups.deadline(self.requests.is_paused());
        let groups = groups.filter(|_| live);
        [own, farewell, requests, friends, groups]
            .into_iter()
            .flatten()
            .min()
    }
}

pub(super) fn changed(changes: Vec<Changed>, out: &mut Vec<Effect>) {
    let effect = |(request, result)| Effect::Changed { request, result };
    out.extend(changes.into_iter().map(effect));
}
