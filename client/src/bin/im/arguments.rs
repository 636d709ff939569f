//! What stands on the command line.

pub mod groups;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use client::{DeviceId, UserId};

use self::groups::{GroupArguments, History, Send};

/// Chat in a terminal; F1 lists the keys. In a pipe one line in is one message
/// or command, and one line out is one event; `/help` lists the commands.
#[derive(Debug, Parser)]
#[command(name = "im", version, args_conflicts_with_subcommands = true)]
#[command(subcommand_negates_reqs = true, arg_required_else_help = true)]
#[command(disable_help_subcommand = true)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,

    #[command(flatten)]
    pub login: Option<Login>,

    /// Line by line at a terminal too, for one that is no screen.
    #[arg(long)]
    pub lines: bool,

    /// No bell for messages that are not looked at; F3 turns it on.
    #[arg(long)]
    pub no_bell: bool,
}

/// Who logs in, where, and by what right.
#[derive(Debug, Args)]
pub struct Login {
    /// Who you are; with a token, the token's user.
    pub user: UserId,

    /// Where the server listens.
    #[arg(long, value_name = "NAME:PORT", default_value = "127.0.0.1:7100")]
    pub connect: String,

    /// Which device this is; a random one if not given. The same device
    /// elsewhere is logged out.
    #[arg(long, value_name = "NAME")]
    pub device: Option<DeviceId>,

    /// A signed token (see `im token --help`); none for a server in open mode.
    #[arg(long, value_name = "TOKEN", env = "IM_TOKEN", hide_env_values = true)]
    pub token: Option<String>,

    /// TLS, with whom this system trusts.
    #[arg(long)]
    pub tls: bool,

    /// TLS, trusting this certificate (PEM) and nobody else.
    #[arg(long, value_name = "FILE")]
    pub tls_ca: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Lists the devices on which you are logged in, or logs one of them out.
    Devices(Devices),

    /// Makes a token, or a key pair for making tokens, for trying. (A user
    /// called `token`, or as another of these words, writes `im -- token`.)
    Token(Token),

    /// Begins a group, joins it, leaves it, says who is in it and what they may
    /// do.
    Group(GroupArguments),

    /// Sends one message, to a group or to somebody.
    Send(Send),

    /// Prints what was written and done in a group.
    History(History),
}

#[derive(Debug, Args)]
pub struct Devices {
    #[command(flatten)]
    pub login: Login,

    /// Logs this device of yours out.
    #[arg(long, value_name = "DEVICE")]
    pub end: Option<DeviceId>,
}

#[derive(Debug, Args)]
pub struct Token {
    /// Writes a new Ed25519 key to FILE and its public half to FILE.pub.
    #[arg(long, value_name = "FILE", exclusive = true)]
    pub new_key: Option<PathBuf>,

    /// Whom the token logs in.
    #[arg(long, required_unless_present = "new_key")]
    pub user: Option<UserId>,

    /// The signing key: PEM for eddsa, the bare secret for hs256.
    #[arg(long, value_name = "FILE", required_unless_present = "new_key")]
    pub key_file: Option<PathBuf>,

    /// The key's name, as the server knows it.
    #[arg(long)]
    pub kid: Option<String>,

    /// How the token is signed.
    #[arg(long, value_enum, default_value_t = Signature::Eddsa)]
    pub alg: Signature,

    /// For how many seconds it holds.
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400)]
    pub ttl: u64,

    /// Binds the token to this device.
    #[arg(long)]
    pub device: Option<DeviceId>,

    /// The user's name for people.
    #[arg(long)]
    pub name: Option<String>,
}

/// How a token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Signature {
    /// Ed25519.
    Eddsa,
    /// HMAC with SHA-256.
    Hs256,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parse(line: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(line.split(' '))
    }

    #[test]
    fn a_bare_name_chats_and_a_subcommand_makes_tokens() {
        Arguments::command().debug_assert();
        let chat = parse("im alice --device desk").unwrap().login.unwrap();
        assert_eq!(chat.user.as_str(), "alice");
        assert_eq!(chat.connect, "127.0.0.1:7100");
        assert_eq!(chat.device.unwrap().as_str(), "desk");
        let arguments = parse("im token --user alice --key-file k --alg hs256").unwrap();
        let Some(Command::Token(token)) = arguments.command else {
            panic!("a token");
        };
        assert_eq!(token.alg, Signature::Hs256);
        assert!(parse("im token --new-key k").is_ok());
        assert!(parse("im token --new-key k --user alice").is_err());
        assert!(parse("im token --user alice").is_err());
        let arguments = parse("im devices alice --end desk").unwrap();
        let Some(Command::Devices(devices)) = arguments.command else {
            panic!("devices");
        };
        assert_eq!(devices.end.unwrap().as_str(), "desk");
        assert!(parse("im devices").is_err());
        assert!(parse("im").is_err());
        assert!(parse("im al/ice").is_err());
        let user = parse("im -- token").unwrap().login.unwrap().user;
        assert_eq!(user.as_str(), "token");
    }
}
