//! What an operator may set of a shard's core.

use std::str::FromStr;
use std::time::Duration;

/// Who may write to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Friends only.
    Friends,
    /// Anyone who is not blocked.
    Open,
}

impl FromStr for Policy {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        match word {
            "friends" => Ok(Self::Friends),
            "open" => Ok(Self::Open),
            _ => Err(UnknownWord("friends or open")),
        }
    }
}

/// A word that is none of those allowed. The operator must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("allowed is {0}")]
pub struct UnknownWord(&'static str);

/// What a blocked sender is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocks {
    /// That they are blocked.
    Told,
    /// That they are not friends.
    Hidden,
}

impl FromStr for Blocks {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        match word {
            "told" => Ok(Self::Told),
            "hidden" => Ok(Self::Hidden),
            _ => Err(UnknownWord("told or hidden")),
        }
    }
}

/// Bounds and times of one shard.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Who may write to whom.
    pub policy: Policy,
    /// What a blocked sender is told.
    pub blocks: Blocks,
    /// A message without an acknowledgement for this long is stored.
    pub delivery_patience: Duration,
    /// A user is shown online for this long after the last connection broke.
    pub presence_linger: Duration,
    /// A snapshot of statuses is sent after this long, whole or not; what is
    /// told to another shard is told again after as long without an answer.
    pub presence_patience: Duration,
    /// A cached friend list is checked with the friend service after this long.
    pub friends_max_age: Duration,
    /// What needs a list that is not there waits this long for it.
    pub friends_patience: Duration,
    /// Answers are remembered this long.
    pub recent_window: Duration,
    /// Answers remembered of one sender to one recipient: at least 64.
    pub recent_per_sender_max: usize,
    /// Senders whose answers are remembered per recipient.
    pub recent_senders_max: usize,
    /// Messages of one user in memory without an outcome.
    pub pending_max: usize,
    /// Bytes of bodies of one user in memory without an outcome.
    pub pending_bytes_max: usize,
    /// Envelopes that wait for one user's mailbox or friend list.
    pub deferred_max: usize,
    /// Envelopes that wait for slots to be claimed or a ring to be known.
    pub waiting_max: usize,
    /// Users in memory; the longest idle goes first.
    pub users_max: usize,
    /// Sessions of one user.
    pub sessions_per_user_max: usize,
    /// Messages per second of one session; four times as many at once.
    pub session_messages_per_second: u32,
    /// Messages per second of one user; four times as many at once.
    pub user_messages_per_second: u32,
    /// Statuses that are told and not yet answered, of all users.
    pub tells_max: usize,
    /// Changes of the friend graph and requests about groups under way, of all
    /// users.
    pub acts_max: usize,
    /// Members of one group.
    pub group_members_max: usize,
    /// Whom one group may have invited, banned or not yet admitted.
    pub group_others_max: usize,
    /// Groups in which one user is.
    pub groups_per_user_max: usize,
    /// Messages per second of one group; four times as many at once.
    pub group_messages_per_second: u32,
    /// Messages per second of one member to one group; four times as many at
    /// once.
    pub member_messages_per_second: u32,
    /// Groups in memory; the longest idle goes first.
    pub groups_max: usize,
    /// Whom the groups in memory may know together.
    pub group_rows_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            policy: Policy::Friends,
            blocks: Blocks::Told,
            delivery_patience: Duration::from_millis(500),
            presence_linger: Duration::from_secs(3),
            presence_patience: Duration::from_secs(1),
            friends_max_age: Duration::from_secs(600),
            friends_patience: Duration::from_secs(1),
            recent_window: Duration::from_secs(600),
            recent_per_sender_max: 128,
            recent_senders_max: 1_024,
            pending_max: 512,
            pending_bytes_max: 2 * 1024 * 1024,
            deferred_max: 256,
            waiting_max: 16_384,
            users_max: 200_000,
            sessions_per_user_max: 16,
            session_messages_per_second: 20_000,
            user_messages_per_second: 40_000,
            tells_max: 100_000,
            acts_max: 100_000,
            group_members_max: 10_000,
            group_others_max: 1_000,
            groups_per_user_max: 500,
            group_messages_per_second: 5_000,
            member_messages_per_second: 1_000,
            groups_max: 100_000,
            group_rows_max: 1_000_000,
        }
    }
}
