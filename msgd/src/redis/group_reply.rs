//! What a server tells of a group.
//!
//! Owns how the answers of scripts are read. Must not know commands.

use msgd_core::store::{Found, LogPage, LoggedBefore, MemberRow, StoredGroup};
use proto::group::{Head, LogEntry, Place, Range};
use proto::ids::{LogEpoch, Stamp, UserId};
use shared::Value;

use super::keys::parse_seq;
use crate::store::fields::Damaged;
use crate::store::groups::entry::EntryRow;
use crate::store::groups::record;

const GROUP: Damaged = Damaged("a group");
const ENTRY: Damaged = Damaged("an entry of a log");

/// A group, with whom it knows and its latest messages.
pub(super) fn opened(parts: &[Value]) -> Result<Found, Damaged> {
    let [
        Value::Array(known),
        Value::Array(members),
        Value::Array(heads),
    ] = parts
    else {
        return match parts {
            [] => Ok(Found::Nothing),
            _ => Err(GROUP),
        };
    };
    let [Value::BulkString(row), epoch, last, messages, newest, whole] = &known[..] else {
        return Err(GROUP);
    };
    let mut members = members
        .chunks(2)
        .map(member)
        .collect::<Result<Vec<_>, _>>()?;
    members.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    // Newest first in what is found.
    let latest = heads.iter().rev().map(head).collect::<Result<_, _>>()?;
    Ok(Found::Group(Box::new(StoredGroup {
        record: record::decode(row)?,
        head: Head {
            place: Place {
                epoch: LogEpoch(number(epoch)?),
                seq: number(last)?,
            },
            messages: number(messages)?,
        },
        newest: Stamp(number(newest)?),
        members,
        latest,
        whole: number(whole)? == 1,
    })))
}

/// A part of a log; none: there is no such group.
pub(super) fn page(parts: &[Value], range: Range) -> Result<Option<LogPage>, Damaged> {
    let [first, Value::Array(found)] = parts else {
        return match parts {
            [] => Ok(None),
            _ => Err(GROUP),
        };
    };
    let entry = |found: &Value| -> Result<LogEntry, Damaged> {
        let (seq, row) = entry(found)?;
        EntryRow::decode(row)?.entry(seq)
    };
    let mut entries = found.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
    if matches!(range, Range::Before(_)) {
        entries.reverse();
    }
    let first = number(first)?;
    Ok(Some(LogPage { first, entries }))
}

fn member(pair: &[Value]) -> Result<(UserId, MemberRow), Damaged> {
    let [Value::BulkString(user), Value::BulkString(row)] = pair else {
        return Err(GROUP);
    };
    let user = UserId::new(user).map_err(|_| GROUP)?;
    Ok((user, record::decode_member(row)?))
}

fn head(found: &Value) -> Result<LoggedBefore, Damaged> {
    let (seq, row) = entry(found)?;
    EntryRow::decode(row)?.identity(seq)?.ok_or(ENTRY)
}

/// The number and the row of an entry.
fn entry(found: &Value) -> Result<(u64, &[u8]), Damaged> {
    let Value::Array(parts) = found else {
        return Err(ENTRY);
    };
    let [Value::BulkString(id), fields] = &parts[..] else {
        return Err(ENTRY);
    };
    let row = match fields {
        // Of the script that opens a group the head of the row.
        Value::BulkString(head) => head,
        Value::Array(fields) => match &fields[..] {
            [_, Value::BulkString(row)] => row,
            _ => return Err(ENTRY),
        },
        _ => return Err(ENTRY),
    };
    Ok((parse_seq(id).ok_or(ENTRY)?, row))
}

fn number(value: &Value) -> Result<u64, Damaged> {
    let Value::BulkString(text) = value else {
        return Err(GROUP);
    };
    let text = std::str::from_utf8(text).map_err(|_| GROUP)?;
    text.parse().map_err(|_| GROUP)
}
