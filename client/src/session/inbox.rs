//! Messages for this client: which wait for the application, which it has
//! taken, and what may be acknowledged.
//!
//! An acknowledgement means that the application has the message, so only what
//! it has taken is acknowledged. Must not know what a message says.

use std::collections::{HashMap, VecDeque};

use proto::ids::Identity;

use super::seen::Seen;

/// The most messages that wait for the application or for its confirmation.
/// One more finds no room: it is not acknowledged, and the server delivers it
/// again on a later connection.
pub(super) const HELD_MAX: usize = 2_048;

/// The most bytes of bodies that wait, likewise.
pub(super) const HELD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The most deliveries of one connection without an acknowledgement: far above
/// any window; a server that goes beyond is left.
const NUMBERED_MAX: usize = 4 * HELD_MAX;

/// What a delivery is to the application.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// To be shown.
    New,
    /// Shown or waiting already.
    Repeated,
    /// Not kept: too much waits.
    NoRoom,
}

/// A delivery out of its number, or too many of them. The server's mistake.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct WrongNumber;

/// The deliveries of one connection, in the order of their numbers.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// The newest ones, from the first that is not acknowledged.
    waiting: VecDeque<Numbered>,
    /// The number of the last one; the first is 1.
    last: u64,
    /// What the server was told last.
    told: u64,
}

#[derive(Debug)]
struct Numbered {
    identity: Identity,
    taken: bool,
}

impl Ledger {
    fn number(&mut self, seq: u64, identity: Identity, taken: bool) -> Result<(), WrongNumber> {
        if seq != self.last + 1 || self.waiting.len() >= NUMBERED_MAX {
            return Err(WrongNumber);
        }
        self.last = seq;
        self.waiting.push_back(Numbered { identity, taken });
        self.forward();
        Ok(())
    }

    /// The same message may have come more than once on one connection.
    fn taken(&mut self, identity: &Identity) {
        let same = self.waiting.iter_mut().filter(|n| n.identity == *identity);
        for numbered in same {
            numbered.taken = true;
        }
        self.forward();
    }

    /// Lets go of the unbroken run at the front.
    fn forward(&mut self) {
        while self.waiting.front().is_some_and(|n| n.taken) {
            self.waiting.pop_front();
        }
    }

    /// The acknowledgement that is due; all of it counts as told.
    pub(super) fn acknowledge(&mut self) -> Option<u64> {
        let up_to = self.last - self.waiting.len() as u64;
        if up_to == self.told {
            return None;
        }
        self.told = up_to;
        Some(up_to)
    }
}

/// What waits and what was taken, over all connections of the process.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    held: HashMap<Identity, usize>,
    bytes: usize,
    seen: Seen,
    /// Something found no room on this connection.
    overflowed: bool,
}

impl Inbox {
    /// Enters a delivery into the connection's ledger and says what it is.
    /// `known`: the application's own store has it.
    pub(super) fn arrive(
        &mut self,
        ledger: &mut Ledger,
        seq: u64,
        identity: Identity,
        bytes: usize,
        known: bool,
    ) -> Result<Arrival, WrongNumber> {
        let taken = known || self.seen.contains(&identity);
        ledger.number(seq, identity.clone(), taken)?;
        if taken || self.held.contains_key(&identity) {
            return Ok(Arrival::Repeated);
        }
        if self.held.len() >= HELD_MAX || self.bytes + bytes > HELD_BYTES_MAX {
            self.overflowed = true;
            return Ok(Arrival::NoRoom);
        }
        self.bytes += bytes;
        self.held.insert(identity, bytes);
        Ok(Arrival::New)
    }

    /// The application has it. `false` if nothing of that identity waits.
    pub(super) fn take(&mut self, ledger: Option<&mut Ledger>, identity: &Identity) -> bool {
        let Some(bytes) = self.held.remove(identity) else {
            return false;
        };
        self.bytes -= bytes;
        self.seen.remember(identity.clone());
        if let Some(ledger) = ledger {
            ledger.taken(identity);
        }
        true
    }

