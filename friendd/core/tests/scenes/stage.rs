//! A graph, and the one place that touches its API.

use std::collections::VecDeque;
use std::sync::Arc;

use friendd_core::event::{Effect, Event, Replacement, RequestId};
use friendd_core::graph::{Graph, GraphSettings};
use friendd_core::rules::Blocks;
use proto::friends::{FriendAction, FriendEntry, FriendList, ListHash, ListVersion, Relation};
use proto::graph::{Change, GraphAnswer, GraphRequest};
use proto::ids::UserId;

/// A graph, and what it wants that no one has looked at yet.
pub struct Stage {
    pub graph: Graph,
    effects: VecDeque<Effect>,
    questions: u64,
}

pub fn roomy() -> GraphSettings {
    GraphSettings {
        cache_bytes_max: 1 << 20,
        waiting_max: 100,
        blocks: Blocks::Told,
    }
}

impl Stage {
    pub fn roomy() -> Self {
        Self::with(roomy())
    }

    pub fn with(settings: GraphSettings) -> Self {
        Self {
            graph: Graph::new(settings),
            effects: VecDeque::new(),
            questions: 1000,
        }
    }

    /// The list is in memory from now on.
    pub fn holds(&mut self, name: &str, list: FriendList) {
        self.questions += 1;
        let id = self.questions;
        self.reads(id, name);
        self.loads(&[name]);
        self.finds(name, list);
        self.answer(id);
    }

    pub fn reads(&mut self, id: u64, name: &str) {
        let (user, if_hash) = (user(name), None);
        self.asks(id, GraphRequest::Get { user, if_hash });
    }

    pub fn reads_unless(&mut self, id: u64, name: &str, hash: ListHash) {
        let (user, if_hash) = (user(name), Some(hash));
        self.asks(id, GraphRequest::Get { user, if_hash });
    }

    pub fn changes(
        &mut self,
        id: u64,
        actor: &str,
        action: FriendAction,
        peer: &str,
        versions: (u64, u64),
    ) {
        let change = Change {
            actor: user(actor),
            peer: user(peer),
            action,
            actor_version: ListVersion(versions.0),
            peer_version: ListVersion(versions.1),
        };
        self.asks(id, GraphRequest::Change(change));
    }

    pub fn asks(&mut self, id: u64, request: GraphRequest) {
        self.handle(Event::Request(RequestId(id), request));
    }

    pub fn finds(&mut self, name: &str, list: FriendList) {
        let (user, list) = (user(name), Arc::new(list));
        self.handle(Event::Loaded { user, list });
    }

    pub fn cannot_load(&mut self, name: &str) {
        self.handle(Event::LoadFailed { user: user(name) });
    }

    pub fn saved(&mut self, id: u64) {
        self.handle(Event::Saved(RequestId(id)));
    }

    pub fn conflict(&mut self, id: u64, stored: [(&str, FriendList); 2]) {
        self.handle(Event::SaveConflict {
            request: RequestId(id),
            lists: stored
                .map(|(name, list)| (user(name), Arc::new(list)))
                .into(),
        });
    }

    pub fn save_fails(&mut self, id: u64) {
        self.handle(Event::SaveFailed(RequestId(id)));
    }

    fn handle(&mut self, event: Event) {
        let mut effects = Vec::new();
        self.graph.handle(event, &mut effects);
        self.graph.check_invariants();
        self.effects.extend(effects);
    }

    pub fn loads(&mut self, names: &[&str]) {
        for name in names {
            assert_eq!(self.effects.pop_front(), Some(Effect::Load(user(name))));
        }
        self.is_silent();
    }

    pub fn saves(&mut self, id: u64) -> Vec<String> {
        let Some(Effect::Save { request, lists }) = self.effects.pop_front() else {
            panic!("a save expected");
        };
        assert_eq!(request, RequestId(id));
        lists.iter().map(shown).collect()
    }

    pub fn answer(&mut self, id: u64) -> GraphAnswer {
        match self.effects.pop_front() {
            Some(Effect::Answer(RequestId(to), answer)) if to == id => answer,
            other => panic!("answer to {id} expected, not {other:?}"),
        }
    }

    pub fn told(&mut self, id: u64, expected: GraphAnswer) {
        assert_eq!(self.answer(id), expected);
    }

    pub fn told_list(&mut self, id: u64, version: u64) {
        let GraphAnswer::List(list) = self.answer(id) else {
            panic!("a list expected");
        };
        assert_eq!(list.version(), ListVersion(version));
    }

    pub fn told_conflict(&mut self, id: u64, versions: (u64, u64)) {
        let GraphAnswer::Conflict { actor, peer } = self.answer(id) else {
            panic!("a conflict expected");
        };
        assert_eq!((actor.version().0, peer.version().0), versions);
    }

    pub fn is_silent(&self) {
        assert_eq!(self.effects, []);
    }
}

fn shown(replacement: &Replacement) -> String {
    let Replacement {
        user,
        replaces,
        list,
    } = replacement;
    format!("{user} {} -> {}", replaces.0, list.version().0)
}

pub fn list(version: u64, friends: &[&str]) -> FriendList {
    let entries = friends.iter().map(|name| FriendEntry {
        user: user(name),
        relation: Relation::Friend,
        blocked: false,
    });
    FriendList::new(ListVersion(version), entries.collect()).unwrap()
}

pub fn relation(list: &FriendList, of: &str) -> Option<Relation> {
    list.find(&user(of)).map(|entry| entry.relation)
}

pub fn user(id: &str) -> UserId {
    UserId::new(id).unwrap()
}
