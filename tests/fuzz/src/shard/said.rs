//! What gateways say to a shard, for clients and for other shards.
//!
//! Owns envelopes made of a script. Must not know the shard.

use proto::client::{ChangeFriend, EndDevice, Read, TRANSIENT_TYPING, Transient};
use proto::friends::ListVersion;
use proto::ids::{
    GatewayId, Generation, Identity, LoginOrder, SessionId, SessionRef, Stamp, Token, UserId,
};
use proto::link::{
    Announce, Attempt, Forward, FriendAct, FriendActed, Message, Recipient, Relay, Relayed,
    Request, Submit, Tell, Up,
};
use proto::server::{Outcome, ReceiptKind, Sent, SentElsewhere};
use proto::slot::Slot;
use proto::status::{PeerStatus, Status, StatusVersion};

use super::{BODY_BYTES_MAX, about, owner};
use crate::cast;
use crate::script::Script;

/// One of two.
pub fn gateway(script: &mut Script<'_>) -> GatewayId {
    GatewayId(script.pick(2) as u64)
}

/// One of ten at each gateway, and whose it is.
pub fn session(script: &mut Script<'_>) -> (SessionRef, UserId) {
    let number = script.pick(20) as u64;
    let at = SessionRef {
        gateway: GatewayId(number % 2),
        session: SessionId(number / 2),
    };
    (at, owner(at))
}

/// A session is there.
pub fn announce(script: &mut Script<'_>) -> (GatewayId, Up) {
    let (at, user) = session(script);
    let order = script.once_in(4).then(|| LoginOrder {
        token: Token(script.pick(3) as u64),
        number: script.byte().into(),
    });
    let announce = Announce {
        session: at.session,
        user,
        device: cast::device(script),
        window_messages: 1 + script.pick(3) as u32,
        window_bytes: 2 * BODY_BYTES_MAX as u32,
        friends_hash: cast::some_hash(script),
        status: cast::status(script),
        status_since: Stamp(1_795_000_000_000_000 + u64::from(script.byte())),
        order,
        since: Stamp(1_795_000_000_000_000),
        again: order.is_some(),
    };
    (at.gateway, Up::Announce(Box::new(announce)))
}

/// A session is gone.
pub fn gone(script: &mut Script<'_>) -> (GatewayId, Up) {
    let (at, user) = session(script);
    let gone = Up::Gone {
        session: at.session,
        user,
        lost: script.once_in(2),
    };
    (at.gateway, gone)
}

/// A message of a session.
pub fn submit(script: &mut Script<'_>, wall: Stamp) -> (GatewayId, Up) {
    let (at, from) = session(script);
    let message = message(script, from, wall);
    let submit = Submit {
        session: at.session,
        generation: Generation(script.pick(3) as u32),
        attempt: match script.pick(4) {
            0 => Attempt::Repeated,
            1 => Attempt::Resent,
            _ => Attempt::First,
        },
        from: message.from,
        id: message.id,
        to: Recipient::User(message.to),
        friends_hash: cast::some_hash(script),
        body: message.body,
    };
    (at.gateway, Up::Submit(submit))
}

/// A message that another shard has checked.
pub fn forward(script: &mut Script<'_>, wall: Stamp) -> (GatewayId, Up) {
    let (at, from) = session(script);
    let message = message(script, from, wall);
    let slot = Slot::of(&message.to);
    let relayed = Relayed::Forward(Forward {
        message,
        session: at.session,
        generation: Generation(script.pick(3) as u32),
        again: script.once_in(2),
    });
    (at.gateway, Up::Relay(Relay { slot, relayed }))
}

fn message(script: &mut Script<'_>, from: UserId, wall: Stamp) -> Message {
    let mut message = cast::message(script, BODY_BYTES_MAX);
    message.from = from;
    message.stamp = about(script, wall);
    message
}

