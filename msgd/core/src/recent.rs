//! What a recipient's shard answered lately, so that a message that comes
//! again gets the same answer and is not delivered twice.
//!
//! Per recipient: at most `senders_max` senders, each with at most
//! `per_sender_max` answers; older ones than the window go. Must not know how
//! a message became safe.

use std::collections::VecDeque;
use std::time::Duration;

use indexmap::IndexMap;
use proto::codes::Code;
use proto::ids::{Identity, MessageId, Stamp, UserId};
use proto::server::Sent;

use crate::store::Remembered;

/// What is known of a message that came.
#[derive(Debug, PartialEq, Eq)]
pub enum Known {
    /// It is new.
    New,
    /// It was answered so.
    Answered(Sent),
    /// It was refused so.
    Refused(Code),
    /// The id was answered for another message.
    Reused,
    /// It is older than what is remembered.
    TooOld,
}

/// How much is remembered.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// For how long.
    pub window: Duration,
    /// Answers of one sender.
    pub per_sender_max: usize,
    /// Senders.
    pub senders_max: usize,
}

#[derive(Debug)]
struct Answered {
    id: MessageId,
    fingerprint: u64,
    verdict: Verdict,
}

/// An answer that holds for every copy.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// The message is safe.
    Sent(Sent),
    /// It was not taken, at this time: a later copy would come after its
    /// successors.
    Refused(Code, Stamp),
}

impl Answered {
    fn is_refusal(&self) -> bool {
        matches!(self.verdict, Verdict::Refused(..))
    }
}

impl Verdict {
    fn stamp(&self) -> Stamp {
        match self {
            Self::Sent(sent) => sent.stamp,
            Self::Refused(_, stamp) => *stamp,
        }
    }

    fn known(&self) -> Known {
        match self {
            Self::Sent(sent) => Known::Answered(sent.clone()),
            Self::Refused(code, _) => Known::Refused(*code),
        }
    }
}

#[derive(Debug, Default)]
struct Sender {
    /// In the order of the answers.
    answers: VecDeque<Answered>,
    /// The newest id of all: one above it needs no search.
    newest: Option<MessageId>,
    /// When the newest answer that had to go for want of room was minted; 0
    /// while none had to.
    horizon_ms: u64,
}

impl Sender {
    /// Forgets an answer for another; refusals go first. Of a refusal that is
    /// forgotten a late copy counts as new, and only its place in the order is
    /// lost.
    fn make_room(&mut self, for_refusal: bool) -> bool {
        let refusal = self.answers.iter().position(Answered::is_refusal);
        if refusal.is_none() && for_refusal {
            return false;
        }
        let Some(gone) = self.answers.remove(refusal.unwrap_or(0)) else {
            return true;
        };
        if !gone.is_refusal() {
            self.horizon_ms = self.horizon_ms.max(gone.id.minted_ms());
        }
        true
    }
}

/// One recipient's memory of answers.
#[derive(Debug, Default)]
pub struct Recent {
    /// None for the many who got nothing lately.
    senders: Option<Box<Senders>>,
}

/// In the order in which senders first came.
type Senders = IndexMap<UserId, Sender, ahash::RandomState>;

impl Recent {
    /// What is known of a message.
    pub fn find(
        &self,
        bounds: &Bounds,
        wall: Stamp,
        from: &UserId,
        id: MessageId,
        fingerprint: u64,
    ) -> Known {
        let window_ms = u64::try_from(bounds.window.as_millis()).unwrap_or(u64::MAX);
        let oldest_ms = wall.as_ms().saturating_sub(window_ms);
        let known = self.senders.as_ref().and_then(|senders| senders.get(from));
        let Some(sender) = known else {
            return if id.minted_ms() < oldest_ms {
                Known::TooOld
            } else {
                Known::New
            };
        };
        if sender.newest.is_none_or(|newest| id > newest) && id.minted_ms() >= oldest_ms {
            return Known::New;
        }
        match sender.answers.iter().rev().find(|a| a.id == id) {
            Some(answered) if answered.fingerprint == fingerprint => answered.verdict.known(),
            Some(_) => Known::Reused,
            None if id.minted_ms() < oldest_ms || id.minted_ms() <= sender.horizon_ms => {
                Known::TooOld
            }
            None => Known::New,
        }
    }

