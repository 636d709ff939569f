//! How slots are taken and given up.
//!
//! Owns the question whether a holder is dead. Must not know mailboxes.

use std::collections::{HashMap, HashSet};
use std::time::Instant;
use std::vec::Drain;

use msgd_core::store::{Outcome, Outcomes, Request};
use proto::ids::Incarnation;
use proto::slot::Slot;
use registry::keys::sign;
use registry::look::Sign;
use shared::{Command, Failure, Value};

use super::claims::{Answered, refused};
use super::keeper::Keeper;
use super::keys::SlotKeys;
use super::stride::Stride;

impl Keeper {
    /// Claims slots; users of the first need not wait for the last.
    pub(super) async fn claim(
        &mut self,
        request: &Request,
        outcomes: &mut Vec<Outcome>,
        tell: &mut impl FnMut(Drain<'_, Outcome>),
    ) {
        let Request::Claim { slots, shard } = request else {
            return;
        };
        let (mut stride, mut rest) = (Stride::default(), &slots[..]);
        while !rest.is_empty() {
            let slots;
            (slots, rest) = rest.split_at(stride.slots().min(rest.len()));
            let began = Instant::now();
            let mut found = self.try_claim(slots, *shard, &HashMap::new()).await;
            let holders = found.iter().filter_map(|answered| match answered {
                Answered::Held(holder) => Some(*holder),
                _ => None,
            });
            let dead = self.dead_among(holders.collect()).await;
            // Where a dead one was, it is asked again, by its name.
            let mut again = HashMap::new();
            for (slot, answered) in slots.iter().zip(&found) {
                if let Answered::Held(holder) = answered
                    && dead.contains(holder)
                {
                    again.insert(*slot, *holder);
                }
            }
            let others: Vec<Slot> = slots
                .iter()
                .filter(|slot| again.contains_key(slot))
                .copied()
                .collect();
            let mut answers = self.try_claim(&others, *shard, &again).await.into_iter();
            for (slot, answered) in slots.iter().zip(&mut found) {
                if again.contains_key(slot)
                    && let Some(answer) = answers.next()
                {
                    *answered = answer;
                }
            }
            let is_clear = !found.iter().any(|found| matches!(found, Answered::Unclear));
            outcomes.extend(slots.iter().zip(found).map(|(slot, answered)| {
                let slot = *slot;
                match answered {
                    Answered::Granted(outcome) => outcome,
                    Answered::Held(_) => Outcome::Held { slot },
                    Answered::Unclear => Outcome::ClaimFailed { slot },
                }
            }));
            if is_clear {
                stride.took(began.elapsed());
            } else {
                stride = Stride::default();
            }
            tell(outcomes.drain(..));
        }
    }

    async fn try_claim(
        &mut self,
        slots: &[Slot],
        shard: Incarnation,
        dead: &HashMap<Slot, Incarnation>,
    ) -> Vec<Answered> {
        let scripts = &self.mailboxes.scripts;
        let claim = |slot: &Slot| {
            let told = self.claims.newest(*slot);
            scripts.claim(*slot, shard, dead.get(slot).copied(), told)
        };
        let commands = slots.iter().map(claim).collect();
        let replies = self.redis.carry_out(commands).await;
        let mut answers = Vec::with_capacity(slots.len());
        for (slot, reply) in slots.iter().zip(replies) {
            answers.push(match reply {
                Ok(value) => {
                    let life = self.redis.life_of(SlotKeys::new(*slot).slot);
                    self.claims.answered(*slot, &value, life)
                }
                Err(failure) => {
                    self.tell(&failure.into());
                    Answered::Unclear
                }
            });
        }
        answers
    }

    /// Those that the registry calls dead.
    async fn dead_among(&mut self, holders: HashSet<Incarnation>) -> HashSet<Incarnation> {
        let holders: Vec<Incarnation> = holders.into_iter().collect();
        let now = self.dead.now();
        let ask = |holder: &Incarnation| Command::read("GET", registry::keys::lease(*holder));
        let commands = holders.iter().map(ask).collect();
        let replies = self.redis.carry_out(commands).await;
        for failure in replies.iter().filter_map(|reply| reply.as_ref().err()) {
            self.tell(&failure.clone().into());
        }
        let mut dead = HashSet::new();
        for (holder, reply) in holders.into_iter().zip(replies) {
            let sign = match reply {
                Ok(Value::Nil) => Sign::Lost,
                Ok(Value::BulkString(text)) => sign(std::str::from_utf8(&text).ok()),
                _ => continue,
            };
            if self.dead.is_dead(now, holder, sign) {
                dead.insert(holder);
            }
        }
        dead
    }

    pub(super) async fn release(&mut self, requests: &[Request]) -> Vec<Outcomes> {
        let mut outcomes = Vec::with_capacity(requests.len());
        let mut asked = Vec::new();
        let mut commands = Vec::new();
        for request in requests {
            outcomes.push(Outcomes::new());
            let Request::Release { claim, recent } = request else {
                continue;
            };
            // Wherever it was granted, and whatever is known of it here: the
            // server knows whether the token is the newest. Else a slot that was
            // claimed before the server was started again would be held for ever.
            self.claims.released(*claim);
            asked.push((outcomes.len() - 1, *claim));
            commands.push(self.mailboxes.scripts.release(*claim, recent));
        }
        let replies = self.redis.carry_out(commands).await;
        for ((index, claim), reply) in asked.into_iter().zip(replies) {
            match reply {
                Ok(Value::Int(1)) => {}
                Ok(Value::Int(0)) | Err(Failure::Another) => {
                    self.claims.lost(claim);
                    outcomes[index] = refused(claim);
                }
                Ok(_) => outcomes[index] = requests[index].failed(),
                Err(failure) => {
                    self.tell(&failure.into());
                    outcomes[index] = requests[index].failed();
                }
            }
        }
        outcomes
    }
}
