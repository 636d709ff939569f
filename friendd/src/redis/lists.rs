//! Friend lists in Redis: reads, and writes of one list or of two.
//!
//! Owns the steps of a change, and that what somebody else has left half done
//! is brought to its end before anything else is. Must not know what a change
//! means.

use std::sync::Arc;

use friendd_core::event::Replacement;
use proto::friends::{FriendList, ListHash, ListVersion};
use proto::ids::UserId;
use shared::{Failure, Value};
use thiserror::Error;

use super::edition::Edition;
use super::intent::{Intent, Written};
use super::script::{self, Scripts};
use super::wire::Wire;
use crate::record;

/// How often a user is looked at again, whom others keep changing.
const LOOKS_MAX: usize = 16;

/// Why a list cannot be read, or it is not known whether it was written.
#[derive(Debug, Error)]
pub(super) enum Trouble {
    /// Told where it was seen.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// The operator must act.
    #[error("what is stored of {0} cannot be read")]
    Unreadable(UserId),
    /// Tried again, it may come through.
    #[error("others change {0} all the time")]
    Busy(UserId),
}

/// What is stored of a user, compared with a hash.
#[derive(Debug)]
pub(super) enum Found {
    /// The list with that hash has this version.
    Same(ListVersion),
    /// It is another.
    List(Arc<FriendList>),
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Saved {
    /// It is done.
    Done,
    /// Another list is stored than it was to replace, or another change was
    /// pending; nothing was done.
    Conflict,
}

/// Friend lists in Redis.
#[derive(Debug)]
pub(super) struct Lists {
    wire: Wire,
    scripts: Scripts,
}

impl Lists {
    pub(super) fn new(wire: Wire, scripts: Scripts) -> Self {
        Self { wire, scripts }
    }

    /// The list as it is after this was asked.
    pub(super) async fn load(&self, user: &UserId) -> Result<Arc<FriendList>, Trouble> {
        for _ in 0..LOOKS_MAX {
            let reply = self.wire.ask(script::load(user)).await?;
            let [pending, list] = pair(reply).ok_or_else(|| Trouble::Unreadable(user.clone()))?;
            match pending {
                Some(pending) => self.resolve(user, &pending).await?,
                None => return decoded(user, list.as_deref()),
            }
        }
        Err(Trouble::Busy(user.clone()))
    }

    /// The list as it is after this was asked, unless it has that hash.
    pub(super) async fn load_unless(
        &self,
        user: &UserId,
        hash: ListHash,
    ) -> Result<Found, Trouble> {
        let reply = self.wire.ask(script::look(user)).await?;
        let [pending, edition] = pair(reply).ok_or_else(|| Trouble::Unreadable(user.clone()))?;
        let edition = Edition::read(edition.as_deref().unwrap_or_default());
        let same = edition.and_then(|edition| edition.version_of(hash));
        match same {
            Some(version) if pending.is_none() => Ok(Found::Same(version)),
            _ => self.load(user).await.map(Found::List),
        }
    }

    /// Writes one list or two, all or none, in place of those that are given.
    pub(super) async fn save(
        &self,
        lists: &[Replacement],
        replaced: impl Fn(&UserId) -> Edition,
    ) -> Result<Saved, Trouble> {
        match lists {
            [] => Ok(Saved::Done),
            [one] => self.save_one(one, replaced(&one.user)).await,
            [one, other, ..] => {
                let (first, second) = match one.user < other.user {
                    true => (one, other),
                    false => (other, one),
                };
                let intent = Intent {
                    id: fastrand::u128(..).to_be_bytes(),
                    second: second.user.clone(),
                    replaces: replaced(&second.user),
                    new_first: Written::new(&first.list),
                    new_second: Written::new(&second.list),
                };
                let first = &first.user;
                match self.prepare(first, replaced(first), &intent).await? {
                    Saved::Done => self.carry_on(first, &intent).await,
                    Saved::Conflict => Ok(Saved::Conflict),
                }
            }
        }
    }

