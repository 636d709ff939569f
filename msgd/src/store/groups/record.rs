//! The rows of what a group is and whom it knows, and of a user's groups.
//!
//! Owns their layouts. Must not know where they lie.

use msgd_core::store::{GroupRecord, KeptGroup, Known, MemberRow};
use proto::group::{Belongs, ReadTo, UserGroup};
use proto::ids::{GroupId, LogEpoch, Stamp};
use proto::link::MembershipVersion;

use super::action;
use crate::store::fields::{Damaged, Fields, put_id, put_number};

pub(crate) fn encode(record: &GroupRecord, out: &mut Vec<u8>) {
    out.clear();
    put_number(record.epoch.0, out);
    put_number(record.revision, out);
    out.push(u8::from(record.dissolved));
    out.push(action::entrance_byte(record.entrance));
    action::put_title(&record.title, out);
}

pub(crate) fn decode(value: &[u8]) -> Result<GroupRecord, Damaged> {
    let mut fields = Fields::new("a group", value);
    Ok(GroupRecord {
        epoch: LogEpoch(fields.number()?),
        revision: fields.number()?,
        dissolved: fields.flag()?,
        entrance: action::entrance(&mut fields)?,
        title: action::title(&mut fields)?,
    })
}

const GONE: u8 = 0;
const IN: u8 = 1;
const INVITED: u8 = 2;
const APPLIED: u8 = 3;
const BANNED: u8 = 4;

pub(crate) fn encode_member(row: &MemberRow, out: &mut Vec<u8>) {
    out.clear();
    put_number(row.revision, out);
    out.push(u8::from(row.untold));
    match &row.known {
        None => out.push(GONE),
        Some(Known::In { role, read, muted }) => {
            out.extend_from_slice(&[IN, action::role_byte(*role)]);
            put_number(read.seq, out);
            put_number(read.messages, out);
            out.push(u8::from(muted.is_some()));
            muted.iter().for_each(|until| put_number(until.0, out));
        }
        Some(Known::Invited { by }) => {
            out.push(INVITED);
            put_id(by.as_bytes(), out);
        }
        Some(Known::Applied) => out.push(APPLIED),
        Some(Known::Banned) => out.push(BANNED),
    }
}

pub(crate) fn decode_member(value: &[u8]) -> Result<MemberRow, Damaged> {
    let mut fields = Fields::new("a member", value);
    Ok(MemberRow {
        revision: fields.number()?,
        untold: fields.flag()?,
        known: match fields.byte()? {
            GONE => None,
            IN => Some(Known::In {
                role: action::role(&mut fields)?,
                read: ReadTo {
                    seq: fields.number()?,
                    messages: fields.number()?,
                },
                muted: match fields.flag()? {
                    true => Some(Stamp(fields.number()?)),
                    false => None,
                },
            }),
            INVITED => Some(Known::Invited { by: fields.user()? }),
            APPLIED => Some(Known::Applied),
            BANNED => Some(Known::Banned),
            _ => return Err(fields.damaged()),
        },
    })
}

/// The groups of a user.
pub(crate) fn encode_kept(groups: &[KeptGroup], out: &mut Vec<u8>) {
    out.clear();
    for kept in groups {
        put_id(kept.of.group.as_bytes(), out);
        put_number(kept.version.epoch.0, out);
        put_number(kept.version.revision, out);
        match &kept.of.belongs {
            Belongs::Member => put_id(b"", out),
            // No user's id is empty.
            Belongs::Invited { by } => put_id(by.as_bytes(), out),
        }
    }
}

pub(crate) fn decode_kept(value: &[u8]) -> Result<Vec<KeptGroup>, Damaged> {
    let mut fields = Fields::new("a user's groups", value);
    let mut groups = Vec::new();
    while !fields.is_empty() {
        let group = GroupId::new(fields.id()?).map_err(|_| fields.damaged())?;
        let version = MembershipVersion {
            epoch: LogEpoch(fields.number()?),
            revision: fields.number()?,
        };
        let belongs = match fields.peek()? {
            0 => fields.byte().map(|_| Belongs::Member)?,
            _ => Belongs::Invited { by: fields.user()? },
        };
        let of = UserGroup { group, belongs };
        groups.push(KeptGroup { of, version });
    }
    Ok(groups)
}
