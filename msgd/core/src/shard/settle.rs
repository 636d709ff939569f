//! Messages are safe: the two places where 'Sent' is spoken of one to a user.

use proto::clock::Now;
use proto::codes::Code;
use proto::ids::{Identity, MessageId, SessionRef, Stamp, UserId};
use proto::link::{Answer, Relay, Relayed};
use proto::server::{Outcome as Fate, ReceiptKind, Sent};
use proto::slot::Slot;
use smallvec::SmallVec;

use super::{Shard, tell_fate};
use crate::effect::Effect;
use crate::inbox::{Asker, Settled, Took};
use crate::recent::Verdict;
use crate::store::{Claim, Outcome, Position};
use crate::timers::Timer;

impl Shard {
    /// A session's client took messages: they are on the recipient's device.
    pub(super) fn acknowledged(
        &mut self,
        now: Now,
        at: SessionRef,
        name: &UserId,
        identities: &[Identity],
        out: &mut Vec<Effect>,
    ) {
        let Some(user) = self.users.get_mut(name) else {
            return;
        };
        let Some(index) = user.session(at) else {
            return;
        };
        let Some(claim) = self.slots.claim(user.slot) else {
            return;
        };
        let device = user.sessions[index].device.clone();
        let mut receipts: SmallVec<[(UserId, Stamp); 1]> = SmallVec::new();
        for identity in identities {
            let Some(user) = self.users.get_mut(name) else {
                return;
            };
            match user.inbox.take(Some(index), identity) {
                Took::Nothing => {}
                Took::Pending(settled) => {
                    self.counters.delivered += 1;
                    let device = device.clone();
                    self.sent(now, name, settled, Fate::Delivered { device }, out);
                }
                Took::Stored { identity, stamp } => {
                    match receipts.iter_mut().find(|(from, _)| *from == identity.from) {
                        Some((_, up_to)) => *up_to = stamp.max(*up_to),
                        None => receipts.push((identity.from, stamp)),
                    }
                }
            }
        }
        for (sender, up_to) in receipts {
            let relay = Relay {
                slot: Slot::of(&sender),
                relayed: Relayed::Receipt {
                    from: name.clone(),
                    to: sender,
                    kind: ReceiptKind::Delivered,
                    up_to,
                },
            };
            self.relay(now, at.gateway, relay, out);
        }
        self.cursor_moved(claim, name, out);
        self.pump(now, name, out);
    }

    /// The store has appended messages: they are durable.
    pub(super) fn appended(
        &mut self,
        now: Now,
        claim: Claim,
        name: &UserId,
        first: Position,
        count: usize,
        out: &mut Vec<Effect>,
    ) {
        if !self.slots.serves(claim) {
            return;
        }
        let Some(user) = self.users.get_mut(name) else {
            return;
        };
        let spilled = user.inbox.appended(now.moment, first, count);
        for settled in spilled.stored {
            self.counters.stored += 1;
            self.sent(now, name, settled, Fate::Stored, out);
        }
        for settled in spilled.refused {
            self.mailbox_is_full(now, name, settled, out);
        }
        self.cursor_moved(claim, name, out);
        self.pump(now, name, out);
        self.note_idle(name);
    }

    /// Says so to everyone who waits for it, and to who asks again: its sender
    /// may have sent others since, which found room.
    fn mailbox_is_full(
        &mut self,
        now: Now,
        name: &UserId,
        settled: Settled,
        out: &mut Vec<Effect>,
    ) {
        let (id, code) = (settled.identity.id, Code::MailboxFull);
        // If this is the first copy, the others joined it.
        let again = settled.askers.iter().all(|asker| asker.again);
        let mut is_certain = false;
        for asker in &settled.askers {
            let asker = &Asker { again, ..*asker };
            let answer = self.refusal(now, name, id, *asker, code);
            is_certain |= matches!(answer, Answer::Rejected { .. });
            tell_one(*asker, id, answer, out);
        }
        if is_certain {
            let (_, stamp) = self.span.look(now);
            self.remember(now, name, &settled, Verdict::Refused(code, stamp));
        }
    }

