//! Devices of a user know of each other: what one is told another did it did,
//! and it is safe; who is ended was to be ended. In the end the list of devices
//! is who is there, and what one sends the others learn.

use std::collections::{BTreeMap, BTreeSet};

use proto::ids::{DeviceId, Identity, UserId};
use proto::server::{Carbon, Did, Outcome, SentElsewhere};

use super::{Broken, safe};
use crate::brief;
use crate::client::Client;
use crate::model::{Model, To};
use crate::observed::{Observed, Verdict};
use crate::store::Store;
use crate::world::World;

const NAME: &str = "devices know of each other";

/// Who was asked to be ended, and which connections there are.
#[derive(Debug, Default)]
pub(super) struct Devices {
    asked: Vec<Asked>,
    /// The open connections: by whom, and since when they are logged in.
    open: BTreeMap<u64, (usize, Option<u64>)>,
    /// Counts what happens.
    count: u64,
}

#[derive(Debug)]
struct Asked {
    by: usize,
    request: u32,
    of: (UserId, DeviceId),
    at: u64,
}

impl Devices {
    pub(super) fn observe(
        &mut self,
        observed: &Observed<'_>,
        model: &Model,
        store: &Store,
    ) -> Result<(), Broken> {
        self.count += 1;
        match observed {
            Observed::Carbon { client, carbon } => return told(*client, carbon, model, store),
            Observed::Opened { connection, client } => {
                self.open.insert(*connection, (*client, None));
            }
            Observed::Greeted { connection, .. } => {
                if let Some((_, since)) = self.open.get_mut(connection) {
                    *since = Some(self.count);
                }
            }
            // Which a client has left is no device's any more.
            Observed::Abandoned { connection } | Observed::Ended { connection, .. } => {
                self.open.remove(connection);
            }
            Observed::EndsDevice {
                client,
                request,
                device,
            } => {
                let (user, _) = &model.devices[*client];
                self.asked.push(Asked {
                    by: *client,
                    request: *request,
                    of: (user.clone(), (*device).clone()),
                    at: self.count,
                });
            }
            Observed::EndedDevice { client } => {
                let who = &model.devices[*client];
                if !self.asked.iter().any(|asked| asked.of == *who) {
                    let what = format!("nobody asked for the end of {}/{}", who.0, who.1);
                    return Err(Broken::new(NAME, what));
                }
            }
            Observed::DeviceResult { client, request } => {
                return self.done(*client, *request, model);
            }
            _ => {}
        }
        Ok(())
    }

    /// Done means that no connection of that device is left which was logged in
    /// when it was asked for: nobody knows whose another one is, and its log-in
    /// comes later than the end. The own one ends a moment later.
    fn done(&self, client: usize, request: u32, model: &Model) -> Result<(), Broken> {
        let mut asked = self.asked.iter();
        let asked = asked.find(|asked| (asked.by, asked.request) == (client, request));
        let Some(asked) = asked.filter(|asked| asked.of != model.devices[client]) else {
            return Ok(());
        };
        let mut left = self.open.iter().filter(|(_, (of, since))| {
            since.is_some_and(|since| since < asked.at) && model.devices[*of] == asked.of
        });
        match left.next() {
            Some((connection, _)) => {
                let (user, device) = &asked.of;
                let what = format!("{user}/{device} is called ended, and has #{connection}");
                Err(Broken::new(NAME, what))
            }
            None => Ok(()),
        }
    }
}

fn told(client: usize, carbon: &Carbon, model: &Model, store: &Store) -> Result<(), Broken> {
    let (user, own) = &model.devices[client];
    let by = (user.clone(), carbon.device.clone());
    if carbon.device == *own || !model.devices.contains(&by) {
        let what = format!("{user}/{own} is told of {}", carbon.device);
        return Err(Broken::new(NAME, what));
    }
    match &carbon.did {
        Did::Sent(sent) => copied(&by, sent, model, store),
        Did::Read(_) | Did::Transient(_) | Did::GroupRead(_) => Ok(()),
    }
}

fn copied(
    by: &(UserId, DeviceId),
    sent: &SentElsewhere,
    model: &Model,
    store: &Store,
) -> Result<(), Broken> {
    let identity = Identity {
        from: by.0.clone(),
        id: sent.id,
    };
    let wrong = |what| {
        let what = format!("the copy of {} {what}", brief::message(&identity));
        Err(Broken::new(NAME, what))
    };
    let Some(letter) = model.letters.get(&identity) else {
        return wrong("is of no message");
    };
    if model.devices[letter.process.client] != *by {
        return wrong("names another device");
    }
    if letter.to != To::User(sent.to.clone()) || letter.body != sent.body {
        return wrong("says other things");
    }
    let verdict = match &sent.sent.outcome {
        Outcome::Delivered { device } => Verdict::Delivered(device),
        Outcome::Stored => Verdict::Stored,
        Outcome::Logged(_) => return wrong("was for a group"),
    };
    if !safe::is_safe(&identity, letter, verdict, model, store) {
        return wrong("calls it safe, and it is not");
    }
    Ok(())
}

pub(super) fn at_the_end(world: &World) -> Result<(), Broken> {
    for client in world.clients().iter().filter(|client| client.is_live()) {
        let there = |own: bool| {
            let same = |other: &&Client| other.user == client.user && other.is_live();
            let others = world.clients().iter().filter(same);
            let wanted = others.filter(move |other| (other.device == client.device) == own);
            wanted.map(|other| &other.device).collect::<BTreeSet<_>>()
        };
        let told = |own: bool| {
            let told = client.devices.told.iter().flatten();
            let wanted = told.filter(move |entry| entry.own == own);
            wanted.map(|entry| &entry.device).collect::<BTreeSet<_>>()
        };
        if there(true) != told(true) || there(false) != told(false) {
            let what = format!(
                "{}/{} is told {:?}; there are {:?} besides it",
                client.user,
                client.device,
                client.devices.told,
                there(false)
            );
            return Err(Broken::new(NAME, what));
        }
    }
    for (sender, id) in world.probes() {
        let sender = &world.clients()[*sender];
        let identity = Identity {
            from: sender.user.clone(),
            id: *id,
        };
        let letter = &world.model.letters[&identity];
        if letter.sent.is_none() || letter.to == To::User(sender.user.clone()) {
            continue;
        }
        let others = world.clients().iter().filter(|client| {
            client.user == sender.user && client.device != sender.device && client.is_live()
        });
        for other in others {
            if !other.devices.copies.contains(id) {
                let what = format!(
                    "{}/{} has no copy of {}",
                    other.user,
                    other.device,
                    brief::message(&identity)
                );
                return Err(Broken::new(NAME, what));
            }
        }
    }
    Ok(())
}
