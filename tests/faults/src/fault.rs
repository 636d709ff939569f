//! What may happen to a cluster.
//!
//! Owns the list of faults and how long each lasts. Must not know how one is
//! brought about.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use clap::ValueEnum;

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum)]
pub enum What {
    /// kill -9; started again when the fault is over.
    ShardKilled,
    /// SIGSTOP, and SIGCONT when the fault is over.
    ShardFrozen,
    /// SIGTERM; started again.
    ShardStopped,
    /// Its connections to Redis are reset, and so are new ones.
    ShardCutFromRedis,
    /// Its connections to Redis carry nothing.
    ShardStalledFromRedis,
    /// Its connections to all friend services are reset, and so are new ones.
    ShardCutFromFriends,
    /// All gateways' links to it are reset.
    LinksCut,
    /// All gateways' links to it carry nothing.
    LinksStalled,
    /// They carry everything later.
    LinksSlow,
    /// One of them is reset, once.
    LinkReset,
    /// An operator moves its slots away, and back.
    ShardDrained,
    /// An operator gives it three times its share, and the old one again.
    ShardWeighed,
    /// An operator takes it off; it ends, and is started again.
    ShardRemoved,
    /// One more shard comes; it is stopped when the fault is over.
    ShardJoins,
    /// kill -9; started again.
    GatewayKilled,
    /// SIGSTOP, and SIGCONT.
    GatewayFrozen,
    /// SIGTERM: its clients move; started again.
    GatewayStopped,
    /// Its connections to Redis are reset, and so are new ones.
    GatewayCutFromRedis,
    /// All its clients' connections are reset.
    ClientsCut,
    /// All its clients' connections carry nothing.
    ClientsStalled,
    /// kill -9; started again.
    FriendsKilled,
    /// SIGSTOP, and SIGCONT.
    FriendsFrozen,
    /// Its connections to Redis are reset, and so are new ones.
    FriendsCutFromRedis,
    /// Its connections to Redis carry nothing.
    FriendsStalledFromRedis,
    /// kill -9; started again on what it left.
    RedisKilled,
    /// SIGSTOP, and SIGCONT.
    RedisFrozen,
}

/// Which part it happens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Whom {
    /// A shard, by its number.
    Shard(usize),
    /// A gateway, by its number.
    Gateway(usize),
    /// A friend service, by its number.
    Friends(usize),
    /// Redis.
    Redis,
}

/// One fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// What happens.
    pub what: What,
    /// To which part.
    pub whom: Whom,
    /// For how long.
    pub span: Duration,
}

/// Below a lease (3 s), and what daemons bear without a word.
const SHORT: Range<u64> = 300..1_500;
/// Beyond a lease.
const LONG: Range<u64> = 4_000..6_500;
/// Beyond the silence after which a link is given up (5 s).
const SILENT: Range<u64> = 5_500..7_500;
/// For what has no such bound.
const SOME: Range<u64> = 1_500..4_000;

impl What {
    /// In milliseconds: one of these ranges is taken.
    pub fn spans(self) -> &'static [Range<u64>] {
        match self {
            Self::ShardKilled
            | Self::ShardFrozen
            | Self::ShardCutFromRedis
            | Self::ShardStalledFromRedis
            | Self::RedisKilled
            | Self::RedisFrozen => &[SHORT, LONG],
            Self::LinksCut | Self::LinksStalled | Self::GatewayFrozen | Self::ClientsStalled => {
                &[SHORT, SILENT]
            }
            Self::GatewayCutFromRedis => &[LONG],
            Self::LinkReset | Self::ClientsCut => &[SHORT],
            Self::ShardStopped
            | Self::ShardCutFromFriends
            | Self::LinksSlow
            | Self::ShardDrained
            | Self::ShardWeighed
            | Self::ShardRemoved
            | Self::ShardJoins
            | Self::GatewayKilled
            | Self::GatewayStopped
            | Self::FriendsKilled
            | Self::FriendsFrozen
            | Self::FriendsCutFromRedis
            | Self::FriendsStalledFromRedis => &[SOME],
        }
    }

    /// Whether a part must be there for it to be seen: it happens on the way to
    /// that part, or on the way to a shard, which takes no links without a
    /// lease.
    pub fn needs(self, whom: Whom) -> bool {
        match whom {
            Whom::Redis => matches!(
                self,
                Self::ShardCutFromRedis
                    | Self::ShardStalledFromRedis
                    | Self::GatewayCutFromRedis
                    | Self::FriendsCutFromRedis
                    | Self::FriendsStalledFromRedis
                    | Self::LinksCut
                    | Self::LinksStalled
                    | Self::LinksSlow
                    | Self::LinkReset
                    | Self::ShardJoins
            ),
            Whom::Friends(_) => self == Self::ShardCutFromFriends,
            Whom::Shard(_) | Whom::Gateway(_) => false,
        }
    }

    /// As it is written on the command line.
    pub fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

impl fmt::Display for Whom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shard(number) => write!(f, "shard {}", crate::stage::SHARDS[*number]),
            Self::Gateway(number) => write!(f, "gateway {}", number + 1),
            Self::Friends(number) => write!(f, "friend service {}", number + 1),
            Self::Redis => f.write_str("Redis"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, millis) = (self.what.name(), self.span.as_millis());
        write!(f, "{what}, {}, {millis} ms", self.whom)
    }
}
