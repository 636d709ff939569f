//! A message of one of the shard's users: step 3 of 'One message'.

use proto::clock::Now;
use proto::codes::Code;
use proto::ids::{Epoch, GatewayId, SessionRef};
use proto::link::{
    Answer, Attempt, Down, Forward, Message, Post, Recipient, Relay, Relayed, Submit, Up,
};
use smol_str::SmolStr;

use super::{Shard, send, tell_fate};
use crate::effect::Effect;
use crate::waiting::Waiting;

/// How far a client's clock may be ahead of the latest that it may be here, in
/// milliseconds.
pub(super) const AHEAD_MAX_MS: u64 = 60_000;

impl Shard {
    pub(super) fn submit(
        &mut self,
        now: Now,
        (gateway, epoch): (GatewayId, Epoch),
        submit: Submit,
        out: &mut Vec<Effect>,
    ) {
        let session = submit.session;
        let at = SessionRef { gateway, session };
        // A late frame of a dead session changes nothing.
        let known = self.users.get_mut(&submit.from);
        let Some((user, index)) = known.and_then(|user| user.session(at).map(|i| (user, i))) else {
            return;
        };
        if submit.attempt != Attempt::Resent {
            let own = user.sessions[index]
                .rate
                .take(now.moment, &self.session_rate);
            let all = user.rate.take(now.moment, &self.user_rate);
            if own.and(all).is_err() {
                let (code, text) = (Code::RateExceeded, SmolStr::default());
                return self.not_taken(gateway, &submit, code, text, out);
            }
        }
        // What is in the store may be from before a new start.
        let latest = self.span.look(now).1.max(self.last_stamp);
        if submit.id.minted_ms() > latest.as_ms().saturating_add(AHEAD_MAX_MS) {
            let (code, text) = (Code::MintedAhead, SmolStr::default());
            return self.not_taken(gateway, &submit, code, text, out);
        }
        if let Some(filter) = &self.filter
            && let Err(text) = filter.check(&submit.from, &submit.to, &submit.body)
        {
            return self.not_taken(gateway, &submit, Code::Filtered, text, out);
        }
        if let Some(hash) = submit.friends_hash {
            self.hash_named(now, at, &submit.from, hash, out);
        }
        self.counters.accepted += u64::from(submit.attempt != Attempt::Resent);
        let slot = submit.to.slot();
        let relayed = self.checked(now, submit);
        let relay = Relay { slot, relayed };
        self.pass_on(now, (gateway, epoch), relay, out);
    }

    /// What the recipient's shard, or the group's, is passed.
    fn checked(&mut self, now: Now, submit: Submit) -> Relayed {
        let Submit {
            session,
            generation,
            from,
            id,
            body,
            ..
        } = submit;
        let again = submit.attempt != Attempt::First;
        match submit.to {
            Recipient::User(to) => {
                let stamp = self.stamp(now);
                let message = Message {
                    from,
                    id,
                    to,
                    stamp,
                    body,
                };
                Relayed::Forward(Forward {
                    message,
                    session,
                    generation,
                    again,
                })
            }
            Recipient::Group { group, mentions } => Relayed::Post(Post {
                group,
                from,
                id,
                body,
                mentions,
                session,
                generation,
                attempt: submit.attempt,
            }),
        }
    }

    /// To the owner of a slot, by the gateway or straight on.
    pub(super) fn relay(
        &mut self,
        now: Now,
        gateway: GatewayId,
        relay: Relay,
        out: &mut Vec<Effect>,
    ) {
        self.pass_on(now, (gateway, self.ring.epoch()), relay, out);
    }

    /// By the gateway, or straight on if this shard is the owner. Straight on
    /// keeps the order: it is the same link's, and the ring's by which the
    /// gateway sent it. What was sent before the slot was gained may stand
    /// behind something at the former owner, and goes back (rule 4).
    fn pass_on(
        &mut self,
        now: Now,
        (gateway, epoch): (GatewayId, Epoch),
        relay: Relay,
        out: &mut Vec<Effect>,
    ) {
        if !self.owns(relay.slot) {
            let Some(gateway) = self.way_by(gateway) else {
                self.counters.shed += 1;
                return;
            };
            return send(gateway, Down::Relay(relay), out);
        }
        let waiting = Waiting {
            gateway,
            epoch,
            envelope: Up::Relay(relay),
        };
        self.up(now, waiting, out);
    }

    /// It is not taken. Of an earlier copy the clock, the words or the rate may
    /// have said something else.
    fn not_taken(
        &mut self,
        gateway: GatewayId,
        submit: &Submit,
        code: Code,
        text: SmolStr,
        out: &mut Vec<Effect>,
    ) {
        if submit.attempt == Attempt::First {
            return self.reject(gateway, submit, code, text, out);
        }
        self.unknown(gateway, submit, code.of_a_repeat(), out);
    }

    fn unknown(&mut self, gateway: GatewayId, submit: &Submit, code: Code, out: &mut Vec<Effect>) {
        self.counters.unknown += 1;
        let session = submit.session;
        let at = SessionRef { gateway, session };
        tell_fate(at, submit.id, Answer::Unknown { code }, out);
    }

    fn reject(
        &mut self,
        gateway: GatewayId,
        submit: &Submit,
        code: Code,
        text: SmolStr,
        out: &mut Vec<Effect>,
    ) {
        self.counters.rejected += 1;
        let session = submit.session;
        let rejected = Answer::Rejected {
            code,
            text,
            generation: submit.generation,
        };
        tell_fate(SessionRef { gateway, session }, submit.id, rejected, out);
    }
}
