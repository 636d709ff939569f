//! What waits to be told to the application.
//!
//! Owns the order and the bounds: messages are bounded by the inbox, and of
//! everything else several become one. Must not know when the application asks.

use std::collections::{HashMap, HashSet, VecDeque};

use proto::ids::{GroupId, Stamp, UserId};
use proto::server::{Carbon, GroupTransientFrom, Receipt, ReceiptKind, TransientFrom};

use super::event::{Event, Message};

/// The most typing notices and signals that wait; the next is shed.
pub(super) const TRANSIENTS_MAX: usize = 64;

/// The most carbons that wait; the next is shed.
pub(super) const CARBONS_MAX: usize = 1_024;

/// The most bytes of bodies in them, likewise.
pub(super) const CARBON_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The most pairs of peer and kind whose receipts wait; the next is shed, and a
/// later receipt of that peer says all that it said.
pub(super) const RECEIPTS_MAX: usize = 1_024;

/// The most invitations to groups, wishes to be admitted and ends of a
/// membership that wait; the next is shed.
pub(super) const TIDINGS_MAX: usize = 1_024;

/// What is told next. Of a status, list or group the newest is told, so only
/// its place waits.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum News {
    Message(Message),
    Receipt(Receipt),
    Transient(TransientFrom),
    Carbon(Carbon),
    Presence(UserId),
    Friends,
    Group(GroupId),
    /// What a group's log says; bounded by what is held of logs.
    Logged(Event),
    GroupTransient(GroupTransientFrom),
    /// An invitation, a wish to be admitted, or the end of a membership.
    Tidings(Event),
    /// Connected, reconnecting, or closed.
    State(Event),
}

#[derive(Debug)]
enum Waiting {
    Ready(News),
    Receipt(UserId, ReceiptKind),
}

/// The queue of what is told.
#[derive(Debug, Default)]
pub(super) struct NewsQueue {
    waiting: VecDeque<Waiting>,
    transients: usize,
    carbons: usize,
    carbon_bytes: usize,
    receipts: HashMap<(UserId, ReceiptKind), Stamp>,
    statuses: HashSet<UserId>,
    friends: bool,
    groups: HashSet<GroupId>,
    tidings: usize,
}

impl NewsQueue {
    pub(super) fn message(&mut self, message: Message) {
        self.push(News::Message(message));
    }

    pub(super) fn transient(&mut self, transient: TransientFrom) {
        self.fleeting(News::Transient(transient));
    }

    pub(super) fn group_transient(&mut self, transient: GroupTransientFrom) {
        self.fleeting(News::GroupTransient(transient));
    }

    fn fleeting(&mut self, news: News) {
        if self.transients < TRANSIENTS_MAX {
            self.transients += 1;
            self.push(news);
        }
    }

    pub(super) fn group(&mut self, group: GroupId) {
        if self.groups.insert(group.clone()) {
            self.push(News::Group(group));
        }
    }

    pub(super) fn logged(&mut self, event: Event) {
        self.push(News::Logged(event));
    }

    pub(super) fn tidings(&mut self, event: Event) {
        if self.tidings < TIDINGS_MAX {
            self.tidings += 1;
            self.push(News::Tidings(event));
        }
    }

    pub(super) fn carbon(&mut self, carbon: Carbon) {
        let bytes = self.carbon_bytes + carbon.weight();
        if self.carbons < CARBONS_MAX && bytes <= CARBON_BYTES_MAX {
            self.carbons += 1;
            self.carbon_bytes = bytes;
            self.push(News::Carbon(carbon));
        }
    }

    /// A receipt that waits already says more now.
    pub(super) fn receipt(&mut self, receipt: Receipt) {
        let key = (receipt.peer, receipt.kind);
        if let Some(up_to) = self.receipts.get_mut(&key) {
            *up_to = receipt.up_to.max(*up_to);
        } else if self.receipts.len() < RECEIPTS_MAX {
            let (peer, kind) = key.clone();
            self.receipts.insert(key, receipt.up_to);
            self.waiting.push_back(Waiting::Receipt(peer, kind));
        }
    }

    pub(super) fn presence(&mut self, user: UserId) {
        if self.statuses.insert(user.clone()) {
            self.push(News::Presence(user));
        }
    }

