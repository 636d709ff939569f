//! Processes of shards that stand still for a while, and what they had to say.

use std::collections::VecDeque;

use msgd_core::{Effect, Event};

use super::{Step, Trouble, World};
use crate::agenda::Time;

/// Whether a process stands still.
#[derive(Debug)]
pub(super) enum Pause {
    No,
    /// From its next event on: what it has to do then waits with it.
    Soon,
    /// It does. Its last effects have not left, and its input waits.
    Now {
        effects: Vec<Effect>,
        backlog: VecDeque<Event>,
    },
    /// It is awake. What had not left goes before what its first event gives,
    /// as a queue is in order, or not at all if that finds the lease over.
    Over(Vec<Effect>),
}

impl World {
    pub(super) fn shard_pause(&mut self, shard: usize) {
        let node = &mut self.shards[shard];
        if node.core.is_some() && matches!(node.pause, Pause::No) {
            node.pause = Pause::Soon;
        }
    }

    /// At once, for so long.
    pub(super) fn shard_stands_still(&mut self, shard: usize, long: Time) {
        let node = &mut self.shards[shard];
        if node.core.is_none() || !matches!(node.pause, Pause::No) {
            return;
        }
        node.pause = Pause::Now {
            effects: Vec::new(),
            backlog: VecDeque::new(),
        };
        self.trace.say(self.now, || format!("s{shard} pauses"));
        let over = Step::Over(Trouble::ShardPause(shard));
        self.plan_in(long..long + 1, over);
    }

    pub(super) fn shard_resume(&mut self, shard: usize) {
        let pause = std::mem::replace(&mut self.shards[shard].pause, Pause::No);
        let Pause::Now {
            mut effects,
            backlog,
        } = pause
        else {
            return;
        };
        self.trace.say(self.now, || format!("s{shard} resumes"));
        let life = self.shards[shard].life;
        if self.dice.percent(30) {
            // The store's thread is awake first: the token is all that stops it.
            let writes = effects.extract_if(.., |effect| matches!(effect, Effect::Store(_)));
            let writes = writes.filter_map(|effect| match effect {
                Effect::Store(request) => Some(request),
                _ => None,
            });
            self.store_ask(shard, life, writes.collect());
        }
        self.shards[shard].pause = Pause::Over(effects);
        if self.dice.percent(30) {
            // So is the task that keeps the lease.
            self.seat_resumes(shard);
        }
        // Rule 5: the lease is looked at before any answer leaves, after every
        // wait. A shell asks by the tick that is due then.
        self.shard_event(shard, Event::Tick);
        for event in backlog {
            if self.shards[shard].life == life {
                self.shard_event(shard, event);
            }
        }
        self.seat_resumes(shard);
    }

    /// What may leave of what a shard has to do: nothing while it stands still.
    pub(super) fn shard_may_act(
        &mut self,
        shard: usize,
        mut effects: Vec<Effect>,
    ) -> Option<Vec<Effect>> {
        let pause = &mut self.shards[shard].pause;
        match pause {
            Pause::Soon => {
                let backlog = VecDeque::new();
                *pause = Pause::Now { effects, backlog };
                self.trace.say(self.now, || format!("s{shard} pauses"));
                return None;
            }
            Pause::Over(held) => {
                let fenced = effects.iter().any(|e| matches!(e, Effect::Fenced));
                let held = held.drain(..).filter(|_| !fenced);
                effects.splice(..0, held);
                *pause = Pause::No;
            }
            Pause::No | Pause::Now { .. } => {}
        }
        Some(effects)
    }
}
