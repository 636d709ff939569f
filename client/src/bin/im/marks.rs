//! The messages that this user sent, and how far each came.
//!
//! Owns their numbers and which mark is news. Must not know a session.

use std::collections::{HashMap, VecDeque};

use client::{Fate, MessageId, Outcome, Receipt, ReceiptKind, SentElsewhere, Stamp, UserId};

use crate::notice::{Mark, Notice, Sent};
use crate::whom::Whom;

/// The most messages whose marks are followed; the oldest goes first.
const FOLLOWED_MAX: usize = 1_000;

/// The most peers whose last receipts are kept; beyond, a receipt that
/// overtakes a fate is not applied.
const PEERS_MAX: usize = 1_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Progress {
    UnderWay,
    Unknown,
    Stored,
    Delivered,
    Read,
}

#[derive(Debug)]
struct Followed {
    sent: Sent,
    text: String,
    stamp: Option<Stamp>,
    progress: Progress,
}

/// What of a peer's receipts was heard last.
#[derive(Debug, Default, Clone, Copy)]
struct UpTo {
    delivered: Stamp,
    read: Stamp,
}

/// Messages under way or lately sent, oldest first.
#[derive(Debug, Default)]
pub struct Marks {
    followed: VecDeque<Followed>,
    last: u64,
    peers: HashMap<UserId, UpTo>,
    /// Some message was refused or has no known fate.
    pub failed: bool,
}

impl Marks {
    /// A message is on its way.
    pub fn sending(&mut self, to: Whom, id: MessageId, text: String) -> Sent {
        if let Some(again) = self.followed.iter_mut().find(|f| f.sent.id == id) {
            again.progress = Progress::UnderWay;
            return again.sent.clone();
        }
        self.last += 1;
        let number = self.last;
        let sent = Sent { number, to, id };
        if self.followed.len() >= FOLLOWED_MAX {
            self.followed.pop_front();
        }
        self.followed.push_back(Followed {
            sent: sent.clone(),
            text,
            stamp: None,
            progress: Progress::UnderWay,
        });
        sent
    }

    /// This user's other device sent a message that is safe. The notices are of
    /// its mark.
    pub fn elsewhere(&mut self, carbon: SentElsewhere, text: String) -> (Sent, Vec<Notice>) {
        let SentElsewhere { id, sent, to, .. } = carbon;
        let client::Sent { stamp, outcome } = sent;
        let fate = match outcome {
            Outcome::Delivered { device } => Fate::Delivered { device, stamp },
            Outcome::Stored => Fate::Stored { stamp },
            Outcome::Logged(place) => Fate::Logged { place, stamp },
        };
        let sent = self.sending(to.into(), id, text);
        let notices = self.fate(&sent, fate);
        (sent, notices)
    }

    /// A message has its fate. Receipts may have overtaken it.
    pub fn fate(&mut self, sent: &Sent, fate: Fate) -> Vec<Notice> {
        let up_to = sent.to.user().and_then(|user| self.peers.get(user));
        let up_to = up_to.copied().unwrap_or_default();
        let (progress, stamp, mark) = match fate {
            Fate::Delivered { device, stamp } => {
                (Progress::Delivered, stamp, Mark::Delivered(Some(device)))
            }
            Fate::Stored { stamp } => (Progress::Stored, stamp, Mark::Stored),
            Fate::Logged { place, stamp } => (Progress::Stored, stamp, Mark::Logged(place.seq)),
            Fate::Rejected { code, text } => {
                self.failed = true;
                self.followed.retain(|f| f.sent != *sent);
                let text = text.to_string();
                return vec![Notice::Mark(sent.clone(), Mark::Rejected { code, text })];
            }
            Fate::Unknown { code } => {
                self.failed = true;
                if let Some(followed) = self.followed.iter_mut().find(|f| f.sent == *sent) {
                    followed.progress = Progress::Unknown;
                }
                return vec![Notice::Mark(sent.clone(), Mark::Unknown { code })];
            }
        };
        let mut notices = vec![Notice::Mark(sent.clone(), mark)];
        if let Some(followed) = self.followed.iter_mut().find(|f| f.sent == *sent) {
            followed.progress = progress;
            followed.stamp = Some(stamp);
            notices.extend(followed.heard(up_to));
        }
        notices
    }

