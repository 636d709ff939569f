//! What is done to a group, as rows say it.
//!
//! Owns the numbers of actions, entrances and roles. Must not know rows.

use proto::group::{Action, Entrance, Role};
use proto::ids::UserId;
use proto::limits::TEXT_BYTES_MAX;
use smol_str::SmolStr;

use crate::store::fields::{Damaged, Fields, put_id};

const CREATE: u8 = 0;
const JOIN: u8 = 1;
const LEAVE: u8 = 2;
const RENAME: u8 = 3;
const SET_ENTRANCE: u8 = 4;
const INVITE: u8 = 5;
const ADMIT: u8 = 6;
const DENY: u8 = 7;
const SET_ROLE: u8 = 8;
const TRANSFER: u8 = 9;
const KICK: u8 = 10;
const BAN: u8 = 11;
const UNBAN: u8 = 12;
const MUTE: u8 = 13;
const UNMUTE: u8 = 14;
const DISSOLVE: u8 = 15;

pub(crate) fn encode(action: &Action, out: &mut Vec<u8>) {
    let mut on = |kind: u8, user: &UserId| {
        out.push(kind);
        put_id(user.as_bytes(), out);
    };
    match action {
        Action::Invite(user) => on(INVITE, user),
        Action::Admit(user) => on(ADMIT, user),
        Action::Deny(user) => on(DENY, user),
        Action::Transfer(user) => on(TRANSFER, user),
        Action::Kick(user) => on(KICK, user),
        Action::Ban(user) => on(BAN, user),
        Action::Unban(user) => on(UNBAN, user),
        Action::Unmute(user) => on(UNMUTE, user),
        Action::SetRole { user, role } => {
            on(SET_ROLE, user);
            out.push(role_byte(*role));
        }
        Action::Mute { user, seconds } => {
            on(MUTE, user);
            out.extend_from_slice(&seconds.to_le_bytes());
        }
        Action::Create { title, entrance } => {
            out.extend_from_slice(&[CREATE, entrance_byte(*entrance)]);
            put_title(title, out);
        }
        Action::Rename { title } => {
            out.push(RENAME);
            put_title(title, out);
        }
        Action::SetEntrance(entrance) => {
            out.extend_from_slice(&[SET_ENTRANCE, entrance_byte(*entrance)]);
        }
        Action::Join => out.push(JOIN),
        Action::Leave => out.push(LEAVE),
        Action::Dissolve => out.push(DISSOLVE),
    }
}

pub(crate) fn decode(fields: &mut Fields<'_>) -> Result<Action, Damaged> {
    Ok(match fields.byte()? {
        INVITE => Action::Invite(fields.user()?),
        ADMIT => Action::Admit(fields.user()?),
        DENY => Action::Deny(fields.user()?),
        TRANSFER => Action::Transfer(fields.user()?),
        KICK => Action::Kick(fields.user()?),
        BAN => Action::Ban(fields.user()?),
        UNBAN => Action::Unban(fields.user()?),
        UNMUTE => Action::Unmute(fields.user()?),
        SET_ROLE => Action::SetRole {
            user: fields.user()?,
            role: role(fields)?,
        },
        MUTE => Action::Mute {
            user: fields.user()?,
            seconds: u32::from_le_bytes(fields.array()?),
        },
        CREATE => Action::Create {
            entrance: entrance(fields)?,
            title: title(fields)?,
        },
        RENAME => Action::Rename {
            title: title(fields)?,
        },
        SET_ENTRANCE => Action::SetEntrance(entrance(fields)?),
        JOIN => Action::Join,
        LEAVE => Action::Leave,
        DISSOLVE => Action::Dissolve,
        _ => return Err(fields.damaged()),
    })
}

pub(crate) fn role_byte(role: Role) -> u8 {
    match role {
        Role::Member => 0,
        Role::Admin => 1,
        Role::Owner => 2,
    }
}

pub(crate) fn role(fields: &mut Fields<'_>) -> Result<Role, Damaged> {
    match fields.byte()? {
        0 => Ok(Role::Member),
        1 => Ok(Role::Admin),
        2 => Ok(Role::Owner),
        _ => Err(fields.damaged()),
    }
}

pub(crate) fn entrance_byte(entrance: Entrance) -> u8 {
    match entrance {
        Entrance::Open => 0,
        Entrance::Invitation => 1,
        Entrance::Approval => 2,
    }
}

pub(crate) fn entrance(fields: &mut Fields<'_>) -> Result<Entrance, Damaged> {
    match fields.byte()? {
        0 => Ok(Entrance::Open),
        1 => Ok(Entrance::Invitation),
        2 => Ok(Entrance::Approval),
        _ => Err(fields.damaged()),
    }
}

// A title's length, at most this, has two bytes.
const _: () = assert!(TEXT_BYTES_MAX <= u16::MAX as usize);

pub(crate) fn put_title(title: &SmolStr, out: &mut Vec<u8>) {
    out.extend_from_slice(&(title.len() as u16).to_le_bytes());
    out.extend_from_slice(title.as_bytes());
}

pub(crate) fn title(fields: &mut Fields<'_>) -> Result<SmolStr, Damaged> {
    let length = u16::from_le_bytes(fields.array()?);
    let text = fields.bytes(length.into())?;
    let text = std::str::from_utf8(text).map_err(|_| fields.damaged())?;
    Ok(SmolStr::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_comes_back() {
        let user = UserId::new("ann").unwrap();
        let title = SmolStr::new("Grüße");
        let mut all = vec![
            Action::Join,
            Action::Leave,
            Action::Rename {
                title: SmolStr::default(),
            },
            Action::Invite(user.clone()),
            Action::Admit(user.clone()),
            Action::Deny(user.clone()),
            Action::Transfer(user.clone()),
            Action::Kick(user.clone()),
            Action::Ban(user.clone()),
            Action::Unban(user.clone()),
            Action::Unmute(user.clone()),
            Action::Mute {
                user: user.clone(),
                seconds: u32::MAX,
            },
            Action::Dissolve,
        ];
        for entrance in [Entrance::Open, Entrance::Invitation, Entrance::Approval] {
            let title = title.clone();
            all.push(Action::SetEntrance(entrance));
            all.push(Action::Create { title, entrance });
        }
        for role in [Role::Member, Role::Admin, Role::Owner] {
            let user = user.clone();
            all.push(Action::SetRole { user, role });
        }
        for action in all {
            let mut row = Vec::new();
            encode(&action, &mut row);
            let mut fields = Fields::new("an action", &row);
            assert_eq!(decode(&mut fields).unwrap(), action);
            assert!(fields.is_empty(), "{action:?}");
            let mut cut = Fields::new("an action", &row[..row.len() - 1]);
            assert!(decode(&mut cut).is_err(), "{action:?}");
        }
    }
}
