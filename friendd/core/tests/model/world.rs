//! The naive model beside the graph, and what both live in.
//!
//! The model knows nothing of lines, caches and versions: it has what each
//! user says of each other, and the lists that the store holds.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use friendd_core::event::{Effect, Event, Replacement, RequestId};
use friendd_core::graph::{Graph, GraphSettings};
use friendd_core::rules::Blocks;
use proto::codes::Code;
use proto::friends::{FriendAction, FriendEntry, FriendList, ListVersion, Relation};
use proto::graph::{Change, GraphAnswer, GraphRequest};
use proto::ids::UserId;

pub const NAMES: [&str; 4] = ["ann", "ben", "kim", "lee"];
const WAITING_MAX: usize = 8;

#[derive(Debug, Clone)]
pub enum Step {
    Read(usize, Known),
    Change(usize, usize, FriendAction, Known),
    /// The store does one of the things that it was asked for.
    Store(usize, Fault),
    /// Another graph writes something that concerns no pair of ours.
    Rival(usize),
}

/// What the asker knows of the lists.
#[derive(Debug, Clone, Copy)]
pub enum Known {
    Newest,
    Older,
}

#[derive(Debug, Clone, Copy)]
pub enum Fault {
    None,
    /// It fails, and did nothing.
    Failed,
    /// It fails, and did what it was asked for.
    Unknown,
}

/// What one user says of another.
type Side = (Relation, bool);

pub struct World {
    graph: Graph,
    blocks: Blocks,
    /// What owner says of other, for owner and other.
    sides: HashMap<(UserId, UserId), Side>,
    stored: HashMap<UserId, Arc<FriendList>>,
    /// Every list that was ever stored, by owner and version.
    history: HashMap<(UserId, ListVersion), Arc<FriendList>>,
    /// The newest version that an answer showed of each user.
    shown: HashMap<UserId, ListVersion>,
    /// Loads and saves under way.
    asked_of_store: Vec<Effect>,
    open: BTreeMap<RequestId, GraphRequest>,
    /// Open requests that were hit by a fault.
    excused: HashSet<RequestId>,
    /// Open changes whose lists were saved, or met a version of the rival.
    saved: HashSet<RequestId>,
    conflicted: HashSet<RequestId>,
    requests: u64,
}

impl World {
    pub fn new(blocks: Blocks, cached_users: usize) -> Self {
        Self {
            graph: Graph::new(GraphSettings {
                // About: a user with few friends.
                cache_bytes_max: cached_users * 700,
                waiting_max: WAITING_MAX,
                blocks,
            }),
            blocks,
            sides: HashMap::new(),
            stored: HashMap::new(),
            history: HashMap::new(),
            shown: HashMap::new(),
            asked_of_store: Vec::new(),
            open: BTreeMap::new(),
            excused: HashSet::new(),
            saved: HashSet::new(),
            conflicted: HashSet::new(),
            requests: 0,
        }
    }

    pub fn take(&mut self, step: Step) {
        match step {
            Step::Read(at, known) => {
                let user = user(at);
                let held = self.stored(&user);
                let if_hash = matches!(known, Known::Newest).then(|| held.hash());
                self.ask(GraphRequest::Get { user, if_hash });
            }
            Step::Change(actor, peer, action, known) => {
                let (actor, peer) = (user(actor), user(peer));
                let version = |list: Arc<FriendList>| match known {
                    Known::Newest => list.version(),
                    Known::Older => ListVersion(list.version().0.saturating_sub(1)),
                };
                self.ask(GraphRequest::Change(Change {
                    actor_version: version(self.stored(&actor)),
                    peer_version: version(self.stored(&peer)),
                    actor,
                    peer,
                    action,
                }));
            }
            Step::Store(at, fault) => self.store(at, fault),
            Step::Rival(at) => {
                let user = user(at);
                let rival = UserId::new("rival").unwrap();
                let list = self.stored(&user);
                let entry = FriendEntry {
                    user: rival.clone(),
                    relation: Relation::Friend,
                    blocked: list.find(&rival).is_some_and(|entry| !entry.blocked),
                };
                self.write(&user, Arc::new(list.with(entry).unwrap()));
            }
        }
    }

    /// Everything comes to an end when the store does.
    pub fn settle(&mut self) {
        while !self.asked_of_store.is_empty() {
            self.store(0, Fault::None);
        }
        assert_eq!(self.open, BTreeMap::new());
        assert_eq!(self.graph.waiting(), 0);
    }

    fn ask(&mut self, request: GraphRequest) {
        self.requests += 1;
        let id = RequestId(self.requests);
        let loads = |effect: &&Effect| matches!(effect, Effect::Load(_));
        let busy = self.open.len() + self.asked_of_store.iter().filter(loads).count();
        if busy >= WAITING_MAX {
            self.excused.insert(id);
        }
        self.open.insert(id, request.clone());
        self.handle(Event::Request(id, request));
    }

