//! A user's friend list at the shard, and when to ask the friend service.
//!
//! Owns the table 'Friend lists and their MD5' of the design: every row is a
//! test below. Must not know how the friend service is asked.

use std::sync::Arc;
use std::time::Duration;

use proto::clock::Moment;
use proto::codes::Code;
use proto::friends::{FriendList, ListHash, ListVersion, Relation};
use proto::ids::{SessionRef, UserId};

use crate::named::Named;
use crate::settings::{Blocks, Policy};

/// A user causes at most one question about hashes in this time, whatever
/// hashes are sent.
const ASK_PAUSE: Duration = Duration::from_secs(1);

/// One user's list.
#[derive(Debug, Default)]
pub struct Friends {
    list: Option<Arc<FriendList>>,
    /// Rule 11: lists go forward.
    highest: ListVersion,
    checked_at: Moment,
    /// It may not be the newest, as a change went out and no answer came: so
    /// many answers of the friend service are still to confirm or replace it.
    /// Until then it is gone by all the same: nothing was acknowledged that it
    /// does not have.
    doubts: u8,
    asking: bool,
    /// Not before this is it asked about hashes again.
    may_ask_at: Moment,
    /// What other hashes were named. Rare, and there are many users.
    named: Option<Box<Named>>,
}

/// What to do about a hash that a client named.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the list's, or none was named: nothing.
    Fine,
    /// The client is the stale one, and is told.
    Stale,
    /// The friend service is to be asked.
    Ask,
    /// It is being asked; the client hears later.
    Wait,
}

/// Whether there is a list to go by.
#[derive(Debug, PartialEq, Eq)]
pub enum Lookup {
    /// There is.
    Known(Arc<FriendList>),
    /// The friend service is to be asked, and the asker waits.
    Ask,
    /// It is being asked, and the asker waits.
    Wait,
}

impl Friends {
    /// The list, if there is one of any age.
    pub fn list(&self) -> Option<&Arc<FriendList>> {
        self.list.as_ref()
    }

    /// The hash of the list, for a question that need not be answered with an
    /// equal list.
    pub fn hash(&self) -> Option<ListHash> {
        self.list.as_ref().map(|list| list.hash())
    }

    /// Whether the friend service is being asked.
    pub fn is_asking(&self) -> bool {
        self.asking
    }

    /// A list to go by, not older than `max_age`.
    pub fn look_up(&self, now: Moment, max_age: Duration) -> Lookup {
        match &self.list {
            Some(list) if now.since(self.checked_at) <= max_age => Lookup::Known(list.clone()),
            _ if self.asking => Lookup::Wait,
            _ => Lookup::Ask,
        }
    }

    /// A live session named the hash of the list that its client holds.
    pub fn named(&mut self, now: Moment, session: SessionRef, hash: ListHash) -> Verdict {
        if self.hash() == Some(hash) && self.doubts == 0 {
            return Verdict::Fine;
        }
        let named = self.named.as_ref();
        let known_wrong = named.is_some_and(|named| named.is_wrong(hash));
        let too_soon = now < self.may_ask_at;
        if !self.asking && self.list.is_some() && (known_wrong || too_soon) {
            return Verdict::Stale;
        }
        self.named.get_or_insert_default().wait(session, hash);
        if self.asking {
            return Verdict::Wait;
        }
        Verdict::Ask
    }

    /// A session has ended: it waits to hear of no hash.
    pub fn gone(&mut self, session: SessionRef) {
        if let Some(named) = &mut self.named {
            named.gone(session);
        }
    }

    /// The friend service is asked now.
    pub fn asked(&mut self, now: Moment) {
        self.asking = true;
        self.may_ask_at = now + ASK_PAUSE;
    }

    /// What is known may not be the newest: the friend service is to be asked
    /// so many times. An answer that is under way does not count.
    pub fn doubt(&mut self, times: u8) {
        self.doubts = self.doubts.max(times + u8::from(self.asking));
    }

    /// Whether the friend service is to be asked because of a doubt.
    pub fn is_doubted(&self) -> bool {
        self.doubts > 0
    }

    /// Whether the last question is long enough ago for another one that
    /// nobody waits for.
    pub fn may_ask(&self, now: Moment) -> bool {
        !self.asking && now >= self.may_ask_at
    }

    /// The list is as it was.
    pub fn confirmed(&mut self, now: Moment) {
        self.checked_at = now;
    }

