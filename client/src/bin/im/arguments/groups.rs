//! What stands on the command line about groups.

use clap::{Args, Subcommand};
use client::{Action, Entrance, GroupId, Role, Stamp, UserId, Which};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::Login;
use crate::groups::command::{self, Ask};

/// The most entries that are shown.
const LAST_MAX: u64 = 10_000;

#[derive(Debug, Args)]
pub struct GroupArguments {
    #[command(subcommand)]
    pub command: GroupCommand,
}

/// What is asked of a group. First comes who asks.
#[derive(Debug, Subcommand)]
pub enum GroupCommand {
    /// Begins a group; you own it.
    Create(Create),
    /// Comes into a group, or asks to be admitted.
    Join(Of),
    /// Leaves a group, or declines an invitation to it.
    Leave(Of),
    /// Lets somebody come in.
    Invite(About),
    /// Lets somebody in who asked for it.
    Admit(About),
    /// Does not let somebody in who asked or was invited.
    Deny(About),
    /// Puts somebody out.
    Kick(About),
    /// Puts somebody out, for good.
    Ban(About),
    /// Lets somebody come in again.
    Unban(About),
    /// Lets somebody not write.
    Mute(Mute),
    /// Lets somebody write again.
    Unmute(About),
    /// Calls it something else.
    Rename(Rename),
    /// Sets how one comes in.
    Entrance(SetEntrance),
    /// Makes somebody an admin, or a mere member.
    Role(SetRole),
    /// Hands it over to another member.
    Transfer(About),
    /// Ends it, for all.
    Dissolve(Of),
    /// Lists your groups and invitations.
    List(Alone),
    /// Lists who is in it.
    Members(Of),
    /// Lists who is in it and here.
    Who(Of),
    /// Lists who was invited or asks to be admitted.
    Waiting(Of),
    /// Lists who is banned.
    Banned(Of),
}

#[derive(Debug, Args)]
pub struct Alone {
    #[command(flatten)]
    pub login: Login,
}

#[derive(Debug, Args)]
pub struct Of {
    #[command(flatten)]
    pub login: Login,
    /// Which group.
    pub group: GroupId,
}

#[derive(Debug, Args)]
pub struct About {
    #[command(flatten)]
    pub of: Of,
    /// Who.
    #[arg(value_name = "NAME")]
    pub whom: UserId,
}

#[derive(Debug, Args)]
pub struct Create {
    #[command(flatten)]
    pub of: Of,
    /// For people; its name if not given.
    pub title: Option<String>,
    /// How one comes in: open, invitation or approval.
    #[arg(long, value_name = "WORD", default_value = "open", value_parser = command::entrance)]
    pub entrance: Entrance,
}

#[derive(Debug, Args)]
pub struct Mute {
    #[command(flatten)]
    pub about: About,
    /// For so many seconds; until `unmute` if not given.
    #[arg(default_value_t = 0)]
    pub seconds: u32,
}

#[derive(Debug, Args)]
pub struct Rename {
    #[command(flatten)]
    pub of: Of,
    /// For people.
    pub title: String,
}

#[derive(Debug, Args)]
pub struct SetEntrance {
    #[command(flatten)]
    pub of: Of,
    /// How one comes in: open, invitation or approval.
    #[arg(value_name = "WORD", value_parser = command::entrance)]
    pub entrance: Entrance,
}

#[derive(Debug, Args)]
pub struct SetRole {
    #[command(flatten)]
    pub about: About,
    /// As what: admin or member.
    #[arg(value_name = "WORD", value_parser = role)]
    pub role: Role,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("recipient").required(true))]
pub struct Send {
    #[command(flatten)]
    pub login: Login,
    /// To a group; `@bob` in the text mentions bob.
    #[arg(long, value_name = "GROUP", group = "recipient")]
    pub group: Option<GroupId>,
    /// To somebody.
    #[arg(long, value_name = "NAME", group = "recipient")]
    pub to: Option<UserId>,
    /// What.
    pub text: String,
}

#[derive(Debug, Args)]
pub struct History {
    #[command(flatten)]
    pub of: Of,
    /// From this time on: `2026-11-21T12:00:00Z`, or `2026-11-21 12:00` by the
    /// clock on the wall.
    #[arg(long, value_name = "TIME", conflicts_with = "last", value_parser = time)]
    pub since: Option<Stamp>,
    /// So many of the newest.
    #[arg(long, value_name = "N", default_value_t = command::LAST as u64,
          value_parser = clap::value_parser!(u64).range(1..=LAST_MAX))]
    pub last: u64,
}

/// What is asked, of which group; without one the list of all.
pub type Asked = (Login, Option<(GroupId, Ask)>);

