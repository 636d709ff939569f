//! What is done to a group is allowed to who does it, at its place in the log:
//! shown by the log alone.

use super::Broken;
use crate::model::Model;
use crate::observed::Observed;

const NAME: &str = "a log follows the rules";

pub(super) fn observe(observed: &Observed<'_>, model: &Model) -> Result<(), Broken> {
    match (observed, &model.groups.wrong) {
        (Observed::Logged { .. }, Some(wrong)) => Err(Broken::new(NAME, wrong.clone())),
        _ => Ok(()),
    }
}
