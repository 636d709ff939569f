//! Envelopes about groups are refused for the field that is wrong, and taken up
//! to their bounds.

use bytes::Bytes;
use proto::client::PacketError;
use proto::ids::{Epoch, IdError};
use proto::limits::{FOLLOWERS_MAX, MENTIONS_MAX, TEXT_BYTES_MAX, USER_GROUPS_MAX};
use proto::link::{Batch, Down, Recipient, Up};
use proto::wire::client as packets;
use proto::wire::link::{self as wire, down, from_group, group_ask, relay, request, to_group, up};

use PacketError::{Field, Id, Unknown};

const EMPTY: IdError = IdError::Length(0);

#[test]
fn a_submit_is_for_a_user_or_for_a_group() {
    let user = Bytes::from_static(b"ben");
    let Ok(Up::Submit(to_user)) = submit(|submit| submit.to = user.clone()) else {
        panic!("no submit");
    };
    assert!(matches!(to_user.to, Recipient::User(_)));
    let Ok(Up::Submit(to_group)) = submit(|submit| {
        submit.group = group();
        submit.mentions = users(MENTIONS_MAX);
    }) else {
        panic!("no submit");
    };
    let Recipient::Group { mentions, .. } = to_group.to else {
        panic!("for a user");
    };
    assert_eq!(mentions.len(), MENTIONS_MAX);

    assert_eq!(submit(|_| {}), Err(Id("to", EMPTY)));
    let both = submit(|submit| {
        submit.group = group();
        submit.to = user;
    });
    assert_eq!(both, Err(Field("to")));
    let crowd = submit(|submit| {
        submit.group = group();
        submit.mentions = users(MENTIONS_MAX + 1);
    });
    assert_eq!(crowd, Err(Field("mentions")));
    let wrong = submit(|submit| submit.group = Bytes::from_static(b"a b"));
    assert_eq!(wrong, Err(Id("group", IdError::Byte(b' '))));
}

#[test]
fn upwards_a_field_that_is_wrong_is_named() {
    let history = packets::GetHistory {
        of: Some(packets::get_history::Of::Peer(Bytes::from_static(b"ben"))),
        range: Some(packets::get_history::Range::After(0)),
        ..Default::default()
    };
    let ask = |what| {
        relayed(relay::Relayed::GroupAsk(wire::GroupAsk {
            what,
            ..Default::default()
        }))
    };
    let cases = [
        (to_group(None), Unknown),
        (to_group(follow_again(FOLLOWERS_MAX + 1)), Field("users")),
        (to_group(present(FOLLOWERS_MAX + 1)), Field("users")),
        (
            to_group(Some(to_group::What::Follow(wire::Follow::default()))),
            Id("user", EMPTY),
        ),
        (
            up::Envelope::ToGroup(wire::ToGroup {
                group: Bytes::new(),
                what: follow_again(0),
            }),
            Id("group", EMPTY),
        ),
        (
            up::Envelope::Request(wire::Request {
                user: Bytes::from_static(b"ann"),
                request: Some(request::Request::NotMember(wire::NotMember::default())),
                ..Default::default()
            }),
            Id("group", EMPTY),
        ),
        (
            up::Envelope::Request(wire::Request {
                user: Bytes::from_static(b"ann"),
                request: Some(request::Request::NotMember(wire::NotMember {
                    group: group(),
                    ..Default::default()
                })),
                ..Default::default()
            }),
            Field("version"),
        ),
        (ask(None), Field("what")),
        (ask(Some(group_ask::What::History(history))), Field("of")),
        (post(MENTIONS_MAX + 1, 0), Field("mentions")),
        (post(0, 3), Field("attempt")),
        (
            relayed(relay::Relayed::Post(wire::Post::default())),
            Id("group", EMPTY),
        ),
        (
            relayed(relay::Relayed::GroupTransient(
                wire::GroupTransient::default(),
            )),
            Field("transient"),
        ),
        (
            relayed(relay::Relayed::GroupRead(wire::GroupRead {
                user: Bytes::from_static(b"ann"),
                read: None,
            })),
            Field("read"),
        ),
        (
            relayed(relay::Relayed::GroupAnswer(wire::GroupAnswer {
                actor: Bytes::from_static(b"ann"),
                ..Default::default()
            })),
            Field("packet"),
        ),
        (membership(None, group()), Field("version")),
        (
            membership(Some(Default::default()), Bytes::new()),
            Id("group", EMPTY),
        ),
        (
            relayed(relay::Relayed::MembershipKept(wire::MembershipKept {
                group: group(),
                user: Bytes::from_static(b"ann"),
                version: None,
            })),
            Field("version"),
        ),
        (
            relayed(relay::Relayed::GroupApplied(wire::GroupApplied::default())),
            Id("to", EMPTY),
        ),
    ];
    for (envelope, error) in cases {
        assert_eq!(upwards(envelope.clone()), Err(error), "{envelope:?}");
    }
}