impl GroupCommand {
    /// Who asks, and what.
    pub fn asked(self) -> Asked {
        let of = |of: Of, ask| (of.login, Some((of.group, ask)));
        let act = |it: Of, action| of(it, Ask::Do(action));
        let about = |it: About, action: fn(UserId) -> Action| act(it.of, action(it.whom));
        match self {
            Self::List(Alone { login }) => (login, None),
            Self::Create(it) => {
                let title = it.title.unwrap_or_else(|| it.of.group.to_string());
                let (title, entrance) = (title.into(), it.entrance);
                act(it.of, Action::Create { title, entrance })
            }
            Self::Join(it) => act(it, Action::Join),
            Self::Leave(it) => act(it, Action::Leave),
            Self::Dissolve(it) => act(it, Action::Dissolve),
            Self::Invite(it) => about(it, Action::Invite),
            Self::Admit(it) => about(it, Action::Admit),
            Self::Deny(it) => about(it, Action::Deny),
            Self::Kick(it) => about(it, Action::Kick),
            Self::Ban(it) => about(it, Action::Ban),
            Self::Unban(it) => about(it, Action::Unban),
            Self::Unmute(it) => about(it, Action::Unmute),
            Self::Transfer(it) => about(it, Action::Transfer),
            Self::Mute(it) => {
                let (user, seconds) = (it.about.whom, it.seconds);
                act(it.about.of, Action::Mute { user, seconds })
            }
            Self::Role(it) => {
                let (user, role) = (it.about.whom, it.role);
                act(it.about.of, Action::SetRole { user, role })
            }
            Self::Rename(it) => {
                let title = it.title.into();
                act(it.of, Action::Rename { title })
            }
            Self::Entrance(it) => act(it.of, Action::SetEntrance(it.entrance)),
            Self::Members(it) => of(it, Ask::Members(Which::Members)),
            Self::Who(it) => of(it, Ask::Members(Which::Online)),
            Self::Waiting(it) => of(it, Ask::Members(Which::Waiting)),
            Self::Banned(it) => of(it, Ask::Members(Which::Banned)),
        }
    }
}

fn role(word: &str) -> Result<Role, String> {
    match word {
        "admin" => Ok(Role::Admin),
        "member" => Ok(Role::Member),
        _ => Err("admin or member; `transfer` makes an owner".into()),
    }
}

fn time(text: &str) -> Result<Stamp, String> {
    let at = text.parse::<Timestamp>().or_else(|_| {
        let civil = text.parse::<DateTime>()?;
        Ok(civil.to_zoned(TimeZone::system())?.timestamp())
    });
    let at = at.map_err(|error: jiff::Error| error.to_string())?;
    let micros = u64::try_from(at.as_microsecond());
    micros.map(Stamp).map_err(|_| "before 1970".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::{Arguments, Command};
    use clap::Parser;

    fn parse(line: &str) -> Result<Command, clap::Error> {
        let words = line.split(' ').map(|word| word.replace('_', " "));
        Arguments::try_parse_from(words).map(|arguments| arguments.command.unwrap())
    }

    fn asked(line: &str) -> Asked {
        match parse(line).unwrap() {
            Command::Group(arguments) => arguments.command.asked(),
            other => panic!("of a group, not {other:?}"),
        }
    }

    #[test]
    fn who_asks_comes_first_then_the_group_then_about_whom() {
        let (login, ask) = asked("im group create alice choir The_choir --entrance approval");
        assert_eq!(login.user.as_str(), "alice");
        let create = Action::Create {
            title: "The choir".into(),
            entrance: Entrance::Approval,
        };
        assert_eq!(ask, Some(("choir".parse().unwrap(), Ask::Do(create))));
        let mute = |line| match asked(line).1 {
            Some((_, Ask::Do(Action::Mute { user, seconds }))) => (user.to_string(), seconds),
            other => panic!("a mute, not {other:?}"),
        };
        assert_eq!(mute("im group mute alice choir bob 60"), ("bob".into(), 60));
        assert_eq!(mute("im group mute alice choir bob"), ("bob".into(), 0));
        assert_eq!(asked("im group list alice --device desk").1, None);
        let who = Some(("choir".parse().unwrap(), Ask::Members(Which::Online)));
        assert_eq!(asked("im group who alice choir").1, who);
        for wrong in [
            "im group",
            "im group join alice",
            "im group kick alice choir",
            "im group role alice choir bob owner",
            "im group entrance alice choir ajar",
            "im send alice hello",
            "im send alice --to bob --group choir hello",
            "im history alice choir --last 0",
            "im history alice choir --last 5 --since 2026-11-21T12:00:00Z",
            "im history alice choir --since yesterday",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert!(parse("im send alice --group choir hello").is_ok());
    }

    #[test]
    fn a_time_has_a_zone_or_is_by_the_clock_on_the_wall() {
        let noon = Stamp(1_795_262_400_000_000);
        assert_eq!(time("2026-11-21T12:00:00Z"), Ok(noon));
        assert_eq!(time("2026-11-21T14:00:00+02:00"), Ok(noon));
        let wall = time("2026-11-21 12:00").unwrap();
        assert_eq!(crate::groups::friendly::clock(wall, "%H:%M"), "12:00");
    }
}
