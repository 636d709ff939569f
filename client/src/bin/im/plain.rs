//! Notices for a pipe: one event per line, a word and `key=value` pairs, the
//! free text last.
//!
//! The format is stable: scripts rely on it. In a free text a backslash and
//! every control character are escaped, so a line is always one event.

use client::{Availability, Code, FriendEntry, Relation, Status};

use crate::advice::advice;
use crate::command::HELP;
use crate::escape::escaped;
use crate::groups;
use crate::notice::{Mark, Notice, Sent, word};

/// The line of a notice; the help has several.
pub fn line(notice: &Notice) -> String {
    match notice {
        Notice::Connected { user, device } => format!("connected user={user} device={device}"),
        Notice::Reconnecting { after, reason } => {
            let (after, reason) = (after.as_millis(), escaped(reason));
            format!("reconnecting after_ms={after} reason={reason}")
        }
        Notice::Message {
            from,
            id,
            stamp,
            away,
            text,
        } => {
            let (stamp, away) = (stamp.as_ms(), yes_no(away.is_some()));
            let text = escaped(text);
            format!("message from={from} id={id} stamp_ms={stamp} away={away} text={text}")
        }
        Notice::Sending(sent) => format!("sending {}", identity(sent)),
        Notice::Mark(sent, mark) => marked(sent, mark),
        Notice::Elsewhere { device, sent, text } => {
            let (identity, text) = (identity(sent), escaped(text));
            format!("elsewhere {identity} device={device} text={text}")
        }
        Notice::ReadElsewhere {
            device,
            peer,
            up_to,
        } => {
            let up_to = up_to.as_ms();
            format!("readelsewhere peer={peer} up_to_ms={up_to} device={device}")
        }
        Notice::TypingElsewhere { device, to } => {
            format!("typingelsewhere to={to} device={device}")
        }
        Notice::Typing { from } => format!("typing from={from}"),
        Notice::Presence { peer, .. } => {
            let (user, shown) = (&peer.user, status(&peer.status));
            let seen = peer.last_seen.map_or(0, |stamp| stamp.as_ms());
            format!("presence user={user} last_seen_ms={seen} {shown}")
        }
        Notice::Relation { entry, .. } => format!("relation {}", relation(entry)),
        Notice::Friend { entry, status: of } => {
            let unknown = Status::offline();
            let shown = status(of.as_ref().map_or(&unknown, |peer| &peer.status));
            format!("friend {} {shown}", relation(entry))
        }
        Notice::Group(notice) => groups::plain::line(notice),
        Notice::NoFriends => "nofriends".to_owned(),
        Notice::Conversation { with } => format!("conversation with={with}"),
        Notice::OwnStatus(own) => format!("own {}", status(own)),
        Notice::Done { action, peer } => format!("done command={} peer={peer}", word(*action)),
        Notice::Device(entry) => {
            let (since, own) = (entry.since.as_ms(), yes_no(entry.own));
            format!("device name={} since_ms={since} own={own}", entry.device)
        }
        Notice::Ended { device } => format!("ended device={device}"),
        Notice::Failed { what, code, text } => failed(what, *code, text),
        Notice::Help => HELP.to_owned(),
        Notice::TokenExpired => "tokenexpired".to_owned(),
        Notice::Closed { code, text } => {
            let number = code.map_or(0, |code| code.number());
            let (text, advice) = (escaped(text), advised(*code));
            format!("closed code={number} text={text}{advice}")
        }
    }
}

fn failed(what: &str, code: Option<Code>, text: &str) -> String {
    let number = code.map_or(0, |code| code.number());
    let (what, text, advice) = (escaped(what), escaped(text), advised(code));
    format!("failed code={number} text={what}: {text}{advice}")
}

fn advised(code: Option<Code>) -> String {
    code.map_or(String::new(), |code| format!("; {}", advice(code)))
}

fn identity(sent: &Sent) -> String {
    format!("number={} to={} id={}", sent.number, sent.to, sent.id)
}

fn marked(sent: &Sent, mark: &Mark) -> String {
    let identity = identity(sent);
    match mark {
        Mark::Stored => format!("stored {identity}"),
        Mark::Logged(seq) => format!("logged {identity} seq={seq}"),
        Mark::Delivered(None) => format!("delivered {identity}"),
        Mark::Delivered(Some(device)) => format!("delivered {identity} device={device}"),
        Mark::Read => format!("read {identity}"),
        Mark::Rejected { code, text } => {
            let (number, text) = (code.number(), escaped(text));
            format!(
                "rejected {identity} code={number} text={text}; {}",
                advice(*code)
            )
        }
        Mark::Unknown { code } => {
            let (number, text) = (code.number(), code.text());
            format!(
                "unknown {identity} code={number} text={text}; {}",
                advice(*code)
            )
        }
    }
}

fn relation(entry: &FriendEntry) -> String {
    let relation = match entry.relation {
        Relation::None => "none",
        Relation::Requested => "requested",
        Relation::Invited => "invited",
        Relation::Friend => "friend",
    };
    let (user, blocked) = (&entry.user, yes_no(entry.blocked));
    format!("user={user} relation={relation} blocked={blocked}")
}

fn status(status: &Status) -> String {
    let word = availability(status.availability);
    format!("status={word} text={}", escaped(&status.text))
}

/// The word for it.
pub fn availability(availability: Availability) -> &'static str {
    match availability {
        Availability::Online => "online",
        Availability::Away => "away",
        Availability::Busy => "busy",
        Availability::Invisible => "invisible",
        Availability::Offline => "offline",
    }
}

fn yes_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use client::{MessageId, Stamp};
    use std::time::Duration;

    fn sent() -> Sent {
        Sent {
            number: 3,
            to: "ben".parse().unwrap(),
            id: MessageId::from_bytes([1; 16]),
        }
    }

    #[test]
    fn a_line_is_one_event_whatever_was_written() {
        let message = Notice::Message {
            from: "ben".parse().unwrap(),
            id: MessageId::from_bytes([1; 16]),
            stamp: Stamp(1_795_000_000_123_456),
            away: Some(Duration::from_secs(60)),
            text: "a\nb \x1b[2J \\ ä".into(),
        };
        assert_eq!(
            line(&message),
            "message from=ben id=01010101-0101-0101-0101-010101010101 \
             stamp_ms=1795000000123 away=yes text=a\\nb \\u{1b}[2J \\\\ ä"
        );
    }

    #[test]
    fn marks_name_the_message_and_codes_say_what_to_do() {
        let id = "id=01010101-0101-0101-0101-010101010101";
        let delivered = Mark::Delivered(Some("phone".parse().unwrap()));
        assert_eq!(
            line(&Notice::Mark(sent(), delivered)),
            format!("delivered number=3 to=ben {id} device=phone")
        );
        let rejected = Mark::Rejected {
            code: Code::NotFriends,
            text: "you are not friends".into(),
        };
        assert_eq!(
            line(&Notice::Mark(sent(), rejected)),
            format!(
                "rejected number=3 to=ben {id} code=101 text=you are not friends; \
                 ask with /add NAME and wait until it is accepted"
            )
        );
    }
}