    fn store(&mut self, at: usize, fault: Fault) {
        if self.asked_of_store.is_empty() {
            return;
        }
        let at = at % self.asked_of_store.len();
        let event = match (self.asked_of_store.swap_remove(at), fault) {
            (Effect::Load(user), Fault::None) => {
                let list = self.stored(&user);
                Event::Loaded { user, list }
            }
            (Effect::Load(user), _) => {
                let open = self.open.iter().filter(|(_, r)| concerns(r, &user));
                self.excused.extend(open.map(|(id, _)| *id));
                Event::LoadFailed { user }
            }
            (Effect::Save { request, lists }, fault) => self.save(request, lists, fault),
            (Effect::Answer(..), _) => unreachable!("answers are not asked of the store"),
        };
        self.handle(event);
    }

    fn save(&mut self, request: RequestId, lists: Vec<Replacement>, fault: Fault) -> Event {
        let newest = |r: &Replacement| self.stored(&r.user).version() == r.replaces;
        let fits = lists.iter().all(newest);
        if !matches!(fault, Fault::None) {
            self.excused.insert(request);
        }
        match fault {
            Fault::Failed => return Event::SaveFailed(request),
            _ if !fits => {}
            Fault::None | Fault::Unknown => self.replace(request, &lists),
        }
        match fault {
            Fault::Failed | Fault::Unknown => Event::SaveFailed(request),
            Fault::None if fits => {
                self.saved.insert(request);
                Event::Saved(request)
            }
            Fault::None => {
                self.conflicted.insert(request);
                let stored = lists.into_iter().map(|r| {
                    let list = self.stored(&r.user);
                    (r.user, list)
                });
                let lists = stored.collect();
                Event::SaveConflict { request, lists }
            }
        }
    }

    /// What is saved is what the change makes of what is stored, no more.
    fn replace(&mut self, request: RequestId, lists: &[Replacement]) {
        let GraphRequest::Change(change) = self.open[&request].clone() else {
            panic!("a read saves nothing");
        };
        let (own, other) = self
            .expected(&change)
            .expect("a refused change is not saved");
        let mut expected = HashMap::new();
        for (owner, about, side) in [
            (&change.actor, &change.peer, own),
            (&change.peer, &change.actor, other),
        ] {
            if self.side(owner, about) != side {
                let before = self.stored(owner);
                let mut entries: Vec<_> = before.entries().to_vec();
                entries.retain(|entry| entry.user != *about);
                entries.push(FriendEntry {
                    user: about.clone(),
                    relation: side.0,
                    blocked: side.1,
                });
                let version = ListVersion(before.version().0 + 1);
                let list = FriendList::new(version, entries).unwrap();
                expected.insert(owner.clone(), Arc::new(list));
                self.sides.insert((owner.clone(), about.clone()), side);
            }
        }
        let saved = lists.iter().map(|r| (r.user.clone(), Arc::clone(&r.list)));
        assert_eq!(saved.collect::<HashMap<_, _>>(), expected);
        for (user, list) in expected {
            self.write(&user, list);
        }
    }

    fn handle(&mut self, event: Event) {
        let mut effects = Vec::new();
        self.graph.handle(event, &mut effects);
        self.graph.check_invariants();
        for effect in effects {
            match effect {
                Effect::Answer(id, answer) => self.answered(id, answer),
                Effect::Load(ref user) => {
                    let twice = self.asked_of_store.contains(&effect);
                    assert!(!twice, "{user} is loaded twice at once");
                    self.asked_of_store.push(effect);
                }
                Effect::Save { .. } => self.asked_of_store.push(effect),
            }
        }
    }

    fn answered(&mut self, id: RequestId, answer: GraphAnswer) {
        let request = self.open.remove(&id).expect("one answer to what is open");
        if answer == GraphAnswer::Unavailable {
            assert!(self.excused.contains(&id), "no fault hit {request:?}");
            return;
        }
        match request {
            GraphRequest::Get { user, if_hash } => {
                let known = matches!(answer, GraphAnswer::NotModified { .. });
                let list = match answer {
                    GraphAnswer::List(list) => list,
                    GraphAnswer::NotModified { version } => self.past(&user, version),
                    other => panic!("{other:?} to a read"),
                };
                assert_eq!(known, if_hash == Some(list.hash()));
                // What came before is over.
                assert!(!self.open.range(..id).any(|(_, r)| concerns(r, &user)));
                self.show(&user, &list);
            }
            GraphRequest::Change(change) => self.change_answered(id, &change, answer),
        }
    }

