//! What is known of mailboxes, and what requests make of them.
//!
//! Owns the cache and the bounds: each request becomes commands, and the cached
//! mailbox is at once as it will be if they succeed. Must not know replies, nor
//! claims: who asks may do so.

use std::collections::HashSet;

use msgd_core::store::{Claim, Letter, Mailbox as Found, MailboxSettings, Position, Request, Seen};
use proto::ids::{Stamp, UserId};
use shared::Command;

use super::keys::{self, SlotKeys};
use super::mailbox::{Mailbox, seen_text};
use super::plan::{Plan, Planned, Step};
use super::script::Scripts;
use crate::store::MAILBOXES_MAX;
use crate::store::cache::Cache;
use crate::store::letter;
use crate::store::mailbox::is_expired;

/// Messages read at once. A reader that has room for more asks again.
const READ_MAX: u64 = 512;

/// All mailboxes.
#[derive(Debug)]
pub(super) struct Mailboxes {
    pub(super) scripts: Scripts,
    settings: MailboxSettings,
    cache: Cache<UserId, Mailbox>,
    /// What a shard with a steady clock said last.
    now: Option<Stamp>,
}

impl Mailboxes {
    pub(super) fn new(settings: MailboxSettings) -> Self {
        Self {
            scripts: Scripts::new(),
            settings,
            cache: Cache::new(MAILBOXES_MAX),
            now: None,
        }
    }

    /// Messages age by this.
    pub(super) fn time_is(&mut self, now: Stamp) {
        self.now = Some(now);
    }

    /// What a shard with a steady clock said last.
    pub(super) fn now(&self) -> Option<Stamp> {
        self.now
    }

    /// What is known of a user's mailbox may be wrong.
    pub(super) fn forget(&mut self, user: &UserId) {
        self.cache.remove(user);
    }

    /// A mailbox as the server has it.
    pub(super) fn learn(&mut self, user: UserId, mailbox: Mailbox) {
        self.cache.insert(user, mailbox);
    }

    /// What is known under a claim.
    pub(super) fn known(&mut self, claim: Claim, user: &UserId) -> Option<&mut Mailbox> {
        let mailbox = self.cache.get(user)?;
        (mailbox.token == claim.token).then_some(mailbox)
    }

    /// The command that tells what a request must know, if that is not known.
    /// Those in `fresh` were looked up for the same batch.
    pub(super) fn look_up(
        &mut self,
        request: &Request,
        fresh: &HashSet<UserId>,
    ) -> Option<Command> {
        let (claim, user) = whose(request)?;
        if self.is_known(request, claim, user, fresh.contains(user)) {
            return None;
        }
        let age = u64::try_from(self.settings.age_max.as_micros()).unwrap_or(u64::MAX);
        let oldest = self.now.map(|now| Stamp(now.0.saturating_sub(age)));
        Some(self.scripts.load(claim, user, oldest))
    }

    fn is_known(&mut self, request: &Request, claim: Claim, user: &UserId, fresh: bool) -> bool {
        let (now, age_max) = (self.now, self.settings.age_max);
        let whole = match request {
            Request::Append { .. } | Request::Read { .. } | Request::Open { .. } => true,
            Request::Advance { .. } => false,
            // Scripts find out for themselves.
            _ => return true,
        };
        let Some(mailbox) = self.known(claim, user) else {
            return false;
        };
        if !whole || mailbox.is_empty() {
            return true;
        }
        let Some(front) = mailbox.front else {
            return false;
        };
        fresh || !is_expired(front.stamp, now, age_max)
    }

    /// Puts into the plan what a request needs; `false`: it must be looked up
    /// first.
    pub(super) fn plan(
        &mut self,
        (index, request): (usize, &Request),
        fresh: &HashSet<UserId>,
        plan: &mut Plan,
    ) -> bool {
        let Some((claim, user)) = whose(request) else {
            return true;
        };
        if !self.is_known(request, claim, user, fresh.contains(user)) {
            return false;
        }
        let begin = plan.commands.len();
        let step = match request {
            Request::Append {
                behind, messages, ..
            } => self.append(claim, user, *behind, messages, plan),
            Request::Read {
                from,
                count_max,
                bytes_max,
                ..
            } => self.read(claim, user, *from, (*count_max, *bytes_max), plan),
            Request::Advance { cursor, .. } => self.advance(claim, user, *cursor, plan),
            Request::Open { since, .. } => self.open(claim, user, *since, plan),
            Request::Note { receipt, .. } => {
                plan.push(self.scripts.note(claim, user, receipt));
                if let Some(mailbox) = self.known(claim, user) {
                    mailbox.notes = true;
                }
                Some(Step::Note)
            }
            Request::TakeNotes { .. } => {
                plan.push(self.scripts.take_notes(claim, user));
                if let Some(mailbox) = self.known(claim, user) {
                    mailbox.notes = false;
                }
                Some(Step::TakeNotes)
            }
            Request::Seen { seen, .. } => self.see(claim, user, *seen, plan),
            _ => None,
        };
        let Some(step) = step else {
            return false;
        };
        plan.steps.push(Planned {
            request: index,
            step,
            replies: begin..plan.commands.len(),
        });
        true
    }

