//! Each entry of a log is shown once and in order, the same to all. In the end
//! who is in a group has all of its log, from the first that it wanted on.

use std::collections::{BTreeMap, BTreeSet};

use proto::group::Place;
use proto::ids::{GroupId, LogEpoch};

use super::Broken;
use crate::brief;
use crate::model::Model;
use crate::observed::{Observed, Process};
use crate::store::Store;
use crate::world::World;

const NAME: &str = "a log is shown whole";

type Reader = (Process, GroupId);

#[derive(Debug, Default)]
pub(super) struct Entries {
    /// The last entry that each has shown.
    last: BTreeMap<Reader, Place>,
    /// The logs that each has begun with.
    begun: BTreeSet<(Reader, LogEpoch)>,
}

impl Entries {
    pub(super) fn observe(
        &mut self,
        observed: &Observed<'_>,
        model: &Model,
        store: &Store,
    ) -> Result<(), Broken> {
        match observed {
            Observed::Given {
                client,
                group,
                epoch,
                entry,
            } => {
                let log = model.groups.logs.get(&((*group).clone(), *epoch));
                let at = entry
                    .seq
                    .checked_sub(1)
                    .and_then(|at| usize::try_from(at).ok());
                let durable = log.zip(at).and_then(|(log, at)| log.entries.get(at));
                if durable != Some(*entry) {
                    let entry = brief::entry(entry);
                    let what = format!("c{client} is given {group} {entry}, not {durable:?}");
                    return Err(Broken::new(NAME, what));
                }
            }
            Observed::Begins {
                process,
                keeps,
                group,
                place,
            } => {
                let reader = reader(*process, *keeps, group);
                self.last.insert(reader.clone(), *place);
                if !self.begun.insert((reader, place.epoch)) {
                    let what = format!("c{} begins anew with {group}", process.client);
                    return Err(Broken::new(NAME, what));
                }
            }
            Observed::ShowedEntry {
                process,
                keeps,
                group,
                epoch,
                seq,
            } => {
                let last = self.last.get_mut(&reader(*process, *keeps, group));
                let Some(last) = last.filter(|last| last.epoch == *epoch) else {
                    let what = format!("c{} shows {group} {seq} before", process.client);
                    return Err(Broken::new(NAME, what));
                };
                // What lies between is gone for its age, or was never left out.
                let held = store.group(group);
                let held = held.filter(|held| held.head.place.epoch == *epoch);
                let first = held.map_or(u64::MAX, |held| held.first);
                let is_next = *seq == last.seq + 1;
                if !is_next && (*seq <= last.seq || *seq > first) {
                    let client = process.client;
                    let what = format!("c{client} shows {group} {seq} behind {}", last.seq);
                    return Err(Broken::new(NAME, what));
                }
                last.seq = *seq;
            }
            _ => {}
        }
        Ok(())
    }
}

fn reader(mut process: Process, keeps: bool, group: &GroupId) -> Reader {
    if keeps {
        process.start = 0;
    }
    (process, group.clone())
}

pub(super) fn at_the_end(world: &World) -> Result<(), Broken> {
    for (number, client) in world.clients().iter().enumerate() {
        if !client.is_live() {
            continue;
        }
        for group in client.groups.within() {
            let shown = client.groups.shown(group);
            let head = world.store().group(group).map(|held| held.head.place);
            if shown != head {
                let what = format!("c{number} has {group} up to {shown:?}, it ends at {head:?}");
                return Err(Broken::new(NAME, what));
            }
        }
    }
    Ok(())
}