/// What a session asks for.
pub fn request(script: &mut Script<'_>) -> (GatewayId, Up) {
    let (at, user) = session(script);
    let request = match script.pick(10) {
        0 => Request::SetStatus {
            status: cast::status(script),
            since: Stamp(1_795_000_000_000_000 + u64::from(script.byte())),
        },
        1 => Request::GetFriends,
        2..=5 => Request::ChangeFriend(ChangeFriend {
            request: 1,
            action: cast::action(script),
            peer: cast::user(script),
        }),
        6 => Request::GetDevices,
        7 => Request::EndDevice(EndDevice {
            request: 1,
            device: cast::device(script),
        }),
        8 => Request::Copy(Box::new(SentElsewhere {
            id: cast::message_id(script),
            sent: Sent {
                stamp: Stamp(1),
                outcome: fate(script),
            },
            to: cast::user(script),
            body: cast::body(script, BODY_BYTES_MAX),
        })),
        _ => match script.pick(2) {
            0 => Request::Transient(transient(script)),
            _ => Request::Read(Read {
                peer: cast::user(script),
                up_to: *script.choose(&[Stamp(0), Stamp(1_795_000_000_000_100), Stamp(u64::MAX)]),
            }),
        },
    };
    let session = at.session;
    let envelope = Up::Request {
        session,
        user,
        request,
    };
    (at.gateway, envelope)
}

/// Where a message is safe.
pub fn fate(script: &mut Script<'_>) -> Outcome {
    if script.once_in(2) {
        return Outcome::Stored;
    }
    Outcome::Delivered {
        device: cast::device(script),
    }
}

fn transient(script: &mut Script<'_>) -> Transient {
    Transient {
        to: cast::user(script),
        kind: TRANSIENT_TYPING,
        body: cast::body(script, BODY_BYTES_MAX),
    }
}

/// What another shard says besides messages, numbered as if it knew.
pub fn relay(script: &mut Script<'_>) -> Relay {
    let (user, other) = (cast::user(script), cast::user(script));
    // Numbers of a shard start at its incarnation, shifted.
    let request = (1 << 20) + u64::from(script.byte());
    let (slot, relayed) = match script.pick(6) {
        0 => {
            let transient = transient(script);
            let slot = Slot::of(&transient.to);
            (
                slot,
                Relayed::Transient {
                    from: user,
                    transient,
                },
            )
        }
        1 => {
            let receipt = Relayed::Receipt {
                from: user,
                to: other.clone(),
                kind: *script.choose(&[ReceiptKind::Delivered, ReceiptKind::Read]),
                up_to: *script.choose(&[Stamp(1), Stamp(u64::MAX)]),
            };
            (Slot::of(&other), receipt)
        }
        2 => {
            let tell = Tell {
                request,
                status: peer_status(script, user),
                targets: vec![other.clone(), cast::user(script)],
                ask: script.once_in(2),
                news: script.once_in(2),
            };
            (Slot::of(&other), Relayed::Tell(tell))
        }
        3 => {
            let statuses = vec![peer_status(script, other)];
            let slot = Slot::of(&user);
            let to = user;
            let said = Relayed::Statuses {
                request,
                to,
                statuses,
            };
            (slot, said)
        }
        4 => {
            let act = FriendAct {
                request,
                actor: user,
                peer: other.clone(),
                action: cast::action(script),
                actor_version: ListVersion(script.pick(3) as u64),
            };
            (Slot::of(&other), Relayed::FriendAct(act))
        }
        _ => {
            let acted = FriendActed {
                request,
                actor: user.clone(),
                code: script.once_in(2).then(|| cast::code(script)),
                list: None,
            };
            (Slot::of(&user), Relayed::FriendActed(acted))
        }
    };
    Relay { slot, relayed }
}

fn peer_status(script: &mut Script<'_>, user: UserId) -> PeerStatus {
    let status = match script.pick(2) {
        0 => Status::online(),
        _ => Status::offline(),
    };
    let version = StatusVersion {
        token: Token(script.pick(3) as u64),
        counter: script.byte().into(),
    };
    PeerStatus {
        user,
        status,
        version,
        last_seen: None,
    }
}

/// The messages that an envelope carries, and for which session.
pub fn carried(envelope: &Up) -> Option<(SessionId, Identity)> {
    match envelope {
        Up::Submit(submit) => {
            let (from, id) = (submit.from.clone(), submit.id);
            Some((submit.session, Identity { from, id }))
        }
        Up::Relay(relay) => match &relay.relayed {
            Relayed::Forward(forward) => Some((forward.session, forward.message.identity())),
            _ => None,
        },
        _ => None,
    }
}
