//! Notices of groups for a pipe: one event per line, as [`crate::plain`] says.

use client::{Action, Group, GroupSkipped, LogEntry, Logged};

use super::{GroupNotice, command, words};
use crate::escape::escaped;

/// The line of a notice.
pub fn line(notice: &GroupNotice) -> String {
    match notice {
        GroupNotice::Entry {
            group,
            entry,
            mentions_me,
        } => {
            let mention = if *mentions_me { "yes" } else { "no" };
            format!(
                "{} mention={mention} {}",
                head(entry, group.as_str()),
                tail(entry)
            )
        }
        GroupNotice::Past { group, entry } => {
            let (seq, from, stamp) = (entry.seq, &entry.from, entry.stamp.as_ms());
            let of = format!("group={group} seq={seq} from={from} stamp_ms={stamp}");
            format!("grouphistory {of} {}", tail(entry))
        }
        GroupNotice::Skipped(GroupSkipped {
            group, first, last, ..
        }) => format!("groupskipped group={group} first={first} last={last}"),
        GroupNotice::Anew { group } => format!("groupanew group={group}"),
        GroupNotice::State { group, .. } => format!("group {}", state(group)),
        GroupNotice::Listed(group) => format!("membership {}", state(group)),
        GroupNotice::Invitation { group, by } => format!("invitation group={group} by={by}"),
        GroupNotice::NoGroups => "nogroups".to_owned(),
        GroupNotice::Left { group, change } => match change {
            Some((by, action)) => {
                let word = words::action(action);
                format!("groupleft group={group} by={by} action={word}")
            }
            None => format!("groupleft group={group}"),
        },
        GroupNotice::Invited { group, by } => format!("groupinvited group={group} by={by}"),
        GroupNotice::Applied { group, user } => format!("groupapplied group={group} user={user}"),
        GroupNotice::Typing { group, from } => format!("grouptyping group={group} from={from}"),
        GroupNotice::Member { group, entry } => {
            let (user, standing) = (&entry.user, words::standing(entry.standing));
            let muted = entry.muted.map_or(0, |until| until.as_ms());
            format!("groupmember group={group} user={user} as={standing} muted_until_ms={muted}")
        }
        GroupNotice::Count {
            group,
            which,
            total,
        } => {
            let which = words::which(*which);
            format!("groupcount group={group} of={which} total={total}")
        }
        GroupNotice::Waits { group } => format!("groupwaits group={group}"),
        GroupNotice::Done { group, ask } => {
            let ask = escaped(&command::shown(ask));
            format!("groupdone group={group} command={ask}")
        }
    }
}

fn head(entry: &LogEntry, group: &str) -> String {
    let (seq, from, stamp) = (entry.seq, &entry.from, entry.stamp.as_ms());
    let word = match entry.what {
        Logged::Message { .. } => "groupmessage",
        Logged::Change(_) => "groupchange",
    };
    format!("{word} group={group} seq={seq} from={from} stamp_ms={stamp}")
}

fn tail(entry: &LogEntry) -> String {
    match &entry.what {
        Logged::Message { id, body, .. } => {
            let text = escaped(&String::from_utf8_lossy(body));
            format!("id={id} text={text}")
        }
        Logged::Change(action) => changed(action),
    }
}

fn changed(action: &Action) -> String {
    let word = words::action(action);
    let user = action.user().map(|user| format!(" user={user}"));
    let user = user.unwrap_or_default();
    match action {
        Action::Create { title, entrance } => {
            let (entrance, title) = (words::entrance(*entrance), escaped(title));
            format!("action={word} entrance={entrance} title={title}")
        }
        Action::Rename { title } => format!("action={word} title={}", escaped(title)),
        Action::SetEntrance(entrance) => {
            format!("action={word} entrance={}", words::entrance(*entrance))
        }
        Action::SetRole { role, .. } => format!("action={word}{user} role={}", words::role(*role)),
        Action::Mute { seconds, .. } => format!("action={word}{user} seconds={seconds}"),
        _ => format!("action={word}{user}"),
    }
}

fn state(group: &Group) -> String {
    let state = &group.state;
    let (id, members, unread) = (&state.group, state.members, group.unread());
    let (role, entrance) = (words::role(state.role), words::entrance(state.entrance));
    let (muted, title) = (
        state.muted.map_or(0, |until| until.as_ms()),
        escaped(&state.title),
    );
    let last = state.head.place.seq;
    format!(
        "group={id} role={role} members={members} entrance={entrance} last={last} \
         unread={unread} muted_until_ms={muted} title={title}"
    )
}
