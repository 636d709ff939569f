//! Before a gateway stops, each of its clients is asked to move, once; who
//! heard of it in time is not there any more when it stops.

use std::collections::{BTreeMap, BTreeSet};

use super::Broken;
use crate::agenda::Time;
use crate::observed::Observed;

const NAME: &str = "who is asked to move is not closed";

#[derive(Debug, Default)]
pub(super) struct Moves {
    greeted: BTreeSet<u64>,
    asked: BTreeSet<u64>,
    /// By when each has left that heard of it.
    until: BTreeMap<u64, Time>,
}

impl Moves {
    pub(super) fn observe(&mut self, now: Time, observed: &Observed<'_>) -> Result<(), Broken> {
        let what = match observed {
            Observed::Greeted { connection, .. } => {
                self.greeted.insert(*connection);
                return Ok(());
            }
            Observed::Goes { connection, until } => {
                self.until.insert(*connection, *until);
                return Ok(());
            }
            Observed::Asked { connection } if !self.asked.insert(*connection) => {
                format!("connection {connection} is asked once more")
            }
            Observed::Asked { connection } if !self.greeted.contains(connection) => {
                format!("connection {connection} is asked before it is logged in")
            }
            Observed::Stopped {
                connection,
                is_left: true,
            } if self.greeted.contains(connection) && !self.asked.contains(connection) => {
                format!("connection {connection} was not asked and is closed")
            }
            Observed::Stopped { connection, .. }
                if self.until.get(connection).is_some_and(|until| *until < now) =>
            {
                format!("connection {connection} was to have left and is closed")
            }
            _ => return Ok(()),
        };
        Err(Broken::new(NAME, what))
    }
}
