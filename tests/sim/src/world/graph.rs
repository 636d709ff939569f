//! The friend service: the real core over a simulated store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use friendd_core::event::{Effect, Event, RequestId};
use friendd_core::graph::{Graph, GraphSettings};
use friendd_core::rules;
use msgd_core::{Blocks, GraphTicket};
use proto::friends::{FriendEntry, FriendList, ListVersion, Relation};
use proto::graph::{GraphAnswer, GraphRequest};
use proto::ids::UserId;

use super::{Step, World};
use crate::agenda::{MS, SECOND, Time};
use crate::brief;
use crate::dice::Dice;

/// After this long a shard's shell gives a question up.
const PATIENCE: Time = 1_500 * MS;

/// The friend service and its store.
#[derive(Debug)]
pub struct GraphNode {
    core: Option<Graph>,
    boot: u32,
    settings: GraphSettings,
    durable: BTreeMap<UserId, Arc<FriendList>>,
    /// Questions that it has taken, by its number.
    asked: BTreeMap<RequestId, (usize, u64, GraphTicket)>,
    /// Questions of shards that wait for any answer.
    open: BTreeSet<(u64, GraphTicket)>,
    numbers: u64,
    /// So many of a hundred of its store's operations fail.
    failing: u32,
    slow: bool,
}

impl GraphNode {
    /// A service that knows who is whose friend at the beginning: nearly
    /// everybody everybody's.
    pub(super) fn new(users: &[UserId], blocks: Blocks, dice: &mut Dice) -> Self {
        let mut strangers = BTreeSet::new();
        for one in users {
            for other in users {
                if one < other && dice.percent(15) {
                    strangers.insert((one, other));
                }
            }
        }
        let list = |owner: &UserId| {
            let is_friend = |other: &&UserId| {
                let pair = if owner < *other {
                    (owner, *other)
                } else {
                    (*other, owner)
                };
                *other != owner && !strangers.contains(&pair)
            };
            let entry = |user: &UserId| FriendEntry {
                user: user.clone(),
                relation: Relation::Friend,
                blocked: false,
            };
            let entries: Vec<_> = users.iter().filter(is_friend).map(entry).collect();
            let list = FriendList::new(ListVersion(1), entries);
            Arc::new(list.expect("a few users, each once"))
        };
        let settings = GraphSettings {
            cache_bytes_max: 4_096,
            waiting_max: 256,
            blocks: match blocks {
                Blocks::Told => rules::Blocks::Told,
                Blocks::Hidden => rules::Blocks::Hidden,
            },
        };
        Self {
            core: Some(Graph::new(settings.clone())),
            boot: 1,
            settings,
            durable: users
                .iter()
                .map(|user| (user.clone(), list(user)))
                .collect(),
            asked: BTreeMap::new(),
            open: BTreeSet::new(),
            numbers: 0,
            failing: 0,
            slow: false,
        }
    }

    /// A user's list, as it is durable.
    pub fn list(&self, user: &UserId) -> Arc<FriendList> {
        let list = self.durable.get(user).cloned();
        list.unwrap_or_else(|| Arc::new(FriendList::empty()))
    }

    /// How many questions it has not answered.
    pub fn waiting(&self) -> usize {
        self.core.as_ref().map_or(0, Graph::waiting)
    }

    /// Whoever asked is dead.
    pub(super) fn abandoned(&mut self, life: u64) {
        self.open.retain(|(asker, _)| *asker != life);
    }

    pub(super) fn set_failing(&mut self, percent: u32) {
        self.failing = percent;
    }

    pub(super) fn set_slow(&mut self, slow: bool) {
        self.slow = slow;
    }
}

impl World {
    pub(super) fn graph_ask(
        &mut self,
        shard: usize,
        life: u64,
        ticket: GraphTicket,
        request: GraphRequest,
    ) {
        self.trace.say(self.now, || {
            format!(
                "s{shard} -> graph {:x}: {}",
                ticket.0,
                brief::question(&request)
            )
        });
        self.graph.open.insert((life, ticket));
        let patience = Step::GraphTimeout(shard, life, ticket);
        self.plan_in(PATIENCE..PATIENCE + 1, patience);
        let step = Step::GraphAsked(shard, life, ticket, request);
        self.plan_in(200..5 * MS, step);
    }

