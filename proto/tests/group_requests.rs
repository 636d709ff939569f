//! What a client asks about groups is refused for the field that is wrong, and
//! taken up to its bounds.

use bytes::Bytes;
use prost::Message;
use proto::client::{ClientPacket, PacketError};
use proto::ids::IdError;
use proto::limits::{MENTIONS_MAX, PAGE_MAX, TEXT_BYTES_MAX};
use proto::wire::client as wire;
use proto::wire::client::client_frame::Packet as FromClient;
use proto::wire::client::get_history;

use PacketError::{Field, Id};

const EMPTY: IdError = IdError::Length(0);

#[test]
fn a_client_s_wrong_field_is_named() {
    let no_group = Id("group", EMPTY);
    let cases = [
        (send(|send| send.id.truncate(15)), Field("id")),
        (send(|send| send.group.clear()), no_group.clone()),
        (
            send(|send| send.mentions = users(MENTIONS_MAX + 1)),
            Field("mentions"),
        ),
        (
            send(|send| send.mentions = vec![Bytes::new()]),
            Id("mentions", EMPTY),
        ),
        (
            FromClient::GroupTransient(wire::GroupTransient::default()),
            no_group.clone(),
        ),
        (
            FromClient::GroupRead(wire::GroupRead::default()),
            no_group.clone(),
        ),
        (get_members(|get| get.group.clear()), no_group),
        (get_members(|get| get.which = 0), Field("which")),
        (get_members(|get| get.which = 5), Field("which")),
        (
            get_members(|get| get.after = Bytes::from_static(b"/")),
            Id("after", IdError::Byte(b'/')),
        ),
        (get_history(|get| get.of = None), Field("of")),
        (get_history(|get| get.range = None), Field("range")),
        (
            get_history(|get| get.count = PAGE_MAX as u32 + 1),
            Field("count"),
        ),
        (
            get_history(|get| get.of = Some(get_history::Of::Group(Bytes::new()))),
            Id("group", EMPTY),
        ),
        (
            get_history(|get| get.of = Some(get_history::Of::Peer(Bytes::new()))),
            Id("peer", EMPTY),
        ),
    ];
    for (packet, error) in cases {
        assert_eq!(client(packet.clone()), Err(error), "{packet:?}");
    }
}

#[test]
fn a_change_s_wrong_field_is_named() {
    let cases = [
        (change(|change| change.group.clear()), Id("group", EMPTY)),
        (change(|change| change.change = None), Field("change")),
        (act(|change| change.action = 0), Field("action")),
        (act(|change| change.action = 17), Field("action")),
        // CREATE and RENAME.
        (
            act(|change| change.title = "x".repeat(TEXT_BYTES_MAX + 1)),
            Field("title"),
        ),
        (
            act(|change| {
                change.action = 4;
                change.title = "ä".repeat(TEXT_BYTES_MAX / 2 + 1);
            }),
            Field("title"),
        ),
        (act(|change| change.entrance = 0), Field("entrance")),
        (act(|change| change.entrance = 4), Field("entrance")),
        // SET_ENTRANCE.
        (
            act(|change| {
                change.action = 5;
                change.entrance = 0;
            }),
            Field("entrance"),
        ),
    ];
    for (packet, error) in cases {
        assert_eq!(client(packet.clone()), Err(error), "{packet:?}");
    }
    // From INVITE to UNMUTE an action is done on someone.
    for action in 6..=15 {
        let on = |user: &'static [u8]| {
            act(|change| {
                change.action = action;
                change.user = Bytes::from_static(user);
                change.role = 1;
            })
        };
        assert!(client(on(b"ben")).is_ok(), "{action}");
        assert_eq!(client(on(b"")), Err(Id("user", EMPTY)), "{action}");
    }
    // SET_ROLE: the owner is made by TRANSFER alone.
    for (role, taken) in [(0, false), (1, true), (2, true), (3, false), (4, false)] {
        let packet = act(|change| {
            change.action = 9;
            change.user = Bytes::from_static(b"ben");
            change.role = role;
        });
        let error = client(packet).err();
        assert_eq!(error, (!taken).then_some(Field("role")), "{role}");
    }
}

#[test]
fn what_a_client_may_say_is_taken_up_to_its_bound() {
    assert!(client(send(|send| send.mentions = users(MENTIONS_MAX))).is_ok());
    assert!(client(get_history(|get| get.count = PAGE_MAX as u32)).is_ok());
    assert!(client(act(|change| change.title = "x".repeat(TEXT_BYTES_MAX))).is_ok());
}

fn client(packet: FromClient) -> Result<ClientPacket, PacketError> {
    let frame = wire::ClientFrame {
        packet: Some(packet),
    };
    ClientPacket::decode(frame.encode_to_vec().into())
}

fn send(change: impl FnOnce(&mut wire::GroupSend)) -> FromClient {
    let mut send = wire::GroupSend {
        id: Bytes::from_static(&[1; 16]),
        group: group(),
        ..Default::default()
    };
    change(&mut send);
    FromClient::GroupSend(send)
}

fn change(change: impl FnOnce(&mut wire::ChangeGroup)) -> FromClient {
    let mut asked = wire::ChangeGroup {
        request: 1,
        group: group(),
        change: Some(wire::GroupChange {
            action: 1,
            entrance: 1,
            ..Default::default()
        }),
    };
    change(&mut asked);
    FromClient::ChangeGroup(asked)
}

/// CREATE, with a change.
fn act(act: impl FnOnce(&mut wire::GroupChange)) -> FromClient {
    change(|change| act(change.change.as_mut().unwrap()))
}

fn get_members(change: impl FnOnce(&mut wire::GetMembers)) -> FromClient {
    let mut get = wire::GetMembers {
        request: 1,
        group: group(),
        which: 1,
        after: Bytes::new(),
    };
    change(&mut get);
    FromClient::GetMembers(get)
}

fn get_history(change: impl FnOnce(&mut wire::GetHistory)) -> FromClient {
    let mut get = wire::GetHistory {
        request: 1,
        of: Some(get_history::Of::Group(group())),
        range: Some(get_history::Range::After(0)),
        count: 1,
    };
    change(&mut get);
    FromClient::GetHistory(get)
}

fn users(count: usize) -> Vec<Bytes> {
    vec![Bytes::from_static(b"ben"); count]
}

fn group() -> Bytes {
    Bytes::from_static(b"hikers")
}
