//! One packet of every kind, by name. Golden vectors and the protocol page hold
//! their bytes.

mod group_packets;

use std::sync::Arc;

use bytes::Bytes;
use proto::client::{
    ChangeFriend, ClientPacket, EndDevice, Login, Read, Send, TRANSIENT_TYPING, Transient,
};
use proto::codes::Code;
use proto::friends::{FriendAction, FriendEntry, FriendList, ListVersion, Relation};
use proto::group::UserGroup;
use proto::ids::{DeviceId, MessageId, SessionId, Stamp, Token, UserId};
use proto::server::{
    Carbon, Closing, Deliver, DeviceEntry, Did, Goaway, LoginOk, Outcome, Receipt, ReceiptKind,
    Sent, SentElsewhere, ServerPacket, TransientFrom,
};
use proto::status::{Availability, PeerStatus, Status, StatusVersion};
use smol_str::SmolStr;

/// Every packet that a client sends.
pub fn client() -> Vec<(&'static str, ClientPacket)> {
    let login = Login {
        version_min: 1,
        version_max: 1,
        features: 0,
        token: String::new(),
        user: Some(user("alice")),
        device: Some(device("phone")),
        friends_hash: Some(list().hash()),
        heartbeat_ms: 60_000,
        status: Some(Status::online()),
    };
    let with_token = Login {
        token: "a.b.c".to_owned(),
        user: None,
        device: None,
        friends_hash: None,
        heartbeat_ms: 0,
        ..login.clone()
    };
    let send = Send {
        id: message_id(),
        to: user("bob"),
        body: Bytes::from_static(b"see you at six"),
        friends_hash: Some(list().hash()),
        again: false,
    };
    let send_again = Send {
        again: true,
        ..send.clone()
    };
    let status = Status {
        availability: Availability::Away,
        text: SmolStr::new_static("at lunch"),
    };
    let change = ChangeFriend {
        request: 1,
        action: FriendAction::Request,
        peer: user("bob"),
    };
    let token = "a.b.c".to_owned();
    let mut all = vec![
        ("Login", ClientPacket::Login(Box::new(login))),
        (
            "Login with a token",
            ClientPacket::Login(Box::new(with_token)),
        ),
        ("Send", ClientPacket::Send(send)),
        ("Send again", ClientPacket::Send(send_again)),
        ("Ack", ClientPacket::Ack { seq: 300 }),
        ("Ping", ClientPacket::Ping),
        ("Transient", ClientPacket::Transient(typing_to())),
        ("Read", ClientPacket::Read(read())),
        ("SetStatus", ClientPacket::SetStatus(status)),
        ("GetFriends", ClientPacket::GetFriends),
        ("ChangeFriend", ClientPacket::ChangeFriend(change)),
        ("RefreshToken", ClientPacket::RefreshToken { token }),
        ("Logout", ClientPacket::Logout),
        ("GetDevices", ClientPacket::GetDevices),
        (
            "EndDevice",
            ClientPacket::EndDevice(EndDevice {
                request: 2,
                device: device("tablet"),
            }),
        ),
    ];
    all.extend(group_packets::client());
    all
}

/// Every packet that a server sends.
pub fn server() -> Vec<(&'static str, ServerPacket)> {
    let id = message_id();
    let (version, hash) = (list().version(), list().hash());
    let mut all = vec![
        ("LoginOk", login_ok(Vec::new())),
        (
            "LoginOk with groups",
            login_ok(group_packets::user_groups()),
        ),
        ("Deliver", ServerPacket::Deliver(deliver())),
        (
            "Sent delivered",
            sent(Outcome::Delivered {
                device: device("phone"),
            }),
        ),
        ("Sent stored", sent(Outcome::Stored)),
        ("Sent logged", sent(Outcome::Logged(group_packets::place()))),
        ("Pong", ServerPacket::Pong),
        ("Rejected", rejected(id)),
        (
            "Unknown",
            ServerPacket::Unknown {
                id,
                code: Code::FateUnknown,
            },
        ),
        ("Receipt", ServerPacket::Receipt(receipt())),
        ("TransientFrom", ServerPacket::Transient(typing())),
        ("Presence", presence()),
        ("Friends", ServerPacket::Friends(Arc::new(list()))),
        (
            "FriendsChanged",
            ServerPacket::FriendsChanged { version, hash },
        ),
        ("FriendsStale", ServerPacket::FriendsStale { version, hash }),
        ("FriendResult", friend_result(None)),
        ("FriendResult refused", friend_result(Some(Code::NoRequest))),
        ("Closing", ServerPacket::Closing(Closing::of(Code::Silent))),
        (
            "Goaway",
            ServerPacket::Goaway(Goaway {
                after_ms: 500,
                spread_ms: 3_000,
            }),
        ),
        ("Carbon sent", carbon(Did::Sent(sent_elsewhere()))),
        ("Carbon read", carbon(Did::Read(read()))),
        ("Carbon transient", carbon(Did::Transient(typing_to()))),
        (
            "Carbon group read",
            carbon(Did::GroupRead(group_packets::group_read())),
        ),
        ("Devices", devices()),
        (
            "DeviceResult",
            ServerPacket::DeviceResult {
                request: 2,
                code: Some(Code::NoDevice),
            },
        ),
    ];
    all.extend(group_packets::server());
    all
}