    async fn save_one(&self, one: &Replacement, replaces: Edition) -> Result<Saved, Trouble> {
        let new = Written::new(&one.list);
        let command = self.scripts.save(&one.user, replaces, &new);
        saved(&one.user, &self.wire.ask(command).await?)
    }

    /// The first step of a change of two lists.
    pub(super) async fn prepare(
        &self,
        first: &UserId,
        replaces: Edition,
        intent: &Intent,
    ) -> Result<Saved, Trouble> {
        let command = self.scripts.prepare(first, replaces, intent);
        saved(first, &self.wire.ask(command).await?)
    }

    /// The steps that follow, whoever has prepared it.
    async fn carry_on(&self, first: &UserId, intent: &Intent) -> Result<Saved, Trouble> {
        match self.apply(first, intent).await? {
            // It is done: who finds it unfinished finishes it.
            Saved::Done => {
                if self.finish(first, intent, Saved::Done).await.is_ok() {
                    let forget = self.scripts.forget(first, &intent.second, &intent.id);
                    self.wire.tell(forget);
                }
                Ok(Saved::Done)
            }
            Saved::Conflict => {
                self.finish(first, intent, Saved::Conflict).await?;
                Ok(Saved::Conflict)
            }
        }
    }

    /// The second step: with it the change is done, or never will be.
    pub(super) async fn apply(&self, first: &UserId, intent: &Intent) -> Result<Saved, Trouble> {
        let second = &intent.second;
        for _ in 0..LOOKS_MAX {
            match self.wire.ask(self.scripts.apply(first, intent)).await? {
                Value::BulkString(pending) => self.resolve(second, &pending).await?,
                reply => return saved(second, &reply),
            }
        }
        Err(Trouble::Busy(second.clone()))
    }

    /// The last step, after what came of the second.
    pub(super) async fn finish(
        &self,
        first: &UserId,
        intent: &Intent,
        applied: Saved,
    ) -> Result<(), Trouble> {
        let new = (applied == Saved::Done).then_some(&intent.new_first);
        let command = self.scripts.finish(first, &intent.id, new);
        // If it is not pending any more, another one has ended it.
        self.wire.ask(command).await?;
        Ok(())
    }

    /// Brings to its end what is pending at a user.
    async fn resolve(&self, first: &UserId, pending: &[u8]) -> Result<(), Trouble> {
        let intent = Intent::decode(pending)
            // What is pending at one user waits for users behind that one only:
            // so it ends.
            .filter(|intent| intent.second > *first)
            .ok_or_else(|| Trouble::Unreadable(first.clone()))?;
        let confirm = self.scripts.confirm(first, pending);
        // If it is not pending any more, another one has ended it.
        if saved(first, &self.wire.ask(confirm).await?)? == Saved::Done {
            Box::pin(self.carry_on(first, &intent)).await?;
        }
        Ok(())
    }
}

/// Two fields of a hash.
fn pair(reply: Value) -> Option<[Option<Vec<u8>>; 2]> {
    let field = |value| match value {
        Value::BulkString(bytes) => Some(Some(bytes)),
        Value::Nil => Some(None),
        _ => None,
    };
    let Value::Array(fields) = reply else {
        return None;
    };
    let [one, other] = <[Value; 2]>::try_from(fields).ok()?;
    Some([field(one)?, field(other)?])
}

fn decoded(user: &UserId, record: Option<&[u8]>) -> Result<Arc<FriendList>, Trouble> {
    let Some(record) = record else {
        return Ok(FriendList::nobody());
    };
    let list = record::decode(record).map_err(|error| {
        tracing::error!(%user, %error, "friend list cannot be read");
        Trouble::Unreadable(user.clone())
    })?;
    Ok(Arc::new(list))
}

fn saved(user: &UserId, reply: &Value) -> Result<Saved, Trouble> {
    match reply {
        Value::Int(1) => Ok(Saved::Done),
        Value::Int(0) => Ok(Saved::Conflict),
        _ => Err(Trouble::Unreadable(user.clone())),
    }
}
