//! Answers questions about the friend graph, and changes it.
//!
//! Owns the order of changes and the lists kept in memory. Must not know how
//! lists are stored, or who asks.
//!
//! A change waits in line behind every earlier one that touches one of its two
//! users, so at most one is at work per user. It is answered when both lists
//! are durable in one save, which names the versions that it replaces: several
//! graphs over one store cannot overwrite each other.
//!
//! A question for a list stands in the same line: its answer tells what became
//! of every change that came before it. Else a shard that takes over from one
//! that died could be given a list that a change of the dead one's is about to
//! replace, and nobody would tell it.

use std::collections::HashMap;
use std::sync::Arc;

use proto::codes::Code;
use proto::friends::FriendList;
use proto::graph::{Change, GraphAnswer, GraphRequest};
use proto::ids::UserId;

use crate::decision::{self, Decision, Lists};
use crate::event::{Effect, Event, RequestId};
use crate::rules::Blocks;
use crate::users::{Read, Seat, Users, Waiting};

/// What a deployment chooses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphSettings {
    /// Bytes of lists kept in memory, beside those that are in use.
    pub cache_bytes_max: usize,
    /// Requests that wait for the store, and loads under way, at most. One
    /// more is answered [`GraphAnswer::Unavailable`].
    pub waiting_max: usize,
    /// Whether users learn that they are blocked.
    pub blocks: Blocks,
}

impl GraphSettings {
    /// Loads and saves under way at most.
    pub fn store_requests_max(&self) -> usize {
        // A change is taken while there is room and may need two loads. When
        // its save fails it goes, and leaves two loads to those behind it.
        2 * self.waiting_max + 2
    }
}

/// The friend graph as far as it is in memory.
#[derive(Debug)]
pub struct Graph {
    settings: GraphSettings,
    users: Users,
    changes: HashMap<RequestId, Pending>,
    /// Reads in the lines of `users`.
    reads: usize,
    /// Loads under way.
    loads: usize,
}

/// A change that waits for its turn, for a list, or for the store.
#[derive(Debug)]
struct Pending {
    change: Change,
    /// What is being saved: the actor's list and the peer's.
    saving: Option<Lists>,
}

impl Graph {
    /// A graph of which nothing is in memory yet.
    pub fn new(settings: GraphSettings) -> Self {
        Self {
            users: Users::new(settings.cache_bytes_max),
            settings,
            changes: HashMap::new(),
            reads: 0,
            loads: 0,
        }
    }

    /// Takes an event and appends what is to be done to `out`.
    pub fn handle(&mut self, event: Event, out: &mut Vec<Effect>) {
        match event {
            Event::Request(id, GraphRequest::Get { user, if_hash }) => {
                self.read(&user, Read { id, if_hash }, out);
            }
            Event::Request(id, GraphRequest::Change(change)) => self.change(id, change, out),
            Event::Loaded { user, list } => self.loaded(&user, list, out),
            Event::LoadFailed { user } => self.load_failed(&user, out),
            Event::Saved(id) => self.saved(id, out),
            Event::SaveConflict { request, lists } => self.save_conflict(request, lists, out),
            Event::SaveFailed(id) => self.save_failed(id, out),
        }
    }

    /// Users of whom something is in memory.
    pub fn users(&self) -> usize {
        self.users.size().0
    }

    /// About how many bytes the lists take that are not in use; at most
    /// [`GraphSettings::cache_bytes_max`].
    pub fn cache_bytes(&self) -> usize {
        self.users.size().1
    }

    /// Requests that have no answer yet.
    pub fn waiting(&self) -> usize {
        self.changes.len() + self.reads
    }

    /// Panics if what always holds between two events does not.
    pub fn check_invariants(&self) {
        self.users.check_invariants();
        assert_eq!(self.users.waiting_reads(), self.reads);
        assert_eq!(self.users.loads(), self.loads);
        assert!(self.waiting() <= self.settings.waiting_max);
        assert!(self.waiting() + self.loads <= self.settings.store_requests_max());
        for (id, pending) in &self.changes {
            let users = [&pending.change.actor, &pending.change.peer];
            let first = users.iter().all(|user| self.users.turn(user) == Some(*id));
            let held = users.iter().all(|user| self.users.list(user).is_some());
            assert_eq!(pending.saving.is_some(), first && held, "{id:?}");
        }
    }