    /// The store did not append: who waits for nothing but it is told.
    pub(super) fn append_failed(
        &mut self,
        now: Now,
        claim: Claim,
        name: &UserId,
        out: &mut Vec<Effect>,
    ) {
        self.counters.store_failures += 1;
        if !self.slots.serves(claim) {
            return;
        }
        let Some(user) = self.users.get_mut(name) else {
            return;
        };
        user.inbox.doubtful = Some(now.moment);
        for settled in user.inbox.append_failed(now.moment) {
            self.counters.unknown += 1;
            let code = Code::StoreUnavailable;
            tell(&settled, Answer::Unknown { code }, out);
        }
        self.pump(now, name, out);
        self.note_idle(name);
    }

    /// Says 'Sent' to everyone who waits for it, and remembers it.
    fn sent(
        &mut self,
        now: Now,
        name: &UserId,
        settled: Settled,
        outcome: Fate,
        out: &mut Vec<Effect>,
    ) {
        let sent = Sent {
            stamp: settled.stamp,
            outcome,
        };
        tell(&settled, Answer::Sent(sent.clone()), out);
        self.remember(now, name, &settled, Verdict::Sent(sent));
    }

    fn remember(&mut self, now: Now, name: &UserId, settled: &Settled, verdict: Verdict) {
        let bounds = self.recent_bounds();
        let Some(user) = self.users.get_mut(name) else {
            return;
        };
        let Identity { from, id } = &settled.identity;
        if user
            .recent
            .remember(&bounds, from, *id, settled.fingerprint, verdict)
        {
            user.inbox.doubtful = Some(now.moment);
        }
        if !user.armed.recent {
            user.armed.recent = true;
            let at = now.moment + self.settings.recent_window;
            self.timers.arm(at, Timer::Recent(name.clone()));
        }
    }

    pub(super) fn stored(&mut self, now: Now, outcome: Outcome, out: &mut Vec<Effect>) {
        match outcome {
            Outcome::Claimed { claim, recent } => self.claimed(now, claim, recent, out),
            Outcome::Held { slot } => self.claim_later(now, slot, false),
            Outcome::ClaimFailed { slot } => self.claim_later(now, slot, true),
            Outcome::ReleaseFailed { claim, recent } => self.release_later(now, claim, recent),
            Outcome::Opened {
                claim,
                user,
                mailbox,
            } => self.opened(now, claim, &user, mailbox, out),
            Outcome::Appended {
                claim,
                user,
                first,
                count,
            } => self.appended(now, claim, &user, first, count, out),
            Outcome::AppendFailed { claim, user } => self.append_failed(now, claim, &user, out),
            Outcome::Read {
                claim,
                user,
                reader,
                from,
                letters,
            } => self.mailbox_read(now, claim, &user, reader, from, letters, out),
            Outcome::Advanced { done: true, .. } => {}
            Outcome::Advanced { user, .. } => self.cursor_not_taken(now, &user),
            Outcome::Notes { user, receipts, .. } => self.notes_taken(&user, receipts, out),
            Outcome::GroupsKept { claim, user, done } => {
                self.groups_kept(now, claim, &user, done, out);
            }
            Outcome::GroupOpened {
                claim,
                group,
                found,
            } => self.group_opened(now, claim, &group, found, out),
            Outcome::GroupWritten { claim, group, done } => {
                self.group_written(now, claim, &group, done, out);
            }
            Outcome::LogRead {
                claim,
                group,
                reader,
                page,
            } => self.log_read(now, claim, &group, reader, page, out),
            Outcome::Refused { claim } => self.refused_by_store(now, &[claim], out),
        }
    }
}

fn tell(settled: &Settled, answer: Answer, out: &mut Vec<Effect>) {
    for asker in &settled.askers {
        tell_one(*asker, settled.identity.id, answer.clone(), out);
    }
}

fn tell_one(asker: Asker, id: MessageId, answer: Answer, out: &mut Vec<Effect>) {
    let at = SessionRef {
        gateway: asker.gateway,
        session: asker.session,
    };
    tell_fate(at, id, answer, out);
}
