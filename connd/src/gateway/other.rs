//! Sessions that come by another door than the native one.
//!
//! Owns when their doors are called. Must not know what a line says.

use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use connd_core::Event;
use proto::client::ClientPacket;
use proto::ids::SessionId;
use proto::server::ServerPacket;
use tokio::sync::mpsc;

use super::Gateway;
use crate::doors::{Asked, Call, Kind, is_native};
use crate::turn::Turn;

/// How often doors are looked at for what is due.
const LOOK_PAUSE: Duration = Duration::from_millis(50);

/// A session that somebody in this process has; over when it is dropped.
#[derive(Debug)]
pub struct Local {
    gateway: Rc<Gateway>,
    session: SessionId,
    packets: mpsc::Receiver<ServerPacket>,
}

impl Local {
    /// Opens one for somebody who comes from this address.
    pub fn open(gateway: &Rc<Gateway>, address: IpAddr) -> Self {
        let session = gateway.next_session(Kind::Lines);
        let packets = gateway.doors.add_local(session);
        gateway.handle([Event::Opened { session, address }]);
        Self {
            gateway: gateway.clone(),
            session,
            packets,
        }
    }

    /// Says something.
    pub fn say(&self, packet: ClientPacket) {
        let session = self.session;
        let packet = Ok(packet);
        self.gateway.handle([Event::Received { session, packet }]);
    }

    /// What is said next; none: the session has ended.
    pub async fn hear(&mut self) -> Option<ServerPacket> {
        self.packets.recv().await
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.gateway.closed(self.session);
    }
}

impl Gateway {
    /// Waits until the door of a session wants bytes.
    pub fn poll_wants(&self, session: SessionId, context: &mut Context<'_>) -> Poll<()> {
        match is_native(session) {
            true => Poll::Ready(()),
            false => self.doors.poll_wants(session, context),
        }
    }

    /// Bytes came by a door.
    pub fn line_received(&self, session: SessionId, bytes: &[u8]) {
        self.call_door(session, |call, asked, out| {
            self.doors.take(call, session, bytes, (asked, out));
        });
    }

    fn call_door(
        &self,
        session: SessionId,
        call: impl FnOnce(&Call<'_>, &mut Asked, &mut BytesMut),
    ) {
        let (mut asked, mut out) = (Asked::new(), BytesMut::new());
        let settings = self.lines.borrow().clone();
        let now = self.clock.now();
        let settings = &settings;
        call(&Call { now, settings }, &mut asked, &mut out);
        if !out.is_empty() {
            let turn = &mut *self.turn.borrow_mut();
            turn.buffer(session).extend_from_slice(&out);
        }
        self.trace(session, &asked);
        let event = |packet| Event::Received { session, packet };
        self.handle(asked.into_iter().map(event));
    }

    /// A packet for a session with another door.
    pub(super) fn tell_door(
        &self,
        session: SessionId,
        packet: &ServerPacket,
        turn: &mut Turn,
        more: &mut Vec<Event>,
    ) {
        let (mut asked, mut out) = (Asked::new(), BytesMut::new());
        let settings = &*self.lines.borrow();
        let now = self.clock.now();
        let call = Call { now, settings };
        self.doors
            .tell(&call, session, packet, (&mut asked, &mut out));
        if !out.is_empty() {
            turn.buffer(session).extend_from_slice(&out);
        }
        let event = |packet| Event::Received { session, packet };
        more.extend(asked.into_iter().map(event));
    }

    /// The same packet for those of many who have another door.
    pub(super) fn tell_doors(
        &self,
        sessions: &[SessionId],
        packet: &ServerPacket,
        turn: &mut Turn,
        more: &mut Vec<Event>,
    ) {
        if self.doors.is_empty() {
            return;
        }
        for session in sessions.iter().filter(|session| !is_native(**session)) {
            if self.keeps_up(*session) {
                self.tell_door(*session, packet, turn, more);
            }
        }
    }

    /// Calls doors whose deadline has come.
    pub(super) async fn keep_doors(self: Rc<Self>) {
        let mut every = tokio::time::interval(LOOK_PAUSE);
        loop {
            every.tick().await;
            if self.doors.is_empty() {
                continue;
            }
            for session in self.doors.due(self.clock.now().moment) {
                self.call_door(session, |call, asked, out| {
                    self.doors.tick(call, session, (asked, out));
                });
            }
        }
    }
}

/// What all doors for lines go by.
pub type LineSettings = Arc<connd_line::Settings>;
