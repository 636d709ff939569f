//! One holder: of two shards one at most answers for a slot. Who had a slot
//! that was granted to another, and did not give it up, says nothing any more.

use std::collections::BTreeMap;

use super::Broken;
use crate::observed::Observed;

const NAME: &str = "a slot has one holder";

#[derive(Debug, Default)]
pub(super) struct OneHolder {
    /// By whom each was overtaken.
    overtaken: BTreeMap<u64, u64>,
}

impl OneHolder {
    pub(super) fn observe(&mut self, observed: &Observed<'_>) -> Result<(), Broken> {
        match observed {
            Observed::Overtaken { life, by } => {
                self.overtaken.insert(*life, *by);
                Ok(())
            }
            Observed::Speaks { life } => match self.overtaken.get(life) {
                Some(by) => {
                    let what = format!("life {life} speaks, whose slots life {by} has");
                    Err(Broken::new(NAME, what))
                }
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }
}
