//! A typed line and what it asks for.
//!
//! Owns the grammar. Must not know a session.

use client::{Availability, DeviceId, FriendAction, Status, UserId};

/// What a line asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// A text for the current conversation, or `NAME: text`.
    Text(String),
    /// A text for one user.
    Message(UserId, String),
    /// Another conversation is the current one.
    To(UserId),
    /// A change of a relation.
    Change(FriendAction, UserId),
    /// The friend list.
    Friends,
    /// Another status.
    Status(Status),
    /// A typing notice, to the current conversation if nobody is named.
    Typing(Option<UserId>),
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
            Ok(Command::Message(user(name)?, text.to_owned()))
        }
        "to" => Ok(Command::To(user(rest)?)),
        "add" => change(FriendAction::Request, rest),
        "accept" => change(FriendAction::Accept, rest),
        "decline" => change(FriendAction::Decline, rest),
        "remove" => change(FriendAction::Remove, rest),
        "block" => change(FriendAction::Block, rest),
        "unblock" => change(FriendAction::Unblock, rest),
        "friends" => Ok(Command::Friends),
        "status" => status(rest),
        "typing" if rest.is_empty() => Ok(Command::Typing(None)),
        "typing" => Ok(Command::Typing(Some(user(rest)?))),
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
    is_known: impl Fn(&UserId) -> bool,
) -> Option<(UserId, &str)> {
    let (name, text) = text.split_once(':')?;
    let user: UserId = name.parse().ok()?;
    let text = text.strip_prefix(' ')?.trim_start();
    let meant = !in_conversation || is_known(&user);
    (meant && !text.is_empty()).then_some((user, text))
}

fn split(text: &str) -> (&str, &str) {
    let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (first, rest.trim_start())
}

fn user(name: &str) -> Result<UserId, String> {
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

    #[test]
    fn lines_become_commands() {
        let text = |text: &str| Ok(Command::Text(text.into()));
        assert_eq!(parse("  "), Ok(Command::Nothing));
        assert_eq!(parse("hello there "), text("hello there"));
        assert_eq!(parse("//etc/passwd"), text("/etc/passwd"));
        let message = Command::Message(ben(), "see you  at six".into());
        assert_eq!(parse("/msg ben see you  at six"), Ok(message));
        let add = Command::Change(FriendAction::Request, ben());
        assert_eq!(parse("/add ben"), Ok(add));
        let busy = Status {
            availability: Availability::Busy,
            text: "in a call".into(),
        };
        assert_eq!(parse("/status busy in a call"), Ok(Command::Status(busy)));
        assert_eq!(parse("/again #12"), Ok(Command::Again(12)));
        for wrong in [
            "/msg ben", "/end", "/add", "/add b/n", "/status", "/nothing", "/again x",
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
        let nobody = |_: &UserId| false;
        let known = |user: &UserId| *user == ben();
        assert_eq!(addressed("ben: hi", false, nobody), Some((ben(), "hi")));
        assert_eq!(addressed("ben: hi", true, nobody), None);
        assert_eq!(addressed("ben: hi", true, known), Some((ben(), "hi")));
        assert_eq!(addressed("note: milk", true, known), None);
        assert_eq!(addressed("http://x", false, known), None);
        assert_eq!(addressed("so, ben: hi", false, known), None);
    }
}
