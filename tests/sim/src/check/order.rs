//! Order: from one device to another, in the order written, as long as no part
//! fails between them.

use std::collections::BTreeMap;

use super::Broken;
use crate::agenda::{SECOND, Time};
use crate::brief;
use crate::model::Model;
use crate::observed::{Observed, Process};

const NAME: &str = "order";

/// So long a failure may last, until the part is back and all have noticed.
const LASTS: Time = 5 * SECOND;

#[derive(Debug, Default)]
pub(super) struct Order {
    /// The latest message that a process has shown of another one.
    latest: BTreeMap<(Process, Process), (usize, Time)>,
    failure: Time,
}

impl Order {
    pub(super) fn observe(
        &mut self,
        now: Time,
        observed: &Observed<'_>,
        model: &Model,
    ) -> Result<(), Broken> {
        let (process, identity) = match observed {
            Observed::Failure => {
                self.failure = now;
                return Ok(());
            }
            Observed::Showed {
                process, identity, ..
            } => (*process, *identity),
            _ => return Ok(()),
        };
        let Some(letter) = model.letters.get(identity) else {
            return Ok(());
        };
        let latest = self.latest.entry((letter.process, process)).or_default();
        if letter.order > latest.0 {
            *latest = (letter.order, now);
            return Ok(());
        }
        // One that was sent again by its client has lost its place.
        let failed = self.failure > 0 && self.failure + LASTS > letter.written;
        if failed || letter.unknown {
            return Ok(());
        }
        Err(Broken::new(
            NAME,
            format!(
                "{}, number {} of {:?}, is shown by {process:?} after number {}",
                brief::message(identity),
                letter.order,
                letter.process,
                latest.0
            ),
        ))
    }
}
