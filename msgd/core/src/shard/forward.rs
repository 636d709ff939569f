//! A checked message for one of the shard's users: step 5 of 'One message'.

use std::hash::Hasher;
use std::time::Duration;

use proto::clock::Now;
use proto::codes::Code;
use proto::ids::{Generation, Identity, MessageId, SessionRef, Stamp, UserId};
use proto::link::{Answer, Forward, Relayed, ReturnReason, Up};
use proto::slot::Slot;
use siphasher::sip::SipHasher13;
use smol_str::SmolStr;

use super::submit::AHEAD_MAX_MS;
use super::{Shard, tell_fate};
use crate::effect::Effect;
use crate::friends::{Lookup, may_write};
use crate::inbox::{Asker, Joined};
use crate::recent::Known;
use crate::waiting::Waiting;

impl Shard {
    pub(super) fn forward(&mut self, now: Now, waiting: Waiting, out: &mut Vec<Effect>) {
        let Up::Relay(relay) = &waiting.envelope else {
            return;
        };
        let Relayed::Forward(forward) = &relay.relayed else {
            return;
        };
        let at = SessionRef {
            gateway: waiting.gateway,
            session: forward.session,
        };
        if self.is_behind(at, forward.generation) {
            return self.send_back(waiting, ReturnReason::Busy, out);
        }
        let fingerprint = fingerprint(&forward.message.body);
        let asker = Asker {
            gateway: at.gateway,
            session: at.session,
            generation: forward.generation,
            again: forward.again,
        };
        if self.came_before(now, forward, fingerprint, asker, out) {
            return;
        }
        match self.may_come(now, forward, out) {
            Rights::Granted => {}
            Rights::Refused(code) => {
                let message = &forward.message;
                let refusal = self.refusal(now, &message.to, message.id, asker, code);
                return tell_fate(at, message.id, refusal, out);
            }
            Rights::Unclear => return self.wait_for_list(now, waiting, out),
        }
        let message = &forward.message;
        let (count_max, bytes_max) = (self.settings.pending_max, self.settings.pending_bytes_max);
        let Some(user) = self.users.get_mut(&message.to) else {
            return;
        };
        if !user
            .inbox
            .has_room(message.body.len(), count_max, bytes_max)
        {
            return self.send_back(waiting, ReturnReason::Busy, out);
        }
        let Up::Relay(relay) = waiting.envelope else {
            return;
        };
        if let Relayed::Forward(Forward { message, .. }) = relay.relayed {
            let to = message.to.clone();
            user.inbox.push(now.moment, message, fingerprint, asker);
            self.pump(now, &to, out);
        }
    }

    /// A message that comes again joins the first, or gets its answer.
    fn came_before(
        &mut self,
        now: Now,
        forward: &Forward,
        fingerprint: u64,
        asker: Asker,
        out: &mut Vec<Effect>,
    ) -> bool {
        let bounds = self.recent_bounds();
        let (earliest, _) = self.span.look(now);
        let message = &forward.message;
        let Some(user) = self.users.get_mut(&message.to) else {
            return true;
        };
        let identity = Identity {
            from: message.from.clone(),
            id: message.id,
        };
        let known = match user.inbox.join(&identity, fingerprint, asker) {
            Joined::Yes => {
                self.counters.repeated += 1;
                return true;
            }
            Joined::Reused => Known::Reused,
            Joined::No | Joined::Taken => {
                let (from, id) = (&message.from, message.id);
                user.recent.find(&bounds, earliest, from, id, fingerprint)
            }
        };
        let outcome = match known {
            Known::New => return false,
            Known::Answered(sent) => {
                self.counters.repeated += 1;
                Answer::Sent(sent)
            }
            Known::Refused(code) => {
                self.counters.repeated += 1;
                rejected(code, asker.generation)
            }
            Known::Reused => {
                self.counters.rejected += 1;
                rejected(Code::IdReused, asker.generation)
            }
            Known::TooOld => {
                self.counters.unknown += 1;
                let code = Code::TooOld;
                Answer::Unknown { code }
            }
        };
        let at = SessionRef {
            gateway: asker.gateway,
            session: asker.session,
        };
        tell_fate(at, message.id, outcome, out);
        true
    }

    /// The answer to a message for `to` that is not taken. 'Never delivered' is
    /// said only of what nothing can have become of before: an older one may have
    /// come through to a device or the mailbox, and word of it is lost. How old
    /// it is, is what a client's clock says; of what is said to be the first copy
    /// that must do.
    pub(super) fn refusal(
        &mut self,
        now: Now,
        to: &UserId,
        id: MessageId,
        asker: Asker,
        code: Code,
    ) -> Answer {
        let doubtful = self.users.get(to).and_then(|user| user.inbox.doubtful);
        let certain = self.slots.certain_since(Slot::of(to)).max(doubtful);
        let certain = certain.map_or(Duration::ZERO, |since| now.moment.since(since));
        let certain_us = u64::try_from(certain.as_micros()).unwrap_or(u64::MAX);
        let (_, latest) = self.span.look(now);
        let since = Stamp(latest.0.saturating_sub(certain_us));
        let ahead = if asker.again { AHEAD_MAX_MS } else { 0 };
        if id.minted_ms() <= since.as_ms().saturating_add(ahead) {
            self.counters.unknown += 1;
            return Answer::Unknown { code: Code::TooOld };
        }
        self.counters.rejected += 1;
        rejected(code, asker.generation)
    }

    fn may_come(&mut self, now: Now, forward: &Forward, out: &mut Vec<Effect>) -> Rights {
        let (policy, blocks) = (self.settings.policy, self.settings.blocks);
        let max_age = self.settings.friends_max_age;
        let message = &forward.message;
        let Some(user) = self.users.get_mut(&message.to) else {
            return Rights::Unclear;
        };
        // Behind one that waits, each waits: order first.
        if !user.queue.is_empty() {
            return Rights::Unclear;
        }
        match user.friends.look_up(now.moment, max_age) {
            Lookup::Known(list) => {
                match may_write(&list, &message.to, &message.from, policy, blocks) {
                    Ok(()) => Rights::Granted,
                    Err(code) => Rights::Refused(code),
                }
            }
            Lookup::Ask => {
                self.ask_list(now, &message.to.clone(), out);
                Rights::Unclear
            }
            Lookup::Wait => Rights::Unclear,
        }
    }
}

/// What the recipient's list says.
enum Rights {
    Granted,
    Refused(Code),
    /// It has to be asked for.
    Unclear,
}

/// SipHash-1-3 of the body: tells a repeat from another message that uses the
/// same id.
pub(super) fn fingerprint(body: &[u8]) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(body);
    hasher.finish()
}

pub(super) fn rejected(code: Code, generation: Generation) -> Answer {
    let text = SmolStr::default();
    Answer::Rejected {
        code,
        text,
        generation,
    }
}
