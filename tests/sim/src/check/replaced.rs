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
    /// When each client opened its last one, gone or not.
    last_opened: BTreeMap<usize, u64>,
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
                self.last_opened.insert(*client, at);
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
                let last_opened = self.last_opened.get(client).copied();
                let open = self.of(*client);
                let Some(own) = open.remove(connection) else {
                    return Ok(());
                };
                // Of log-ins under way at the same time either may be taken
                // for the later one, and who came later or at the same time may
                // be gone by now.
                let earlier = |other: &Open| other.greeted.is_some_and(|at| at < own.opened);
                let is_last = last_opened == Some(own.opened);
                let others = !open.is_empty() && open.values().all(earlier);
                if is_last && own.greeted.is_some() && others {
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
