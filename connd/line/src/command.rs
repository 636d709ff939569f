//! What a line says.
//!
//! Owns the instructions and their forms. Must not know whether one is in place.

use proto::codes::Code;
use proto::ids::{GroupId, IdError, Stamp, UserId};
use proto::limits::TEXT_BYTES_MAX;
use proto::status::Availability;
use smol_str::SmolStr;

use crate::datetime;

/// The form of each instruction, and what it is for.
const FORMS: &[(&str, &str)] = &[
    ("LOGIN user token", "log in; - for no token"),
    ("JOIN group", "come into a group"),
    ("CREATE group [title]", "make a group, open to all"),
    ("LEAVE group", "leave a group"),
    ("INVITE group user", "let a user come in"),
    ("KICK group user", "put a member out"),
    ("SAY group text", "write to a group"),
    ("MSG user text", "write to a user"),
    ("GET group datetime", "messages of a group since then"),
    ("WHO group", "members who are online"),
    ("MEMBERS group", "all members"),
    ("GROUPS", "your groups"),
    ("FRIENDS", "your friends"),
    ("STATUS word", "online, away, busy or invisible"),
    ("SUB", "messages are pushed from now on"),
    ("PING", "a sign of life"),
    ("HELP", "this"),
    ("QUIT", "log out"),
];

/// What a client wants done.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// Logs in.
    Login {
        /// Who.
        user: UserId,
        /// Empty for none.
        token: String,
    },
    /// Something is done to a group, or to who is in it.
    Join(GroupId),
    /// Makes a group.
    Create {
        /// Its id.
        group: GroupId,
        /// What it is called.
        title: SmolStr,
    },
    /// Leaves a group.
    Leave(GroupId),
    /// Lets a user come in.
    Invite(GroupId, UserId),
    /// Puts a member out.
    Kick(GroupId, UserId),
    /// Writes to a group.
    Say(GroupId, String),
    /// Writes to a user.
    Msg(UserId, String),
    /// Asks for messages since then.
    Get(GroupId, Stamp),
    /// Asks who is online.
    Who(GroupId),
    /// Asks who is in a group.
    Members(GroupId),
    /// Asks for the user's groups.
    Groups,
    /// Asks for the friend list.
    Friends,
    /// Shows another status.
    Status(Availability),
    /// Wants messages pushed.
    Sub,
    /// Gives a sign of life.
    Ping,
    /// Asks for the instructions.
    Help,
    /// Logs out.
    Quit,
}

/// Why a line is no command.
#[derive(Debug, PartialEq, Eq)]
pub struct Mistake {
    /// In the table of codes.
    pub code: Code,
    /// For people.
    pub text: String,
}

impl Command {
    /// Reads a line that is not empty.
    pub fn read(line: &str) -> Result<Self, Mistake> {
        let (word, rest) = match line.split_once(' ') {
            Some((word, rest)) => (word, Some(rest)),
            None => (line, None),
        };
        let form = FORMS
            .iter()
            .map(|(form, _)| *form)
            .find(|form| name(form).eq_ignore_ascii_case(word));
        let Some(form) = form else {
            return Err(malformed("no such instruction; HELP lists them"));
        };
        Self::of(name(form), Words(rest)).map_err(|wrong| match wrong {
            Wrong::Form => malformed(&format!("the form is: {form}")),
            Wrong::Word(mistake) => mistake,
        })
    }

    fn of(name: &str, words: Words) -> Result<Self, Wrong> {
        Ok(match name {
            "LOGIN" => {
                let (name, token) = words.two()?;
                let token = if token == "-" { "" } else { token };
                Self::Login {
                    user: user(name)?,
                    token: token.to_owned(),
                }
            }
            "JOIN" => Self::Join(group(words.one()?)?),
            "CREATE" => create(words)?,
            "LEAVE" => Self::Leave(group(words.one()?)?),
            "INVITE" => {
                let (of, whom) = words.two()?;
                Self::Invite(group(of)?, user(whom)?)
            }
            "KICK" => {
                let (of, whom) = words.two()?;
                Self::Kick(group(of)?, user(whom)?)
            }
            "SAY" => {
                let (to, text) = words.and_text()?;
                Self::Say(group(to)?, text.to_owned())
            }
            "MSG" => {
                let (to, text) = words.and_text()?;
                Self::Msg(user(to)?, text.to_owned())
            }
            "GET" => {
                let (of, time) = words.and_text()?;
                Self::Get(group(of)?, since(time)?)
            }
            "WHO" => Self::Who(group(words.one()?)?),
            "MEMBERS" => Self::Members(group(words.one()?)?),
            "STATUS" => Self::Status(availability(words.one()?)?),
            name => {
                words.none()?;
                alone(name).ok_or(Wrong::Form)?
            }
        })
    }

    /// Whether it is answered without a log-in.
    pub fn is_for_all(&self) -> bool {
        matches!(self, Self::Login { .. } | Self::Help | Self::Quit)
    }

    /// Whether the session counts it as a request.
    pub fn is_request(&self) -> bool {
        match self {
            Self::Say(..) | Self::Msg(..) | Self::Sub | Self::Ping => false,
            command => !command.is_for_all(),
        }
    }
}

/// All instructions, for people.
pub fn help() -> String {
    let line = |(form, what): &(&str, &str)| format!("{form:<21} {what}\r\n");
    FORMS.iter().map(line).collect()
}

fn name(form: &str) -> &str {
    form.split(' ').next().unwrap_or(form)
}

fn malformed(text: &str) -> Mistake {
    Mistake {
        code: Code::Malformed,
        text: text.to_owned(),
    }
}

