//! The online path goes on: while the registry is away for all, and nothing
//! else fails, no shard loses its lease.

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
        // Who is drained has no slots, and cannot be asked.
        let is_promised = outage && !ring_changes;
        Self { is_promised }
    }

    pub(super) fn observe(&self, observed: &Observed<'_>) -> Result<(), Broken> {
        match observed {
            Observed::Fenced { life } if self.is_promised => {
                Err(Broken::new(NAME, format!("life {life} lost its lease")))
            }
            _ => Ok(()),
        }
    }
}
