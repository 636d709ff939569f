//! An acknowledgement means safe: what is called delivered was taken by that
//! device, what is called stored is in the mailbox or was taken, and in the
//! end whoever is there has it. What is called never delivered was shown to
//! nobody, unless its client had sent it once more meanwhile.

use proto::ids::Identity;

use super::Broken;
use crate::brief;
use crate::model::{Letter, Model};
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
            *user == letter.to && its == device
        }),
        Verdict::Stored => match store.find(&letter.to, identity) {
            Some(Kept::Waiting(_)) => true,
            Some(Kept::Acknowledged | Kept::Expired) | None => !letter.taken.is_empty(),
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
        let is_there = |to: &proto::ids::UserId| {
            let mut clients = world.clients().iter();
            clients.any(|client| client.user == *to && client.is_live())
        };
        if is_there(&letter.to) {
            return Err(Broken::new(
                NAME,
                format!(
                    "{} never took {}, which is safe",
                    letter.to,
                    brief::message(identity)
                ),
            ));
        }
        if !matches!(
            world.store().find(&letter.to, identity),
            Some(Kept::Waiting(_))
        ) {
            return Err(Broken::new(
                NAME,
                format!("{} is called safe and is gone", brief::message(identity)),
            ));
        }
    }
    Ok(())
}