    fn change_answered(&mut self, id: RequestId, change: &Change, answer: GraphAnswer) {
        let now = (
            self.side(&change.actor, &change.peer),
            self.side(&change.peer, &change.actor),
        );
        match answer {
            GraphAnswer::Changed { actor, peer } => {
                self.show_both(change, &actor, &peer);
                if !self.saved.contains(&id) {
                    assert_eq!(self.expected(change), Ok(now), "{change:?} was not saved");
                }
            }
            GraphAnswer::Conflict { actor, peer } => {
                self.show_both(change, &actor, &peer);
                let (own, other) = self.expected(change).expect("a refusal is told as such");
                let stale = |list: &FriendList, known, before, after| {
                    before != after && list.version() != known
                };
                let actor = stale(&actor, change.actor_version, now.0, own);
                let peer = stale(&peer, change.peer_version, now.1, other);
                assert!(self.conflicted.contains(&id) || actor || peer, "{change:?}");
            }
            GraphAnswer::Refused { code } => assert_eq!(self.expected(change), Err(code)),
            other => panic!("{other:?} to a change"),
        }
    }

    fn show_both(&mut self, change: &Change, actor: &Arc<FriendList>, peer: &Arc<FriendList>) {
        for (owner, about, list) in [
            (&change.actor, &change.peer, actor),
            (&change.peer, &change.actor, peer),
        ] {
            self.show(owner, list);
            let entry = list
                .find(about)
                .map(|entry| (entry.relation, entry.blocked));
            assert_eq!(
                entry.unwrap_or((Relation::None, false)),
                self.side(owner, about)
            );
        }
    }

    /// An answer shows what was stored once, and never something older than
    /// what it showed before.
    fn show(&mut self, user: &UserId, list: &Arc<FriendList>) {
        assert_eq!(&self.past(user, list.version()), list);
        let before = self.shown.insert(user.clone(), list.version());
        assert!(before.is_none_or(|before| before <= list.version()));
    }

    /// The rules, spelled out once more.
    fn expected(&self, change: &Change) -> Result<(Side, Side), Code> {
        if change.actor == change.peer {
            return Err(Code::OwnSelf);
        }
        let own = self.side(&change.actor, &change.peer);
        let other = self.side(&change.peer, &change.actor);
        let (mine, theirs) = (own.0, other.0);
        let pair = |mine, theirs| Ok(((mine, own.1), (theirs, other.1)));
        match change.action {
            FriendAction::Block => Ok(((mine, true), other)),
            FriendAction::Unblock => Ok(((mine, false), other)),
            FriendAction::Accept if mine == Relation::Friend => Ok((own, other)),
            FriendAction::Accept if mine == Relation::Invited => {
                pair(Relation::Friend, Relation::Friend)
            }
            FriendAction::Accept => Err(Code::NoRequest),
            FriendAction::Decline if mine == Relation::Invited => {
                pair(Relation::None, Relation::None)
            }
            FriendAction::Decline => Err(Code::NoRequest),
            FriendAction::Remove if mine == Relation::Friend || mine == Relation::Requested => {
                pair(Relation::None, Relation::None)
            }
            FriendAction::Remove => Ok((own, other)),
            FriendAction::Request if mine == Relation::Friend => Ok((own, other)),
            FriendAction::Request if theirs == Relation::Requested => {
                pair(Relation::Friend, Relation::Friend)
            }
            FriendAction::Request if theirs == Relation::Invited => Ok((own, other)),
            FriendAction::Request if !other.1 => pair(Relation::Requested, Relation::Invited),
            FriendAction::Request if self.blocks == Blocks::Told => Err(Code::Blocked),
            FriendAction::Request => pair(Relation::Requested, theirs),
        }
    }

    fn side(&self, owner: &UserId, about: &UserId) -> Side {
        let side = self.sides.get(&(owner.clone(), about.clone()));
        side.copied().unwrap_or((Relation::None, false))
    }

    fn stored(&self, user: &UserId) -> Arc<FriendList> {
        let list = self.stored.get(user).cloned();
        list.unwrap_or_else(|| Arc::new(FriendList::empty()))
    }

    fn past(&self, user: &UserId, version: ListVersion) -> Arc<FriendList> {
        if version == ListVersion(0) {
            return Arc::new(FriendList::empty());
        }
        Arc::clone(&self.history[&(user.clone(), version)])
    }

    fn write(&mut self, user: &UserId, list: Arc<FriendList>) {
        self.history
            .insert((user.clone(), list.version()), Arc::clone(&list));
        self.stored.insert(user.clone(), list);
    }
}

fn concerns(request: &GraphRequest, whom: &UserId) -> bool {
    match request {
        GraphRequest::Get { user, .. } => user == whom,
        GraphRequest::Change(c) => c.actor == *whom || c.peer == *whom,
    }
}

fn user(at: usize) -> UserId {
    UserId::new(NAMES[at]).unwrap()
}
