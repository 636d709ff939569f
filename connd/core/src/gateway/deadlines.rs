//! What is due: silent clients, late log-ins, windows without answers.

use proto::clock::Now;
use proto::codes::Code;
use proto::ids::SessionId;
use proto::server::ServerPacket;

use super::{Gateway, write};
use crate::effect::Effect;
use crate::session::State;
use crate::timers::Timer;

impl Gateway {
    pub(super) fn tick(&mut self, now: Now, out: &mut Vec<Effect>) {
        self.groups_due(now, out);
        while let Some((session, timer)) = self.timers.due(now.moment) {
            match timer {
                Timer::Login => self.login_due(session, out),
                Timer::Alive => self.alive_due(now, session, out),
                Timer::Resend => self.resend_due(now, session, out),
                Timer::Stalled => self.stalled_due(now, session, out),
            }
        }
    }

    fn login_due(&mut self, session: SessionId, out: &mut Vec<Effect>) {
        match self.sessions.get(&session).map(|entry| &entry.state) {
            None => {}
            Some(State::Live(live)) if live.greeted => {}
            Some(State::Live(_)) => self.close(session, Code::ShardUnavailable, out),
            Some(_) => self.close(session, Code::LoginTimeout, out),
        }
    }

    fn alive_due(&mut self, now: Now, session: SessionId, out: &mut Vec<Effect>) {
        let Some(live) = self.live(session) else {
            return;
        };
        let until = live.alive_until();
        let next = live.next_look(now.moment);
        if until > now.moment {
            self.timers.arm(next, session, Timer::Alive);
        } else if live.expires.is_some_and(|expires| expires <= now.moment) {
            self.close(session, Code::TokenExpired, out);
        } else {
            self.close(session, Code::Silent, out);
        }
    }

    fn resend_due(&mut self, now: Now, session: SessionId, out: &mut Vec<Effect>) {
        self.give_up_old(now, session, out);
        let resend_after = self.settings.resend_after;
        let Some(live) = self.live(session) else {
            return;
        };
        let Some(oldest) = live.sends.oldest() else {
            live.resend_armed = false;
            return;
        };
        let due = oldest + resend_after;
        let stalled = live.stalled;
        if due > now.moment {
            self.timers.arm(due, session, Timer::Resend);
            return;
        }
        let next = now.moment + resend_after;
        self.timers.arm(next, session, Timer::Resend);
        if !stalled {
            self.resend(now, session, out);
        }
    }

    /// Step 8 of 'One message': after `send.patience` the fate is unknown.
    fn give_up_old(&mut self, now: Now, session: SessionId, out: &mut Vec<Effect>) {
        let patience = self.settings.send_patience;
        let Some(live) = self.live(session) else {
            return;
        };
        let mut given_up = 0;
        while live
            .sends
            .oldest()
            .is_some_and(|o| o + patience <= now.moment)
        {
            let Some(message) = live.sends.expired(now.moment) else {
                break;
            };
            given_up += 1;
            let code = Code::FateUnknown;
            write(
                session,
                ServerPacket::Unknown {
                    id: message.id,
                    code,
                },
                out,
            );
        }
        self.counters.fate_unknown += given_up;
    }

    fn stalled_due(&mut self, now: Now, session: SessionId, out: &mut Vec<Effect>) {
        let Some(live) = self.live(session) else {
            return;
        };
        live.stall_armed = false;
        if !live.stalled {
            return;
        }
        if live.token.is_none() || live.refused {
            self.announce(session, out);
        }
        self.resend(now, session, out);
    }
}
