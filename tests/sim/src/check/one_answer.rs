//! Exactly one answer per message and session: no more answers than times that
//! the client asked. That there is one at all is what `waits` looks at.

use std::collections::BTreeMap;

use proto::ids::Identity;

use super::Broken;
use crate::brief;
use crate::observed::Observed;

const NAME: &str = "one answer";

#[derive(Debug, Default)]
pub(super) struct OneAnswer {
    /// How often a message was sent by a connection, less its answers.
    open: BTreeMap<(u64, Identity), u32>,
}

impl OneAnswer {
    pub(super) fn observe(&mut self, observed: &Observed<'_>) -> Result<(), Broken> {
        match observed {
            Observed::Sends {
                connection,
                identity,
            } => {
                let key = (*connection, (*identity).clone());
                *self.open.entry(key).or_default() += 1;
                Ok(())
            }
            Observed::Left {
                connection,
                identity,
                verdict,
            } => {
                let key = (*connection, (*identity).clone());
                let open = self.open.entry(key).or_default();
                if *open == 0 {
                    let what = format!(
                        "{} is answered once more: {verdict:?}",
                        brief::message(identity)
                    );
                    return Err(Broken::new(NAME, what));
                }
                *open -= 1;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
