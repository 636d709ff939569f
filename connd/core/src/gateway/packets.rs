//! What a client sends: each packet to its place, or a code and a close.

use proto::client::ClientPacket;
use proto::clock::Now;
use proto::codes::Code;
use proto::ids::{SessionId, Stamp};
use proto::link::{Request, Up};
use proto::server::ServerPacket;
use proto::status::Status;

use super::{Gateway, forward, write};
use crate::effect::Effect;
use crate::router::Route;
use crate::session::State;

impl Gateway {
    pub(super) fn received(
        &mut self,
        now: Now,
        session: SessionId,
        packet: Result<ClientPacket, Code>,
        out: &mut Vec<Effect>,
    ) {
        // Bytes may be under way from a connection that was just closed.
        let Some(entry) = self.sessions.get_mut(&session) else {
            return;
        };
        let packet = match packet {
            Ok(packet) => packet,
            Err(code) => return self.close(session, code, out),
        };
        match &mut entry.state {
            State::Offered => match packet {
                ClientPacket::Login(login) => self.login(now, session, login, out),
                _ => self.close(session, Code::LoginRequired, out),
            },
            State::Checking(_) => self.close(session, Code::LoginRequired, out),
            State::Live(live) if !live.greeted => self.close(session, Code::LoginRequired, out),
            State::Live(live) => {
                live.heard = now.moment;
                self.spoken(now, session, packet, out);
            }
        }
    }

    /// A packet of a client that has its log-in answer.
    fn spoken(
        &mut self,
        now: Now,
        session: SessionId,
        packet: ClientPacket,
        out: &mut Vec<Effect>,
    ) {
        let request = match packet {
            ClientPacket::Send(send) => return self.send(now, session, send, out),
            ClientPacket::Ack { seq } => return self.acknowledged(session, seq, out),
            ClientPacket::Ping => return write(session, ServerPacket::Pong, out),
            ClientPacket::Login(_) => return self.close(session, Code::Malformed, out),
            ClientPacket::Logout => return self.logout(session, out),
            ClientPacket::RefreshToken { token } => {
                return self.refresh(now, session, token, out);
            }
            ClientPacket::Transient(transient) => Request::Transient(transient),
            ClientPacket::Read(read) => Request::Read(read),
            ClientPacket::SetStatus(status) => return self.set_status(now, session, status, out),
            ClientPacket::GetFriends => Request::GetFriends,
            ClientPacket::ChangeFriend(change) => Request::ChangeFriend(change),
            ClientPacket::GetDevices => Request::GetDevices,
            ClientPacket::EndDevice(end) => Request::EndDevice(end),
            ClientPacket::GroupSend(send) => return self.group_send(now, session, send, out),
            ClientPacket::GroupTransient(transient) => Request::GroupTransient(transient),
            ClientPacket::GroupRead(read) => Request::GroupRead(read),
            ClientPacket::ChangeGroup(change) => Request::ChangeGroup(change),
            ClientPacket::GetGroups => Request::GetGroups,
            ClientPacket::GetMembers(get) => Request::GetMembers(get),
            ClientPacket::GetHistory(get) => Request::GetHistory(get),
        };
        self.request(now, session, request, out);
    }

    /// What is announced again after a change is what was set last, and is
    /// later than what was set before, whatever the clock does.
    fn set_status(&mut self, now: Now, session: SessionId, status: Status, out: &mut Vec<Effect>) {
        if !self.within_rate(now, session, out) {
            return;
        }
        let Some(live) = self.live(session) else {
            return;
        };
        let since = now.wall.max(Stamp(live.status_since.0 + 1));
        live.status = status.clone();
        live.status_since = since;
        self.ask_shard(session, Request::SetStatus { status, since }, out);
    }

    fn request(&mut self, now: Now, session: SessionId, request: Request, out: &mut Vec<Effect>) {
        if !self.within_rate(now, session, out) {
            return;
        }
        let body = match &request {
            Request::Transient(transient) => transient.body.len(),
            Request::GroupTransient(transient) => transient.body.len(),
            _ => 0,
        };
        if body > self.settings.body_bytes_max as usize {
            return self.close(session, Code::Malformed, out);
        }
        self.ask_shard(session, request, out);
    }

    /// Something for the user's shard.
    pub(super) fn ask_shard(
        &mut self,
        session: SessionId,
        request: Request,
        out: &mut Vec<Effect>,
    ) {
        let Some(live) = self.live(session) else {
            return;
        };
        let (slot, user) = (live.slot, live.user.clone());
        let Route::Link(link) = self.router.route(slot) else {
            return unanswerable(session, &request, out);
        };
        let envelope = Up::Request {
            session,
            user,
            request,
        };
        forward(link, self.router.epoch(), envelope, out);
    }

    fn refresh(&mut self, now: Now, session: SessionId, token: String, out: &mut Vec<Effect>) {
        if !self.within_rate(now, session, out) {
            return;
        }
        let Some(live) = self.live(session) else {
            return;
        };
        let user = Some(live.user.clone());
        out.push(Effect::Authenticate {
            session,
            token,
            user,
        });
    }

    /// Counts a packet; a session above its rate is closed.
    fn within_rate(&mut self, now: Now, session: SessionId, out: &mut Vec<Effect>) -> bool {
        let allowance = self.requests;
        let Some(live) = self.live(session) else {
            return false;
        };
        if live.requests.take(now.moment, &allowance).is_ok() {
            return true;
        }
        self.close(session, Code::Overloaded, out);
        false
    }

    /// Rule 1: the shards that delivered are told what was taken.
    fn acknowledged(&mut self, session: SessionId, seq: u64, out: &mut Vec<Effect>) {
        let epoch = self.router.epoch();
        let Some(live) = self.live(session) else {
            return;
        };
        let Ok(told) = live.deliveries.acknowledge(seq) else {
            return self.close(session, Code::Malformed, out);
        };
        for (link, identities) in told {
            let user = live.user.clone();
            let envelope = Up::Acknowledge {
                session,
                user,
                identities,
            };
            forward(link, epoch, envelope, out);
        }
    }
}

/// A request finds no way to the user's shard: who waits for an answer gets
/// one. What else is asked the client asks again, or it is told anew when the
/// session is announced.
pub(super) fn unanswerable(session: SessionId, request: &Request, out: &mut Vec<Effect>) {
    if let Some(packet) = request.refused(Code::Busy) {
        write(session, packet, out);
    }
}
