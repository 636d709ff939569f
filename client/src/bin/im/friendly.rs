//! Notices for people at a terminal.

use std::time::Duration;

use client::{
    Availability, Code, DeviceEntry, FriendAction, FriendEntry, PeerStatus, Relation, Status,
    UserId,
};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::advice::advice;
use crate::command::HELP;
use crate::escape::clean;
use crate::groups;
use crate::notice::{Mark, Notice, Sent, word};
use crate::plain::availability;

/// The lines of a notice; `None` for what people need not see.
pub fn lines(notice: &Notice) -> Option<String> {
    Some(match notice {
        Notice::Connected { user, device } => {
            format!("* connected as {user} (device {device}); /help lists the commands")
        }
        Notice::Reconnecting { after, reason } if after.is_zero() => format!("* {}", clean(reason)),
        Notice::Reconnecting { after, reason } => {
            let seconds = after.as_secs_f64();
            format!("* {}; next try in {seconds:.1} s", clean(reason))
        }
        Notice::Message {
            from, away, text, ..
        } => match away {
            None => format!("{from}: {}", clean(text)),
            Some(ago) => format!("{from} ({} ago): {}", span(*ago), clean(text)),
        },
        Notice::Sending(_) | Notice::ReadElsewhere { .. } => return None,
        Notice::Elsewhere { device, sent, text } => {
            let Sent { number, to, .. } = sent;
            format!("  #{number} to {to} (from {device}): {}", clean(text))
        }
        Notice::TypingElsewhere { device, to } => format!("* you type to {to} on {device}"),
        Notice::Mark(sent, mark) => marked(sent, mark),
        Notice::Typing { from } => format!("* {from} is typing"),
        Notice::Presence { peer, before } => return presence(peer, *before),
        Notice::Relation { entry, first } => return relation(entry, *first),
        Notice::Friend { entry, status } => friend(entry, status.as_ref()),
        Notice::Group(notice) => return groups::friendly::lines(notice),
        Notice::NoFriends => "  nobody yet; /add NAME asks somebody".to_owned(),
        Notice::Conversation { with } => format!("* what you type goes to {with}"),
        Notice::OwnStatus(own) => format!("* you are {}", shown(own)),
        Notice::Done { action, peer } => done(*action, peer),
        Notice::Device(entry) => device(entry),
        Notice::Ended { device } => format!("* {device} was logged out"),
        Notice::Failed { what, code, text } => match code {
            Some(code) => format!("! {}: {}", clean(what), told(*code, text)),
            None => format!("! {}: {}", clean(what), clean(text)),
        },
        Notice::Help => HELP.to_owned(),
        Notice::TokenExpired => format!("! {}", told(Code::TokenExpired, "")),
        Notice::Closed { code: None, .. } => "* logged out".to_owned(),
        Notice::Closed {
            code: Some(code),
            text,
        } => format!("! the server closed the session: {}", told(*code, text)),
    })
}

/// A code, what it means, and what to do about it.
pub fn told(code: Code, text: &str) -> String {
    let text = if text.is_empty() { code.text() } else { text };
    format!("{} {}: {}", code.number(), clean(text), advice(code))
}

fn marked(sent: &Sent, mark: &Mark) -> String {
    let Sent { number, to, .. } = sent;
    match mark {
        Mark::Logged(_) => format!("  #{number} to {to}: sent"),
        Mark::Stored => format!("  #{number} to {to}: stored, they get it when they come"),
        Mark::Delivered(None) => format!("  #{number} to {to}: delivered"),
        Mark::Delivered(Some(device)) => format!("  #{number} to {to}: delivered ({device})"),
        Mark::Read => format!("  #{number} to {to}: read"),
        Mark::Rejected { code, text } => {
            format!(
                "! #{number} to {to} was not delivered: {}",
                told(*code, text)
            )
        }
        Mark::Unknown { code } => {
            format!(
                "! #{number} to {to} may not have arrived: {}",
                told(*code, "")
            )
        }
    }
}

/// Who was offline and is offline is no news.
fn presence(peer: &PeerStatus, before: Availability) -> Option<String> {
    let now = peer.status.availability;
    if now == Availability::Offline && before == Availability::Offline {
        return None;
    }
    Some(format!("* {} is {}", peer.user, shown(&peer.status)))
}

/// A status in words.
pub fn shown(status: &Status) -> String {
    let word = availability(status.availability);
    if status.text.is_empty() {
        return word.to_owned();
    }
    format!("{word} ({})", clean(&status.text))
}

fn relation(entry: &FriendEntry, first: bool) -> Option<String> {
    let user = &entry.user;
    Some(match entry.relation {
        Relation::Invited => {
            format!("* {user} asks to be your friend: /accept {user} or /decline {user}")
        }
        // Of the first list only what waits for an answer is news.
        _ if first => return None,
        Relation::Friend if entry.blocked => format!("* {user} is blocked"),
        Relation::Friend => format!("* {user} is your friend"),
        Relation::Requested => format!("* {user} was asked and has not answered"),
        Relation::None if entry.blocked => format!("* {user} is blocked"),
        Relation::None => format!("* {user} is not your friend any more"),
    })
}

fn friend(entry: &FriendEntry, status: Option<&PeerStatus>) -> String {
    let user = entry.user.as_str();
    let what = match entry.relation {
        Relation::Friend => status.map_or("offline".to_owned(), |peer| shown(&peer.status)),
        Relation::Requested => "asked, no answer yet".to_owned(),
        Relation::Invited => format!("asks to be your friend: /accept {user}"),
        Relation::None => String::new(),
    };
    let blocked = if entry.blocked { " [blocked]" } else { "" };
    format!("  {user:<20} {what}{blocked}")
}

fn device(entry: &DeviceEntry) -> String {
    let own = if entry.own { "  (this one)" } else { "" };
    let since = Timestamp::from_microsecond(i64::try_from(entry.since.0).unwrap_or(i64::MAX))
        .unwrap_or(Timestamp::MAX)
        .to_zoned(TimeZone::system());
    let since = since.strftime("%Y-%m-%d %H:%M");
    format!("  {:<12} since {since}{own}", entry.device.as_str())
}

fn done(action: FriendAction, peer: &UserId) -> String {
    match action {
        FriendAction::Request => format!("* {peer} was asked"),
        _ => format!("* done: {} {peer}", word(action)),
    }
}

/// A length of time in its largest whole unit.
pub fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_told_in_its_largest_unit() {
        let told = |seconds| span(Duration::from_secs(seconds));
        assert_eq!(told(59), "59 s");
        assert_eq!(told(61), "1 min");
        assert_eq!(told(7_300), "2 h");
        assert_eq!(told(200_000), "2 days");
    }
}
