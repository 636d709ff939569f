//! Devices of a user know of each other: what one is told another did it did,
//! and it is safe; who is ended was to be ended. In the end the list of devices
//! is who is there, and what one sends the others learn.

use std::collections::BTreeSet;

use proto::ids::{DeviceId, Identity, UserId};
use proto::server::{Carbon, Did, Outcome, SentElsewhere};

use super::{Broken, safe};
use crate::brief;
use crate::client::Client;
use crate::model::Model;
use crate::observed::{Observed, Verdict};
use crate::store::Store;
use crate::world::World;

const NAME: &str = "devices know of each other";

/// Who was asked to be ended.
#[derive(Debug, Default)]
pub(super) struct Devices {
    asked: BTreeSet<(UserId, DeviceId)>,
}

impl Devices {
    pub(super) fn observe(
        &mut self,
        observed: &Observed<'_>,
        model: &Model,
        store: &Store,
    ) -> Result<(), Broken> {
        match observed {
            Observed::Carbon { client, carbon } => told(*client, carbon, model, store),
            Observed::EndsDevice { user, device } => {
                self.asked.insert(((*user).clone(), (*device).clone()));
                Ok(())
            }
            Observed::EndedDevice { client } if !self.asked.contains(&model.devices[*client]) => {
                let (user, device) = &model.devices[*client];
                let what = format!("nobody asked for the end of {user}/{device}");
                Err(Broken::new(NAME, what))
            }
            _ => Ok(()),
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
        Did::Read(_) | Did::Transient(_) => Ok(()),
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
    if letter.to != sent.to || letter.body != sent.body {
        return wrong("says other things");
    }
    let verdict = match &sent.sent.outcome {
        Outcome::Delivered { device } => Verdict::Delivered(device),
        Outcome::Stored => Verdict::Stored,
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
        if letter.sent.is_none() || letter.to == sender.user {
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
