//! The largest packets fit their frames, and what envelopes say that they weigh
//! keeps a batch below what a link decodes.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use prost::Message;
use proto::client::{ClientPacket, GroupSend, Login, Send};
use proto::frame::HEADER_BYTES;
use proto::friends::{FRIENDS_MAX, FriendEntry, FriendList, ListHash, ListVersion, Relation};
use proto::group::{
    Action, Belongs, Conversation, FOR_EVER, Head, LogEntry, Logged, MemberEntry, Mentions, Place,
    ReadTo, Role, Standing, UserGroup,
};
use proto::ids::{
    DeviceId, Epoch, Generation, GroupId, ID_BYTES_MAX, LogEpoch, LoginOrder, MessageId, SessionId,
    Stamp, Token, UserId,
};
use proto::limits::{
    BATCH_BYTES_MAX, BATCH_ENVELOPES_MAX, BODY_BYTES_MAX, CLIENT_FRAME_BYTES_MAX, FOLLOWERS_MAX,
    LINK_MESSAGE_BYTES_MAX, LOGIN_FRAME_BYTES_MAX, MENTIONS_MAX, PAGE_BYTES_MAX, PAGE_MAX,
    SERVER_FRAME_BYTES_MAX, TARGETS_MAX, TEXT_BYTES_MAX, USER_GROUPS_MAX,
};
use proto::link::{
    Attempt, Batch, Down, FromGroup, MembershipVersion, Post, Recipient, Relay, Relayed, Submit,
    ToGroup, Up,
};
use proto::server::{Deliver, GroupDeliver, History, LoginOk, Members, ServerPacket};
use proto::slot::Slot;
use proto::status::{Availability, PeerStatus, Status, StatusVersion};
use proto::wire::link as wire;

/// What an envelope takes at most, of what it says that it weighs.
const fn taken_max(weight: usize) -> usize {
    weight + weight / 32 + 1_024
}

#[test]
fn the_largest_packets_of_clients_fit_their_frames() {
    let send = Send {
        id: MessageId::from_bytes([0xff; 16]),
        to: user(0),
        body: largest_body(),
        friends_hash: Some(ListHash([1; 16])),
        again: true,
    };
    let group_send = GroupSend {
        id: MessageId::from_bytes([0xff; 16]),
        group: group(0),
        body: largest_body(),
        mentions: users(MENTIONS_MAX),
        again: true,
    };
    for packet in [
        ClientPacket::Send(send),
        ClientPacket::GroupSend(group_send),
    ] {
        assert!(client_bytes(packet) <= CLIENT_FRAME_BYTES_MAX);
    }
    let login = Login {
        version_min: u32::MAX,
        version_max: u32::MAX,
        features: u64::MAX,
        token: "x".repeat(7 * 1024),
        user: Some(user(0)),
        device: Some(device()),
        friends_hash: Some(ListHash([1; 16])),
        heartbeat_ms: u32::MAX,
        status: Some(status()),
    };
    assert!(client_bytes(ClientPacket::Login(Box::new(login))) <= LOGIN_FRAME_BYTES_MAX);
}

#[test]
fn the_largest_packets_of_servers_fit_their_frames() {
    for (name, packet) in largest() {
        let mut frame = BytesMut::new();
        packet.encode(&mut frame);
        let content = frame.split_off(HEADER_BYTES).freeze();
        assert!(content.len() <= SERVER_FRAME_BYTES_MAX, "{name}");
        // It is within the bounds: a client takes it.
        assert_eq!(ServerPacket::decode(content), Ok(packet), "{name}");
    }
}

#[test]
fn an_envelope_takes_little_beside_its_weight() {
    // A batch holds more than its bound of bytes only when it is one envelope.
    let full = taken_max(BATCH_BYTES_MAX) + BATCH_ENVELOPES_MAX * taken_max(0);
    assert!(full <= LINK_MESSAGE_BYTES_MAX);
    let mut heavier = Vec::new();
    for (name, up) in heaviest_up() {
        let weight = up.weight();
        let bytes = wire::UpBatch::from(batch(vec![up.clone()])).encode_to_vec();
        assert!(bytes.len() <= LINK_MESSAGE_BYTES_MAX, "{name}");
        heavier.extend((bytes.len() > taken_max(weight)).then_some(name));
        let read = wire::UpBatch::decode(Bytes::from(bytes)).unwrap();
        assert_eq!(Batch::try_from(read), Ok(batch(vec![up])), "{name}");
    }
    for (name, down) in heaviest_down() {
        let weight = down.weight();
        let bytes = wire::DownBatch::from(batch(vec![down.clone()])).encode_to_vec();
        assert!(bytes.len() <= LINK_MESSAGE_BYTES_MAX, "{name}");
        heavier.extend((bytes.len() > taken_max(weight)).then_some(name));
        let read = wire::DownBatch::decode(Bytes::from(bytes)).unwrap();
        assert_eq!(Batch::try_from(read), Ok(batch(vec![down])), "{name}");
    }
    assert_eq!(heavier, [""; 0], "weigh more than they say");
}

