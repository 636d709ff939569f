//! Notices of groups for people at a terminal.

use client::{
    Action, FOR_EVER, Group, GroupId, GroupSkipped, LogEntry, MemberEntry, Stamp, UserId, Which,
};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{GroupNotice, command, text, words};
use crate::escape::clean;

/// The lines of a notice; `None` for what people need not see.
pub fn lines(notice: &GroupNotice) -> Option<String> {
    Some(match notice {
        GroupNotice::Entry {
            group,
            entry,
            mentions_me,
        } => {
            let mention = if *mentions_me { " (to you)" } else { "" };
            match text(entry) {
                Some(text) => format!("#{group} {}{mention}: {}", entry.from, clean(&text)),
                None => format!("* #{group}: {}", told(entry)?),
            }
        }
        GroupNotice::Past { entry, .. } => dated(entry),
        GroupNotice::Skipped(skipped) => format!("* #{}: {}", skipped.group, left_out(skipped)),
        GroupNotice::Anew { group } => format!("* #{group} begins anew"),
        GroupNotice::State { group, is_first } => {
            if !is_first || group.unread() == 0 {
                return None;
            }
            let (id, unread) = (&group.state.group, group.unread());
            format!("* #{id}: {unread} unread; /history #{id} shows the last")
        }
        GroupNotice::Listed(group) => listed(group),
        GroupNotice::Invitation { group, by } => {
            let name = group.as_str();
            format!("  #{name:<20} {by} invites you: /join #{group} or /leave #{group}")
        }
        GroupNotice::NoGroups => "  none yet; /group create #NAME begins one".to_owned(),
        GroupNotice::Left { group, change } => format!("* {}", left(group, change.as_ref())),
        GroupNotice::Invited { group, by } => {
            format!("* {by} invites you to #{group}: /join #{group} or /leave #{group}")
        }
        GroupNotice::Applied { group, user } => {
            format!("* {user} asks to come into #{group}: /group admit #{group} {user}, or deny")
        }
        GroupNotice::Typing { group, from } => format!("* {from} is typing in #{group}"),
        GroupNotice::Member { entry, .. } => member(entry),
        GroupNotice::Count {
            group,
            which,
            total,
        } => counted(group, *which, *total),
        GroupNotice::Waits { group } => {
            format!("* you have asked to come into #{group}; an admin decides")
        }
        GroupNotice::Done { group, ask } => format!("* done: {} #{group}", command::shown(ask)),
    })
}

/// What was done, in words; `None`: it was not a change.
pub fn told(entry: &LogEntry) -> Option<String> {
    let by = &entry.from;
    let client::Logged::Change(action) = &entry.what else {
        return None;
    };
    Some(match action {
        Action::Create { title, .. } => format!("{by} began the group: {}", clean(title)),
        Action::Join => format!("{by} came in"),
        Action::Leave => format!("{by} left"),
        Action::Rename { title } => format!("{by} calls it: {}", clean(title)),
        Action::SetEntrance(entrance) => {
            format!("{by} sets how one comes in: {}", words::entrance(*entrance))
        }
        // In a log an invitation is of somebody who had asked.
        Action::Invite(user) | Action::Admit(user) => format!("{by} admitted {user}"),
        Action::Deny(user) => format!("{by} did not admit {user}"),
        Action::SetRole { user, role } => {
            format!("{by} made {user} {}", words::role(*role))
        }
        Action::Transfer(user) => format!("{by} handed the group over to {user}"),
        Action::Kick(user) => format!("{by} put {user} out"),
        Action::Ban(user) => format!("{by} banned {user}"),
        Action::Unban(user) => format!("{by} lets {user} come in again"),
        Action::Mute { user, seconds: 0 } => format!("{by} muted {user}"),
        Action::Mute { user, seconds } => format!("{by} muted {user} for {seconds} s"),
        Action::Unmute(user) => format!("{by} lets {user} write again"),
        Action::Dissolve => format!("{by} ended the group"),
    })
}

fn dated(entry: &LogEntry) -> String {
    let at = clock(entry.stamp, "%Y-%m-%d %H:%M");
    match text(entry) {
        Some(text) => format!("{at} {}: {}", entry.from, clean(&text)),
        None => format!("{at} * {}", told(entry).unwrap_or_default()),
    }
}

/// How a membership, or an invitation, ended.
pub fn left(group: &GroupId, change: Option<&(UserId, Action)>) -> String {
    match change {
        Some((by, Action::Dissolve)) => format!("{by} ended #{group}"),
        Some((by, Action::Kick(_))) => format!("{by} put you out of #{group}"),
        Some((by, Action::Ban(_))) => format!("{by} banned you from #{group}"),
        Some((by, Action::Deny(_))) => format!("{by} did not let you into #{group}"),
        Some(_) | None => format!("you are not in #{group} any more"),
    }
}

/// That entries are not shown.
pub fn left_out(skipped: &GroupSkipped) -> String {
    let count = skipped.last - skipped.first.min(skipped.last) + 1;
    format!("{count} older entries are not shown")
}

fn listed(group: &Group) -> String {
    let state = &group.state;
    let unread = match group.unread() {
        0 => String::new(),
        unread => format!("  {unread} unread"),
    };
    let muted = state
        .muted
        .map(|until| format!("  you are muted{}", until_when(until)));
    let role = words::role(state.role);
    format!(
        "  #{:<20} {}: {} members, you are {role}{unread}{}",
        state.group.as_str(),
        clean(&state.title),
        state.members,
        muted.unwrap_or_default(),
    )
}

fn member(entry: &MemberEntry) -> String {
    let muted = entry
        .muted
        .map(|until| format!("  muted{}", until_when(until)));
    let (user, standing) = (entry.user.as_str(), words::standing(entry.standing));
    format!("  {user:<20} {standing}{}", muted.unwrap_or_default())
}

fn counted(group: &GroupId, which: Which, total: u32) -> String {
    let what = match which {
        Which::Members => "in",
        Which::Online => "here in",
        Which::Waiting => "waiting for",
        Which::Banned => "banned from",
    };
    format!("  {total} {what} #{group}")
}

fn until_when(until: Stamp) -> String {
    if until == FOR_EVER {
        return String::new();
    }
    format!(" until {}", clock(until, "%Y-%m-%d %H:%M:%S"))
}

/// A stamp by the clock on the wall.
pub fn clock(stamp: Stamp, format: &str) -> String {
    let micros = i64::try_from(stamp.0).unwrap_or(i64::MAX);
    let time = Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX);
    let time = time.to_zoned(TimeZone::system());
    time.strftime(format).to_string()
}