    /// Remembers an answer. Says whether that it was sent had to be forgotten of
    /// what another sender sent: never for the sake of a refusal, of which there
    /// are as many as somebody likes.
    pub fn remember(
        &mut self,
        bounds: &Bounds,
        from: &UserId,
        id: MessageId,
        fingerprint: u64,
        verdict: Verdict,
    ) -> bool {
        let is_refusal = matches!(verdict, Verdict::Refused(..));
        let has_no_room = match self.senders.as_ref() {
            Some(senders) if senders.len() >= bounds.senders_max => !senders.contains_key(from),
            _ => false,
        };
        if has_no_room && is_refusal {
            return false;
        }
        let senders = self.senders.get_or_insert_default();
        let mut forgets = false;
        if has_no_room && let Some((_, gone)) = senders.shift_remove_index(0) {
            // The client drops what comes twice because of this.
            forgets = gone.answers.iter().any(|answered| !answered.is_refusal());
        }
        let sender = senders.entry(from.clone()).or_default();
        // Ids mostly ascend, and one above all needs no search.
        let ascends = sender.newest.is_none_or(|newest| id > newest);
        if !ascends && sender.answers.iter().any(|a| a.id == id) {
            return forgets;
        }
        if sender.answers.len() >= bounds.per_sender_max && !sender.make_room(is_refusal) {
            return forgets;
        }
        sender.newest = sender.newest.max(Some(id));
        sender.answers.push_back(Answered {
            id,
            fingerprint,
            verdict,
        });
        forgets
    }

    /// Remembers what the holder before knew, from wherever it comes. Where
    /// there is no room for all, the newest stay: of these may be some whose
    /// senders have not heard the answer. Says whether some had to go.
    pub fn restore(&mut self, bounds: &Bounds, mut known: Vec<Remembered>) -> bool {
        known.sort_by_key(|known| known.stamp);
        let mut forgets = false;
        for known in known {
            let sent = Sent {
                stamp: known.stamp,
                outcome: known.fate,
            };
            let Identity { from, id } = &known.identity;
            let verdict = Verdict::Sent(sent);
            forgets |= self.remember(bounds, from, *id, known.fingerprint, verdict);
        }
        forgets
    }

    /// Forgets what is older than the window.
    pub fn forget(&mut self, bounds: &Bounds, wall: Stamp) {
        let window_us = u64::try_from(bounds.window.as_micros()).unwrap_or(u64::MAX);
        let oldest = Stamp(wall.0.saturating_sub(window_us));
        let Some(senders) = &mut self.senders else {
            return;
        };
        senders.retain(|_, sender| {
            while sender
                .answers
                .front()
                .is_some_and(|a| a.verdict.stamp() < oldest && a.id.minted_ms() < oldest.as_ms())
            {
                sender.answers.pop_front();
            }
            !sender.answers.is_empty()
        });
        senders.shrink_to_fit();
        if senders.is_empty() {
            self.senders = None;
        }
    }

    /// What is safe, for who takes the slot over.
    pub fn iter(&self) -> impl Iterator<Item = (&UserId, MessageId, u64, &Sent)> {
        let senders = self.senders.iter().flat_map(|senders| senders.iter());
        senders.flat_map(|(from, sender)| {
            sender.answers.iter().filter_map(move |a| match &a.verdict {
                Verdict::Sent(sent) => Some((from, a.id, a.fingerprint, sent)),
                Verdict::Refused(..) => None,
            })
        })
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.senders.is_none()
    }
}

#[cfg(test)]
mod tests {
    use proto::server::Outcome;

    use super::*;

    const BOUNDS: Bounds = Bounds {
        window: Duration::from_secs(600),
        per_sender_max: 4,
        senders_max: 2,
    };

    fn id(ms: u64) -> MessageId {
        MessageId::mint(ms, [7; 10])
    }

    fn stored(ms: u64) -> Sent {
        Sent {
            stamp: Stamp(ms * 1000),
            outcome: Outcome::Stored,
        }
    }

    fn sent(ms: u64) -> Verdict {
        Verdict::Sent(stored(ms))
    }

    #[test]
    fn an_answer_is_repeated_until_the_window_is_over() {
        let ann = UserId::new("ann").unwrap();
        let mut recent = Recent::default();
        let wall = Stamp(1_000_000_000);
        assert_eq!(recent.find(&BOUNDS, wall, &ann, id(999_000), 1), Known::New);
        recent.remember(&BOUNDS, &ann, id(999_000), 1, sent(999_500));
        assert_eq!(
            recent.find(&BOUNDS, wall, &ann, id(999_000), 1),
            Known::Answered(stored(999_500))
        );
        assert_eq!(
            recent.find(&BOUNDS, wall, &ann, id(999_000), 2),
            Known::Reused
        );
        let later = Stamp(wall.0 + 700_000_000);
        recent.forget(&BOUNDS, later);
        assert!(recent.is_empty());
        assert_eq!(
            recent.find(&BOUNDS, later, &ann, id(999_000), 1),
            Known::TooOld
        );
    }

