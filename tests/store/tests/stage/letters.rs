//! Messages of the tests that kill something.

use std::ops::Range;

use bytes::Bytes;
use msgd_core::store::{Claim, Letter, Position, Request};
use proto::ids::{MessageId, Stamp, UserId};
use proto::link::Message;

pub fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

/// The message that lies at the position of its number.
pub fn letter(to: &str, number: u64) -> Letter {
    Letter {
        message: Message {
            from: user("dora"),
            id: MessageId::mint(number, [3; 10]),
            to: user(to),
            stamp: Stamp(number),
            body: Bytes::from(format!("text {number} ").repeat(10)),
        },
        fingerprint: number,
    }
}

pub fn append(claim: Claim, name: &str, numbers: Range<u64>) -> Request {
    Request::Append {
        claim,
        user: user(name),
        behind: Position(0),
        messages: numbers.map(|number| letter(name, number)).collect(),
    }
}
