//! A block holds once it is acknowledged: nothing that is written after that
//! is delivered.

use std::collections::{BTreeMap, BTreeSet};

use proto::friends::FriendAction;
use proto::ids::UserId;

use super::Broken;
use crate::agenda::Time;
use crate::brief;
use crate::model::{Model, To};
use crate::observed::{Observed, Verdict};

const NAME: &str = "block";

/// From when to when; none: to this day.
type Span = (Time, Option<Time>);

#[derive(Debug, Default)]
pub(super) struct Block {
    /// Who blocked whom, from when to when.
    blocks: BTreeMap<(UserId, UserId), Vec<Span>>,
    /// Who has asked to end a block that has no answer: it may end at any
    /// time.
    ending: BTreeSet<(UserId, UserId)>,
}

impl Block {
    pub(super) fn observe(
        &mut self,
        now: Time,
        observed: &Observed<'_>,
        model: &Model,
    ) -> Result<(), Broken> {
        match observed {
            Observed::Asks {
                actor,
                peer,
                action: FriendAction::Unblock,
            } => {
                let pair = ((*actor).clone(), (*peer).clone());
                // A block may have been asked for twice, and acknowledged twice.
                for block in self.blocks.get_mut(&pair).into_iter().flatten() {
                    block.1 = block.1.or(Some(now));
                }
                self.ending.insert(pair);
                Ok(())
            }
            Observed::Done {
                actor,
                peer,
                action: FriendAction::Block,
            } => {
                let pair = ((*actor).clone(), (*peer).clone());
                // Once an end was asked for, and with no answer, an old question
                // may come through late; such a pair is left alone.
                if !self.ending.contains(&pair) {
                    self.blocks.entry(pair).or_default().push((now, None));
                }
                Ok(())
            }
            Observed::Showed {
                process, identity, ..
            } => {
                let (to, _) = &model.devices[process.client];
                self.look(to, identity, model, "shown")
            }
            Observed::Left {
                identity,
                verdict: Verdict::Delivered(_) | Verdict::Stored,
                ..
            } => {
                let Some(letter) = model.letters.get(identity) else {
                    return Ok(());
                };
                match &letter.to {
                    To::User(to) => self.look(to, identity, model, "accepted"),
                    To::Group(_) => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    fn look(
        &self,
        to: &UserId,
        identity: &proto::ids::Identity,
        model: &Model,
        what: &str,
    ) -> Result<(), Broken> {
        let pair = (to.clone(), identity.from.clone());
        let Some(blocks) = self.blocks.get(&pair) else {
            return Ok(());
        };
        let Some(letter) = model.letters.get(identity) else {
            return Ok(());
        };
        // One whose answer was unknown may be sent again after the block.
        let during =
            |(from, until): &(Time, Option<Time>)| *from < letter.written && until.is_none();
        if !blocks.iter().any(during) {
            return Ok(());
        }
        Err(Broken::new(
            NAME,
            format!(
                "{} is {what}, written after {to} had blocked its sender",
                brief::message(identity)
            ),
        ))
    }
}
