//! A typed line and what it asks for.
//!
//! Owns the grammar. Must not know a session.

use client::{Availability, DeviceId, FriendAction, GroupId, Status, UserId};

use crate::groups::command::{self as groups, Ask};
use crate::whom::Whom;

/// What a line asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// A text for the current conversation, or `NAME: text`.
    Text(String),
    /// A text for one user or group.
    Message(Whom, String),
    /// Another conversation is the current one.
    To(Whom),
    /// A change of a relation.
    Change(FriendAction, UserId),
    /// The friend list.
    Friends,
    /// Another status.
    Status(Status),
    /// A typing notice, to the current conversation if nobody is named.
    Typing(Option<Whom>),
    /// The list of groups and invitations.
    Groups,
    /// Something about a group, the current one if none is named.
    Group(Option<GroupId>, Ask),
    /// Which devices of this user are logged in.
    Devices,
    /// The end of one of them.
    End(DeviceId),
    /// A message of unknown fate once more.
    Again(u64),
    /// The list of commands.
    Help,
    /// The end.
    Quit,
    /// An empty line.
    Nothing,
}

/// The list of commands.
pub const HELP: &str = "\
bob: text            a message to bob
/msg bob text        the same
/to bob              what you type from now on goes to bob
/add bob             ask bob to be your friend
/accept bob          accept bob's request (/decline refuses it)
/remove bob          end the friendship, or take your request back
/block bob           take nothing from bob any more (/unblock ends it)
/friends             who is your friend, and who is there
/status busy text    online, away, busy or invisible; the text is optional
/typing [bob]        tell bob that you are typing
#choir: text         a message to the group choir; @bob in it mentions bob
/to #choir           what you type from now on goes to the group
/groups              your groups, what is unread, and who invites you
/join #choir         come into it, or ask to (/leave goes, or declines)
/history [#choir] 20  what was written last
/members [#choir]    who is in it (/who is here, /waiting, /banned)
/group create #choir The choir  begin a group; you own it
/group invite [#choir] bob  also admit, deny, kick, ban, unban, unmute
/group mute [#choir] bob 60  for so many seconds; without, until unmute
/group rename [#choir] The band  its title
/group entrance [#choir] open  or invitation, or approval
/group role [#choir] bob admin  or member; transfer bob hands it over
/group dissolve #choir  end it for all
/devices             where else you are logged in
/end tablet          log that device of yours out
/again 3             send message #3 again when its fate is unknown
/quit                log out and end
//text               a message that begins with a slash";

/// The longest quote of a line in an error.
const QUOTE_CHARS: usize = 40;

/// Reads a line. The error says what was expected.
pub fn parse(line: &str) -> Result<Command, String> {
    let line = line.trim();
    if line.is_empty() {
        return Ok(Command::Nothing);
    }
    let Some(rest) = line.strip_prefix('/') else {
        return Ok(Command::Text(line.to_owned()));
    };
    if rest.starts_with('/') {
        return Ok(Command::Text(rest.to_owned()));
    }
    let (word, rest) = split(rest);
    match word {
        "msg" => {
            let (name, text) = split(rest);
            if text.is_empty() {
                return Err("/msg NAME TEXT".into());
            }
            Ok(Command::Message(whom(name)?, text.to_owned()))
        }
        "to" => Ok(Command::To(whom(rest)?)),
        "add" => change(FriendAction::Request, rest),
        "accept" => change(FriendAction::Accept, rest),
        "decline" => change(FriendAction::Decline, rest),
        "remove" => change(FriendAction::Remove, rest),
        "block" => change(FriendAction::Block, rest),
        "unblock" => change(FriendAction::Unblock, rest),
        "friends" => Ok(Command::Friends),
        "status" => status(rest),
        "typing" if rest.is_empty() => Ok(Command::Typing(None)),
        "typing" => Ok(Command::Typing(Some(whom(rest)?))),
        "groups" => Ok(Command::Groups),
        "group" => {
            let (word, rest) = split(rest);
            of_group(word, rest)
        }
        "join" | "leave" | "members" | "who" | "waiting" | "banned" | "history" => {
            of_group(word, rest)
        }
        "devices" => Ok(Command::Devices),
        "end" => {
            let device = rest.parse();
            let device = device.map_err(|_| "/end DEVICE; /devices lists them".to_owned());
            device.map(Command::End)
        }
        "again" => {
            let number = rest.trim_start_matches('#').parse();
            let number = number.map_err(|_| "/again NUMBER, as in #3".to_owned());
            number.map(Command::Again)
        }
        "help" => Ok(Command::Help),
        "quit" | "exit" => Ok(Command::Quit),
        _ => {
            let word: String = word.chars().take(QUOTE_CHARS).collect();
            Err(format!("no command /{word}; /help lists them"))
        }
    }
}

/// Whom `NAME: text` is for. Without a conversation every name counts; in one,
/// only the name of someone known, so that `note: buy milk` stays where it is.
pub fn addressed(
    text: &str,
    in_conversation: bool,
    is_known: impl Fn(&Whom) -> bool,
) -> Option<(Whom, &str)> {
    let (name, text) = text.split_once(':')?;
    let whom: Whom = name.parse().ok()?;
    let text = text.strip_prefix(' ')?.trim_start();
    let meant = !in_conversation || is_known(&whom);
    (meant && !text.is_empty()).then_some((whom, text))
}

fn split(text: &str) -> (&str, &str) {
    let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (first, rest.trim_start())
}

fn of_group(word: &str, rest: &str) -> Result<Command, String> {
    let (group, ask) = groups::parse(word, rest)?;
    Ok(Command::Group(group, ask))
}

fn user(name: &str) -> Result<UserId, String> {
    match whom(name)? {
        Whom::User(user) => Ok(user),
        Whom::Group(_) => Err("that is for somebody, not for a group".into()),
    }
}

fn whom(name: &str) -> Result<Whom, String> {
    name.parse().map_err(|error| match name {
        "" => "a name is missing; /help shows where".to_owned(),
        _ => format!("not a name: {error}"),
    })
}

fn change(action: FriendAction, name: &str) -> Result<Command, String> {
    Ok(Command::Change(action, user(name)?))
}

fn status(rest: &str) -> Result<Command, String> {
    let (word, text) = split(rest);
    let availability = match word {
        "online" => Availability::Online,
        "away" => Availability::Away,
        "busy" => Availability::Busy,
        "invisible" => Availability::Invisible,
        _ => return Err("/status online, away, busy or invisible, then a text".into()),
    };
    Ok(Command::Status(Status {
        availability,
        text: text.into(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ben() -> UserId {
        "ben".parse().unwrap()
    }

    fn to_ben() -> Whom {
        ben().into()
    }

    #[test]
    fn lines_become_commands() {
        let text = |text: &str| Ok(Command::Text(text.into()));
        assert_eq!(parse("  "), Ok(Command::Nothing));
        assert_eq!(parse("hello there "), text("hello there"));
        assert_eq!(parse("//etc/passwd"), text("/etc/passwd"));
        let message = Command::Message(to_ben(), "see you  at six".into());
        assert_eq!(parse("/msg ben see you  at six"), Ok(message));
        let add = Command::Change(FriendAction::Request, ben());
        assert_eq!(parse("/add ben"), Ok(add));
        let busy = Status {
            availability: Availability::Busy,
            text: "in a call".into(),
        };
        assert_eq!(parse("/status busy in a call"), Ok(Command::Status(busy)));
        assert_eq!(parse("/again #12"), Ok(Command::Again(12)));
        let choir = "choir".parse().unwrap();
        assert_eq!(parse("/to #choir"), Ok(Command::To(Whom::Group(choir))));
        let kick = groups::parse("kick", "ben").unwrap();
        assert_eq!(parse("/group kick ben"), Ok(Command::Group(kick.0, kick.1)));
        let who = groups::parse("who", "").unwrap();
        assert_eq!(parse("/who"), Ok(Command::Group(who.0, who.1)));
        for wrong in [
            "/msg ben",
            "/group",
            "/join",
            "/add #choir",
            "/end",
            "/add",
            "/add b/n",
            "/status",
            "/nothing",
            "/again x",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_command_of_the_help_is_one() {
        for line in HELP.lines().filter(|line| line.starts_with('/')) {
            let example = line.split("  ").next().unwrap().replace(['[', ']'], "");
            assert!(parse(&example).is_ok(), "{example}");
        }
    }

    #[test]
    fn a_name_before_a_colon_addresses() {
        let nobody = |_: &Whom| false;
        let known = |whom: &Whom| *whom == to_ben();
        assert_eq!(addressed("ben: hi", false, nobody), Some((to_ben(), "hi")));
        assert_eq!(addressed("ben: hi", true, nobody), None);
        assert_eq!(addressed("ben: hi", true, known), Some((to_ben(), "hi")));
        assert_eq!(addressed("note: milk", true, known), None);
        let choir: Whom = "#choir".parse().unwrap();
        assert_eq!(addressed("#choir: hi", false, known), Some((choir, "hi")));
        assert_eq!(addressed("http://x", false, known), None);
        assert_eq!(addressed("so, ben: hi", false, known), None);
    }
}
