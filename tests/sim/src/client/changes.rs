//! A client's friend list, and what it asked to change in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use proto::client::{ChangeFriend, ClientPacket};
use proto::codes::{Code, Next};
use proto::friends::{FriendAction, FriendList, ListHash, ListVersion, Relation};
use proto::ids::UserId;

use super::{Does, Waking};
use crate::agenda::{MS, SECOND, Time};

/// After this long without a list it is asked for again.
const LIST_PATIENCE: Time = 3 * SECOND;

/// After this long without an answer a change is asked for again.
const CHANGE_PATIENCE: Time = 6 * SECOND;

/// A change without an answer.
#[derive(Debug)]
struct Open {
    action: FriendAction,
    peer: UserId,
    ask_at: Time,
}

/// The list, and the changes without an answer.
#[derive(Debug, Default)]
pub struct Changes {
    list: Option<Arc<FriendList>>,
    /// A list came on this connection.
    current: bool,
    wanted: bool,
    ask_at: Time,
    announced: ListVersion,
    open: BTreeMap<u32, Open>,
    last: u32,
}

impl Changes {
    /// The list that it holds.
    pub fn list(&self) -> Option<&Arc<FriendList>> {
        self.list.as_ref()
    }

    /// Its hash.
    pub fn hash(&self) -> Option<ListHash> {
        self.list.as_ref().map(|list| list.hash())
    }

    /// Whether a change has no answer.
    pub fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Whether it waits for a list.
    pub fn is_wanted(&self) -> bool {
        self.wanted
    }

    /// Asks for a change.
    pub fn begin(&mut self, now: Time, action: FriendAction, peer: UserId, out: &mut Vec<Does>) {
        self.last += 1;
        let request = self.last;
        let ask_at = now;
        let open = Open {
            action,
            peer,
            ask_at,
        };
        self.open.insert(request, open);
        self.look(now, request, out);
    }

    /// Asks for a change, again if it was asked before.
    pub(super) fn look(&mut self, now: Time, request: u32, out: &mut Vec<Does>) {
        let Some(open) = self.open.get_mut(&request) else {
            return;
        };
        open.ask_at = now + CHANGE_PATIENCE;
        out.push(Does::Write(ClientPacket::ChangeFriend(ChangeFriend {
            request,
            action: open.action,
            peer: open.peer.clone(),
        })));
        out.push(Does::Wake(open.ask_at, Waking::Change(request)));
    }

    /// Asks for a change again, if its time has come.
    pub(super) fn ask_change_again(&mut self, now: Time, request: u32, out: &mut Vec<Does>) {
        if self
            .open
            .get(&request)
            .is_some_and(|open| open.ask_at <= now)
        {
            self.look(now, request, out);
        }
    }

    pub(super) fn answered(
        &mut self,
        now: Time,
        request: u32,
        code: Option<Code>,
        out: &mut Vec<Does>,
    ) {
        let again = code.is_some_and(|code| code.next() == Next::Again);
        if again {
            if let Some(open) = self.open.get_mut(&request) {
                open.ask_at = now + 400 * MS;
                out.push(Does::Wake(open.ask_at, Waking::Change(request)));
            }
            return;
        }
        if let Some(open) = self.open.remove(&request)
            && code.is_none()
        {
            out.push(Does::Changed(open.action, open.peer));
        }
    }

    pub(super) fn connected(&mut self, now: Time, out: &mut Vec<Does>) {
        self.current = false;
        self.announced = ListVersion::default();
        if self.list.is_none() {
            self.ask(now, out);
        }
        let open: Vec<u32> = self.open.keys().copied().collect();
        for request in open {
            self.look(now, request, out);
        }
    }

    pub(super) fn lost(&mut self) {
        self.wanted = false;
    }

    pub(super) fn announced(
        &mut self,
        now: Time,
        version: ListVersion,
        hash: ListHash,
        out: &mut Vec<Does>,
    ) {
        if self.list.as_ref().is_some_and(|list| list.hash() == hash) {
            return;
        }
        self.announced = self.announced.max(version);
        self.ask(now, out);
    }

    /// Asks for the list.
    pub(super) fn ask(&mut self, now: Time, out: &mut Vec<Does>) {
        self.wanted = true;
        self.ask_at = now + LIST_PATIENCE;
        out.push(Does::Write(ClientPacket::GetFriends));
        out.push(Does::Wake(self.ask_at, Waking::AskList));
    }

    /// Asks for the list again, if its time has come.
    pub(super) fn ask_again(&mut self, now: Time, out: &mut Vec<Does>) {
        if self.wanted && self.ask_at <= now {
            self.ask(now, out);
        }
    }

    /// Takes a list that is not older than one of this connection. Gives who
    /// is a friend no more.
    pub(super) fn take(
        &mut self,
        now: Time,
        list: Arc<FriendList>,
        out: &mut Vec<Does>,
    ) -> Vec<UserId> {
        let held = self.list.as_ref();
        if self.current && held.is_some_and(|held| list.version() < held.version()) {
            return Vec::new();
        }
        self.current = true;
        self.wanted = false;
        if list.version() < self.announced {
            self.wanted = true;
            self.ask_at = now + SECOND;
            out.push(Does::Wake(self.ask_at, Waking::AskList));
        }
        let Some(former) = self.list.replace(Arc::clone(&list)) else {
            return Vec::new();
        };
        let friends = former.entries().iter().map(|entry| &entry.user);
        let is_friend = |list: &FriendList, user: &UserId| {
            list.find(user)
                .is_some_and(|entry| entry.relation == Relation::Friend)
        };
        let gone = friends.filter(|user| is_friend(&former, user) && !is_friend(&list, user));
        gone.cloned().collect()
    }
}
