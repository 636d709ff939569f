//! The command line.
//!
//! Owns what can be asked for. Must not know how it is done.

mod cluster;
mod failover;
mod fanout;

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::attack::Attack;

pub use cluster::{Cluster, Sync};
pub use failover::{Change, Failover};
pub use fanout::{Fanout, RelayFanout, Room};

/// Measures the cluster, or a bare relay under the same load.
///
/// The last line on stdout is JSON; README.md tells what it means. Everything
/// else goes to stderr.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Arguments {
    /// What to measure.
    #[command(subcommand)]
    pub bench: Bench,
}

/// What to measure.
#[derive(Debug, Subcommand)]
pub enum Bench {
    /// Pairs of users write to each other through a cluster.
    Chat(Chat),
    /// Users are logged in to a cluster and silent.
    Idle(Idle),
    /// The load of `chat` on a bare TCP relay: the floor.
    Relay(Relay),
    /// Users of a friend graph log in to a cluster.
    Login(Login),
    /// Users of a friend graph turn visible, all at once.
    Presence(Presence),
    /// Messages to users who are away are stored, and drained.
    Offline(Offline),
    /// A part of the cluster is killed in mid-load, and comes back.
    Crash(Crash),
    /// A part of the cluster goes for good, and others have its users.
    Failover(Failover),
    /// One member of a group writes, and all members get it.
    Fanout(Fanout),
    /// The load of `fanout` on a bare TCP relay: the floor.
    RelayFanout(RelayFanout),
    /// A mixed load for a long time, with restarts.
    Soak(Soak),
    /// Pairs of users write to each other, while others are unfair.
    Unfair(Unfair),
    /// Everything, as a table beside its targets.
    All(All),
    /// One attacker; `unfair` starts it.
    #[command(hide = true)]
    Attack {
        /// What it does.
        attack: Attack,
        /// Where it connects.
        #[arg(long = "gateway", required = true)]
        gateways: Vec<SocketAddr>,
    },
    /// The relay itself; `relay` and `relay-fanout` start it.
    #[command(hide = true)]
    RelayServer {
        /// Where it listens.
        #[arg(long)]
        listen: SocketAddr,
        /// What one writes goes to all.
        #[arg(long)]
        all: bool,
    },
}

/// `chat`
#[derive(Debug, Args)]
pub struct Chat {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub load: Load,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub cluster: Cluster,
    /// Only friends may write: make each pair friends first.
    #[arg(long)]
    pub friends: bool,
}

/// `idle`
#[derive(Debug, Args)]
pub struct Idle {
    /// Sessions.
    #[arg(long, default_value = "10000")]
    pub n: NonZeroUsize,
    /// Over TLS.
    #[arg(long)]
    pub tls: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub cluster: Cluster,
    /// Measure so often, each time with new processes.
    #[arg(long, default_value = "1")]
    pub runs: NonZeroUsize,
}

/// `relay`
#[derive(Debug, Args)]
pub struct Relay {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub load: Load,
    /// The recipient answers each message: four frames in all.
    #[arg(long)]
    pub acked: bool,
}

/// `login`
#[derive(Debug, Args)]
pub struct Login {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub graph: Graph,
    /// How users show who they are.
    #[arg(long, value_enum, default_value = "none")]
    pub token: Signature,
    /// Log-ins at a time.
    #[arg(long, default_value = "64")]
    pub in_flight: NonZeroUsize,
    /// Then log all out, and in again with the hashes of their friend lists.
    #[arg(long)]
    pub again: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub cluster: Cluster,
    /// Measure so often, each time with new processes.
    #[arg(long, default_value = "1")]
    pub runs: NonZeroUsize,
}

/// How a token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Signature {
    /// There is no token; the server runs in open mode.
    None,
    /// Ed25519.
    Eddsa,
}

impl Signature {
    /// As it is written on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Eddsa => "eddsa",
        }
    }
}

/// `presence`
#[derive(Debug, Args)]
pub struct Presence {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub graph: Graph,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub cluster: Cluster,
    /// Measure so often, each time with new processes.
    #[arg(long, default_value = "1")]
    pub runs: NonZeroUsize,
}

/// Who is whose friend.
#[derive(Debug, Clone, Args)]
pub struct Graph {
    /// Users.
    #[arg(long, default_value = "2000")]
    pub users: NonZeroUsize,
    /// Friends of each user; an even number.
    #[arg(long, default_value_t = 20)]
    pub friends: usize,
}

/// `offline`
#[derive(Debug, Args)]
pub struct Offline {
    /// Users who are away.
    #[arg(long, default_value = "500")]
    pub users: NonZeroUsize,
    /// Messages for each of them.
    #[arg(long, default_value = "200")]
    pub per: NonZeroUsize,
    /// Users who write to them.
    #[arg(long, default_value = "64")]
    pub senders: NonZeroUsize,
    /// Messages that each sender keeps unanswered.
    #[arg(long, default_value = "16")]
    pub window: NonZeroUsize,
    /// Users who come back at a time.
    #[arg(long, default_value = "16")]
    pub in_flight: NonZeroUsize,
    /// The body of a message, in bytes.
    #[arg(long, default_value_t = 100)]
    pub size: usize,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub cluster: Cluster,
    /// Measure so often, each time with new processes.
    #[arg(long, default_value = "1")]
    pub runs: NonZeroUsize,
}