fn heaviest_up() -> Vec<(&'static str, Up)> {
    let recipient = Recipient::Group {
        group: group(0),
        mentions: users(MENTIONS_MAX),
    };
    let submit = Submit {
        session: SessionId(u64::MAX),
        generation: Generation(u32::MAX),
        attempt: Attempt::Resent,
        from: user(0),
        id: MessageId::from_bytes([0xff; 16]),
        to: recipient,
        friends_hash: Some(ListHash([1; 16])),
        body: Bytes::new(),
    };
    let post = Relayed::Post(Post {
        group: group(0),
        from: user(0),
        id: MessageId::from_bytes([0xff; 16]),
        body: Bytes::new(),
        mentions: users(MENTIONS_MAX),
        session: SessionId(u64::MAX),
        generation: Generation(u32::MAX),
        attempt: Attempt::Resent,
    });
    let again = ToGroup::FollowAgain {
        after: place(),
        users: users(FOLLOWERS_MAX),
    };
    let present = ToGroup::Present {
        number: u64::MAX,
        count: u32::MAX,
        users: users(FOLLOWERS_MAX),
    };
    let to_group = |what| Up::ToGroup {
        group: group(0),
        what,
    };
    let relay = |relayed| Up::Relay(relay(relayed));
    let mut all = vec![
        ("Submit", Up::Submit(submit)),
        ("Post", relay(post)),
        ("FollowAgain", to_group(again)),
        ("Present", to_group(present)),
    ];
    all.extend(answers().map(|(name, answer)| (name, relay(answer))));
    all
}

fn heaviest_down() -> Vec<(&'static str, Down)> {
    let again = FromGroup::FollowedAgain {
        group: group(0),
        head: Head {
            place: place(),
            messages: u64::MAX,
        },
        gone: users(FOLLOWERS_MAX),
        version: version(),
    };
    let entry = GroupDeliver {
        group: group(0),
        epoch: LogEpoch(u64::MAX),
        entry: entry(BODY_BYTES_MAX, users(MENTIONS_MAX)),
    };
    let accepted = Down::Accepted {
        session: SessionId(u64::MAX),
        token: Token(u64::MAX),
        order: LoginOrder {
            token: Token(u64::MAX),
            number: u64::MAX,
        },
        groups: user_groups(),
    };
    let mut all = vec![
        ("Accepted", accepted),
        ("FollowedAgain", Down::FromGroup(again)),
        ("Entry", Down::FromGroup(FromGroup::Entry(entry))),
    ];
    all.extend(answers().map(|(name, answer)| (name, Down::Relay(relay(answer)))));
    all.extend(largest().into_iter().map(|(name, packet)| {
        let push = Down::Push {
            sessions: (0..16).map(|_| SessionId(u64::MAX)).collect(),
            packet: Box::new(packet),
        };
        (name, push)
    }));
    all
}

/// The largest answers of a group's shard.
fn answers() -> impl Iterator<Item = (&'static str, Relayed)> {
    let of_groups = |(name, _): &(&str, _)| !matches!(*name, "LoginOk" | "Friends" | "Presence");
    let answer = |(name, packet)| {
        let answer = Relayed::GroupAnswer {
            request: u64::MAX,
            actor: user(0),
            packet: Box::new(packet),
        };
        (name, answer)
    };
    largest().into_iter().filter(of_groups).map(answer)
}

/// The largest packets to a client.
fn largest() -> Vec<(&'static str, ServerPacket)> {
    let deliver = Deliver {
        seq: u64::MAX,
        id: MessageId::from_bytes([0xff; 16]),
        from: user(0),
        stamp: Stamp(u64::MAX),
        body: largest_body(),
    };
    let friends = (0..FRIENDS_MAX).map(|number| FriendEntry {
        user: user(number),
        relation: Relation::Friend,
        blocked: true,
    });
    let friends = FriendList::new(ListVersion(u64::MAX), friends.collect()).unwrap();
    let group_deliver = GroupDeliver {
        group: group(0),
        epoch: LogEpoch(u64::MAX),
        entry: entry(BODY_BYTES_MAX, users(MENTIONS_MAX)),
    };
    let many_short = vec![entry(0, users(3)); PAGE_MAX];
    let two_long = vec![entry(PAGE_BYTES_MAX / 2, Vec::new()); 2];
    let with_mentions =
        vec![entry(0, users(MENTIONS_MAX)); PAGE_BYTES_MAX / (MENTIONS_MAX * ID_BYTES_MAX)];
    vec![
        ("LoginOk", login_ok()),
        ("Deliver", ServerPacket::Deliver(deliver)),
        ("Friends", ServerPacket::Friends(Arc::new(friends))),
        ("Presence", presence()),
        ("Groups", ServerPacket::Groups(user_groups())),
        ("GroupDeliver", ServerPacket::GroupDeliver(group_deliver)),
        ("Members", members()),
        ("History of short entries", history(many_short)),
        ("History of changes", history(vec![change(); PAGE_MAX])),
        ("History of two entries", history(two_long)),
        ("History with mentions", history(with_mentions)),
    ]
}

