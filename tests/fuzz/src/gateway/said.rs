//! What clients and shards say to a gateway.
//!
//! Owns packets and envelopes made of a script. Must not know the gateway.

use std::sync::Arc;

use proto::client::{
    ChangeFriend, ClientPacket, EndDevice, Login, Read, Send, TRANSIENT_TYPING, Transient,
};
use proto::codes::Code;
use proto::friends::FriendList;
use proto::ids::{Generation, LoginOrder, SessionId, Stamp, Token};
use proto::link::{Answer, Deliver, Down, Relay, Relayed, Return, ReturnReason};
use proto::server::{Outcome, ReceiptKind, Sent, ServerPacket};
use proto::slot::Slot;
use smallvec::smallvec;
use smol_str::SmolStr;

use super::BODY_BYTES_MAX;
use crate::cast;
use crate::script::Script;

/// A log-in that is good but for its version now and then.
pub fn login(script: &mut Script<'_>) -> ClientPacket {
    let version = *script.choose(&[1, 1, 1, 2]);
    ClientPacket::Login(Box::new(Login {
        version_min: version,
        version_max: version,
        features: 0,
        token: String::new(),
        user: None,
        device: (!script.once_in(4)).then(|| cast::device(script)),
        friends_hash: cast::some_hash(script),
        heartbeat_ms: *script.choose(&[0, 1, 5_000, u32::MAX]),
        status: (*script.choose(&[true, true, false])).then(|| cast::status(script)),
    }))
}

/// Any packet; `delivered` is what the client may acknowledge.
pub fn packet(script: &mut Script<'_>, delivered: u64) -> ClientPacket {
    match script.pick(16) {
        0..=5 => ClientPacket::Send(Send {
            id: cast::message_id(script),
            to: cast::user(script),
            body: cast::body(script, BODY_BYTES_MAX as usize),
            friends_hash: cast::some_hash(script),
            again: script.once_in(4),
        }),
        6 | 7 => ClientPacket::Ack {
            seq: match script.pick(8) {
                0 => u64::MAX,
                1 => delivered + 1,
                fewer => delivered.saturating_sub(fewer as u64 - 2),
            },
        },
        8 => login(script),
        9 => ClientPacket::Logout,
        10 => ClientPacket::RefreshToken {
            token: String::new(),
        },
        11 => ClientPacket::SetStatus(cast::status(script)),
        12 => ClientPacket::Ping,
        13 => match script.pick(3) {
            0 => ClientPacket::GetFriends,
            1 => ClientPacket::GetDevices,
            _ => ClientPacket::Read(Read {
                peer: cast::user(script),
                up_to: Stamp(u64::MAX),
            }),
        },
        14 => ClientPacket::Transient(transient(script)),
        _ => match script.pick(2) {
            0 => ClientPacket::ChangeFriend(ChangeFriend {
                request: 1,
                action: cast::action(script),
                peer: cast::user(script),
            }),
            _ => ClientPacket::EndDevice(EndDevice {
                request: 1,
                device: cast::device(script),
            }),
        },
    }
}

fn transient(script: &mut Script<'_>) -> Transient {
    Transient {
        to: cast::user(script),
        kind: TRANSIENT_TYPING,
        body: cast::body(script, BODY_BYTES_MAX as usize),
    }
}

/// Any envelope from a shard about a session, whose window has this
/// generation.
pub fn envelope(script: &mut Script<'_>, session: SessionId, newest: u32) -> Down {
    match script.pick(16) {
        0..=2 => {
            let token = Token(1 + script.pick(2) as u64);
            let number = script.byte().into();
            Down::Accepted {
                session,
                token,
                order: LoginOrder { token, number },
                groups: Vec::new(),
            }
        }
        3 => Down::Refused {
            session,
            code: *script.choose(&[Code::Busy, Code::ShardUnavailable, Code::TooManySessions]),
        },
        4..=6 => Down::Deliver(Deliver {
            session,
            token: Token(1 + script.pick(2) as u64),
            message: cast::message(script, BODY_BYTES_MAX as usize),
        }),
        7..=9 => Down::Answer {
            session,
            id: cast::message_id(script),
            answer: answer(script, newest),
        },
        10 => Down::Return(Return {
            session,
            id: cast::message_id(script),
            generation: Generation(newest.saturating_sub(script.byte() as u32 % 2)),
            reason: ReturnReason::Busy,
        }),
        11 => Down::Close {
            session,
            code: cast::code(script),
        },
        12 => Down::Carbons {
            session,
            wanted: !script.once_in(4),
        },
        13 => Down::Relay(relay(script, session, newest)),
        _ => Down::Push {
            sessions: smallvec![session, SessionId(session.0.saturating_sub(1))],
            packet: Box::new(pushed(script)),
        },
    }
}

fn answer(script: &mut Script<'_>, newest: u32) -> Answer {
    let code = cast::code(script);
    match script.pick(4) {
        0 => Answer::Unknown { code },
        1 => Answer::Rejected {
            code,
            text: SmolStr::default(),
            generation: Generation(newest.saturating_sub(script.byte() as u32 % 2)),
        },
        _ => Answer::Sent(Sent {
            stamp: Stamp(1),
            outcome: Outcome::Stored,
        }),
    }
}

fn pushed(script: &mut Script<'_>) -> ServerPacket {
    let list = FriendList::empty();
    match script.pick(3) {
        0 => ServerPacket::Friends(Arc::new(list)),
        1 => ServerPacket::Presence {
            peers: Vec::new(),
            snapshot: true,
        },
        _ => ServerPacket::FriendsChanged {
            version: list.version(),
            hash: list.hash(),
        },
    }
}

fn relay(script: &mut Script<'_>, session: SessionId, newest: u32) -> Relay {
    let message = cast::message(script, BODY_BYTES_MAX as usize);
    let slot = Slot::of(&message.to);
    let relayed = match script.pick(4) {
        0 => Relayed::Transient {
            from: message.from,
            transient: transient(script),
        },
        1 => Relayed::Receipt {
            from: message.from,
            to: message.to,
            kind: ReceiptKind::Read,
            up_to: message.stamp,
        },
        _ => Relayed::Forward(cast::forward(script, message, session, newest)),
    };
    Relay { slot, relayed }
}
