//! What is asked of a group, typed: `/group kick #choir ben`.
//!
//! Owns the grammar. Must not know a session.

use client::{Action, Entrance, GroupId, Role, UserId, Which};

use super::words;
use crate::whom::SIGN;

/// What is asked of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Something is to be done.
    Do(Action),
    /// Whom it knows.
    Members(Which),
    /// What was written and done: so many of the newest.
    History(usize),
}

/// The newest entries that are shown if no number is given.
pub const LAST: usize = 20;

/// Reads what follows `/group`, or a command of its own for a group. `None`:
/// the group is the one whose conversation is open.
pub fn parse(word: &str, rest: &str) -> Result<(Option<GroupId>, Ask), String> {
    let (group, rest) = named(rest)?;
    let ask = asked(word, rest)?;
    let must_be_named = matches!(
        ask,
        Ask::Do(Action::Create { .. } | Action::Dissolve | Action::Join)
    );
    if must_be_named && group.is_none() {
        return Err(format!("which group? {word} {SIGN}NAME"));
    }
    Ok((group, ask))
}

fn asked(word: &str, rest: &str) -> Result<Ask, String> {
    let of = |which| Ok(Ask::Members(which));
    match word {
        "members" => of(Which::Members),
        "who" => of(Which::Online),
        "waiting" => of(Which::Waiting),
        "banned" => of(Which::Banned),
        "history" if rest.is_empty() => Ok(Ask::History(LAST)),
        "history" => rest
            .parse()
            .map(Ask::History)
            .map_err(|_| "history NUMBER, as in 20".into()),
        _ => action(word, rest).map(Ask::Do),
    }
}

/// What is to be done, by its word.
fn action(word: &str, rest: &str) -> Result<Action, String> {
    let title = || rest.trim().into();
    Ok(match word {
        "create" => Action::Create {
            title: title(),
            entrance: Entrance::Open,
        },
        "join" => Action::Join,
        "leave" => Action::Leave,
        "dissolve" => Action::Dissolve,
        "rename" => Action::Rename { title: title() },
        "entrance" => Action::SetEntrance(entrance(rest)?),
        "invite" => Action::Invite(user(rest)?),
        "admit" => Action::Admit(user(rest)?),
        "deny" => Action::Deny(user(rest)?),
        "transfer" => Action::Transfer(user(rest)?),
        "kick" => Action::Kick(user(rest)?),
        "ban" => Action::Ban(user(rest)?),
        "unban" => Action::Unban(user(rest)?),
        "unmute" => Action::Unmute(user(rest)?),
        "mute" => {
            let (name, seconds) = split(rest);
            let seconds = if seconds.is_empty() { "0" } else { seconds };
            Action::Mute {
                user: user(name)?,
                seconds: seconds
                    .parse()
                    .map_err(|_| "mute NAME SECONDS".to_owned())?,
            }
        }
        "role" => {
            let (name, role) = split(rest);
            Action::SetRole {
                user: user(name)?,
                role: match role {
                    "admin" => Role::Admin,
                    "member" => Role::Member,
                    _ => return Err("role NAME admin or member".into()),
                },
            }
        }
        _ => return Err("/help lists what can be asked of a group".into()),
    })
}

/// The word for what is asked, and about whom.
pub fn shown(ask: &Ask) -> String {
    match ask {
        Ask::Do(action) => match action.user() {
            Some(user) => format!("{} {user}", words::action(action)),
            None => words::action(action).into(),
        },
        Ask::Members(which) => words::which(*which).into(),
        Ask::History(_) => "history".into(),
    }
}

/// How one comes in, by its word.
pub fn entrance(word: &str) -> Result<Entrance, String> {
    let all = [Entrance::Open, Entrance::Invitation, Entrance::Approval];
    let found = all.into_iter().find(|one| words::entrance(*one) == word);
    found.ok_or_else(|| "entrance open, invitation or approval".into())
}

fn named(rest: &str) -> Result<(Option<GroupId>, &str), String> {
    if !rest.starts_with(SIGN) {
        return Ok((None, rest));
    }
    let (name, rest) = split(rest);
    let group = name[SIGN.len_utf8()..].parse();
    let group = group.map_err(|error| format!("not a group's name: {error}"))?;
    Ok((Some(group), rest))
}

fn split(text: &str) -> (&str, &str) {
    let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (first, rest.trim_start())
}

fn user(name: &str) -> Result<UserId, String> {
    name.trim()
        .parse()
        .map_err(|error| format!("whom? not a name: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ben() -> UserId {
        "ben".parse().unwrap()
    }

    #[test]
    fn what_is_asked_of_a_group_names_it_or_means_the_open_one() {
        let choir = Some("choir".parse().unwrap());
        let kick = Ask::Do(Action::Kick(ben()));
        assert_eq!(
            parse("kick", "#choir ben"),
            Ok((choir.clone(), kick.clone()))
        );
        assert_eq!(parse("kick", "ben"), Ok((None, kick)));
        let mute = |seconds| {
            Ask::Do(Action::Mute {
                user: ben(),
                seconds,
            })
        };
        assert_eq!(parse("mute", "ben 60"), Ok((None, mute(60))));
        assert_eq!(parse("mute", "#choir ben"), Ok((choir.clone(), mute(0))));
        let create = Ask::Do(Action::Create {
            title: "The choir".into(),
            entrance: Entrance::Open,
        });
        assert_eq!(
            parse("create", "#choir The choir"),
            Ok((choir.clone(), create))
        );
        assert_eq!(parse("history", ""), Ok((None, Ask::History(LAST))));
        assert_eq!(
            parse("history", "#choir 7"),
            Ok((choir.clone(), Ask::History(7)))
        );
        let role = Action::SetRole {
            user: ben(),
            role: Role::Admin,
        };
        assert_eq!(parse("role", "ben admin"), Ok((None, Ask::Do(role))));
        let approval = Ask::Do(Action::SetEntrance(Entrance::Approval));
        assert_eq!(parse("entrance", "#choir approval"), Ok((choir, approval)));
        for (word, rest) in [
            ("kick", ""),
            ("kick", "#choir"),
            ("create", "The choir"),
            ("join", "choir"),
            ("dissolve", ""),
            ("role", "ben owner"),
            ("mute", "ben x"),
            ("entrance", "#choir closed"),
            ("history", "some"),
            ("sing", "#choir"),
            ("kick", "#a/b ben"),
        ] {
            assert!(parse(word, rest).is_err(), "{word} {rest}");
        }
    }
}