/// A friend, a request to someone, one of someone, and a stranger who is
/// blocked.
pub fn list() -> FriendList {
    let entry = |name, relation, blocked| FriendEntry {
        user: user(name),
        relation,
        blocked,
    };
    let entries = vec![
        entry("bob", Relation::Friend, false),
        entry("carol", Relation::Requested, false),
        entry("dave", Relation::Invited, false),
        entry("eve", Relation::None, true),
    ];
    FriendList::new(ListVersion(5), entries).unwrap()
}

const STAMP: Stamp = Stamp(1_795_000_000_200_000);

fn login_ok(groups: Vec<UserGroup>) -> ServerPacket {
    ServerPacket::LoginOk(Box::new(LoginOk {
        version: 1,
        features: 0,
        user: user("alice"),
        device: device("phone"),
        session: SessionId(77),
        window_messages: 128,
        window_bytes: 524_288,
        heartbeat_ms: 60_000,
        body_bytes_max: 16_384,
        server_time: STAMP,
        groups,
    }))
}

fn deliver() -> Deliver {
    Deliver {
        seq: 1,
        id: message_id(),
        from: user("alice"),
        stamp: STAMP,
        body: Bytes::from_static(b"see you at six"),
    }
}

fn sent(outcome: Outcome) -> ServerPacket {
    ServerPacket::Sent {
        id: message_id(),
        sent: Sent {
            stamp: STAMP,
            outcome,
        },
    }
}

fn rejected(id: MessageId) -> ServerPacket {
    ServerPacket::Rejected {
        id,
        code: Code::NotFriends,
        text: SmolStr::new_static(Code::NotFriends.text()),
    }
}

fn carbon(did: Did) -> ServerPacket {
    ServerPacket::Carbon(Box::new(Carbon {
        device: device("tablet"),
        did,
    }))
}

fn sent_elsewhere() -> SentElsewhere {
    SentElsewhere {
        id: message_id(),
        sent: Sent {
            stamp: STAMP,
            outcome: Outcome::Stored,
        },
        to: user("bob"),
        body: Bytes::from_static(b"see you at six"),
    }
}

fn devices() -> ServerPacket {
    let entry = |name, own| DeviceEntry {
        device: device(name),
        since: STAMP,
        own,
    };
    ServerPacket::Devices(vec![entry("phone", true), entry("tablet", false)])
}

fn receipt() -> Receipt {
    Receipt {
        peer: user("bob"),
        kind: ReceiptKind::Read,
        up_to: STAMP,
    }
}

fn typing_to() -> Transient {
    Transient {
        to: user("bob"),
        kind: TRANSIENT_TYPING,
        body: Bytes::new(),
    }
}

fn read() -> Read {
    Read {
        peer: user("bob"),
        up_to: STAMP,
    }
}

fn typing() -> TransientFrom {
    TransientFrom {
        from: user("bob"),
        kind: TRANSIENT_TYPING,
        body: Bytes::new(),
    }
}

fn presence() -> ServerPacket {
    let online = PeerStatus {
        user: user("bob"),
        status: Status {
            availability: Availability::Busy,
            text: SmolStr::new_static("in a call"),
        },
        version: StatusVersion {
            token: Token(3),
            counter: 2,
        },
        last_seen: None,
    };
    let offline = PeerStatus {
        user: user("carol"),
        status: Status::offline(),
        version: StatusVersion {
            token: Token(4),
            counter: 9,
        },
        last_seen: Some(STAMP),
    };
    ServerPacket::Presence {
        peers: vec![online, offline],
        snapshot: true,
    }
}

fn friend_result(code: Option<Code>) -> ServerPacket {
    ServerPacket::FriendResult { request: 1, code }
}

fn message_id() -> MessageId {
    MessageId::mint(1_795_000_000_123, [0xa5; 10])
}

fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

fn device(name: &str) -> DeviceId {
    DeviceId::new(name).unwrap()
}
