//! Where messages came by lately, at one gateway or shard.
//!
//! Owns how many such steps are remembered. Must not know what a step means.

use proto::ids::{MessageId, Stamp};

use super::wire;

/// Steps that are remembered; the oldest goes. Half a MiB: at 5,000 messages a
/// second, with six steps each, the last quarter of a second.
const STEPS_MAX: usize = 8_192;

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

/// The latest steps.
#[derive(Debug, Default)]
pub struct Trail {
    steps: Vec<Step>,
    /// Where the next one goes, once all places are taken.
    next: usize,
}

impl Trail {
    /// Remembers a step.
    pub fn note(&mut self, step: Step) {
        if self.steps.len() < STEPS_MAX {
            self.steps.push(step);
            return;
        }
        self.steps[self.next] = step;
        self.next = (self.next + 1) % STEPS_MAX;
    }

    /// The steps of a message, the oldest first.
    pub fn of(&self, id: MessageId) -> Vec<wire::Step> {
        let (newer, older) = self.steps.split_at(self.next);
        let steps = older.iter().chain(newer).filter(|step| step.id == id);
        let shown = |step: &Step| wire::Step {
            at_us: step.at.0,
            what: step.what.to_owned(),
            gateway: step.gateway,
            session: step.session,
            code: step.code,
        };
        steps.map(shown).collect()
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
}