    /// The friend service answered a question for the list.
    pub fn answered(&mut self) {
        self.asking = false;
        self.doubts = self.doubts.saturating_sub(1);
    }

    /// The friend service did not answer; who named a hash hears later.
    pub fn unanswered(&mut self) {
        self.asking = false;
    }

    /// Whether a session waits to hear whether its hash is the newest.
    pub fn is_awaited(&self) -> bool {
        self.named.as_ref().is_some_and(|named| named.is_awaited())
    }

    /// Who waits to hear of a hash.
    pub fn waiting(&self) -> impl Iterator<Item = SessionRef> {
        self.named.iter().flat_map(|named| named.waiting())
    }

    /// Takes a list if it is not older than one seen before (rule 11). Gives
    /// the one that it replaces, if it says something else.
    pub fn replace(&mut self, now: Moment, list: &Arc<FriendList>) -> Replaced {
        if list.version() < self.highest {
            return Replaced::Older;
        }
        self.highest = list.version();
        self.checked_at = now;
        let old = self.list.replace(list.clone());
        match old {
            Some(old) if old.hash() == list.hash() => Replaced::Same,
            old => Replaced::By(old),
        }
    }

    /// Who named a hash that is not the list's now: they are told.
    pub fn settle_verdicts(&mut self) -> Vec<SessionRef> {
        let newest = self.hash();
        let named = self.named.as_mut();
        named.map_or_else(Vec::new, |named| named.settle(newest))
    }
}

/// What became of a list that was offered.
#[derive(Debug, PartialEq, Eq)]
pub enum Replaced {
    /// A newer one was seen.
    Older,
    /// It says the same as before.
    Same,
    /// It replaces this one.
    By(Option<Arc<FriendList>>),
}

/// Whether the list's owner takes messages from `from`: step 5 of 'One
/// message'.
pub fn may_write(
    list: &FriendList,
    owner: &UserId,
    from: &UserId,
    policy: Policy,
    blocks: Blocks,
) -> Result<(), Code> {
    if owner == from {
        return Ok(());
    }
    let entry = list.find(from);
    if entry.is_some_and(|entry| entry.blocked) {
        return Err(match blocks {
            Blocks::Told => Code::Blocked,
            Blocks::Hidden => Code::NotFriends,
        });
    }
    let friend = entry.is_some_and(|entry| entry.relation == Relation::Friend);
    if friend || policy == Policy::Open {
        return Ok(());
    }
    Err(Code::NotFriends)
}

/// Whether the list's owner shows their status to `to`, and sees theirs.
pub fn sees(list: &FriendList, to: &UserId) -> bool {
    list.find(to)
        .is_some_and(|entry| entry.relation == Relation::Friend && !entry.blocked)
}

#[cfg(test)]
mod tests {
    use proto::friends::FriendEntry;
    use proto::ids::{GatewayId, SessionId};

    use super::*;

    const SESSION: SessionRef = SessionRef {
        gateway: GatewayId(901),
        session: SessionId(4711),
    };
    const MAX_AGE: Duration = Duration::from_secs(600);

    fn list(version: u64, friend: &str) -> Arc<FriendList> {
        let entry = FriendEntry {
            user: UserId::new(friend).unwrap(),
            relation: Relation::Friend,
            blocked: false,
        };
        Arc::new(FriendList::new(ListVersion(version), vec![entry]).unwrap())
    }

    fn at(seconds: u64) -> Moment {
        Moment(seconds * 1_000_000)
    }

    #[test]
    fn equal_hashes_ask_nobody() {
        let mut friends = Friends::default();
        friends.replace(at(1), &list(3, "ben"));
        let hash = list(3, "ben").hash();
        assert_eq!(friends.named(at(2), SESSION, hash), Verdict::Fine);
    }

    #[test]
    fn another_hash_asks_once_and_then_the_client_is_stale() {
        let mut friends = Friends::default();
        friends.replace(at(1), &list(3, "ben"));
        let other = list(1, "cat").hash();
        assert_eq!(friends.named(at(9), SESSION, other), Verdict::Ask);
        friends.asked(at(9));
        // Single flight.
        assert_eq!(friends.named(at(9), SESSION, other), Verdict::Wait);
        friends.answered();
        friends.confirmed(at(9));
        assert_eq!(friends.settle_verdicts(), [SESSION]);
        // A hash found wrong is remembered.
        assert_eq!(friends.named(at(99), SESSION, other), Verdict::Stale);
    }

