//! The schedule: which faults, in which order.
//!
//! Owns the dice of the seed. Must not know when one is over.

use std::collections::VecDeque;
use std::time::Duration;

use clap::ValueEnum;
use fastrand::Rng;

use crate::fault::{Fault, What, Whom};
use crate::stage::{FRIENDS, GATEWAYS, SHARDS};

/// One in so many faults has a second one while it lasts.
const OVERLAP: u32 = 4;

/// Shards that are there from the beginning; one more comes and goes.
const RESIDENTS: usize = SHARDS.len() - 1;

/// Faults that happen together: a second one begins while the first lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The first.
    pub fault: Fault,
    /// And how much later another one.
    pub second: Option<(Duration, Fault)>,
}

/// An endless schedule: every kind once, in an order of its own, and again.
#[derive(Debug)]
pub struct Plan {
    dice: Rng,
    kinds: Vec<What>,
    round: VecDeque<What>,
}

impl Plan {
    /// The schedule of this seed, of these kinds; of all, if there are none.
    pub fn new(seed: u64, only: &[What]) -> Self {
        let kinds = match only {
            [] => What::value_variants(),
            only => only,
        };
        Self {
            dice: Rng::with_seed(seed),
            kinds: kinds.to_vec(),
            round: VecDeque::new(),
        }
    }

    /// What is next.
    pub fn next(&mut self) -> Step {
        let fault = self.fault();
        let second = (self.dice.u32(0..OVERLAP) == 0).then(|| self.beside(&fault));
        Step {
            fault,
            second: second.flatten(),
        }
    }

    fn fault(&mut self) -> Fault {
        if self.round.is_empty() {
            let mut round = self.kinds.clone();
            self.dice.shuffle(&mut round);
            self.round = round.into();
        }
        let what = self.round.pop_front().unwrap_or(What::ShardKilled);
        let whom = self.whom(what);
        let spans = what.spans();
        let spans = spans[self.dice.usize(..spans.len())].clone();
        let span = self.dice.u64(spans);
        let span = Duration::from_millis(span);
        Fault { what, whom, span }
    }

    fn whom(&mut self, what: What) -> Whom {
        match what {
            What::ShardJoins => Whom::Shard(RESIDENTS),
            What::GatewayKilled
            | What::GatewayFrozen
            | What::GatewayStopped
            | What::GatewayCutFromRedis
            | What::ClientsCut
            | What::ClientsStalled => Whom::Gateway(self.dice.usize(..GATEWAYS)),
            What::FriendsKilled
            | What::FriendsFrozen
            | What::FriendsCutFromRedis
            | What::FriendsStalledFromRedis => Whom::Friends(self.dice.usize(..FRIENDS)),
            What::RedisKilled | What::RedisFrozen => Whom::Redis,
            _ => Whom::Shard(self.dice.usize(..RESIDENTS)),
        }
    }

    /// Another fault, of another part, which can be told from the first.
    fn beside(&mut self, first: &Fault) -> Option<(Duration, Fault)> {
        let second = self.fault();
        let apart = second.whom != first.whom
            && !second.what.needs(first.whom)
            && !first.what.needs(second.whom);
        if !apart {
            // Its turn comes next.
            self.round.push_front(second.what);
            return None;
        }
        // A span is some seconds.
        let later = self.dice.u64(..first.span.as_millis() as u64);
        Some((Duration::from_millis(later), second))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_seed_is_a_schedule_and_a_round_has_every_kind() {
        let steps = |seed| {
            let mut plan = Plan::new(seed, &[]);
            let steps = (0..100).map(|_| plan.next());
            steps.collect::<Vec<Step>>()
        };
        assert_eq!(steps(7), steps(7));
        assert_ne!(steps(7), steps(8));
        let steps = steps(7);
        let kinds = steps.iter().take(What::value_variants().len());
        let seconds = |step: &Step| step.second.map(|(_, fault)| fault.what);
        let kinds = kinds.flat_map(|step| [Some(step.fault.what), seconds(step)]);
        let kinds: HashSet<What> = kinds.flatten().collect();
        assert_eq!(kinds.len(), What::value_variants().len());
        for step in &steps {
            let Some((later, second)) = step.second else {
                continue;
            };
            assert!(later < step.fault.span);
            assert_ne!(second.whom, step.fault.whom);
        }
        assert!(steps.iter().any(|step| step.second.is_some()));
    }

    #[test]
    fn one_kind_alone() {
        let mut plan = Plan::new(1, &[What::RedisKilled]);
        for _ in 0..10 {
            let step = plan.next();
            assert_eq!(step.fault.what, What::RedisKilled);
            assert_eq!((step.fault.whom, step.second), (Whom::Redis, None));
        }
    }
}