    /// Whether there is room again for what found none: only a new connection
    /// brings it.
    pub(super) fn must_ask_again(&self) -> bool {
        let roomy = self.held.len() <= HELD_MAX / 2 && self.bytes <= HELD_BYTES_MAX / 2;
        self.overflowed && roomy
    }

    /// A new connection delivers again whatever is not acknowledged.
    pub(super) fn connected(&mut self) {
        self.overflowed = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::ids::{MessageId, UserId};

    fn identity(n: u64) -> Identity {
        Identity {
            from: UserId::new("ann").unwrap(),
            id: MessageId::mint(n, [0; 10]),
        }
    }

    fn arrive(inbox: &mut Inbox, ledger: &mut Ledger, seq: u64, n: u64) -> Arrival {
        inbox.arrive(ledger, seq, identity(n), 10, false).unwrap()
    }

    #[test]
    fn only_an_unbroken_run_of_what_was_taken_is_acknowledged() {
        let (mut inbox, mut ledger) = (Inbox::default(), Ledger::default());
        for n in 1..=3 {
            assert_eq!(arrive(&mut inbox, &mut ledger, n, n), Arrival::New);
        }
        assert_eq!(ledger.acknowledge(), None);
        assert!(inbox.take(Some(&mut ledger), &identity(2)));
        assert_eq!(ledger.acknowledge(), None);
        assert!(inbox.take(Some(&mut ledger), &identity(1)));
        assert_eq!(ledger.acknowledge(), Some(2));
        assert_eq!(ledger.acknowledge(), None);
        assert!(!inbox.take(Some(&mut ledger), &identity(1)));
    }

    #[test]
    fn what_was_taken_is_not_new_on_the_next_connection_and_acknowledged_there() {
        let (mut inbox, mut ledger) = (Inbox::default(), Ledger::default());
        arrive(&mut inbox, &mut ledger, 1, 1);
        arrive(&mut inbox, &mut ledger, 2, 2);
        inbox.take(Some(&mut ledger), &identity(1));
        let mut next = Ledger::default();
        inbox.connected();
        assert_eq!(arrive(&mut inbox, &mut next, 1, 1), Arrival::Repeated);
        assert_eq!(arrive(&mut inbox, &mut next, 2, 2), Arrival::Repeated);
        assert_eq!(next.acknowledge(), Some(1));
        inbox.take(Some(&mut next), &identity(2));
        assert_eq!(next.acknowledge(), Some(2));
    }

    #[test]
    fn what_finds_no_room_holds_up_the_acknowledgement() {
        let (mut inbox, mut ledger) = (Inbox::default(), Ledger::default());
        let most = HELD_MAX as u64;
        for n in 1..=most {
            arrive(&mut inbox, &mut ledger, n, n);
        }
        let beyond = most + 1;
        assert_eq!(
            arrive(&mut inbox, &mut ledger, beyond, beyond),
            Arrival::NoRoom
        );
        assert!(!inbox.must_ask_again());
        for n in 1..=most {
            inbox.take(Some(&mut ledger), &identity(n));
        }
        assert_eq!(ledger.acknowledge(), Some(most));
        assert!(inbox.must_ask_again());
        inbox.connected();
        let mut next = Ledger::default();
        assert_eq!(arrive(&mut inbox, &mut next, 1, beyond), Arrival::New);
    }

    #[test]
    fn numbers_have_no_gap() {
        let (mut inbox, mut ledger) = (Inbox::default(), Ledger::default());
        arrive(&mut inbox, &mut ledger, 1, 1);
        let gap = inbox.arrive(&mut ledger, 3, identity(3), 0, false);
        assert_eq!(gap, Err(WrongNumber));
    }

    #[test]
    fn what_the_applications_store_knows_is_acknowledged_unseen() {
        let (mut inbox, mut ledger) = (Inbox::default(), Ledger::default());
        let arrival = inbox.arrive(&mut ledger, 1, identity(1), 10, true);
        assert_eq!(arrival, Ok(Arrival::Repeated));
        assert_eq!(ledger.acknowledge(), Some(1));
    }
}
