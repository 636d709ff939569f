//! How much mail waits in a Redis, for an operator.
//!
//! Owns how it is counted, and that this is bounded. Must not know which shard
//! has a slot.

use proto::slot::Slot;
use shared::{Command, Failure, Redis, Value};

use crate::redis::keys::SlotKeys;

/// Slots asked about at once.
const SLOTS_AT_ONCE: usize = 1_024;

/// Mailboxes whose messages are counted at most.
const COUNTED_MAX: u64 = 10_000;

/// What waits in a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// Which.
    pub slot: Slot,
    /// Users with mail, or who had some ten seconds ago.
    pub mailboxes: u64,
    /// Their messages, of as many of them as were counted.
    pub messages: u64,
    /// How many of them were.
    pub counted: u64,
}

/// What waits in all slots that have any.
///
/// # Errors
/// A server does not answer.
pub async fn waiting(redis: &mut Redis) -> Result<Vec<Waiting>, Failure> {
    let mut found = Vec::new();
    for slots in Slot::all().collect::<Vec<_>>().chunks(SLOTS_AT_ONCE) {
        let count = |slot: &Slot| Command::read("SCARD", SlotKeys::new(*slot).mail());
        let replies = redis.carry_out(slots.iter().map(count).collect()).await;
        for (slot, reply) in slots.iter().zip(replies) {
            let mailboxes = number(&reply?);
            found.push(Waiting {
                slot: *slot,
                mailboxes,
                messages: 0,
                counted: 0,
            });
        }
    }
    found.retain(|waiting| waiting.mailboxes > 0);
    let mut left = COUNTED_MAX;
    for waiting in &mut found {
        if left == 0 {
            break;
        }
        count(redis, waiting, left).await?;
        left -= waiting.counted;
    }
    Ok(found)
}

/// Counts the messages of so many mailboxes of a slot.
async fn count(redis: &mut Redis, waiting: &mut Waiting, most: u64) -> Result<(), Failure> {
    let keys = SlotKeys::new(waiting.slot);
    let some = Command::read("SRANDMEMBER", keys.mail()).arg(most);
    let users = match redis.carry_out(vec![some]).await.pop() {
        Some(Ok(Value::Array(users) | Value::Set(users))) => users,
        Some(Err(failure)) => return Err(failure),
        _ => Vec::new(),
    };
    let length = |user: Value| match user {
        Value::BulkString(user) => {
            let key = [keys.streams().as_bytes(), &user].concat();
            Some(Command::read("XLEN", key))
        }
        _ => None,
    };
    let lengths: Vec<Command> = users.into_iter().filter_map(length).collect();
    waiting.counted = lengths.len() as u64;
    for reply in redis.carry_out(lengths).await {
        waiting.messages += number(&reply?);
    }
    Ok(())
}

fn number(value: &Value) -> u64 {
    match value {
        Value::Int(number) => u64::try_from(*number).unwrap_or_default(),
        _ => 0,
    }
}