#[test]
fn downwards_a_field_that_is_wrong_is_named() {
    let drop = |actor: &'static [u8], change| {
        from_group(from_group::What::Drop(wire::Drop {
            group: group(),
            actor: Bytes::from_static(actor),
            change,
            ..Default::default()
        }))
    };
    let dissolve = packets::GroupChange {
        action: 16,
        ..Default::default()
    };
    let followed = wire::Followed {
        session: 1,
        state: None,
    };
    let no_head = wire::FollowedAgain::default();
    let no_version = wire::FollowedAgain {
        head: Some(packets::GroupHead {
            group: group(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let cases = [
        (
            down::Envelope::FromGroup(wire::FromGroup::default()),
            Unknown,
        ),
        (
            from_group(from_group::What::Followed(followed)),
            Field("state"),
        ),
        (
            from_group(from_group::What::NotMember(wire::NotMember::default())),
            Id("group", EMPTY),
        ),
        (
            from_group(from_group::What::NotMember(wire::NotMember {
                group: group(),
                ..Default::default()
            })),
            Field("version"),
        ),
        (
            from_group(from_group::What::Busy(Bytes::new())),
            Id("busy", EMPTY),
        ),
        (
            from_group(from_group::What::FollowedAgain(no_head)),
            Field("head"),
        ),
        (
            from_group(from_group::What::FollowedAgain(no_version)),
            Field("version"),
        ),
        (followed_again(FOLLOWERS_MAX + 1), Field("gone")),
        (drop(b"", Some(dissolve.clone())), Field("actor")),
        (drop(b"ann", None), Field("change")),
        (
            drop(b"a b", Some(dissolve)),
            Id("actor", IdError::Byte(b' ')),
        ),
        (
            from_group(from_group::What::Who(wire::Who::default())),
            Id("group", EMPTY),
        ),
        (
            down::Envelope::Joined(wire::Joined::default()),
            Id("group", EMPTY),
        ),
        (
            down::Envelope::Left(wire::Left::default()),
            Id("group", EMPTY),
        ),
        (accepted(USER_GROUPS_MAX + 1), Field("groups")),
        (state_titled(TEXT_BYTES_MAX + 1), Field("title")),
    ];
    for (envelope, error) in cases {
        assert_eq!(downwards(envelope.clone()), Err(error), "{envelope:?}");
    }
}

#[test]
fn lists_are_taken_up_to_their_bounds() {
    let up = [
        to_group(follow_again(FOLLOWERS_MAX)),
        to_group(present(FOLLOWERS_MAX)),
        post(MENTIONS_MAX, 2),
    ];
    for envelope in up {
        assert!(upwards(envelope.clone()).is_ok(), "{envelope:?}");
    }
    let down = [
        followed_again(FOLLOWERS_MAX),
        accepted(USER_GROUPS_MAX),
        state_titled(TEXT_BYTES_MAX),
    ];
    for envelope in down {
        assert!(downwards(envelope.clone()).is_ok(), "{envelope:?}");
    }
}

fn upwards(envelope: up::Envelope) -> Result<Up, PacketError> {
    let batch = wire::UpBatch {
        epoch: 1,
        envelopes: vec![wire::Up {
            envelope: Some(envelope),
        }],
    };
    let mut batch = Batch::<Up>::try_from(batch)?;
    assert_eq!((batch.epoch, batch.envelopes.len()), (Epoch(1), 1));
    Ok(batch.envelopes.remove(0))
}

fn downwards(envelope: down::Envelope) -> Result<Down, PacketError> {
    let batch = wire::DownBatch {
        epoch: 1,
        envelopes: vec![wire::Down {
            envelope: Some(envelope),
        }],
    };
    let mut batch = Batch::<Down>::try_from(batch)?;
    assert_eq!((batch.epoch, batch.envelopes.len()), (Epoch(1), 1));
    Ok(batch.envelopes.remove(0))
}

fn submit(change: impl FnOnce(&mut wire::Submit)) -> Result<Up, PacketError> {
    let mut submit = wire::Submit {
        from: Bytes::from_static(b"ann"),
        id: Some(wire::MessageId::default()),
        ..Default::default()
    };
    change(&mut submit);
    upwards(up::Envelope::Submit(submit))
}

fn to_group(what: Option<to_group::What>) -> up::Envelope {
    up::Envelope::ToGroup(wire::ToGroup {
        group: group(),
        what,
    })
}

fn follow_again(count: usize) -> Option<to_group::What> {
    Some(to_group::What::FollowAgain(wire::FollowAgain {
        users: users(count),
        ..Default::default()
    }))
}

fn present(count: usize) -> Option<to_group::What> {
    Some(to_group::What::Present(wire::Present {
        users: users(count),
        ..Default::default()
    }))
}

fn relayed(relayed: relay::Relayed) -> up::Envelope {
    up::Envelope::Relay(wire::Relay {
        slot: 0,
        relayed: Some(relayed),
    })
}

fn post(mentions: usize, attempt: u32) -> up::Envelope {
    relayed(relay::Relayed::Post(wire::Post {
        group: group(),
        from: Bytes::from_static(b"ann"),
        id: Some(wire::MessageId::default()),
        mentions: users(mentions),
        attempt,
        ..Default::default()
    }))
}

fn membership(version: Option<wire::MembershipVersion>, group: Bytes) -> up::Envelope {
    relayed(relay::Relayed::Membership(wire::Membership {
        user: Bytes::from_static(b"ann"),
        version,
        belongs: None,
        group,
    }))
}

fn from_group(what: from_group::What) -> down::Envelope {
    down::Envelope::FromGroup(wire::FromGroup { what: Some(what) })
}

fn followed_again(gone: usize) -> down::Envelope {
    from_group(from_group::What::FollowedAgain(wire::FollowedAgain {
        head: Some(packets::GroupHead {
            group: group(),
            ..Default::default()
        }),
        gone: users(gone),
        version: Some(wire::MembershipVersion::default()),
    }))
}

fn state_titled(bytes: usize) -> down::Envelope {
    from_group(from_group::What::Followed(wire::Followed {
        session: 1,
        state: Some(packets::GroupState {
            group: group(),
            title: "x".repeat(bytes),
            entrance: 1,
            role: 1,
            ..Default::default()
        }),
    }))
}

fn accepted(groups: usize) -> down::Envelope {
    let of = packets::UserGroup {
        group: group(),
        invited_by: Bytes::new(),
    };
    down::Envelope::Accepted(wire::Accepted {
        order: Some(wire::LoginOrder::default()),
        groups: vec![of; groups],
        ..Default::default()
    })
}

fn users(count: usize) -> Vec<Bytes> {
    vec![Bytes::from_static(b"ben"); count]
}

fn group() -> Bytes {
    Bytes::from_static(b"hikers")
}