    pub(super) fn friends(&mut self) {
        if !std::mem::replace(&mut self.friends, true) {
            self.push(News::Friends);
        }
    }

    /// Only the newest state waits: an application that does not ask for a
    /// night finds one line, not a thousand.
    pub(super) fn state(&mut self, event: Event) {
        self.waiting
            .retain(|waiting| !matches!(waiting, Waiting::Ready(News::State(_))));
        self.push(News::State(event));
    }

    pub(super) fn take(&mut self) -> Option<News> {
        let news = match self.waiting.pop_front()? {
            Waiting::Ready(news) => news,
            Waiting::Receipt(peer, kind) => {
                let key = (peer, kind);
                let up_to = self.receipts.remove(&key)?;
                let (peer, kind) = key;
                News::Receipt(Receipt { peer, kind, up_to })
            }
        };
        match &news {
            News::Transient(_) | News::GroupTransient(_) => self.transients -= 1,
            News::Carbon(carbon) => {
                self.carbons -= 1;
                self.carbon_bytes -= carbon.weight();
            }
            News::Presence(user) => {
                self.statuses.remove(user);
            }
            News::Friends => self.friends = false,
            News::Group(group) => {
                self.groups.remove(group);
            }
            News::Tidings(_) => self.tidings -= 1,
            News::Message(_) | News::Receipt(_) | News::Logged(_) | News::State(_) => {}
        }
        Some(news)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    fn push(&mut self, news: News) {
        self.waiting.push_back(Waiting::Ready(news));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use proto::client::Transient;
    use proto::ids::DeviceId;
    use proto::server::Did;

    fn user(n: usize) -> UserId {
        UserId::new(format!("u{n}")).unwrap()
    }

    fn receipt(n: usize, up_to: u64) -> Receipt {
        Receipt {
            peer: user(n),
            kind: ReceiptKind::Read,
            up_to: Stamp(up_to),
        }
    }

    fn signalled(bytes: usize) -> Carbon {
        Carbon {
            device: DeviceId::new("tablet").unwrap(),
            did: Did::Transient(Transient {
                to: user(1),
                kind: 2,
                body: vec![0; bytes].into(),
            }),
        }
    }

    #[test]
    fn several_become_one_in_the_place_of_the_first() {
        let mut news = NewsQueue::default();
        news.receipt(receipt(1, 5));
        news.presence(user(1));
        news.friends();
        news.receipt(receipt(1, 9));
        news.receipt(receipt(1, 7));
        news.presence(user(1));
        news.friends();
        assert_eq!(news.take(), Some(News::Receipt(receipt(1, 9))));
        assert_eq!(news.take(), Some(News::Presence(user(1))));
        assert_eq!(news.take(), Some(News::Friends));
        assert_eq!(news.take(), None);
        news.presence(user(1));
        assert_eq!(news.take(), Some(News::Presence(user(1))));
    }

    #[test]
    fn only_the_newest_state_waits() {
        let mut news = NewsQueue::default();
        news.state(Event::TokenExpired);
        news.friends();
        let closed = Event::Closed {
            code: None,
            text: "".into(),
        };
        news.state(closed.clone());
        assert_eq!(news.take(), Some(News::Friends));
        assert_eq!(news.take(), Some(News::State(closed)));
        assert_eq!(news.take(), None);
    }

    #[test]
    fn transients_and_receipts_are_bounded() {
        let mut news = NewsQueue::default();
        for n in 0..2 * RECEIPTS_MAX {
            news.receipt(receipt(n, 1));
            news.transient(TransientFrom {
                from: user(n),
                kind: 1,
                body: Bytes::new(),
            });
            news.carbon(signalled(1));
        }
        news.receipt(receipt(0, 2));
        let mut count = 0;
        while news.take().is_some() {
            count += 1;
        }
        assert_eq!(count, RECEIPTS_MAX + TRANSIENTS_MAX + CARBONS_MAX);
        for _ in 0..2 * 5 {
            news.carbon(signalled(CARBON_BYTES_MAX / 5));
        }
        let waiting = std::iter::from_fn(|| news.take());
        assert_eq!(waiting.count(), 5);
    }
}
