//! What a server says to a client, good or not.
//!
//! Owns packets made of a script. Must not know the session.

use std::sync::Arc;

use proto::client::Read;
use proto::friends::{FriendEntry, FriendList, ListHash, ListVersion, Relation};
use proto::ids::{SessionId, Stamp, Token};
use proto::server::{
    Carbon, Closing, Deliver, Did, Goaway, LoginOk, Outcome, Receipt, ReceiptKind, Sent,
    ServerPacket, TransientFrom,
};
use proto::status::{PeerStatus, StatusVersion};
use smol_str::SmolStr;

use super::{BODY_BYTES_MAX, WINDOW_MESSAGES};
use crate::cast;
use crate::script::Script;

/// Grants something, now and then the least or the most that there is.
pub fn greeting(script: &mut Script<'_>) -> ServerPacket {
    ServerPacket::LoginOk(Box::new(LoginOk {
        version: 1,
        features: 0,
        user: cast::USERS[0].clone(),
        device: cast::device(script),
        session: SessionId(1),
        window_messages: *script.choose(&[WINDOW_MESSAGES, WINDOW_MESSAGES, 1, 0, u32::MAX]),
        window_bytes: *script.choose(&[100, 100, 0, u32::MAX]),
        heartbeat_ms: *script.choose(&[30_000, 30_000, 0, u32::MAX]),
        body_bytes_max: *script.choose(&[BODY_BYTES_MAX as u32, 0, u32::MAX]),
        server_time: *script.choose(&[Stamp(1_795_000_000_000_000), Stamp(0), Stamp(u64::MAX)]),
        groups: Vec::new(),
    }))
}

/// A message under this number.
pub fn delivery(script: &mut Script<'_>, seq: u64) -> ServerPacket {
    let message = cast::message(script, BODY_BYTES_MAX);
    ServerPacket::Deliver(Deliver {
        seq,
        id: message.id,
        from: message.from,
        stamp: message.stamp,
        body: message.body,
    })
}

/// What became of something, whether it was asked or not.
pub fn answer(script: &mut Script<'_>) -> ServerPacket {
    let id = cast::message_id(script);
    let code = cast::code(script);
    let request = script.pick(8) as u32;
    match script.pick(6) {
        0 | 1 => ServerPacket::Sent { id, sent: sent() },
        2 => ServerPacket::Rejected {
            id,
            code,
            text: SmolStr::default(),
        },
        3 => ServerPacket::Unknown { id, code },
        4 => ServerPacket::FriendResult {
            request,
            code: Some(code),
        },
        _ => ServerPacket::DeviceResult {
            request,
            code: None,
        },
    }
}

fn sent() -> Sent {
    Sent {
        stamp: Stamp(1),
        outcome: Outcome::Stored,
    }
}

/// Anything else that may come while a client is there.
pub fn news(script: &mut Script<'_>) -> ServerPacket {
    let user = cast::user(script);
    match script.pick(9) {
        0 => ServerPacket::Pong,
        1 => ServerPacket::Presence {
            peers: vec![PeerStatus {
                user,
                status: cast::status(script),
                version: StatusVersion {
                    token: Token(script.pick(3) as u64),
                    counter: script.byte().into(),
                },
                last_seen: None,
            }],
            snapshot: script.once_in(2),
        },
        2 => ServerPacket::Friends(Arc::new(list(script))),
        3 => ServerPacket::FriendsChanged {
            version: ListVersion(script.byte().into()),
            hash: ListHash([script.byte() % 2; 16]),
        },
        4 => ServerPacket::Receipt(Receipt {
            peer: user,
            kind: *script.choose(&[ReceiptKind::Delivered, ReceiptKind::Read]),
            up_to: Stamp(script.byte().into()),
        }),
        5 => ServerPacket::Transient(TransientFrom {
            from: user,
            kind: 1,
            body: cast::body(script, BODY_BYTES_MAX),
        }),
        6 => {
            let up_to = Stamp(script.byte().into());
            let device = cast::device(script);
            let did = Did::Read(Read { peer: user, up_to });
            ServerPacket::Carbon(Box::new(Carbon { device, did }))
        }
        7 => ServerPacket::Devices(Vec::new()),
        _ => ServerPacket::Goaway(Goaway {
            after_ms: *script.choose(&[0, 1_000, u32::MAX]),
            spread_ms: *script.choose(&[0, 1_000, u32::MAX]),
        }),
    }
}

fn list(script: &mut Script<'_>) -> FriendList {
    let mut list = FriendList::empty();
    for _ in 0..script.pick(4) {
        let entry = FriendEntry {
            user: cast::user(script),
            relation: *script.choose(&[Relation::Friend, Relation::Invited, Relation::None]),
            blocked: script.once_in(4),
        };
        list = list.with(entry).expect("a short list");
    }
    let version = ListVersion(script.byte().into());
    FriendList::new(version, list.entries().to_vec()).expect("a short list")
}

/// The one error before a close.
pub fn closing(script: &mut Script<'_>) -> ServerPacket {
    ServerPacket::Closing(Closing {
        come_back_after_ms: *script.choose(&[0, 5_000, u32::MAX]),
        ..Closing::of(cast::code(script))
    })
}
