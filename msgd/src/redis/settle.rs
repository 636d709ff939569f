//! What the server's replies mean for requests.
//!
//! Owns the outcome of each step. Must not know how replies got here.

use msgd_core::store::{Letter, Mailbox, Outcome, Outcomes, Position, Request, Stored};
use proto::ids::{Stamp, UserId};
use proto::server::{Receipt, ReceiptKind};
use shared::{Failure, Reply, Value};
use thiserror::Error;

use super::keys::parse_entry;
use super::plan::Step;
use crate::store::fields::Damaged;
use crate::store::groups::record;
use crate::store::letter::LetterRow;
use crate::store::mailbox::Front;
use crate::store::metrics::Metrics;

/// Why a request has no outcome of its own.
#[derive(Debug, Error)]
pub(super) enum Trouble {
    /// A script found another token, or another server has the slot.
    #[error("the slot is another's, or another server has it")]
    Refused,
    /// There is no reply, or an error.
    #[error(transparent)]
    Failure(Failure),
    /// The reply is none that there can be.
    #[error(transparent)]
    Damaged(#[from] Damaged),
    /// The stream is gone: a fail-over has lost it, or somebody removed it.
    #[error("the mailbox is not as it was")]
    Changed,
}

/// Another server has forgotten the claim, or may have.
impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Another => Self::Refused,
            failure => Self::Failure(failure),
        }
    }
}

/// What came of a step.
#[derive(Debug, Default)]
pub(super) struct Settled {
    pub(super) outcomes: Outcomes,
    /// The message at the front, if that was told.
    pub(super) front: Option<Front>,
    /// The mailbox ended elsewhere than was known.
    pub(super) surprised: bool,
}

const ENTRY: Damaged = Damaged("a message");
const NOTES: Damaged = Damaged("receipts");

/// What came of a step. `replies` are its own; they are used up.
pub(super) fn settle(
    request: &Request,
    step: Step,
    replies: &mut [Reply],
    metrics: &Metrics,
) -> Result<Settled, Trouble> {
    let replies = taken(&step, replies)?;
    match (request, step) {
        (Request::Append { messages, .. }, Step::Append { first, count }) => {
            let told = first;
            let first = appended(first, &replies)?;
            metrics.appended.inc_by(count as u64);
            metrics.full.inc_by((messages.len() - count) as u64);
            let mut settled = append(request, first, count);
            settled.surprised = first != told;
            Ok(settled)
        }
        (Request::Read { user, .. }, Step::Read { bytes_max }) => {
            let letters = match replies.first() {
                Some(entries) => letters(user, entries, bytes_max)?,
                None => Vec::new(),
            };
            metrics.read.inc_by(letters.len() as u64);
            Ok(read(request, letters))
        }
        (Request::Advance { claim, user, .. }, Step::Advance) => {
            if let Some(Value::Int(trimmed)) = replies.first() {
                metrics.advanced.inc();
                metrics.purged.inc_by(u64::try_from(*trimmed).unwrap_or(0));
            }
            let mut settled = told(Outcome::Advanced {
                claim: *claim,
                user: user.clone(),
                done: true,
            });
            settled.front = replies.get(1).map(front).transpose()?.flatten();
            Ok(settled)
        }
        (
            Request::Open { claim, user, .. },
            Step::Open {
                mailbox,
                heads,
                here,
            },
        ) => Ok(told(Outcome::Opened {
            claim: *claim,
            user: user.clone(),
            mailbox: Some(opened(mailbox, &replies, (heads, here))?),
        })),
        (_, Step::Note) => {
            if done(&replies)? == 2 {
                metrics.notes_shed.inc();
            }
            Ok(Settled::default())
        }
        (Request::TakeNotes { claim, user }, Step::TakeNotes) => Ok(told(Outcome::Notes {
            claim: *claim,
            user: user.clone(),
            receipts: receipts(replies.first())?,
        })),
        // Nothing is told of the others.
        _ => done(&replies).map(|_| Settled::default()),
    }
}

/// The replies, if all that matter are there.
fn taken(step: &Step, replies: &mut [Reply]) -> Result<Vec<Value>, Failure> {
    if let Step::Open { here: true, .. } = step
        && let Some(alive) = replies.last_mut()
        && alive.is_err()
    {
        // It lies elsewhere, and says only when somebody was last there.
        *alive = Ok(Value::Nil);
    }
    let taken = replies
        .iter_mut()
        .map(|reply| std::mem::replace(reply, Ok(Value::Nil)));
    taken.collect()
}

fn told(outcome: Outcome) -> Settled {
    Settled {
        outcomes: Outcomes::from_buf([outcome]),
        ..Settled::default()
    }
}

fn append(request: &Request, first: Position, count: usize) -> Settled {
    let Request::Append { claim, user, .. } = request else {
        return Settled::default();
    };
    told(Outcome::Appended {
        claim: *claim,
        user: user.clone(),
        first,
        count,
    })
}

