//! What a server says of groups is refused for the field that is wrong, and
//! taken up to its bounds.

use bytes::Bytes;
use prost::Message;
use proto::client::PacketError;
use proto::ids::IdError;
use proto::limits::{
    BODY_BYTES_MAX, MENTIONS_MAX, PAGE_BYTES_MAX, PAGE_MAX, TEXT_BYTES_MAX, USER_GROUPS_MAX,
};
use proto::server::ServerPacket;
use proto::wire::client as wire;
use proto::wire::client::history;
use proto::wire::client::server_frame::Packet as FromServer;

use PacketError::{Field, Id};

const EMPTY: IdError = IdError::Length(0);

#[test]
fn a_server_s_wrong_field_is_named() {
    let state = |entrance, role, title: &str| {
        FromServer::GroupState(wire::GroupState {
            group: group(),
            entrance,
            role,
            title: title.to_owned(),
            ..Default::default()
        })
    };
    let left = |change| {
        FromServer::GroupLeft(wire::GroupLeft {
            group: group(),
            actor: Bytes::from_static(b"ann"),
            change,
        })
    };
    let cases = [
        (
            FromServer::GroupDeliver(wire::GroupDeliver {
                group: group(),
                ..Default::default()
            }),
            Field("entry"),
        ),
        (
            FromServer::GroupTransientFrom(wire::GroupTransientFrom {
                group: group(),
                ..Default::default()
            }),
            Id("from", EMPTY),
        ),
        (state(0, 1, ""), Field("entrance")),
        (state(1, 0, ""), Field("role")),
        (state(1, 4, ""), Field("role")),
        (state(1, 1, &"x".repeat(TEXT_BYTES_MAX + 1)), Field("title")),
        (
            FromServer::GroupHead(wire::GroupHead::default()),
            Id("group", EMPTY),
        ),
        (left(None), Field("change")),
        (left(Some(wire::GroupChange::default())), Field("action")),
        (
            FromServer::GroupInvited(wire::GroupInvited {
                group: group(),
                by: Bytes::new(),
            }),
            Id("by", EMPTY),
        ),
        (
            FromServer::GroupApplied(wire::GroupApplied {
                group: group(),
                user: Bytes::new(),
            }),
            Id("user", EMPTY),
        ),
        (
            FromServer::GroupResult(wire::GroupResult {
                request: 1,
                code: 1,
            }),
            Field("code"),
        ),
        (
            FromServer::Groups(wire::Groups {
                groups: vec![wire::UserGroup {
                    group: group(),
                    invited_by: Bytes::from_static(b"?"),
                }],
            }),
            Id("invited_by", IdError::Byte(b'?')),
        ),
        (members(1, 0), Field("standing")),
        (members(1, 7), Field("standing")),
        (page(|page| page.of = None), Field("of")),
    ];
    for (packet, error) in cases {
        assert_eq!(server(packet.clone()), Err(error), "{packet:?}");
    }
}

#[test]
fn an_entry_s_wrong_field_is_named() {
    let cases = [
        (entry(|entry| entry.seq = 0), Field("seq")),
        (entry(|entry| entry.messages = 8), Field("messages")),
        (entry(|entry| entry.from.clear()), Id("from", EMPTY)),
        (entry(|entry| entry.id.clear()), Field("id")),
        (
            entry(|entry| entry.mentions = users(MENTIONS_MAX + 1)),
            Field("mentions"),
        ),
        (
            entry(|entry| entry.change = Some(wire::GroupChange::default())),
            Field("action"),
        ),
    ];
    for (entry, error) in cases {
        let deliver = FromServer::GroupDeliver(wire::GroupDeliver {
            group: group(),
            epoch: 1,
            entry: Some(entry.clone()),
        });
        assert_eq!(server(deliver), Err(error.clone()), "{entry:?}");
        let history = page(|page| page.entries = vec![entry.clone()]);
        assert_eq!(server(history), Err(error), "{entry:?}");
    }
}

