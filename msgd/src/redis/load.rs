//! What a server tells of a mailbox.
//!
//! Owns how the answer of `load` is read. Must not know commands.

use proto::ids::Token;
use shared::Value;
use smallvec::SmallVec;

use super::keys::parse_entry;
use super::mailbox::{Mailbox, parse_row};
use crate::store::fields::Damaged;
use crate::store::letter::LetterRow;

/// What came of looking at a mailbox.
#[derive(Debug, PartialEq)]
pub(super) enum Loaded {
    /// The mailbox, and how many messages were dropped for their age.
    Mailbox(Mailbox, u64),
    /// The token is not the newest.
    Refused,
}

const DAMAGED: Damaged = Damaged("a mailbox");

pub(super) fn loaded(token: Token, value: &Value) -> Result<Loaded, Damaged> {
    let parts = match value {
        Value::Int(0) => return Ok(Loaded::Refused),
        Value::Array(parts) => parts,
        _ => return Err(DAMAGED),
    };
    let [Value::BulkString(row), Value::Int(notes), stream @ ..] = &parts[..] else {
        return Err(DAMAGED);
    };
    let row = std::str::from_utf8(row).map_err(|_| DAMAGED)?;
    let (end, seen) = parse_row(row).ok_or(DAMAGED)?;
    let mailbox = Mailbox::without_stream(token, end, seen, *notes > 0);
    let [
        Value::BulkString(last),
        Value::Int(dropped),
        Value::Array(firsts),
        Value::BulkString(front),
        Value::BulkString(back),
        Value::Int(back_bytes),
    ] = stream
    else {
        return match stream {
            [] => Ok(Loaded::Mailbox(mailbox, 0)),
            _ => Err(DAMAGED),
        };
    };
    let end = parse_entry(last).ok_or(DAMAGED)?.1 + 1;
    let runs: Result<SmallVec<_>, Damaged> = firsts.iter().map(run).collect();
    let runs = runs?;
    let dropped = u64::try_from(*dropped).map_err(|_| DAMAGED)?;
    if runs.is_empty() {
        return Ok(Loaded::Mailbox(
            mailbox.with_stream(end, runs, None, 0),
            dropped,
        ));
    }
    let front = LetterRow::decode(front)?.front();
    let row = LetterRow::decode(back)?;
    // The head came without the rest of the body.
    let head = back.len() - row.body.len();
    let whole = usize::try_from(*back_bytes).map_err(|_| DAMAGED)?;
    let body = whole.checked_sub(head).ok_or(DAMAGED)? as u64;
    let is_in_order = runs.is_sorted_by(|one: &(u64, u64), two| one.0 < two.0);
    if !is_in_order || runs.last().is_none_or(|(first, _)| *first >= end) {
        return Err(DAMAGED);
    }
    let bytes = row.bytes_before.saturating_add(body);
    let mailbox = mailbox.with_stream(end, runs, Some(front), bytes);
    Ok(Loaded::Mailbox(mailbox, dropped))
}

/// The first position of a token.
fn run(first: &Value) -> Result<(u64, u64), Damaged> {
    let Value::BulkString(id) = first else {
        return Err(DAMAGED);
    };
    let (token, position) = parse_entry(id).ok_or(DAMAGED)?;
    Ok((position, token))
}