    /// A peer got or read everything up to a stamp.
    pub fn receipt(&mut self, receipt: &Receipt) -> Vec<Notice> {
        if self.peers.len() >= PEERS_MAX && !self.peers.contains_key(&receipt.peer) {
            self.peers.clear();
        }
        let up_to = self.peers.entry(receipt.peer.clone()).or_default();
        match receipt.kind {
            ReceiptKind::Delivered => up_to.delivered = up_to.delivered.max(receipt.up_to),
            ReceiptKind::Read => up_to.read = up_to.read.max(receipt.up_to),
        }
        let up_to = *up_to;
        let theirs = self.followed.iter_mut();
        let theirs = theirs.filter(|f| f.sent.to.user() == Some(&receipt.peer));
        theirs
            .filter_map(|followed| followed.heard(up_to))
            .collect()
    }

    /// A message of unknown fate, to be sent again.
    pub fn again(&self, number: u64) -> Option<(Sent, String)> {
        let same = |f: &&Followed| f.sent.number == number && f.progress == Progress::Unknown;
        let followed = self.followed.iter().find(same)?;
        Some((followed.sent.clone(), followed.text.clone()))
    }
}

impl Followed {
    /// Marks only go forward, and the highest says all.
    fn heard(&mut self, up_to: UpTo) -> Option<Notice> {
        let stamp = self.stamp?;
        let (progress, mark) = if stamp <= up_to.read {
            (Progress::Read, Mark::Read)
        } else if stamp <= up_to.delivered {
            (Progress::Delivered, Mark::Delivered(None))
        } else {
            return None;
        };
        if progress <= self.progress {
            return None;
        }
        self.progress = progress;
        Some(Notice::Mark(self.sent.clone(), mark))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use client::Code;

    fn ben() -> UserId {
        "ben".parse().unwrap()
    }

    fn sends(marks: &mut Marks, n: u8) -> Sent {
        marks.sending(ben().into(), MessageId::from_bytes([n; 16]), "text".into())
    }

    fn receipt(kind: ReceiptKind, up_to: u64) -> Receipt {
        Receipt {
            peer: ben(),
            kind,
            up_to: Stamp(up_to),
        }
    }

    #[test]
    fn marks_go_forward_once_for_all_up_to_the_stamp() {
        let mut marks = Marks::default();
        let (one, two) = (sends(&mut marks, 1), sends(&mut marks, 2));
        for (sent, stamp) in [(&one, 10), (&two, 20)] {
            let stamp = Stamp(stamp);
            let notices = marks.fate(sent, Fate::Stored { stamp });
            assert_eq!(notices, [Notice::Mark(sent.clone(), Mark::Stored)]);
        }
        let delivered = marks.receipt(&receipt(ReceiptKind::Delivered, 10));
        let mark = Mark::Delivered(None);
        assert_eq!(delivered, [Notice::Mark(one.clone(), mark)]);
        let read = marks.receipt(&receipt(ReceiptKind::Read, 20));
        let both = [one, two].map(|sent| Notice::Mark(sent, Mark::Read));
        assert_eq!(read, both);
        assert!(
            marks
                .receipt(&receipt(ReceiptKind::Delivered, 20))
                .is_empty()
        );
        assert!(!marks.failed);
    }

    #[test]
    fn a_receipt_may_overtake_a_fate() {
        let mut marks = Marks::default();
        let sent = sends(&mut marks, 1);
        assert!(marks.receipt(&receipt(ReceiptKind::Read, 10)).is_empty());
        let stamp = Stamp(10);
        let notices = marks.fate(&sent, Fate::Stored { stamp });
        let expected = [Mark::Stored, Mark::Read].map(|mark| Notice::Mark(sent.clone(), mark));
        assert_eq!(notices, expected);
    }

    #[test]
    fn only_what_has_no_known_fate_is_sent_again_under_its_number() {
        let mut marks = Marks::default();
        let sent = sends(&mut marks, 1);
        assert_eq!(marks.again(1), None);
        let code = Code::FateUnknown;
        marks.fate(&sent, Fate::Unknown { code });
        assert!(marks.failed);
        assert_eq!(marks.again(1), Some((sent.clone(), "text".into())));
        assert_eq!(sends(&mut marks, 1), sent);
        assert_eq!(marks.again(1), None);
    }
}