    #[test]
    fn what_went_for_want_of_room_is_too_old_not_new() {
        let ann = UserId::new("ann").unwrap();
        let mut recent = Recent::default();
        let wall = Stamp(1_000_000_000);
        for n in 0..6 {
            recent.remember(&BOUNDS, &ann, id(999_000 + n), 1, sent(999_500));
        }
        assert_eq!(
            recent.find(&BOUNDS, wall, &ann, id(999_000), 1),
            Known::TooOld
        );
        assert_eq!(recent.find(&BOUNDS, wall, &ann, id(999_006), 1), Known::New);
        assert!(matches!(
            recent.find(&BOUNDS, wall, &ann, id(999_005), 1),
            Known::Answered(_)
        ));
    }

    #[test]
    fn of_what_is_known_from_before_the_newest_stays() {
        let ann = UserId::new("ann").unwrap();
        let known = |n: u64| Remembered {
            to: UserId::new("ben").unwrap(),
            identity: Identity {
                from: ann.clone(),
                id: id(999_000 + n),
            },
            stamp: Stamp(999_500 + n),
            fingerprint: 1,
            fate: Outcome::Stored,
        };
        // Two that lie in the mailbox, and as many as there is room for that
        // were answered before them.
        let known = [4, 5, 0, 1, 2, 3].map(known).to_vec();
        let mut recent = Recent::default();
        recent.restore(&BOUNDS, known);
        let wall = Stamp(1_000_000_000);
        for n in 2..=5 {
            let found = recent.find(&BOUNDS, wall, &ann, id(999_000 + n), 1);
            assert!(matches!(found, Known::Answered(_)), "{n}: {found:?}");
        }
    }

    #[test]
    fn a_refusal_is_repeated_and_not_handed_over() {
        let ann = UserId::new("ann").unwrap();
        let mut recent = Recent::default();
        let wall = Stamp(1_000_000_000);
        let full = Verdict::Refused(Code::MailboxFull, wall);
        recent.remember(&BOUNDS, &ann, id(999_000), 1, full);
        assert_eq!(
            recent.find(&BOUNDS, wall, &ann, id(999_000), 1),
            Known::Refused(Code::MailboxFull)
        );
        assert_eq!(recent.iter().count(), 0);
        recent.forget(&BOUNDS, Stamp(wall.0 + 700_000_000));
        assert!(recent.is_empty());
    }

    #[test]
    fn no_refusal_takes_the_place_of_what_was_sent() {
        let users = ["ann", "ben", "cat"].map(|name| UserId::new(name).unwrap());
        let [ann, ben, cat] = &users;
        let mut recent = Recent::default();
        let wall = Stamp(1_000_000_000);
        let full = || Verdict::Refused(Code::MailboxFull, wall);
        for n in 0..4 {
            recent.remember(&BOUNDS, ann, id(999_000 + n), 1, sent(999_500));
        }
        let known = |recent: &Recent, n: u64| recent.find(&BOUNDS, wall, ann, id(999_000 + n), 1);
        assert!(!recent.remember(&BOUNDS, ann, id(999_010), 1, full()));
        assert_eq!(known(&recent, 0), Known::Answered(stored(999_500)));
        assert_eq!(known(&recent, 10), Known::New);
        // Nor of those of another sender, who in turn may take its place.
        assert!(!recent.remember(&BOUNDS, ben, id(999_000), 1, full()));
        assert!(!recent.remember(&BOUNDS, cat, id(999_000), 1, full()));
        assert_eq!(known(&recent, 0), Known::Answered(stored(999_500)));
        assert!(recent.remember(&BOUNDS, cat, id(999_000), 1, sent(999_500)));
        assert_eq!(known(&recent, 0), Known::New);
    }

    #[test]
    fn senders_are_bounded() {
        let mut recent = Recent::default();
        for name in ["ann", "ben", "cat"] {
            let from = UserId::new(name).unwrap();
            recent.remember(&BOUNDS, &from, id(1), 1, sent(1));
        }
        assert_eq!(recent.iter().count(), 2);
    }
}