    fn has_room(&self) -> bool {
        self.waiting() + self.loads < self.settings.waiting_max
    }

    fn read(&mut self, user: &UserId, read: Read, out: &mut Vec<Effect>) {
        let known = |seat: &mut Seat| seat.list.clone().filter(|_| seat.line.is_empty());
        if let Some(list) = self.users.with(user, known) {
            out.push(answer_read(&read, &list));
            return;
        }
        if !self.has_room() {
            out.push(Effect::Answer(read.id, GraphAnswer::Unavailable));
            return;
        }
        self.reads += 1;
        self.users
            .with(user, |seat| seat.line.push_back(Waiting::Read(read)));
        self.load_if_awaited(user, out);
    }

    fn change(&mut self, id: RequestId, change: Change, out: &mut Vec<Effect>) {
        if change.actor == change.peer {
            // It would stand in one line twice.
            let code = Code::OwnSelf;
            out.push(Effect::Answer(id, GraphAnswer::Refused { code }));
            return;
        }
        if !self.has_room() {
            out.push(Effect::Answer(id, GraphAnswer::Unavailable));
            return;
        }
        let users = [change.actor.clone(), change.peer.clone()];
        let saving = None;
        self.changes.insert(id, Pending { change, saving });
        for user in &users {
            self.users
                .with(user, |seat| seat.line.push_back(Waiting::Change(id)));
            self.load_if_awaited(user, out);
        }
        self.proceed(users.into(), out);
    }

    fn loaded(&mut self, user: &UserId, list: Arc<FriendList>, out: &mut Vec<Effect>) {
        self.loads -= 1;
        self.users.with(user, |seat| {
            debug_assert!(seat.loading);
            debug_assert!(seat.list.is_none());
            seat.loading = false;
            seat.list = Some(list);
        });
        self.answer_reads(user, out);
        self.proceed(vec![user.clone()], out);
    }

    /// Everybody who needs the list goes away empty-handed. None of the
    /// changes in line is being saved, since the first one lacks this list.
    fn load_failed(&mut self, user: &UserId, out: &mut Vec<Effect>) {
        self.loads -= 1;
        let line = self.users.with(user, |seat| {
            debug_assert!(seat.loading);
            seat.loading = false;
            std::mem::take(&mut seat.line)
        });
        let mut users = Vec::new();
        for waiting in line {
            let unavailable = GraphAnswer::Unavailable;
            match waiting {
                Waiting::Read(read) => {
                    self.reads -= 1;
                    out.push(Effect::Answer(read.id, unavailable));
                }
                Waiting::Change(id) => users.extend(self.conclude(id, unavailable, out)),
            }
        }
        self.proceed(users, out);
    }

    fn saved(&mut self, id: RequestId, out: &mut Vec<Effect>) {
        let Some((change, (actor, peer))) = self.end_save(id) else {
            return;
        };
        self.hold(&change.actor, Some(&actor));
        self.hold(&change.peer, Some(&peer));
        let users = self.conclude(id, GraphAnswer::Changed { actor, peer }, out);
        self.proceed(users, out);
    }

    /// Another graph over the same store was faster.
    fn save_conflict(
        &mut self,
        id: RequestId,
        stored: Vec<(UserId, Arc<FriendList>)>,
        out: &mut Vec<Effect>,
    ) {
        let Some((change, _)) = self.end_save(id) else {
            return;
        };
        for (user, list) in &stored {
            self.hold(user, Some(list));
        }
        let held = |user| self.users.list(user).cloned();
        let lists = held(&change.actor).zip(held(&change.peer));
        debug_assert!(lists.is_some(), "the lists of a save are held");
        let answer = lists.map_or(GraphAnswer::Unavailable, |(actor, peer)| {
            GraphAnswer::Conflict { actor, peer }
        });
        let users = self.conclude(id, answer, out);
        self.proceed(users, out);
    }

