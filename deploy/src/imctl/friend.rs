//! `imctl friend`: friendships, for a back end that has no API to make them by.
//!
//! Owns the steps that make one. Must not know who carries them out: each is a
//! change in one user's name, by that user's shard and the peer's.

use clap::Subcommand;
use proto::friends::{FriendAction, FriendList, Relation};
use proto::ids::UserId;
use serde::Serialize;
use service::admin::{Answer, Change, Question};

use crate::daemons::{Daemons, done};
use crate::output::{Output, table};

/// What may be done about friendships.
#[derive(Debug, Subcommand)]
pub enum Order {
    /// Makes two users friends: the one asks, the other accepts.
    Add {
        /// Who asks.
        user: UserId,
        /// Who accepts.
        peer: UserId,
    },
    /// Ends a friendship, or takes a request back.
    Remove {
        /// In whose name.
        user: UserId,
        /// With whom.
        peer: UserId,
    },
    /// Shows a user's friends, requests and blocks.
    List {
        /// Whose.
        user: UserId,
    },
}

/// Carries it out.
///
/// # Errors
/// A shard or the friend service does not answer, or refuses.
pub async fn friend(daemons: &Daemons, order: Order, output: Output) -> anyhow::Result<()> {
    match order {
        Order::Add { user, peer } => {
            change(daemons, &user, &peer, FriendAction::Request).await?;
            change(daemons, &peer, &user, FriendAction::Accept).await?;
            output.show(&Pair::of(&user, &peer, "friends"), Pair::text)
        }
        Order::Remove { user, peer } => {
            change(daemons, &user, &peer, FriendAction::Remove).await?;
            output.show(&Pair::of(&user, &peer, "strangers"), Pair::text)
        }
        Order::List { user } => {
            let list = List::of(&user, &list(daemons, user.clone()).await?);
            output.show(&list, List::text)
        }
    }
}

async fn change(
    daemons: &Daemons,
    user: &UserId,
    peer: &UserId,
    action: FriendAction,
) -> anyhow::Result<()> {
    let question = Question::ChangeFriend(Change {
        user: user.clone(),
        peer: peer.clone(),
        action,
    });
    let pick = |answer| match answer {
        Answer::Changed(changed) => Some(changed.code),
        _ => None,
    };
    let code = daemons.ask_one(&question, pick).await?;
    done(code).map_err(|error| error.context(format!("{user} with {peer}")))
}

async fn list(daemons: &Daemons, user: UserId) -> anyhow::Result<FriendList> {
    let pick = |answer| match answer {
        Answer::Friends(friends) => Some(friends),
        _ => None,
    };
    let friends = daemons.ask_one(&Question::Friends(user), pick).await?;
    done(friends.code)?;
    Ok(FriendList::try_from(friends.list.unwrap_or_default())?)
}

/// What two users are now.
#[derive(Debug, Serialize)]
struct Pair {
    user: String,
    peer: String,
    are: &'static str,
}

impl Pair {
    fn of(user: &UserId, peer: &UserId, are: &'static str) -> Self {
        Self {
            user: user.to_string(),
            peer: peer.to_string(),
            are,
        }
    }

    fn text(&self) -> String {
        format!("{} and {} are {}\n", self.user, self.peer, self.are)
    }
}

/// A friend list.
#[derive(Debug, Serialize)]
struct List {
    user: String,
    version: u64,
    hash: String,
    entries: Vec<Entry>,
}

#[derive(Debug, Serialize)]
struct Entry {
    user: String,
    relation: &'static str,
    blocked: bool,
}

impl List {
    fn of(user: &UserId, list: &FriendList) -> Self {
        let entries = list.entries().iter().map(|entry| Entry {
            user: entry.user.to_string(),
            relation: relation(entry.relation),
            blocked: entry.blocked,
        });
        Self {
            user: user.to_string(),
            version: list.version().0,
            hash: list.hash().to_string(),
            entries: entries.collect(),
        }
    }

    fn text(&self) -> String {
        let (user, count, version) = (&self.user, self.entries.len(), self.version);
        let mut text = format!(
            "{user}: {count} entries, version {version}, MD5 {}\n",
            self.hash
        );
        let row = |entry: &Entry| {
            let blocked = if entry.blocked { "blocked" } else { "" };
            [
                entry.user.clone(),
                entry.relation.to_owned(),
                blocked.to_owned(),
            ]
        };
        let rows: Vec<_> = self.entries.iter().map(row).collect();
        text += &table(["user", "relation", "mark"], &rows);
        text
    }
}

fn relation(relation: Relation) -> &'static str {
    match relation {
        Relation::None => "none",
        Relation::Requested => "requested",
        Relation::Invited => "invited",
        Relation::Friend => "friend",
    }
}
