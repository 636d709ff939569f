//! The online path goes on: while the registry is away for all, and nothing
//! else fails, no shard loses its lease that has slots. Who joined the ring, and
//! was not told of it before, is as good as dead to the others.

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

    pub(super) fn observe(&mut self, observed: &Observed<'_>) -> Result<(), Broken> {
        let Observed::Fenced {
            life,
            has_slots,
            all_begun,
        } = observed
        else {
            return Ok(());
        };
        self.is_promised &= all_begun;
        if self.is_promised && *has_slots {
            return Err(Broken::new(NAME, format!("life {life} lost its lease")));
        }
        Ok(())
    }
}
