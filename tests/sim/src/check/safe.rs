//! An acknowledgement means safe: what is called delivered was taken by that
//! device, what is called stored is in the mailbox or was taken, what is called
//! logged is in the group's log, and in the end whoever is there has it. What is called never delivered was shown to
//! nobody, unless its client had sent it once more meanwhile.

use proto::ids::Identity;

use super::{Broken, logged};
use crate::brief;
use crate::model::{Letter, Model, To};
use crate::observed::{Observed, Verdict};
use crate::store::{Kept, Store};
use crate::world::World;

const NAME: &str = "acknowledged is safe";

pub(super) fn observe(observed: &Observed<'_>, model: &Model, store: &Store) -> Result<(), Broken> {
    let Observed::Left {
        identity, verdict, ..
    } = observed
    else {
        return Ok(());
    };
    let Some(letter) = model.letters.get(identity) else {
        return Err(Broken::new(
            NAME,
            format!("nobody wrote {}", brief::message(identity)),
        ));
    };
    if is_safe(identity, letter, *verdict, model, store) {
        return Ok(());
    }
    Err(Broken::new(
        NAME,
        format!(
            "{} is called {verdict:?} and is not",
            brief::message(identity)
        ),
    ))
}

/// Whether a message is where it is said to be, or was.
pub(super) fn is_safe(
    identity: &Identity,
    letter: &Letter,
    verdict: Verdict<'_>,
    model: &Model,
    store: &Store,
) -> bool {
    match verdict {
        Verdict::Delivered(device) => letter.taken.iter().any(|(process, _)| {
            let (user, its) = &model.devices[process.client];
            letter.to == To::User(user.clone()) && its == device
        }),
        Verdict::Stored => match &letter.to {
            To::Group(_) => false,
            To::User(to) => match store.find(to, identity) {
                Some(Kept::Waiting(_)) => true,
                Some(Kept::Acknowledged | Kept::Expired) | None => !letter.taken.is_empty(),
            },
        },
        Verdict::Logged(place) => match &letter.to {
            To::Group(group) => logged::is_at(identity, group, place, model),
            To::User(_) => false,
        },
        Verdict::Rejected(_) | Verdict::Unknown(_) => true,
    }
}

pub(super) fn at_the_end(world: &World) -> Result<(), Broken> {
    for (identity, letter) in &world.model.letters {
        if let Some(code) = letter.refused
            && !letter.taken.is_empty()
            && !letter.repeated
        {
            return Err(Broken::new(
                NAME,
                format!(
                    "{} was refused by {code:?} and shown",
                    brief::message(identity)
                ),
            ));
        }
        if letter.sent.is_none() || !letter.taken.is_empty() {
            continue;
        }
        let To::User(to) = &letter.to else {
            continue;
        };
        let is_there = |to: &proto::ids::UserId| {
            let mut clients = world.clients().iter();
            clients.any(|client| client.user == *to && client.is_live())
        };
        if is_there(to) {
            return Err(Broken::new(
                NAME,
                format!(
                    "{to} never took {}, which is safe",
                    brief::message(identity)
                ),
            ));
        }
        if !matches!(world.store().find(to, identity), Some(Kept::Waiting(_))) {
            return Err(Broken::new(
                NAME,
                format!("{} is called safe and is gone", brief::message(identity)),
            ));
        }
    }
    Ok(())
}
