//! What is said of groups, in few words.

use msgd_core::store::{Found, GroupWrite, LogPage};
use proto::client::{ChangeGroup, ClientPacket};
use proto::group::{Action, GroupState, LogEntry, Logged, Place};
use proto::link::{Attempt, FromGroup, GroupAsk, GroupRequest, Relayed, ToGroup};
use proto::server::ServerPacket;

use super::id;

/// A place in a log. Of the epoch only what tells it from others.
pub fn place(place: &Place) -> String {
    format!("{:x}:{}", place.epoch.0 % 0x1_0000, place.seq)
}

/// An entry of a log.
pub fn entry(entry: &LogEntry) -> String {
    let what = match &entry.what {
        Logged::Message { id: message, .. } => id(message),
        Logged::Change(action) => change(action),
    };
    format!("{} {what} by {}", entry.seq, entry.from)
}

/// What is done to a group.
pub fn change(action: &Action) -> String {
    match action.user() {
        Some(user) => {
            let text = format!("{action:?}");
            let word = text.split(['(', ' ']).next().unwrap_or_default();
            format!("{word} {user}")
        }
        None => format!("{action:?}"),
    }
}

fn entries(entries: &[LogEntry]) -> String {
    entries.iter().map(entry).collect::<Vec<_>>().join(", ")
}

fn state(state: &GroupState) -> String {
    format!(
        "{} {:?} head {} read {}",
        state.group,
        state.role,
        place(&state.head.place),
        state.read.seq
    )
}

fn ask(ask: &GroupAsk) -> String {
    let what = match &ask.what {
        GroupRequest::Change(ChangeGroup { action, .. }) => change(action),
        GroupRequest::Members(get) => format!("Members {:?}", get.which),
        GroupRequest::History(_, get) => format!("History {:?}", get.range),
    };
    let group = ask.what.group();
    format!("{:x} {group} {} {what}", ask.request, ask.actor)
}

/// What a shard says to another of a group.
pub fn relayed(relayed: &Relayed) -> String {
    match relayed {
        Relayed::Post(post) => format!(
            "Post({} {}->group {} session {} gen {}{})",
            id(&post.id),
            post.from,
            post.group,
            post.session,
            post.generation.0,
            if post.attempt != Attempt::First {
                " again"
            } else {
                ""
            }
        ),
        Relayed::GroupAsk(asked) => format!("GroupAsk({})", ask(asked)),
        Relayed::GroupAnswer {
            request,
            actor,
            packet,
        } => format!(
            "GroupAnswer({request:x} {actor} {})",
            super::server_packet(packet)
        ),
        Relayed::Membership(word) => format!(
            "Membership({} {} {:?} v{})",
            word.group, word.user, word.belongs, word.version.revision
        ),
        Relayed::MembershipKept {
            group,
            user,
            version,
        } => format!("MembershipKept({group} {user} v{})", version.revision),
        other => format!("{other:?}"),
    }
}

/// To a group's shard.
pub fn to_group(what: &ToGroup) -> String {
    match what {
        ToGroup::Follow(follow) => format!("Follow(session {} {})", follow.session, follow.user),
        ToGroup::FollowAgain { after, users } => {
            format!("FollowAgain(after {} {users:?})", place(after))
        }
        other => format!("{other:?}"),
    }
}

/// From a group's shard.
pub fn from_group(from: &FromGroup) -> String {
    match from {
        FromGroup::Followed { session, state: of } => {
            format!("Followed(session {session} {})", state(of))
        }
        FromGroup::FollowedAgain {
            group, head, gone, ..
        } => {
            let head = place(&head.place);
            format!("FollowedAgain({group} head {head} gone {gone:?})")
        }
        FromGroup::Entry(deliver) => {
            let epoch = deliver.epoch.0 % 0x1_0000;
            format!(
                "Entry({} {epoch:x}:{})",
                deliver.group,
                entry(&deliver.entry)
            )
        }
        FromGroup::Drop {
            group,
            number,
            user,
            action,
            ..
        } => format!("Drop({group} {number:x} {user:?} {})", change(action)),
        other => format!("{other:?}"),
    }
}

/// A packet to a client.
pub fn server_packet(packet: &ServerPacket) -> String {
    match packet {
        ServerPacket::GroupDeliver(deliver) => {
            let epoch = deliver.epoch.0 % 0x1_0000;
            let group = &deliver.group;
            format!("GroupDeliver({group} {epoch:x}:{})", entry(&deliver.entry))
        }
        ServerPacket::GroupState(of) => format!("GroupState({})", state(of)),
        ServerPacket::GroupHead { group, head } => {
            format!("GroupHead({group} {})", place(&head.place))
        }
        ServerPacket::History(history) => format!(
            "History({} of {:?} epoch {:x} first {} last {}: {})",
            history.request,
            history.of,
            history.epoch.0 % 0x1_0000,
            history.first,
            history.last,
            entries(&history.entries)
        ),
        other => format!("{other:?}"),
    }
}

/// A packet of a client.
pub fn client_packet(packet: &ClientPacket) -> String {
    match packet {
        ClientPacket::GroupSend(send) => {
            format!("GroupSend({} to group {})", id(&send.id), send.group)
        }
        ClientPacket::ChangeGroup(of) => {
            format!(
                "ChangeGroup({} {} {})",
                of.request,
                of.group,
                change(&of.action)
            )
        }
        other => format!("{other:?}"),
    }
}

/// What a store writes.
pub fn write(write: &GroupWrite) -> String {
    let entries: Vec<_> = write.entries.iter().map(|(of, _)| entry(of)).collect();
    let rows = write.members.iter().map(|(user, row)| match row {
        Some(row) => format!(
            "{user}={:?}v{}{}",
            row.known,
            row.revision,
            if row.untold { " untold" } else { "" }
        ),
        None => format!("{user} goes"),
    });
    let rows: Vec<_> = rows.collect();
    let epoch = write.epoch.0 % 0x1_0000;
    format!(
        "{epoch:x}:{} [{}] rows [{}]",
        write.after,
        entries.join(", "),
        rows.join(", ")
    )
}

/// What a store found.
pub fn found(found: &Found) -> String {
    match found {
        Found::Group(stored) => format!(
            "at {}, {} rows, {} known",
            place(&stored.head.place),
            stored.members.len(),
            stored.latest.len()
        ),
        other => format!("{other:?}"),
    }
}

/// What a store has read.
pub fn page(page: &Option<LogPage>) -> String {
    match page {
        Some(page) => format!("first {}: {}", page.first, entries(&page.entries)),
        None => "FAILED".to_owned(),
    }
}