/// Why there is no command in a line that names one.
enum Wrong {
    /// Too few words, or too many.
    Form,
    /// A word is wrong.
    Word(Mistake),
}

impl From<Mistake> for Wrong {
    fn from(mistake: Mistake) -> Self {
        Self::Word(mistake)
    }
}

/// What follows the instruction and a space.
struct Words<'a>(Option<&'a str>);

impl<'a> Words<'a> {
    fn none(self) -> Result<(), Wrong> {
        self.0.map_or(Ok(()), |_| Err(Wrong::Form))
    }

    fn one(self) -> Result<&'a str, Wrong> {
        let word = self
            .0
            .filter(|rest| !rest.is_empty() && !rest.contains(' '));
        word.ok_or(Wrong::Form)
    }

    fn two(self) -> Result<(&'a str, &'a str), Wrong> {
        let (first, rest) = self.and_text()?;
        Ok((first, Words(Some(rest)).one()?))
    }

    /// A word, and the rest of the line as it stands.
    fn and_text(self) -> Result<(&'a str, &'a str), Wrong> {
        let words = self.0.and_then(|rest| rest.split_once(' '));
        let words = words.filter(|(word, text)| !word.is_empty() && !text.is_empty());
        words.ok_or(Wrong::Form)
    }
}

fn alone(name: &str) -> Option<Command> {
    Some(match name {
        "GROUPS" => Command::Groups,
        "FRIENDS" => Command::Friends,
        "SUB" => Command::Sub,
        "PING" => Command::Ping,
        "HELP" => Command::Help,
        "QUIT" => Command::Quit,
        _ => return None,
    })
}

fn group(word: &str) -> Result<GroupId, Mistake> {
    GroupId::new(word).map_err(invalid)
}

fn user(word: &str) -> Result<UserId, Mistake> {
    UserId::new(word).map_err(invalid)
}

fn invalid(error: IdError) -> Mistake {
    Mistake {
        code: Code::InvalidId,
        text: error.to_string(),
    }
}

fn create(words: Words) -> Result<Command, Wrong> {
    let (id, title) = match words.0 {
        Some(rest) if rest.contains(' ') => words.and_text()?,
        _ => (words.one()?, ""),
    };
    if title.len() > TEXT_BYTES_MAX {
        let text = format!("a title has at most {TEXT_BYTES_MAX} bytes");
        return Err(malformed(&text).into());
    }
    Ok(Command::Create {
        group: group(id)?,
        title: SmolStr::new(title),
    })
}

fn since(time: &str) -> Result<Stamp, Mistake> {
    let wrong = || malformed("a datetime is written 2014-08-11 12:12:12.123, in UTC");
    datetime::read(time).ok_or_else(wrong)
}

fn availability(word: &str) -> Result<Availability, Mistake> {
    match word.to_ascii_lowercase().as_str() {
        "online" => Ok(Availability::Online),
        "away" => Ok(Availability::Away),
        "busy" => Ok(Availability::Busy),
        "invisible" => Ok(Availability::Invisible),
        _ => Err(malformed("a status is online, away, busy or invisible")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistake(line: &str) -> (u32, String) {
        let mistake = Command::read(line).unwrap_err();
        (mistake.code.number(), mistake.text)
    }

    #[test]
    fn each_form_is_told_where_words_are_too_few_or_too_many() {
        for (form, _) in FORMS {
            let name = name(form);
            let words = form.split(' ').count();
            let mut wrong = vec![format!("{name} "), format!("{name}  ")];
            if words > 1 {
                wrong.push(name.to_owned());
                wrong.push(format!("{name}  tea"));
            }
            let has_text = ["text", "datetime", "[title]"];
            if has_text.iter().any(|text| form.ends_with(text)) {
                wrong.push(format!("{name} tea "));
            } else {
                wrong.push(format!("{name}{} more", " tea".repeat(words - 1)));
            }
            for line in wrong {
                let text = format!("the form is: {form}");
                assert_eq!(mistake(&line), (402, text), "{line:?}");
            }
        }
    }

    #[test]
    fn an_instruction_is_upper_or_lower_case() {
        for line in ["PING", "ping", "Ping"] {
            assert_eq!(Command::read(line), Ok(Command::Ping));
        }
        let unknown = (402, "no such instruction; HELP lists them".to_owned());
        for line in ["PINGS", "PIN", "\u{e9}", " PING", "ping\t", "GET/ HTTP/1.1"] {
            assert_eq!(mistake(line), unknown, "{line:?}");
        }
    }

    #[test]
    fn text_is_the_rest_of_the_line_as_it_stands() {
        let tea = GroupId::new("tea").unwrap();
        let said = Command::Say(tea, " two  spaces\tand a tab ".to_owned());
        assert_eq!(Command::read("SAY tea  two  spaces\tand a tab "), Ok(said));
    }

    #[test]
    fn words_are_checked() {
        for line in [
            "JOIN t\u{e9}a",
            "LOGIN a/b -",
            "MSG a:b hi",
            "KICK tea b\tn",
        ] {
            assert_eq!(mistake(line).0, 110, "{line:?}");
        }
        let long = "a".repeat(65);
        assert_eq!(mistake(&format!("WHO {long}")).0, 110);
        assert!(mistake("STATUS asleep").1.starts_with("a status is"));
        assert!(mistake("GET tea yesterday").1.starts_with("a datetime"));
        let title = format!("CREATE tea {}", "t".repeat(257));
        assert!(mistake(&title).1.starts_with("a title has"));
        assert!(Command::read(&title[..title.len() - 1]).is_ok());
    }
}
