//! A checked message for a group: into its log if its sender may write.

use std::time::Duration;

use proto::clock::{Moment, Now};
use proto::codes::Code;
use proto::group::Logged;
use proto::ids::{GroupId, Identity, MessageId, SessionRef, Stamp};
use proto::link::{Answer, Attempt, Down, FromGroup, Post, Relayed, ReturnReason, Up};
use proto::server::GroupTransientFrom;
use proto::slot::Slot;
use smallvec::smallvec;
use smol_str::SmolStr;

use crate::effect::Effect;
use crate::group::Follower;
use crate::group::log::{Pending, Then};
use crate::inbox::Asker;
use crate::recent;
use crate::shard::forward::{fingerprint, rejected};
use crate::shard::submit::AHEAD_MAX_MS;
use crate::shard::{Shard, send, tell_fate};
use crate::store::Known;
use crate::waiting::Waiting;

impl Shard {
    pub(in crate::shard) fn post(&mut self, now: Now, waiting: Waiting, out: &mut Vec<Effect>) {
        let Up::Relay(relay) = &waiting.envelope else {
            return;
        };
        let Relayed::Post(post) = &relay.relayed else {
            return;
        };
        let at = SessionRef {
            gateway: waiting.gateway,
            session: post.session,
        };
        if self.is_behind(at, post.generation) {
            return self.send_back(waiting, ReturnReason::Busy, out);
        }
        let fingerprint = fingerprint(&post.body);
        let asker = Asker {
            gateway: at.gateway,
            session: at.session,
            generation: post.generation,
            again: post.attempt != Attempt::First,
        };
        if self.was_posted(now, post, fingerprint, asker, out) {
            return;
        }
        if let Err(code) = self.may_post(now, post) {
            let refusal = self.post_refusal(now, &post.group, post.id, asker, code);
            return tell_fate(at, post.id, refusal, out);
        }
        let (count_max, bytes_max) = (self.settings.pending_max, self.settings.pending_bytes_max);
        let known = self
            .groups
            .get(&post.group)
            .and_then(|group| group.known.as_ref());
        let has_room =
            known.is_some_and(|known| known.log.has_room(post.body.len(), count_max, bytes_max));
        if !has_room {
            return self.send_back(waiting, ReturnReason::Busy, out);
        }
        let Up::Relay(relay) = waiting.envelope else {
            return;
        };
        if let Relayed::Post(post) = relay.relayed {
            self.log_message(now, post, fingerprint, asker, out);
        }
    }

    fn log_message(
        &mut self,
        now: Now,
        post: Post,
        fingerprint: u64,
        asker: Asker,
        out: &mut Vec<Effect>,
    ) {
        let stamp = self.stamp(now);
        let Some(group) = self.groups.get_mut(&post.group) else {
            return;
        };
        let Some(known) = &mut group.known else {
            return;
        };
        let message = Logged::Message {
            id: post.id,
            body: post.body,
            mentions: post.mentions,
        };
        let entry = known.log.append(stamp, post.from, message, fingerprint);
        known.log.push(Pending {
            entry: Some(entry),
            then: Then::Sent(smallvec![asker]),
        });
        self.write_group(&post.group, out);
    }

    /// A message that comes again joins the first, or gets its answer.
    fn was_posted(
        &mut self,
        now: Now,
        post: &Post,
        fingerprint: u64,
        asker: Asker,
        out: &mut Vec<Effect>,
    ) -> bool {
        let bounds = self.recent_bounds();
        let (earliest, _) = self.span.look(now);
        let Some(group) = self.groups.get_mut(&post.group) else {
            return true;
        };
        let identity = Identity {
            from: post.from.clone(),
            id: post.id,
        };
        let known = &mut group.known;
        let joined = known
            .as_mut()
            .and_then(|known| known.log.join(&identity, fingerprint, asker));
        let found = match joined {
            Some(true) => {
                self.counters.repeated += 1;
                return true;
            }
            Some(false) => recent::Known::Reused,
            None => {
                let (from, id) = (&post.from, post.id);
                match group.recent.find(&bounds, earliest, from, id, fingerprint) {
                    // It may be among what was not read.
                    recent::Known::New if asker.again && id.minted_ms() <= group.known_since_ms => {
                        recent::Known::TooOld
                    }
                    found => found,
                }
            }
        };
        let answer = match found {
            recent::Known::New => return false,
            recent::Known::Answered(sent) => Answer::Sent(sent),
            recent::Known::Refused(code) => rejected(code, asker.generation),
            recent::Known::Reused => rejected(Code::IdReused, asker.generation),
            recent::Known::TooOld => Answer::Unknown { code: Code::TooOld },
        };
        match &answer {
            Answer::Sent(_) => self.counters.repeated += 1,
            Answer::Rejected { .. } => self.counters.rejected += 1,
            Answer::Unknown { .. } => self.counters.unknown += 1,
        }
        let at = SessionRef {
            gateway: asker.gateway,
            session: asker.session,
        };
        tell_fate(at, post.id, answer, out);
        true
    }

