//! Who takes part: few of each, so that events meet each other.
//!
//! Owns names, rings, message ids and bodies. Must not know what they do.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use proto::codes::Code;
use proto::friends::{FriendAction, ListHash};
use proto::ids::{DeviceId, Epoch, Generation, MessageId, ShardId, UserId};
use proto::link::{Forward, Message};
use proto::ring::{Member, Ring};
use proto::status::{Availability, Status};
use smol_str::SmolStr;

use crate::script::Script;

/// Users; on every ring with several shards they live on more than one.
pub static USERS: LazyLock<Vec<UserId>> = LazyLock::new(|| {
    let name = |n| UserId::new(format!("user-{n}")).expect("an id");
    (0..6).map(name).collect()
});

/// Shards.
pub static SHARDS: LazyLock<Vec<ShardId>> = LazyLock::new(|| {
    ["a", "b", "c"]
        .map(|name| ShardId::new(name).expect("an id"))
        .to_vec()
});

/// Rings, by their epochs from 1 on.
pub static RINGS: LazyLock<Vec<Arc<Ring>>> = LazyLock::new(|| {
    let members: [&[usize]; 5] = [&[0, 1], &[1], &[0, 1, 2], &[0], &[0, 2]];
    let ring = |(epoch, members): (u64, &&[usize])| {
        let member = |at: &usize| Member {
            shard: SHARDS[*at].clone(),
            weight: 1,
        };
        let members = members.iter().map(member).collect();
        Arc::new(Ring::build(Epoch(epoch), members).expect("a ring"))
    };
    (1..).zip(&members).map(ring).collect()
});

/// One of the users.
pub fn user(script: &mut Script<'_>) -> UserId {
    script.choose(&USERS).clone()
}

/// One of three devices.
pub fn device(script: &mut Script<'_>) -> DeviceId {
    let name = script.choose(&["desk", "phone", "tablet"]);
    DeviceId::new(name).expect("an id")
}

/// One of eight ids, the last of which is far in the future.
pub fn message_id(script: &mut Script<'_>) -> MessageId {
    let number = script.byte() % 8;
    if number == 7 {
        return MessageId::from_bytes([0xff; 16]);
    }
    MessageId::mint(1_795_000_000_000, [number; 10])
}

/// Mostly small, sometimes as large as allowed, sometimes larger.
pub fn body(script: &mut Script<'_>, bytes_max: usize) -> Bytes {
    let byte = script.byte();
    let length = match byte >> 2 & 7 {
        0 => 0,
        1 => bytes_max,
        2 => bytes_max + 1,
        3 => bytes_max / 2,
        _ => 3,
    };
    vec![byte & 1; length].into()
}

/// A status, with words now and then.
pub fn status(script: &mut Script<'_>) -> Status {
    let all = [
        Availability::Online,
        Availability::Away,
        Availability::Busy,
        Availability::Invisible,
    ];
    let mut status = Status::plain(*script.choose(&all));
    if script.once_in(4) {
        status.text = SmolStr::new_static("at lunch");
    }
    status
}

/// A hash that nobody's list has, or none.
pub fn some_hash(script: &mut Script<'_>) -> Option<ListHash> {
    script.once_in(4).then_some(ListHash([7; 16]))
}

/// What someone does to a relation.
pub fn action(script: &mut Script<'_>) -> FriendAction {
    *script.choose(&[
        FriendAction::Request,
        FriendAction::Accept,
        FriendAction::Decline,
        FriendAction::Remove,
        FriendAction::Block,
        FriendAction::Unblock,
    ])
}

/// A code of any class.
pub fn code(script: &mut Script<'_>) -> Code {
    *script.choose(Code::ALL)
}

/// A message that some shard has checked.
pub fn message(script: &mut Script<'_>, bytes_max: usize) -> Message {
    Message {
        from: user(script),
        id: message_id(script),
        to: user(script),
        stamp: proto::ids::Stamp(1_795_000_000_000_000 + u64::from(script.byte())),
        body: body(script, bytes_max),
    }
}

/// The same, from a session's window.
pub fn forward(
    script: &mut Script<'_>,
    message: Message,
    session: proto::ids::SessionId,
    newest: u32,
) -> Forward {
    let generation = Generation(newest.saturating_sub(script.byte() as u32 % 2));
    Forward {
        message,
        session,
        generation,
        again: script.once_in(2),
    }
}
