//! Where messages came by lately, at one gateway or shard.
//!
//! Owns how many such steps are remembered. Must not know what a step means.

use proto::ids::{MessageId, Stamp};

use super::wire;

/// Steps that are remembered; the oldest goes. Half a MiB: at 5,000 messages a
/// second, with six steps each, the last quarter of a second.
const STEPS_MAX: usize = 8_192;

/// Likewise of steps with a code: refusals, and what is not known.
const CODED_MAX: usize = 1_024;

/// A message came by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: Stamp,
    /// Which message.
    pub id: MessageId,
    /// What happened, for people.
    pub what: &'static str,
    /// At or towards which gateway; 0: no matter.
    pub gateway: u64,
    /// For which session of it; 0: none.
    pub session: u64,
    /// The code that it got; 0: none.
    pub code: u32,
}

/// The latest steps. Those with a code have places of their own: they are few,
/// and stay when all else has gone.
#[derive(Debug)]
pub struct Trail {
    steps: Latest,
    coded: Latest,
}

impl Default for Trail {
    fn default() -> Self {
        Self {
            steps: Latest::new(STEPS_MAX),
            coded: Latest::new(CODED_MAX),
        }
    }
}

impl Trail {
    /// Remembers a step.
    pub fn note(&mut self, step: Step) {
        match step.code {
            0 => self.steps.note(step),
            _ => self.coded.note(step),
        }
    }

    /// The steps of a message, the oldest first.
    pub fn of(&self, id: MessageId) -> Vec<wire::Step> {
        let steps = self.steps.iter().chain(self.coded.iter());
        let mut steps: Vec<&Step> = steps.filter(|step| step.id == id).collect();
        steps.sort_by_key(|step| step.at);
        let shown = |step: &Step| wire::Step {
            at_us: step.at.0,
            what: step.what.to_owned(),
            gateway: step.gateway,
            session: step.session,
            code: step.code,
        };
        steps.into_iter().map(shown).collect()
    }
}

/// So many steps; the oldest goes.
#[derive(Debug)]
struct Latest {
    steps: Vec<Step>,
    /// Where the next one goes, once all places are taken.
    next: usize,
    most: usize,
}

impl Latest {
    /// With all the memory that it will need: none is asked for under load.
    fn new(most: usize) -> Self {
        Self {
            steps: Vec::with_capacity(most),
            next: 0,
            most,
        }
    }

    fn note(&mut self, step: Step) {
        if self.steps.len() < self.most {
            self.steps.push(step);
            return;
        }
        self.steps[self.next] = step;
        self.next = (self.next + 1) % self.most;
    }

    /// The oldest first.
    fn iter(&self) -> impl Iterator<Item = &Step> {
        let (newer, older) = self.steps.split_at(self.next);
        older.iter().chain(newer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(number: u64) -> Step {
        Step {
            at: Stamp(number),
            id: MessageId::mint(number % 2, [0; 10]),
            what: "came",
            gateway: 1,
            session: 2,
            code: 0,
        }
    }

    #[test]
    fn the_latest_steps_are_remembered_in_their_order() {
        let mut trail = Trail::default();
        let last = 3 * STEPS_MAX as u64 + 10;
        (0..last).for_each(|number| trail.note(step(number)));
        let even: Vec<u64> = trail.of(step(0).id).iter().map(|step| step.at_us).collect();
        assert_eq!(even.len(), STEPS_MAX / 2);
        assert!(even.is_sorted());
        assert_eq!(even.last(), Some(&(last - 2)));
        assert_eq!(trail.of(MessageId::mint(2, [0; 10])), []);
    }

    #[test]
    fn a_refusal_stays_when_all_else_has_gone() {
        let mut trail = Trail::default();
        let id = MessageId::mint(7, [0; 10]);
        let refused = |at, code| Step {
            id,
            code,
            ..step(at)
        };
        trail.note(refused(1, 0));
        trail.note(refused(2, 102));
        trail.note(refused(3, 0));
        let times = |trail: &Trail| trail.of(id).iter().map(|s| s.at_us).collect::<Vec<_>>();
        assert_eq!(times(&trail), [1, 2, 3]);
        let steps = 3 * STEPS_MAX as u64;
        (10..steps).for_each(|number| trail.note(step(number)));
        assert_eq!(times(&trail), [2]);
        // Until there are so many more.
        let other = |at| Step {
            code: 101,
            ..step(at)
        };
        (0..CODED_MAX as u64).for_each(|number| trail.note(other(steps + number)));
        assert_eq!(times(&trail), []);
    }
}