    /// Whether the sender may write, by what is done to the group so far, durable
    /// or not: the log is in this order.
    fn may_post(&mut self, now: Now, post: &Post) -> Result<(), Code> {
        let (of_group, of_member) = (&self.group_rate, &self.member_rate);
        let group = self.groups.get_mut(&post.group).ok_or(Code::NoGroup)?;
        let known = group.known.as_mut().ok_or(Code::NoGroup)?;
        if known.roll.record.dissolved {
            return Err(Code::NoGroup);
        }
        let row = known.roll.row_mut(&post.from).ok_or(Code::NotMember)?;
        match row.kept.known {
            Some(Known::In { muted, .. }) if muted.is_some_and(|until| until > now.wall) => {
                Err(Code::Muted)
            }
            // What its gateway sends again was counted before.
            Some(Known::In { .. }) if post.attempt == Attempt::Resent => Ok(()),
            Some(Known::In { .. }) => {
                let own = row.rate.take(now.moment, of_member);
                let all = group.rate.take(now.moment, of_group);
                own.and(all).map_err(|_| Code::RateExceeded)
            }
            _ => Err(Code::NotMember),
        }
    }

    /// The answer to a message that is not taken. 'Never delivered' is said only
    /// where the log tells: it holds what was accepted within the window.
    fn post_refusal(
        &mut self,
        now: Now,
        name: &GroupId,
        id: MessageId,
        asker: Asker,
        code: Code,
    ) -> Answer {
        // Of a group that has ended nothing is remembered.
        if asker.again && matches!(code, Code::RateExceeded | Code::NoGroup) {
            self.counters.unknown += 1;
            let code = code.of_a_repeat();
            return Answer::Unknown { code };
        }
        let doubted = self.slots.doubted(Slot::of_group(name));
        let (_, latest) = self.span.look(now);
        let certain: Duration = now.moment.since(doubted);
        let certain_us = u64::try_from(certain.as_micros()).unwrap_or(u64::MAX);
        let since = Stamp(latest.0.saturating_sub(certain_us));
        let ahead = if asker.again { AHEAD_MAX_MS } else { 0 };
        let is_doubtful =
            doubted > Moment::default() && id.minted_ms() <= since.as_ms().saturating_add(ahead);
        if is_doubtful {
            self.counters.unknown += 1;
            return Answer::Unknown { code: Code::TooOld };
        }
        self.counters.rejected += 1;
        let text = SmolStr::default();
        Answer::Rejected {
            code,
            text,
            generation: asker.generation,
        }
    }

    /// A transient message of a member for who is online; nobody waits for it.
    pub(in crate::shard) fn group_transient(
        &mut self,
        now: Now,
        transient: GroupTransientFrom,
        out: &mut Vec<Effect>,
    ) {
        let group = self.groups.get_mut(&transient.group);
        let Some((group, known)) =
            group.and_then(|group| group.known.as_ref().map(|known| (&group.followers, known)))
        else {
            return;
        };
        let row = known.roll.row(&transient.from);
        let is_free = row.is_some_and(|row| match row.kept.known {
            Some(Known::In { muted, .. }) => muted.is_none_or(|until| until <= now.wall),
            _ => false,
        });
        if !is_free {
            self.counters.shed += 1;
            return;
        }
        for (gateway, follower) in group {
            if *follower == Follower::Live {
                let transient = FromGroup::Transient(transient.clone());
                send(*gateway, Down::FromGroup(transient), out);
            }
        }
    }
}