    pub(super) fn graph_asked(
        &mut self,
        shard: usize,
        life: u64,
        ticket: GraphTicket,
        request: GraphRequest,
    ) {
        if self.graph.core.is_none() {
            let answer = GraphAnswer::Unavailable;
            return self.plan_in(200..2 * MS, Step::GraphTold(shard, life, ticket, answer));
        }
        self.graph.numbers += 1;
        let id = RequestId(self.graph.numbers);
        self.graph.asked.insert(id, (shard, life, ticket));
        self.graph_event(Event::Request(id, request));
    }

    pub(super) fn graph_told(
        &mut self,
        shard: usize,
        life: u64,
        ticket: GraphTicket,
        answer: GraphAnswer,
    ) {
        if self.graph.open.remove(&(life, ticket)) && self.shards[shard].life == life {
            let event = msgd_core::Event::Graph { ticket, answer };
            self.shard_event(shard, event);
        }
    }

    fn graph_event(&mut self, event: Event) {
        let Some(core) = &mut self.graph.core else {
            return;
        };
        self.trace.mark(self.now, 6, &[]);
        self.trace.say(self.now, || format!("friendd <- {event:?}"));
        let mut effects = Vec::new();
        core.handle(event, &mut effects);
        core.check_invariants();
        for effect in effects {
            match effect {
                Effect::Load(_) | Effect::Save { .. } => {
                    let late = if self.graph.slow { 900 * MS } else { 10 * MS };
                    let boot = self.graph.boot;
                    self.plan_in(500..late, Step::GraphStored(boot, effect));
                }
                Effect::Answer(id, answer) => {
                    if let Some((shard, life, ticket)) = self.graph.asked.remove(&id) {
                        let step = Step::GraphTold(shard, life, ticket, answer);
                        self.plan_in(200..5 * MS, step);
                    }
                }
            }
        }
    }

    /// The friend service's store does something. What a dead process asked
    /// for is done all the same.
    pub(super) fn graph_stored(&mut self, boot: u32, effect: Effect) {
        let fails = self.dice.percent(self.graph.failing);
        let event = match effect {
            Effect::Load(user) if fails => Event::LoadFailed { user },
            Effect::Load(user) => {
                let list = self.graph.list(&user);
                Event::Loaded { user, list }
            }
            Effect::Save { request, lists } => {
                let named = lists
                    .iter()
                    .all(|l| self.graph.list(&l.user).version() == l.replaces);
                let happens = !fails || self.dice.percent(50);
                if !named {
                    let stored = |l: &friendd_core::event::Replacement| {
                        (l.user.clone(), self.graph.list(&l.user))
                    };
                    let lists = lists.iter().map(stored).collect();
                    Event::SaveConflict { request, lists }
                } else {
                    if happens {
                        for list in lists {
                            self.graph.durable.insert(list.user, list.list);
                        }
                    }
                    if fails {
                        Event::SaveFailed(request)
                    } else {
                        Event::Saved(request)
                    }
                }
            }
            Effect::Answer(..) => return,
        };
        if fails {
            self.failed();
        }
        if boot == self.graph.boot {
            self.graph_event(event);
        }
    }

    pub(super) fn graph_crash(&mut self) {
        if self.graph.core.take().is_some() {
            self.trace.say(self.now, || "friendd dies".to_owned());
            self.graph.boot += 1;
            self.graph.asked.clear();
            self.plan_in(100 * MS..3 * SECOND, Step::GraphStart);
        }
    }

    pub(super) fn graph_start(&mut self) {
        if self.graph.core.is_none() {
            self.graph.core = Some(Graph::new(self.graph.settings.clone()));
        }
    }
}
