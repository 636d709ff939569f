//! What envelopes say of a message.

use super::field::{Convert, copied, present, user};
use crate::client::PacketError;
use crate::ids::{Identity, LoginOrder, MessageId, Stamp, Token};
use crate::link::{Attempt, Message};
use crate::wire::link as wire;

pub(super) fn message_id(id: Option<wire::MessageId>) -> Result<MessageId, PacketError> {
    let id = present("id", id)?;
    let number = u128::from(id.high) << 64 | u128::from(id.low);
    Ok(MessageId::from_bytes(number.to_be_bytes()))
}

impl From<MessageId> for wire::MessageId {
    fn from(id: MessageId) -> Self {
        let number = u128::from_be_bytes(*id.as_bytes());
        Self {
            high: (number >> 64) as u64,
            low: number as u64,
        }
    }
}

impl From<wire::LoginOrder> for LoginOrder {
    fn from(order: wire::LoginOrder) -> Self {
        Self {
            token: Token(order.token),
            number: order.number,
        }
    }
}

impl From<LoginOrder> for wire::LoginOrder {
    fn from(order: LoginOrder) -> Self {
        Self {
            token: order.token.0,
            number: order.number,
        }
    }
}

pub(super) fn attempt(number: u32) -> Result<Attempt, PacketError> {
    let all = [Attempt::First, Attempt::Repeated, Attempt::Resent];
    let found = all.into_iter().find(|attempt| *attempt as u32 == number);
    found.ok_or(PacketError::Field("attempt"))
}

pub(super) fn message(message: Option<wire::Message>) -> Result<Message, PacketError> {
    let message = present("message", message)?;
    Ok(Message {
        from: user("from", &message.from)?,
        id: message_id(message.id)?,
        to: user("to", &message.to)?,
        stamp: Stamp(message.stamp_us),
        body: message.body,
    })
}

pub(super) fn message_to_wire(message: Message) -> wire::Message {
    wire::Message {
        from: copied(message.from.as_bytes()),
        id: Some(message.id.into()),
        to: copied(message.to.as_bytes()),
        stamp_us: message.stamp.0,
        body: message.body,
    }
}

impl Convert for wire::Identity {
    type Into = Identity;

    fn convert(self) -> Result<Identity, PacketError> {
        Ok(Identity {
            from: user("from", &self.from)?,
            id: message_id(self.id)?,
        })
    }
}

pub(super) fn identity_to_wire(identity: &Identity) -> wire::Identity {
    wire::Identity {
        from: copied(identity.from.as_bytes()),
        id: Some(identity.id.into()),
    }
}
