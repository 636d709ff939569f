//! The online path goes on: while the registry is away for all, and nothing
//! else fails, no shard loses its lease that has slots.

use super::Broken;
use crate::observed::Observed;
use crate::plan::{Plan, Troubles};

const NAME: &str = "the online path goes on";

#[derive(Debug)]
pub(super) struct GoesOn {
    is_promised: bool,
}

impl GoesOn {
    pub(super) fn new(plan: &Plan) -> Self {
        let Troubles {
            outage,
            ring_changes,
            ..
        } = plan.troubles;
        // Who has just come may be unknown to those whom it asks.
        let is_promised = outage && !ring_changes;
        Self { is_promised }
    }

    pub(super) fn observe(&self, observed: &Observed<'_>) -> Result<(), Broken> {
        match observed {
            Observed::Fenced { life, has_slots } if self.is_promised && *has_slots => {
                Err(Broken::new(NAME, format!("life {life} lost its lease")))
            }
            _ => Ok(()),
        }
    }
}
