//! What is said to a store and by it, in few words.

use msgd_core::store::{Letter, Outcome, Request};

use super::{groups, id};

/// What a store is asked.
pub fn request(request: &Request) -> String {
    match request {
        Request::Claim { slots, shard } => format!("Claim({} slots, {shard})", slots.len()),
        Request::Release { claim, recent } => format!(
            "Release({} token {} recent {})",
            claim.slot,
            claim.token.0,
            recent.len()
        ),
        Request::Open { claim, user, .. } => format!("Open({user} token {})", claim.token.0),
        Request::Append {
            claim,
            user,
            messages,
            ..
        } => {
            let ids: Vec<_> = messages.iter().map(|l| id(&l.message.id)).collect();
            format!("Append({user} token {}: {})", claim.token.0, ids.join(" "))
        }
        Request::Read {
            user, reader, from, ..
        } => format!("Read({user} reader {reader:x} from {from})"),
        Request::Advance { user, cursor, .. } => format!("Advance({user} to {cursor})"),
        Request::Note { user, .. } => format!("Note({user})"),
        Request::WriteGroup {
            group,
            write,
            claim,
        } => format!(
            "WriteGroup({group} token {} {})",
            claim.token.0,
            groups::write(write)
        ),
        Request::OpenGroup { group, claim, .. } => {
            format!("OpenGroup({group} token {})", claim.token.0)
        }
        other => format!("{other:?}"),
    }
}

/// What a store says.
pub fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Claimed { claim, recent } => {
            format!(
                "Claimed({} token {} {})",
                claim.slot,
                claim.token.0,
                recent.len()
            )
        }
        Outcome::Opened { user, mailbox, .. } => match mailbox {
            None => format!("Opened({user} FAILED)"),
            Some(mailbox) => format!(
                "Opened({user} {}..{} {} known)",
                mailbox.cursor,
                mailbox.end,
                mailbox.latest.len()
            ),
        },
        Outcome::Appended {
            user, first, count, ..
        } => format!("Appended({user} {count} at {first})"),
        Outcome::AppendFailed { user, .. } => format!("AppendFailed({user})"),
        Outcome::Read {
            user,
            reader,
            from,
            letters,
            ..
        } => match letters {
            None => format!("Read({user} reader {reader:x} from {from} FAILED)"),
            Some(letters) => {
                let letter = |(at, l): &(_, Letter)| format!("{at}:{}", id(&l.message.id));
                let letters: Vec<_> = letters.iter().map(letter).collect();
                format!(
                    "Read({user} reader {reader:x} from {from}: {})",
                    letters.join(" ")
                )
            }
        },
        Outcome::GroupOpened { group, found, .. } => {
            format!("GroupOpened({group} {})", groups::found(found))
        }
        Outcome::LogRead {
            group,
            reader,
            page,
            ..
        } => {
            format!("LogRead({group} {reader:x} {})", groups::page(page))
        }
        other => format!("{other:?}"),
    }
}