#[test]
fn lists_are_taken_up_to_their_bounds() {
    for (over, taken) in [(0, true), (1, false)] {
        let outcome = |field| match taken {
            true => Ok(()),
            false => Err(Field(field)),
        };
        let named = server(groups(USER_GROUPS_MAX + over)).map(drop);
        assert_eq!(named, outcome("groups"));
        let login = server(login_ok(USER_GROUPS_MAX + over)).map(drop);
        assert_eq!(login, outcome("groups"));
        let known = server(members(PAGE_MAX + over, 1)).map(drop);
        assert_eq!(known, outcome("members"));
        let logged = page(|page| page.entries = vec![entry(|_| {}); PAGE_MAX + over]);
        assert_eq!(server(logged).map(drop), outcome("entries"));
    }
}

#[test]
fn a_page_weighs_no_more_than_it_may_unless_it_is_one_entry() {
    let of = |bytes| entry(|entry| entry.body = Bytes::from(vec![7; bytes]));
    let half = of(PAGE_BYTES_MAX / 2);
    let taken = |entries| server(page(|page| page.entries = entries)).map(drop);
    assert_eq!(taken(vec![half.clone(), half.clone()]), Ok(()));
    assert_eq!(
        taken(vec![half.clone(), half, of(1)]),
        Err(Field("entries"))
    );
    assert_eq!(taken(vec![of(PAGE_BYTES_MAX + 1)]), Ok(()));
    // What a deployment may allow at most fits in any case, with its mentions.
    let ServerPacket::GroupDeliver(largest) =
        server(FromServer::GroupDeliver(wire::GroupDeliver {
            group: group(),
            epoch: 1,
            entry: Some(entry(|entry| {
                entry.body = Bytes::from(vec![7; BODY_BYTES_MAX]);
                entry.mentions = users(MENTIONS_MAX);
            })),
        }))
        .unwrap()
    else {
        panic!("another packet");
    };
    assert!(largest.entry.weight() <= PAGE_BYTES_MAX);
}

fn server(packet: FromServer) -> Result<ServerPacket, PacketError> {
    let frame = wire::ServerFrame {
        packet: Some(packet),
    };
    ServerPacket::decode(frame.encode_to_vec().into())
}

fn groups(count: usize) -> FromServer {
    FromServer::Groups(wire::Groups {
        groups: vec![user_group(); count],
    })
}

fn login_ok(count: usize) -> FromServer {
    FromServer::LoginOk(wire::LoginOk {
        user: Bytes::from_static(b"ann"),
        device: Bytes::from_static(b"phone"),
        groups: vec![user_group(); count],
        ..Default::default()
    })
}

fn user_group() -> wire::UserGroup {
    wire::UserGroup {
        group: group(),
        invited_by: Bytes::new(),
    }
}

fn members(count: usize, standing: i32) -> FromServer {
    let member = wire::MemberEntry {
        user: Bytes::from_static(b"ann"),
        standing,
        muted_until_us: 0,
    };
    FromServer::Members(wire::Members {
        request: 1,
        group: group(),
        members: vec![member; count],
        ..Default::default()
    })
}

fn page(change: impl FnOnce(&mut wire::History)) -> FromServer {
    let mut page = wire::History {
        of: Some(history::Of::Group(group())),
        ..Default::default()
    };
    change(&mut page);
    FromServer::History(page)
}

fn entry(change: impl FnOnce(&mut wire::LogEntry)) -> wire::LogEntry {
    let mut entry = wire::LogEntry {
        seq: 7,
        messages: 7,
        from: Bytes::from_static(b"ann"),
        id: Bytes::from_static(&[1; 16]),
        ..Default::default()
    };
    change(&mut entry);
    entry
}

fn users(count: usize) -> Vec<Bytes> {
    vec![Bytes::from_static(b"ben"); count]
}

fn group() -> Bytes {
    Bytes::from_static(b"hikers")
}