/// `crash`
#[derive(Debug, Args)]
pub struct Crash {
    /// Pairs of users who are there; both write.
    #[arg(long, default_value = "50")]
    pub pairs: NonZeroUsize,
    /// Users who are away.
    #[arg(long, default_value = "200")]
    pub users: NonZeroUsize,
    /// Users who write to them.
    #[arg(long, default_value = "32")]
    pub senders: NonZeroUsize,
    /// Messages that each writer keeps unanswered.
    #[arg(long, default_value = "8")]
    pub window: NonZeroUsize,
    /// How long messages are sent, in seconds.
    #[arg(long, default_value = "10")]
    pub secs: NonZeroU32,
    /// How often it is killed within that time.
    #[arg(long, default_value = "1")]
    pub kills: NonZeroU32,
    /// The body of a message, in bytes.
    #[arg(long, default_value_t = 100)]
    pub size: usize,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub cluster: Cluster,
    /// Measure so often, each time with new processes.
    #[arg(long, default_value = "1")]
    pub runs: NonZeroUsize,
}

/// `soak`
#[derive(Debug, Args)]
pub struct Soak {
    /// How long it runs, in minutes.
    #[arg(long, default_value = "30")]
    pub minutes: NonZeroU32,
    /// The same in seconds: a short run.
    #[arg(long, conflicts_with = "minutes")]
    pub secs: Option<NonZeroU32>,
    /// How often a part is started again within that time.
    #[arg(long, default_value = "9")]
    pub restarts: NonZeroU32,
    /// Messages per second of all users together.
    #[arg(long, default_value = "2000")]
    pub rate: NonZeroU32,
    /// Pairs of users who are there; both write.
    #[arg(long, default_value = "50")]
    pub pairs: NonZeroUsize,
    /// Users who are away, and come by.
    #[arg(long, default_value = "200")]
    pub users: NonZeroUsize,
    /// Users who write to them.
    #[arg(long, default_value = "8")]
    pub senders: NonZeroUsize,
    /// Messages that each writer keeps unanswered.
    #[arg(long, default_value = "8")]
    pub window: NonZeroUsize,
    /// The body of a message, in bytes.
    #[arg(long, default_value_t = 100)]
    pub size: usize,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub cluster: Cluster,
}

/// `unfair`
#[derive(Debug, Args)]
pub struct Unfair {
    /// Only this attack, beside none; may be given more than once.
    #[arg(long)]
    pub only: Vec<Attack>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub load: Load,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub cluster: Cluster,
}

/// `all`
#[derive(Debug, Args)]
pub struct All {
    /// A short run, to see that everything runs: its figures mean nothing.
    #[arg(long)]
    pub quick: bool,
    /// Take the daemons from this directory, and build nothing.
    #[arg(long)]
    pub binaries: Option<PathBuf>,
}

/// What is sent.
#[derive(Debug, Clone, Args)]
pub struct Load {
    /// Pairs of users; both write.
    #[arg(long, default_value = "100")]
    pub pairs: NonZeroUsize,
    /// Messages per second of all users together: an open loop.
    #[arg(long, default_value = "5000")]
    pub rate: NonZeroU32,
    /// Messages that each user keeps unanswered: a closed loop, the maximum.
    #[arg(long, conflicts_with = "rate")]
    pub closed: Option<NonZeroUsize>,
    /// How long messages are sent, in seconds.
    #[arg(long, default_value = "10")]
    pub secs: NonZeroU32,
    /// The body of a message, in bytes.
    #[arg(long, default_value_t = 100)]
    pub size: usize,
    /// Threads of the generator.
    #[arg(long, default_value = "1")]
    pub threads: NonZeroUsize,
    /// Measure so often, each time with new processes.
    #[arg(long, default_value = "1")]
    pub runs: NonZeroUsize,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_documented_commands_are_understood() {
        for line in [
            "bench chat --pairs 100 --rate 5000 --secs 10",
            "bench chat --closed 8 --processes --connds 2 --msgds 2",
            "bench idle --n 10000",
            "bench idle --n 4000 --tls --processes",
            "bench relay --acked --rate 5000",
            "bench login --users 2000 --friends 20 --token eddsa --again",
            "bench presence --users 2000 --friends 20",
            "bench offline --users 500 --per 200 --senders 64 --window 16",
            "bench offline --processes --msgds 2 --redis everysec",
            "bench crash --processes --kills 3",
            "bench failover --processes --msgds 3 --redis always",
            "bench failover --of drain --processes --msgds 3 --redis always",
            "bench failover --of connd --n 10000 --processes --connds 2",
            "bench fanout --members 500 --connds 2 --rate 10",
            "bench fanout --members 2000 --rate 2.5 --deaf 100",
            "bench fanout --closed 4 --msgds 2",
            "bench relay-fanout --members 10000 --rate 0.5",
            "bench soak --minutes 30 --processes",
            "bench soak --secs 20 --restarts 3",
            "bench unfair --rate 5000 --secs 5 --processes",
            "bench all --quick",
        ] {
            Arguments::try_parse_from(line.split(' ')).unwrap();
        }
        for line in [
            "bench chat --connds 2",
            "bench chat --closed 8 --rate 10",
            "bench chat --redis always",
            "bench fanout --rate 0",
            "bench relay-fanout --rate 1 --closed 4",
        ] {
            assert!(Arguments::try_parse_from(line.split(' ')).is_err());
        }
    }
}
