//! Only a later log-in of a device takes its place: who is told so has a
//! successor.

use std::collections::BTreeMap;

use super::Broken;
use crate::observed::Observed;

const NAME: &str = "replaced by a later log-in";

/// When a connection was opened and when its log-in was accepted, as gateways
/// saw it.
#[derive(Debug)]
struct Open {
    opened: u64,
    greeted: Option<u64>,
}

#[derive(Debug, Default)]
pub(super) struct Replaced {
    /// The open connections of each client.
    open: BTreeMap<usize, BTreeMap<u64, Open>>,
    /// Counts what happens.
    count: u64,
}

impl Replaced {
    pub(super) fn observe(&mut self, observed: &Observed<'_>) -> Result<(), Broken> {
        self.count += 1;
        let at = self.count;
        match observed {
            Observed::Opened { connection, client } => {
                let open = Open {
                    opened: at,
                    greeted: None,
                };
                self.of(*client).insert(*connection, open);
            }
            Observed::Greeted { connection, client } => {
                if let Some(open) = self.of(*client).get_mut(connection) {
                    open.greeted = Some(at);
                }
            }
            Observed::Ended { connection, client } => {
                self.of(*client).remove(connection);
            }
            Observed::Replaced { connection, client } => {
                let open = self.of(*client);
                let Some(own) = open.remove(connection) else {
                    return Ok(());
                };
                // Of log-ins under way at the same time either may be taken
                // for the later one. The successor may be gone by now; then
                // nobody knows.
                let earlier = |other: &Open| other.greeted.is_some_and(|at| at < own.opened);
                if own.greeted.is_some() && !open.is_empty() && open.values().all(earlier) {
                    let what = format!("connection {connection} of client {client}");
                    return Err(Broken::new(NAME, what));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn of(&mut self, client: usize) -> &mut BTreeMap<u64, Open> {
        self.open.entry(client).or_default()
    }
}