    fn save_failed(&mut self, id: RequestId, out: &mut Vec<Effect>) {
        let Some((change, _)) = self.end_save(id) else {
            return;
        };
        self.hold(&change.actor, None);
        self.hold(&change.peer, None);
        let users = self.conclude(id, GraphAnswer::Unavailable, out);
        self.proceed(users, out);
    }

    fn end_save(&mut self, id: RequestId) -> Option<(Change, Lists)> {
        let pending = self.changes.get_mut(&id);
        let ended = pending.and_then(|p| Some((p.change.clone(), p.saving.take()?)));
        debug_assert!(ended.is_some(), "{id:?} is not being saved");
        ended
    }

    /// Starts every change whose turn has come, after something happened to
    /// these users.
    fn proceed(&mut self, mut users: Vec<UserId>, out: &mut Vec<Effect>) {
        while let Some(user) = users.pop() {
            if let Some(id) = self.users.turn(&user)
                && let Some(answer) = self.attempt(id, out)
            {
                users.extend(self.conclude(id, answer, out));
            }
        }
    }

    /// Begins to save a change, or answers it if nothing is to be saved.
    /// Neither if it waits for another change, a list, or the store.
    fn attempt(&mut self, id: RequestId, out: &mut Vec<Effect>) -> Option<GraphAnswer> {
        let pending = self.changes.get_mut(&id)?;
        let change = &pending.change;
        let first_in_both = [&change.actor, &change.peer]
            .into_iter()
            .all(|user| self.users.turn(user) == Some(id));
        if pending.saving.is_some() || !first_in_both {
            return None;
        }
        let actor = Arc::clone(self.users.list(&change.actor)?);
        let peer = Arc::clone(self.users.list(&change.peer)?);
        match decision::decide(change, actor, peer, self.settings.blocks) {
            Decision::Answer(answer) => Some(answer),
            Decision::Save { lists, both } => {
                pending.saving = Some(both);
                let request = id;
                out.push(Effect::Save { request, lists });
                None
            }
        }
    }

    /// Answers a change and takes it out of both lines. Whose lines moved on.
    fn conclude(
        &mut self,
        id: RequestId,
        answer: GraphAnswer,
        out: &mut Vec<Effect>,
    ) -> Vec<UserId> {
        let Some(Pending { change, .. }) = self.changes.remove(&id) else {
            debug_assert!(false, "{id:?} is not open");
            return Vec::new();
        };
        out.push(Effect::Answer(id, answer));
        let users = vec![change.actor, change.peer];
        for user in &users {
            self.users.with(user, |seat| seat.leave(id));
            self.answer_reads(user, out);
            self.load_if_awaited(user, out);
        }
        users
    }

    /// Answers the questions that come before the next change, if the list is
    /// known.
    fn answer_reads(&mut self, user: &UserId, out: &mut Vec<Effect>) {
        while let Some((read, list)) = self.users.with(user, Seat::next_read) {
            self.reads -= 1;
            out.push(answer_read(&read, &list));
        }
    }

    fn hold(&mut self, user: &UserId, list: Option<&Arc<FriendList>>) {
        self.users.with(user, |seat| seat.list = list.cloned());
    }

    /// Asks for the list if somebody waits for it and nobody asked yet.
    fn load_if_awaited(&mut self, user: &UserId, out: &mut Vec<Effect>) {
        let loads = self.users.with(user, |seat| {
            let loads = !seat.line.is_empty() && seat.list.is_none() && !seat.loading;
            seat.loading |= loads;
            loads
        });
        if loads {
            self.loads += 1;
            out.push(Effect::Load(user.clone()));
        }
    }
}

fn answer_read(read: &Read, list: &Arc<FriendList>) -> Effect {
    let answer = if read.if_hash == Some(list.hash()) {
        let version = list.version();
        GraphAnswer::NotModified { version }
    } else {
        GraphAnswer::List(Arc::clone(list))
    };
    Effect::Answer(read.id, answer)
}
