//! The naive model agrees: what is shown was written, to that user, and says
//! the same.

use super::Broken;
use crate::brief;
use crate::model::{Model, To};
use crate::observed::Observed;

const NAME: &str = "agrees with the model";

pub(super) fn observe(observed: &Observed<'_>, model: &Model) -> Result<(), Broken> {
    let Observed::Showed {
        process,
        identity,
        body,
        ..
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
    let (user, _) = &model.devices[process.client];
    if letter.to != To::User(user.clone()) {
        return Err(Broken::new(
            NAME,
            format!(
                "{} was for {}, not {user}",
                brief::message(identity),
                letter.to
            ),
        ));
    }
    if letter.body != *body {
        return Err(Broken::new(
            NAME,
            format!("{} says other things", brief::message(identity)),
        ));
    }
    Ok(())
}
