//! The words for what groups are made of.

use client::{Action, Entrance, Role, Standing, Which};

/// The word of an action, as it is typed.
pub fn action(action: &Action) -> &'static str {
    match action {
        Action::Create { .. } => "create",
        Action::Join => "join",
        Action::Leave => "leave",
        Action::Rename { .. } => "rename",
        Action::SetEntrance(_) => "entrance",
        Action::Invite(_) => "invite",
        Action::Admit(_) => "admit",
        Action::Deny(_) => "deny",
        Action::SetRole { .. } => "role",
        Action::Transfer(_) => "transfer",
        Action::Kick(_) => "kick",
        Action::Ban(_) => "ban",
        Action::Unban(_) => "unban",
        Action::Mute { .. } => "mute",
        Action::Unmute(_) => "unmute",
        Action::Dissolve => "dissolve",
    }
}

/// How one comes in.
pub fn entrance(entrance: Entrance) -> &'static str {
    match entrance {
        Entrance::Open => "open",
        Entrance::Invitation => "invitation",
        Entrance::Approval => "approval",
    }
}

/// As what one is in it.
pub fn role(role: Role) -> &'static str {
    match role {
        Role::Member => "member",
        Role::Admin => "admin",
        Role::Owner => "owner",
    }
}

/// As what a group knows somebody.
pub fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::In(of) => role(of),
        Standing::Invited => "invited",
        Standing::Applied => "applied",
        Standing::Banned => "banned",
    }
}

/// Whom one asks for, as it is typed.
pub fn which(which: Which) -> &'static str {
    match which {
        Which::Members => "members",
        Which::Online => "who",
        Which::Waiting => "waiting",
        Which::Banned => "banned",
    }
}
