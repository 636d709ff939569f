//! The log of a group holds each message once, at the place that was named, and
//! those of one sender in the order written, as long as no part fails between
//! them. What is called never delivered is in no log, unless its client had sent
//! it once more meanwhile.

use std::collections::BTreeMap;

use proto::group::{LogEntry, Logged, Place};
use proto::ids::{GroupId, Identity};

use super::Broken;
use crate::agenda::{SECOND, Time};
use crate::brief;
use crate::model::{Model, To};
use crate::observed::{Observed, Process};
use crate::world::World;

const NAME: &str = "a log holds each message once";

/// So long a failure may last, until the part is back and all have noticed.
const LASTS: Time = 5 * SECOND;

#[derive(Debug, Default)]
pub(super) struct InLog {
    /// The messages in any log, and the latest of each process in each group.
    messages: BTreeMap<Identity, GroupId>,
    latest: BTreeMap<(Process, GroupId), usize>,
    failure: Time,
}

/// Whether a message is at this place of a group's log.
pub(super) fn is_at(identity: &Identity, group: &GroupId, place: Place, model: &Model) -> bool {
    let log = model.groups.logs.get(&(group.clone(), place.epoch));
    let at = usize::try_from(place.seq)
        .ok()
        .and_then(|seq| seq.checked_sub(1));
    let entry = log.zip(at).and_then(|(log, at)| log.entries.get(at));
    entry.and_then(of).as_ref() == Some(identity)
}

fn of(entry: &LogEntry) -> Option<Identity> {
    match &entry.what {
        Logged::Message { id, .. } => Some(Identity {
            from: entry.from.clone(),
            id: *id,
        }),
        Logged::Change(_) => None,
    }
}

impl InLog {
    pub(super) fn observe(
        &mut self,
        now: Time,
        observed: &Observed<'_>,
        model: &Model,
    ) -> Result<(), Broken> {
        match observed {
            Observed::Failure => self.failure = now,
            Observed::Logged { group, entry, .. } => {
                if let Some(identity) = of(entry) {
                    return self.logged(group, entry, &identity, model);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn logged(
        &mut self,
        group: &GroupId,
        entry: &LogEntry,
        identity: &Identity,
        model: &Model,
    ) -> Result<(), Broken> {
        let broken = |what: &str| {
            let entry = brief::entry(entry);
            Err(Broken::new(NAME, format!("in {group}, {entry} {what}")))
        };
        let Some(letter) = model.letters.get(identity) else {
            return broken("is a message that nobody wrote");
        };
        let Logged::Message { body, .. } = &entry.what else {
            return Ok(());
        };
        if letter.to != To::Group(group.clone()) || letter.body != *body {
            return broken("was written to others, or says other things");
        }
        if self
            .messages
            .insert(identity.clone(), group.clone())
            .is_some()
        {
            return broken("is there twice");
        }
        let key = (letter.process, group.clone());
        let latest = self.latest.entry(key).or_default();
        let is_later = letter.order > *latest;
        *latest = letter.order.max(*latest);
        // One that was sent again by its client has lost its place.
        let failed = self.failure > 0 && self.failure + LASTS > letter.written;
        if is_later || failed || letter.unknown {
            return Ok(());
        }
        broken("stands behind a later one of its sender")
    }
}

pub(super) fn at_the_end(world: &World) -> Result<(), Broken> {
    let groups = &world.model.groups;
    let in_logs = groups.logs.values().flat_map(|log| &log.entries);
    for identity in in_logs.filter_map(of) {
        let letter = &world.model.letters[&identity];
        if let Some(code) = letter.refused
            && !letter.repeated
        {
            let message = brief::message(&identity);
            let what = format!("{message} was refused by {code:?} and is in a log");
            return Err(Broken::new(NAME, what));
        }
    }
    for (name, held) in world.store().groups() {
        let epoch = held.record.epoch;
        let Some(log) = groups.logs.get(&(name.clone(), epoch)) else {
            return Err(Broken::new(NAME, format!("{name} was never written to")));
        };
        let kept = log.entries.iter().filter(|entry| entry.seq >= held.first);
        if !kept.eq(held.entries()) || log.entries.len() as u64 != held.head.place.seq {
            return Err(Broken::new(NAME, format!("the log of {name} has changed")));
        }
    }
    Ok(())
}