fn login_ok() -> ServerPacket {
    ServerPacket::LoginOk(Box::new(LoginOk {
        version: u32::MAX,
        features: u64::MAX,
        user: user(0),
        device: device(),
        session: SessionId(u64::MAX),
        window_messages: u32::MAX,
        window_bytes: u32::MAX,
        heartbeat_ms: u32::MAX,
        body_bytes_max: u32::MAX,
        server_time: Stamp(u64::MAX),
        groups: user_groups(),
    }))
}

fn presence() -> ServerPacket {
    let peers = (0..TARGETS_MAX).map(|number| PeerStatus {
        user: user(number),
        status: status(),
        version: StatusVersion {
            token: Token(u64::MAX),
            counter: u64::MAX,
        },
        last_seen: Some(Stamp(u64::MAX)),
    });
    ServerPacket::Presence {
        peers: peers.collect(),
        snapshot: true,
    }
}

fn members() -> ServerPacket {
    let members = (0..PAGE_MAX).map(|number| MemberEntry {
        user: user(number),
        standing: Standing::In(Role::Owner),
        muted: Some(FOR_EVER),
    });
    ServerPacket::Members(Box::new(Members {
        request: u32::MAX,
        group: group(0),
        members: members.collect(),
        total: u32::MAX,
        more: true,
    }))
}

fn history(entries: Vec<LogEntry>) -> ServerPacket {
    ServerPacket::History(Box::new(History {
        request: u32::MAX,
        of: Conversation::Group(group(0)),
        epoch: LogEpoch(u64::MAX),
        first: u64::MAX,
        last: u64::MAX,
        read: ReadTo {
            seq: u64::MAX,
            messages: u64::MAX,
        },
        entries,
    }))
}

fn entry(body_bytes: usize, mentions: Mentions) -> LogEntry {
    LogEntry {
        seq: u64::MAX,
        messages: u64::MAX,
        stamp: Stamp(u64::MAX),
        from: user(0),
        what: Logged::Message {
            id: MessageId::from_bytes([0xff; 16]),
            body: Bytes::from(vec![7; body_bytes]),
            mentions,
        },
    }
}

fn change() -> LogEntry {
    let title = "x".repeat(TEXT_BYTES_MAX).into();
    LogEntry {
        what: Logged::Change(Action::Rename { title }),
        ..entry(0, Vec::new())
    }
}

fn client_bytes(packet: ClientPacket) -> usize {
    let mut frame = BytesMut::new();
    packet.encode(&mut frame);
    frame.len() - HEADER_BYTES
}

fn batch<E>(envelopes: Vec<E>) -> Batch<E> {
    Batch {
        epoch: Epoch(u64::MAX),
        envelopes,
    }
}

fn relay(relayed: Relayed) -> Relay {
    let slot = Slot::of_group(&group(0));
    Relay { slot, relayed }
}

fn user_groups() -> Vec<UserGroup> {
    let of = |number| UserGroup {
        group: group(number),
        belongs: Belongs::Invited { by: user(number) },
    };
    (0..USER_GROUPS_MAX).map(of).collect()
}

fn place() -> Place {
    let (epoch, seq) = (LogEpoch(u64::MAX), u64::MAX);
    Place { epoch, seq }
}

fn users(count: usize) -> Vec<UserId> {
    (0..count).map(user).collect()
}

fn user(number: usize) -> UserId {
    UserId::new(format!("{number:0>ID_BYTES_MAX$}")).unwrap()
}

fn group(number: usize) -> GroupId {
    GroupId::new(format!("{number:0>ID_BYTES_MAX$}")).unwrap()
}

fn device() -> DeviceId {
    DeviceId::new("d".repeat(ID_BYTES_MAX)).unwrap()
}

fn status() -> Status {
    Status {
        availability: Availability::Busy,
        text: "x".repeat(TEXT_BYTES_MAX).into(),
    }
}

fn version() -> MembershipVersion {
    let (epoch, revision) = (LogEpoch(u64::MAX), u64::MAX);
    MembershipVersion { epoch, revision }
}

fn largest_body() -> Bytes {
    Bytes::from(vec![7; BODY_BYTES_MAX])
}
