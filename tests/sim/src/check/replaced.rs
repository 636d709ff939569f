//! Only a later log-in of a device takes its place: who is told so has a
//! successor.

use std::collections::BTreeMap;

use super::Broken;
use crate::observed::Observed;

const NAME: &str = "replaced by a later log-in";

#[derive(Debug, Default)]
pub(super) struct Replaced {
    /// The open connections of each client; the number says when its log-in
    /// was accepted, none if it was not yet.
    open: BTreeMap<usize, BTreeMap<u64, Option<u64>>>,
    greetings: u64,
}

impl Replaced {
    pub(super) fn observe(&mut self, observed: &Observed<'_>) -> Result<(), Broken> {
        match observed {
            Observed::Opened { connection, client } => {
                self.of(*client).insert(*connection, None);
            }
            Observed::Greeted { connection, client } => {
                self.greetings += 1;
                let greeting = self.greetings;
                self.of(*client).insert(*connection, Some(greeting));
            }
            Observed::Ended { connection, client } => {
                self.of(*client).remove(connection);
            }
            Observed::Replaced { connection, client } => {
                let open = self.of(*client);
                let own = open.remove(connection).flatten();
                // The successor may be gone by now; then nobody knows.
                // Two greetings may overtake each other on their ways; a
                // connection that was opened later is a later log-in too.
                let earlier = |(other, greeted): (&u64, &Option<u64>)| {
                    greeted.is_some() && *greeted < own && other < connection
                };
                if own.is_some() && !open.is_empty() && open.iter().all(earlier) {
                    let what = format!("connection {connection} of client {client}");
                    return Err(Broken::new(NAME, what));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn of(&mut self, client: usize) -> &mut BTreeMap<u64, Option<u64>> {
        self.open.entry(client).or_default()
    }
}
