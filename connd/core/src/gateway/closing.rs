//! A session ends: by the client, by a code, or because the socket is gone.

use proto::codes::Code;
use proto::ids::SessionId;
use proto::link::Up;
use proto::server::{Closing, ServerPacket};

use super::{Gateway, write};
use crate::effect::Effect;
use crate::session::State;

impl Gateway {
    /// One clear error, then a close.
    pub(super) fn close(&mut self, session: SessionId, code: Code, out: &mut Vec<Effect>) {
        self.close_with(session, Closing::of(code), out);
    }

    pub(super) fn close_with(
        &mut self,
        session: SessionId,
        closing: Closing,
        out: &mut Vec<Effect>,
    ) {
        // A replaced session has a successor, an expired one no excuse, and an
        // ended one was meant: only what broke lingers.
        let lost = !matches!(closing.code, Code::TokenExpired | Code::Ended);
        if self.remove(session, lost, out) {
            self.counters.refused += 1;
            write(session, ServerPacket::Closing(closing), out);
            out.push(Effect::Close { session });
        }
    }

    pub(super) fn closed(&mut self, session: SessionId, out: &mut Vec<Effect>) {
        self.remove(session, true, out);
    }

    pub(super) fn logout(&mut self, session: SessionId, out: &mut Vec<Effect>) {
        if self.remove(session, false, out) {
            out.push(Effect::Close { session });
        }
    }

    pub(super) fn clogged(&mut self, session: SessionId, out: &mut Vec<Effect>) {
        self.counters.slow_readers += 1;
        self.close(session, Code::SlowReader, out);
    }

    pub(super) fn stopping(&mut self, out: &mut Vec<Effect>) {
        let sessions: Vec<SessionId> = self.sessions.keys().copied().collect();
        for session in sessions {
            self.close(session, Code::Stopping, out);
        }
    }

    /// Forgets a session and tells its shard. What its window held is the
    /// client's to send again.
    fn remove(&mut self, session: SessionId, lost: bool, out: &mut Vec<Effect>) -> bool {
        let Some(entry) = self.sessions.swap_remove(&session) else {
            return false;
        };
        self.admission.leave(entry.address);
        if let State::Live(live) = entry.state {
            let live = *live;
            self.leave_groups(session, &live.groups, out);
            let user = live.user;
            let gone = Up::Gone {
                session,
                user,
                lost,
            };
            self.to_shard(live.slot, gone, out);
        }
        true
    }
}
