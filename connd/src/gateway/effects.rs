//! The core's effects are carried out, and what a turn wrote leaves.
//!
//! Owns which effect is which call. Must not know why the core wants it.

use std::rc::Rc;

use connd_core::{Claims, Effect, Event, LinkId};
use proto::codes::Code;
use proto::ids::{Epoch, SessionId};
use proto::link::{ToGroup, Up};
use proto::server::ServerPacket;

use super::Gateway;
use crate::doors::is_native;
use crate::socket::Socket;
use crate::turn::Turn;

/// Beyond so many bytes of one turn nothing is offered to a client.
const OFFER_BYTES_MAX: usize = 256 * 1024;

impl Gateway {
    pub(super) fn carry_out(&self, effect: Effect, turn: &mut Turn, more: &mut Vec<Event>) {
        match effect {
            Effect::Write { session, packet } => self.write(session, &packet, turn, more),
            Effect::Offer { session, packet } => self.offer(session, &packet, turn, more),
            Effect::Gather { session, packet } if is_native(session) => {
                if turn.gathered.is_empty() {
                    self.gathered.notify_one();
                }
                packet.encode(turn.gather(session));
            }
            Effect::Gather { session, packet } => self.write(session, &packet, turn, more),
            Effect::Spread { sessions, packet } => {
                self.tell_doors(&sessions, &packet, turn, more);
                self.spread(&sessions, &packet, turn);
            }
            Effect::SpreadLater { sessions, packet } => {
                self.tell_doors(&sessions, &packet, turn, more);
                self.spread_later(&sessions, &packet, turn);
            }
            Effect::Close { session } => turn.closes.push(session),
            Effect::Hold { session } => self.holding.hold(session),
            Effect::Authenticate {
                session,
                token,
                user,
            } => {
                let claims: Result<Claims, Code> = self.tokens.borrow().check(&token, user);
                more.push(Event::Authenticated { session, claims });
            }
            Effect::Forward {
                link,
                epoch,
                envelope,
            } => self.forward(link, epoch, envelope, more),
        }
    }

    fn write(
        &self,
        session: SessionId,
        packet: &ServerPacket,
        turn: &mut Turn,
        more: &mut Vec<Event>,
    ) {
        if is_native(session) {
            packet.encode(turn.buffer(session));
        } else {
            self.tell_door(session, packet, turn, more);
        }
    }

    fn offer(
        &self,
        session: SessionId,
        packet: &ServerPacket,
        turn: &mut Turn,
        more: &mut Vec<Event>,
    ) {
        let lags = |socket: &Rc<Socket>| socket.lags();
        let lags = self.sockets.borrow().get(&session).is_some_and(lags);
        if lags || turn.buffer(session).len() > OFFER_BYTES_MAX {
            self.metrics.shed.inc();
        } else {
            self.write(session, packet, turn, more);
        }
    }

    fn forward(&self, link: LinkId, epoch: Epoch, envelope: Up, more: &mut Vec<Event>) {
        // A link without a queue is down, and all on it is lost.
        let links = self.links.borrow();
        let Some(filler) = links.get(&link) else {
            return;
        };
        // The end of a session always finds room: a shard that missed it would
        // show its user online for ever. So does what a group's shard waits for.
        let pushed = match envelope {
            Up::Gone { .. }
            | Up::ToGroup {
                what: ToGroup::Dropped { .. } | ToGroup::Unfollow,
                ..
            } => filler.push_over(epoch, envelope),
            _ => filler.push(epoch, envelope),
        };
        if let Err(envelope) = pushed {
            self.metrics.link_full.inc();
            more.push(Event::LinkFull { envelope });
        }
    }

    /// Writes each session's frames at once, then closes what is to be closed.
    pub(super) fn flush(&self, turn: &mut Turn, more: &mut Vec<Event>) {
        self.flush_shared(turn, more);
        turn.at.clear();
        let mut writes = std::mem::take(&mut turn.writes);
        for (session, mut buffer) in writes.drain(..) {
            turn.join(session, &mut buffer);
            let socket = self.sockets.borrow().get(&session).cloned();
            let room = &mut turn.room;
            let written = socket.map(|socket| socket.write(&buffer, self.rest_max, room));
            if written.is_some_and(|written| written.is_err()) {
                more.push(Event::Clogged { session });
            }
            turn.keep(buffer);
        }
        turn.writes = writes;
        for session in turn.closes.drain(..) {
            self.doors.remove(session);
            let socket = self.sockets.borrow_mut().remove(&session);
            if let Some(socket) = socket {
                socket.close();
            }
        }
    }
}