    #[test]
    fn another_hash_may_be_the_newer_one() {
        let mut friends = Friends::default();
        friends.replace(at(1), &list(3, "ben"));
        let newer = list(4, "cat");
        assert_eq!(friends.named(at(9), SESSION, newer.hash()), Verdict::Ask);
        friends.asked(at(9));
        assert!(matches!(
            friends.replace(at(9), &newer),
            Replaced::By(Some(_))
        ));
        friends.answered();
        assert!(friends.settle_verdicts().is_empty());
    }

    #[test]
    fn many_hashes_cause_one_question_per_second() {
        let mut friends = Friends::default();
        friends.replace(at(1), &list(3, "ben"));
        assert_eq!(
            friends.named(at(9), SESSION, ListHash([1; 16])),
            Verdict::Ask
        );
        friends.asked(at(9));
        friends.answered();
        friends.confirmed(at(9));
        friends.settle_verdicts();
        assert_eq!(
            friends.named(at(9), SESSION, ListHash([2; 16])),
            Verdict::Stale
        );
        assert_eq!(
            friends.named(at(10), SESSION, ListHash([3; 16])),
            Verdict::Ask
        );
    }

    #[test]
    fn no_hash_uses_the_cache_within_its_age() {
        let mut friends = Friends::default();
        assert_eq!(friends.look_up(at(1), MAX_AGE), Lookup::Ask);
        friends.asked(at(1));
        assert_eq!(friends.look_up(at(1), MAX_AGE), Lookup::Wait);
        friends.replace(at(1), &list(3, "ben"));
        friends.answered();
        friends.settle_verdicts();
        assert!(matches!(
            friends.look_up(at(601), MAX_AGE),
            Lookup::Known(_)
        ));
        assert_eq!(friends.look_up(at(602), MAX_AGE), Lookup::Ask);
    }

    #[test]
    fn lists_go_forward() {
        let mut friends = Friends::default();
        friends.replace(at(1), &list(5, "ben"));
        assert_eq!(friends.replace(at(2), &list(4, "cat")), Replaced::Older);
    }

    #[test]
    fn a_doubted_list_is_gone_by_and_asked_for() {
        let mut friends = Friends::default();
        friends.replace(at(1), &list(5, "ben"));
        friends.asked(at(2));
        friends.doubt(2);
        assert!(!friends.may_ask(at(9)), "it is being asked");
        // Asked before the doubt: it says nothing about it.
        friends.answered();
        for second in [3, 4] {
            assert!(friends.is_doubted());
            assert!(matches!(
                friends.look_up(at(second), MAX_AGE),
                Lookup::Known(_)
            ));
            assert!(friends.may_ask(at(second)));
            friends.asked(at(second));
            assert_eq!(
                friends.replace(at(second), &list(4, "cat")),
                Replaced::Older
            );
            friends.answered();
            assert!(!friends.may_ask(at(second)), "once a second");
        }
        assert!(!friends.is_doubted());
    }

    #[test]
    fn rights_follow_the_recipients_list() {
        let (ann, ben, cat) = (
            UserId::new("ann").unwrap(),
            UserId::new("ben").unwrap(),
            UserId::new("cat").unwrap(),
        );
        let mine = list(1, "ben");
        let may = |from, policy, blocks| may_write(&mine, &ann, from, policy, blocks);
        assert_eq!(may(&ben, Policy::Friends, Blocks::Told), Ok(()));
        assert_eq!(
            may(&cat, Policy::Friends, Blocks::Told),
            Err(Code::NotFriends)
        );
        assert_eq!(may(&cat, Policy::Open, Blocks::Told), Ok(()));
        assert_eq!(may(&ann, Policy::Friends, Blocks::Told), Ok(()));
        let blocked = FriendEntry {
            user: ben.clone(),
            relation: Relation::Friend,
            blocked: true,
        };
        let mine = mine.with(blocked).unwrap();
        let may = |blocks| may_write(&mine, &ann, &ben, Policy::Open, blocks);
        assert_eq!(may(Blocks::Told), Err(Code::Blocked));
        assert_eq!(may(Blocks::Hidden), Err(Code::NotFriends));
        assert!(!sees(&mine, &ben));
    }
}
