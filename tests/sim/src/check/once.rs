//! Shown once per device process, and over restarts where the ids are kept;
//! where nothing fails, not even sent to a device twice.

use std::collections::BTreeSet;

use proto::ids::Identity;

use super::Broken;
use crate::agenda::{SECOND, Time};
use crate::brief;
use crate::observed::{Observed, Process};
use crate::plan::Plan;

const NAME: &str = "shown once";

/// By then every link is up; with each that comes up sessions are announced
/// again, and are given again what they have not acknowledged.
const SETTLED: Time = SECOND;

#[derive(Debug)]
pub(super) struct Once {
    shown: BTreeSet<(Process, Identity)>,
    got: BTreeSet<(u64, Identity)>,
    /// No failure, no ring change, room for everything.
    smooth: bool,
}

impl Once {
    pub(super) fn new(plan: &Plan) -> Self {
        let troubles = plan.troubles;
        let roomy = plan.link_max > 1_000 && plan.shard.users_max > 2 * plan.users;
        Self {
            shown: BTreeSet::new(),
            got: BTreeSet::new(),
            smooth: roomy && !troubles.any_failure() && !troubles.ring_changes,
        }
    }

    pub(super) fn observe(&mut self, now: Time, observed: &Observed<'_>) -> Result<(), Broken> {
        match observed {
            Observed::Showed {
                process,
                keeps_ids,
                identity,
                ..
            } => {
                let mut process = *process;
                if *keeps_ids {
                    process.start = 0;
                }
                if self.shown.insert((process, (*identity).clone())) {
                    return Ok(());
                }
                Err(Broken::new(
                    NAME,
                    format!("{} on {process:?}", brief::message(identity)),
                ))
            }
            Observed::Got {
                connection,
                identity,
            } if self.smooth && now > SETTLED => {
                if self.got.insert((*connection, (*identity).clone())) {
                    return Ok(());
                }
                let what = format!(
                    "{} came twice by connection {connection}",
                    brief::message(identity)
                );
                Err(Broken::new(NAME, what))
            }
            _ => Ok(()),
        }
    }
}