fn read(request: &Request, letters: Vec<(Position, Letter)>) -> Settled {
    let Request::Read {
        claim,
        user,
        reader,
        from,
        ..
    } = request
    else {
        return Settled::default();
    };
    told(Outcome::Read {
        claim: *claim,
        user: user.clone(),
        reader: *reader,
        from: *from,
        letters: Some(letters),
    })
}

/// The mailbox with what was asked for besides.
fn opened(
    mut mailbox: Mailbox,
    replies: &[Value],
    (heads, here): (bool, bool),
) -> Result<Mailbox, Damaged> {
    let mut replies = replies.iter();
    if heads && let Some(found) = replies.next() {
        mailbox.latest = latest(found)?;
    }
    mailbox.groups = match replies.next() {
        Some(Value::BulkString(row)) => record::decode_kept(row)?,
        Some(Value::Nil) => Vec::new(),
        _ => return Err(Damaged("a user's groups")),
    };
    if here && let Some(alive) = replies.next() {
        mailbox.last_seen = stamp(alive);
    }
    Ok(mailbox)
}

/// Where the first of some messages lies: the reply to `XADD` is the entry's
/// id; that of the script that makes a stream says only whether.
fn appended(told: Position, replies: &[Value]) -> Result<Position, Trouble> {
    let mut first = None;
    for (reply, offset) in replies.iter().zip(0..) {
        let position = match reply {
            Value::BulkString(id) => parse_entry(id).ok_or(ENTRY)?.1,
            Value::Int(1) => told.0 + offset,
            Value::Int(0) => return Err(Trouble::Refused),
            _ => return Err(Trouble::Changed),
        };
        // Positions begin at 1: a stream that begins anew is not this one.
        if position == 0 || position != *first.get_or_insert(position) + offset {
            return Err(Trouble::Changed);
        }
    }
    Ok(first.map_or(told, Position))
}

/// What a script says that tells nothing more.
fn done(replies: &[Value]) -> Result<i64, Trouble> {
    match replies {
        [Value::Int(0)] => Err(Trouble::Refused),
        [Value::Int(done)] => Ok(*done),
        _ => Err(Trouble::Changed),
    }
}

/// The id and the row of an entry.
fn entry(value: &Value) -> Result<(u64, &[u8]), Damaged> {
    let Value::Array(parts) = value else {
        return Err(ENTRY);
    };
    let [Value::BulkString(id), fields] = &parts[..] else {
        return Err(ENTRY);
    };
    let row = match fields {
        // Of the script the head of the row, else the field and the row.
        Value::BulkString(head) => head,
        Value::Array(fields) => match &fields[..] {
            [_, Value::BulkString(row)] => row,
            _ => return Err(ENTRY),
        },
        _ => return Err(ENTRY),
    };
    let (_, position) = parse_entry(id).ok_or(ENTRY)?;
    Ok((position, row))
}

fn entries(value: &Value) -> Result<&[Value], Damaged> {
    match value {
        Value::Array(entries) => Ok(entries),
        _ => Err(ENTRY),
    }
}

fn letters(
    to: &UserId,
    found: &Value,
    bytes_max: usize,
) -> Result<Vec<(Position, Letter)>, Damaged> {
    let mut letters = Vec::new();
    let mut bytes = 0;
    for found in entries(found)? {
        let (position, row) = entry(found)?;
        let row = LetterRow::decode(row)?;
        bytes += row.body.len();
        if !letters.is_empty() && bytes > bytes_max {
            break;
        }
        letters.push((Position(position), row.letter(to)?));
    }
    Ok(letters)
}

fn front(found: &Value) -> Result<Option<Front>, Damaged> {
    let Some(found) = entries(found)?.first() else {
        return Ok(None);
    };
    Ok(Some(LetterRow::decode(entry(found)?.1)?.front()))
}

/// Newest first in what is found, oldest first in what is returned.
fn latest(found: &Value) -> Result<Vec<Stored>, Damaged> {
    let stored = |found| {
        let (position, head) = entry(found)?;
        LetterRow::decode(head)?.stored(position)
    };
    entries(found)?.iter().rev().map(stored).collect()
}

fn stamp(alive: &Value) -> Option<Stamp> {
    let Value::BulkString(text) = alive else {
        return None;
    };
    let text = std::str::from_utf8(text).ok()?;
    text.parse().ok().map(Stamp)
}

fn receipts(reply: Option<&Value>) -> Result<Vec<Receipt>, Trouble> {
    let fields = match reply {
        Some(Value::Int(0)) => return Err(Trouble::Refused),
        Some(Value::Array(fields)) => fields,
        _ => return Err(NOTES.into()),
    };
    fields
        .chunks(2)
        .map(|pair| receipt(pair).ok_or(NOTES.into()))
        .collect()
}

/// Kind and peer, then up to when.
fn receipt(pair: &[Value]) -> Option<Receipt> {
    let [Value::BulkString(field), up_to] = pair else {
        return None;
    };
    let (kind, peer) = field.split_first()?;
    Some(Receipt {
        peer: UserId::new(peer).ok()?,
        kind: match kind {
            b'd' => ReceiptKind::Delivered,
            b'r' => ReceiptKind::Read,
            _ => return None,
        },
        up_to: stamp(up_to)?,
    })
}
