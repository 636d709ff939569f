//! What is written to many clients alike, and who reads too slowly for it.
//!
//! Owns when something is left out for a client. Must not know what it is.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use connd_core::Event;
use proto::ids::SessionId;
use proto::server::ServerPacket;

use super::Gateway;
use crate::doors::is_native;
use crate::socket::Socket;
use crate::turn::Turn;

/// So many bytes may wait for a client that gets what all get.
const WAITING_BYTES_MAX: usize = 64 * 1024;

/// How often those who lag are looked at.
const LOOK_PAUSE: Duration = Duration::from_millis(100);

impl Gateway {
    /// A packet for many, written at the end of the turn.
    pub(super) fn spread(
        &self,
        sessions: &Arc<Vec<SessionId>>,
        packet: &ServerPacket,
        turn: &mut Turn,
    ) {
        let mut frame = std::mem::take(&mut turn.frame);
        frame.clear();
        packet.encode(&mut frame);
        let own = turn.writes.iter().map(|(session, _)| *session);
        let own = own.filter(|session| is_native(*session));
        for session in turn.spread.add(sessions, &frame, own) {
            turn.buffer(session).extend_from_slice(&frame);
        }
        turn.frame = frame;
    }

    /// A packet for many, written before long.
    pub(super) fn spread_later(
        &self,
        sessions: &Arc<Vec<SessionId>>,
        packet: &ServerPacket,
        turn: &mut Turn,
    ) {
        if !turn.spread.is_empty() {
            // What is written in this turn already is older.
            return self.spread(sessions, packet, turn);
        }
        let mut frame = std::mem::take(&mut turn.frame);
        frame.clear();
        packet.encode(&mut frame);
        if turn.gathered.is_empty() {
            self.gathered.notify_one();
        }
        let sockets = self.sockets.borrow();
        for session in sessions.iter().filter(|of| is_native(**of)) {
            let socket = sockets.get(session);
            if socket.is_some_and(|socket| socket.waiting() <= WAITING_BYTES_MAX) {
                turn.gather(*session).extend_from_slice(&frame);
            } else {
                self.leave_out(*session);
            }
        }
        turn.frame = frame;
    }

    /// Writes what many share, each client's share at once. Of a client's own
    /// frames of the turn those that come before a shared one have taken it in.
    pub(super) fn flush_shared(&self, turn: &mut Turn, more: &mut Vec<Event>) {
        let all = turn.spread.take();
        if all.is_empty() {
            return;
        }
        let sockets = self.sockets.borrow();
        for shared in all {
            for session in shared.sessions.iter().filter(|of| is_native(**of)) {
                let share = shared.share(*session);
                let Some(socket) = sockets.get(session).filter(|_| !share.is_empty()) else {
                    continue;
                };
                if socket.waiting() > WAITING_BYTES_MAX {
                    self.leave_out(*session);
                    continue;
                }
                // What was gathered is older.
                let gathered = match turn.gathered.is_empty() {
                    true => None,
                    false => turn.gathered.remove(session),
                };
                let written = match gathered {
                    None => socket.write(share, self.rest_max, &mut turn.room),
                    Some(mut older) => {
                        older.extend_from_slice(share);
                        let written = socket.write(&older, self.rest_max, &mut turn.room);
                        turn.keep(older);
                        written
                    }
                };
                if written.is_err() {
                    let session = *session;
                    more.push(Event::Clogged { session });
                }
            }
        }
    }

    /// Whether a client gets what all get; else that is left out.
    pub(super) fn keeps_up(&self, session: SessionId) -> bool {
        let sockets = self.sockets.borrow();
        let lags = |socket: &Rc<Socket>| socket.waiting() > WAITING_BYTES_MAX;
        let lags = sockets.get(&session).is_some_and(lags);
        if lags {
            self.leave_out(session);
        }
        !lags
    }

    fn leave_out(&self, session: SessionId) {
        let mut lagging = self.lagging.borrow_mut();
        if lagging.is_empty() {
            self.lags.notify_one();
        }
        if lagging.insert(session) {
            self.metrics.lagged.inc();
        }
    }

    /// Tells the core of those who have read what waited for them.
    pub(super) async fn look_after_lagging(self: Rc<Self>) {
        loop {
            self.lags.notified().await;
            while !self.lagging.borrow().is_empty() {
                tokio::time::sleep(LOOK_PAUSE).await;
                let drained = self.take_drained();
                self.handle(
                    drained
                        .into_iter()
                        .map(|session| Event::Drained { session }),
                );
            }
        }
    }

    fn take_drained(&self) -> Vec<SessionId> {
        let sockets = self.sockets.borrow();
        let mut lagging = self.lagging.borrow_mut();
        let lags = |session: &SessionId| sockets.get(session).map(|socket| socket.lags());
        let drained = lagging.iter().copied();
        let drained = drained.filter(|session| lags(session) == Some(false));
        let drained: Vec<SessionId> = drained.collect();
        lagging.retain(|session| lags(session) == Some(true));
        drained
    }
}
