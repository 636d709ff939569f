//! A client's message: into the window, on its way, and again if need be.

use bytes::Bytes;
use proto::client::{GroupSend, Send};
use proto::clock::Now;
use proto::codes::Code;
use proto::friends::ListHash;
use proto::ids::{Generation, MessageId, SessionId, UserId};
use proto::link::{Attempt, Recipient, Submit, Up};
use proto::server::ServerPacket;
use smol_str::SmolStr;

use super::{Gateway, forward, write};
use crate::effect::Effect;
use crate::router::Route;
use crate::sends::{Admitted, Outstanding};
use crate::timers::Timer;

/// A message of a client, for a user or a group.
struct Letter {
    id: MessageId,
    to: Recipient,
    friends_hash: Option<ListHash>,
    body: Bytes,
    again: bool,
}

impl Gateway {
    pub(super) fn send(&mut self, now: Now, session: SessionId, send: Send, out: &mut Vec<Effect>) {
        if let Some(live) = self.live(session) {
            live.friends_hash = send.friends_hash.or(live.friends_hash);
        }
        let letter = Letter {
            id: send.id,
            to: Recipient::User(send.to),
            friends_hash: send.friends_hash,
            body: send.body,
            again: send.again,
        };
        self.send_letter(now, session, letter, out);
    }

    pub(super) fn group_send(
        &mut self,
        now: Now,
        session: SessionId,
        send: GroupSend,
        out: &mut Vec<Effect>,
    ) {
        let GroupSend {
            group, mentions, ..
        } = send;
        let letter = Letter {
            id: send.id,
            to: Recipient::Group { group, mentions },
            friends_hash: None,
            body: send.body,
            again: send.again,
        };
        self.send_letter(now, session, letter, out);
    }

    fn send_letter(&mut self, now: Now, session: SessionId, send: Letter, out: &mut Vec<Effect>) {
        if send.body.len() > self.settings.body_bytes_max as usize {
            return refuse(session, &send, Code::BodyTooLarge, out);
        }
        let (count_max, bytes_max) = (self.settings.window_messages, self.settings.window_bytes);
        let resend_at = now.moment + self.settings.resend_after;
        let Some(slot) = self.live(session).map(|live| live.slot) else {
            return;
        };
        let (route, epoch) = (self.router.route(slot), self.router.epoch());
        let Some(live) = self.live(session) else {
            return;
        };
        let attempt = match send.again {
            true => Attempt::Repeated,
            false => Attempt::First,
        };
        let link = match route {
            Route::Link(link) if !live.stalled => Some(link),
            Route::Link(_) | Route::Down(_) => None,
        };
        let message = Outstanding {
            id: send.id,
            to: send.to.clone(),
            body: send.body.clone(),
            since: now.moment,
            attempt: link.map_or(attempt, |_| Attempt::Resent),
        };
        match live.sends.admit(message, count_max, bytes_max) {
            Admitted::New => {}
            Admitted::Again => return,
            Admitted::Reused => return self.close(session, Code::Malformed, out),
            Admitted::Exceeded => return self.exceeded(session, &send, out),
        }
        let is_armed = std::mem::replace(&mut live.resend_armed, true);
        if let Some(link) = link {
            let submit = Submit {
                session,
                generation: live.sends.go_out(),
                attempt,
                from: live.user.clone(),
                id: send.id,
                to: send.to,
                friends_hash: send.friends_hash,
                body: send.body,
            };
            forward(link, epoch, Up::Submit(submit), out);
        } else {
            self.stall(now, session);
        }
        if !is_armed {
            self.timers.arm(resend_at, session, Timer::Resend);
        }
        self.counters.submitted += 1;
    }

    /// A message beyond the window is refused; who goes on like that is closed.
    fn exceeded(&mut self, session: SessionId, send: &Letter, out: &mut Vec<Effect>) {
        self.counters.window_exceeded += 1;
        let patience = self.settings.window_messages.saturating_mul(4);
        let Some(live) = self.live(session) else {
            return;
        };
        live.exceeded += 1;
        if live.exceeded > patience {
            return self.close(session, Code::WindowAbused, out);
        }
        refuse(session, send, Code::WindowExceeded, out);
    }

    /// What is under way may be lost: nothing more leaves before the window is
    /// sent again as a whole, and what comes back of the old is dropped.
    pub(super) fn stall(&mut self, now: Now, session: SessionId) {
        let Some(live) = self.live(session) else {
            return;
        };
        if live.stalled {
            return;
        }
        live.stalled = true;
        live.sends.next_generation();
        let pause = live.pause();
        live.returned += 1;
        if !live.stall_armed {
            live.stall_armed = true;
            self.timers.arm(now.moment + pause, session, Timer::Stalled);
        }
    }

    /// A message came back: its window is sent again after a pause.
    pub(super) fn returned(&mut self, now: Now, session: SessionId, generation: Generation) {
        let Some(live) = self.live(session) else {
            return;
        };
        if live.sends.generation() == generation {
            self.stall(now, session);
        }
    }

    /// Rules 7 and 8: the whole window, in order, under a new generation.
    pub(super) fn resend(&mut self, now: Now, session: SessionId, out: &mut Vec<Effect>) {
        let Some(slot) = self.live(session).map(|live| live.slot) else {
            return;
        };
        let route = self.router.route(slot);
        let epoch = self.router.epoch();
        let Some(live) = self.live(session) else {
            return;
        };
        live.stalled = false;
        if live.sends.is_empty() {
            return;
        }
        let Route::Link(link) = route else {
            return self.stall(now, session);
        };
        live.sends.next_generation();
        let generation = live.sends.go_out();
        let from: UserId = live.user.clone();
        let friends_hash = live.friends_hash;
        for message in live.sends.iter_mut() {
            let submit = Submit {
                session,
                generation,
                attempt: std::mem::replace(&mut message.attempt, Attempt::Resent),
                from: from.clone(),
                id: message.id,
                to: message.to.clone(),
                // What the client holds by now, not what it held then.
                friends_hash,
                body: message.body.clone(),
            };
            forward(link, epoch, Up::Submit(submit), out);
        }
        self.counters.resent += 1;
    }
}

/// A message is not taken. 'Never delivered' is said of a first copy alone:
/// an earlier one may have come through.
fn refuse(session: SessionId, send: &Letter, code: Code, out: &mut Vec<Effect>) {
    let id = send.id;
    let packet = if send.again {
        let code = code.of_a_repeat();
        ServerPacket::Unknown { id, code }
    } else {
        let text = SmolStr::new_static(code.text());
        ServerPacket::Rejected { id, code, text }
    };
    write(session, packet, out);
}