    fn append(
        &mut self,
        claim: Claim,
        user: &UserId,
        behind: Position,
        messages: &[Letter],
        plan: &mut Plan,
    ) -> Option<Step> {
        let settings = self.settings;
        let mailbox = self.cache.get(user)?;
        let first = Position(mailbox.end);
        let key = SlotKeys::new(claim.slot).stream(user);
        let mut count = 0;
        for letter in messages {
            let body_bytes = letter.message.body.len() as u64;
            if first < behind || !mailbox.fits(body_bytes, &settings) {
                break;
            }
            let mut row = Vec::new();
            letter::encode(letter, mailbox.bytes_before_end, &mut row);
            plan.push(match mailbox.stream {
                false => {
                    let entry = keys::entry(claim.token.0, mailbox.end);
                    self.scripts.create(claim, user, &entry, &row)
                }
                // The stream counts on: what is known here may be too much
                // after a fail-over, and there is to be no gap.
                true => Command::write("XADD", &key)
                    .arg("NOMKSTREAM")
                    .arg(format!("{}-*", claim.token.0))
                    .arg("m")
                    .arg(row),
            });
            mailbox.append(letter.message.stamp, body_bytes);
            count += 1;
        }
        if count == 0 {
            // No id was checked.
            plan.check(claim);
        }
        Some(Step::Append { first, count })
    }

    fn read(
        &mut self,
        claim: Claim,
        user: &UserId,
        from: Position,
        (count_max, bytes_max): (usize, usize),
        plan: &mut Plan,
    ) -> Option<Step> {
        let mailbox = self.cache.get(user)?;
        let from = from.0.max(mailbox.cursor);
        // Bodies differ: twice as many as would fit if they did not, and a few.
        let mean = mailbox.mean_bytes();
        let fitting = mean.map_or(READ_MAX, |mean| {
            (bytes_max as u64 / mean)
                .saturating_mul(2)
                .saturating_add(16)
        });
        let count = mailbox.end.saturating_sub(from);
        let count = count.min(count_max as u64).min(READ_MAX).min(fitting);
        if !plan.has_room(count.saturating_mul(mean.unwrap_or(0))) {
            return None;
        }
        if count > 0 {
            let key = SlotKeys::new(claim.slot).stream(user);
            let read = Command::read("XRANGE", key)
                .arg(mailbox.entry(from))
                .arg("+")
                .arg("COUNT")
                .arg(count);
            plan.push(read);
        }
        plan.check(claim);
        Some(Step::Read { bytes_max })
    }

    fn advance(
        &mut self,
        claim: Claim,
        user: &UserId,
        cursor: Position,
        plan: &mut Plan,
    ) -> Option<Step> {
        let mailbox = self.cache.get(user)?;
        let cursor = cursor.0.min(mailbox.end);
        plan.check(claim);
        if cursor > mailbox.cursor {
            let key = SlotKeys::new(claim.slot).stream(user);
            let border = mailbox.move_cursor(cursor);
            plan.push(Command::write("XTRIM", &key).arg("MINID").arg(border));
            if !mailbox.is_empty() {
                let front = Command::read("XRANGE", &key).arg("-").arg("+");
                plan.push(front.arg("COUNT").arg(1));
            }
        }
        Some(Step::Advance)
    }

    fn open(&mut self, claim: Claim, user: &UserId, since: Stamp, plan: &mut Plan) -> Option<Step> {
        let mailbox = self.cache.get(user)?;
        let heads = !mailbox.is_empty();
        if heads {
            plan.push(self.scripts.latest(claim, user, since));
        }
        let (last_seen, here) = match mailbox.seen {
            None => (None, None),
            Some(Seen::At(stamp)) => (Some(stamp), None),
            Some(Seen::Here(shard)) => (None, Some(shard)),
        };
        let groups = SlotKeys::new(claim.slot).groups();
        plan.push(Command::read("HGET", groups).arg(user.as_bytes()));
        if let Some(shard) = here {
            plan.push_free(Command::read("GET", keys::alive(shard)));
        }
        plan.check(claim);
        Some(Step::Open {
            mailbox: Found {
                cursor: Position(mailbox.cursor),
                end: Position(mailbox.end),
                latest: Vec::new(),
                notes: mailbox.notes,
                last_seen,
                groups: Vec::new(),
            },
            heads,
            here: here.is_some(),
        })
    }

    fn see(&mut self, claim: Claim, user: &UserId, seen: Seen, plan: &mut Plan) -> Option<Step> {
        plan.push(self.scripts.see(claim, user, &seen_text(seen)));
        if let Some(mailbox) = self.known(claim, user) {
            mailbox.seen = Some(seen);
            if mailbox.is_empty() && !mailbox.stream {
                // Most come and find nothing, and get nothing stored while they
                // are there.
                self.cache.remove(user);
            }
        }
        Some(Step::Seen)
    }
}

/// Under which claim a request asks about whom.
pub(super) fn whose(request: &Request) -> Option<(Claim, &UserId)> {
    match request {
        Request::Open { claim, user, .. }
        | Request::Append { claim, user, .. }
        | Request::Read { claim, user, .. }
        | Request::Advance { claim, user, .. }
        | Request::Note { claim, user, .. }
        | Request::TakeNotes { claim, user }
        | Request::Seen { claim, user, .. } => Some((*claim, user)),
        _ => None,
    }
}
