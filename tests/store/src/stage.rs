//! The one place that spells requests and outcomes out.

pub(crate) mod groups;

use bytes::Bytes;
use msgd_core::store::{
    Claim, Letter, Mailbox, Outcome, Position, Remembered, Request, Seen, Stored,
};
use proto::ids::{Incarnation, MessageId, Stamp, Token, UserId};
use proto::link::Message;
use proto::server::{Receipt, ReceiptKind};
use proto::slot::Slot;

use crate::Carries;

/// Shards of the scenes.
pub(crate) const ANN: Incarnation = Incarnation(11);
pub(crate) const BEN: Incarnation = Incarnation(22);

/// A store and who acts on it.
pub(crate) struct Stage<S> {
    store: S,
}

pub(crate) fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

pub(crate) fn slot_of(name: &str) -> Slot {
    Slot::of(&user(name))
}

/// A message to `to`, number `number` of its sender. Its stamp is its number,
/// in seconds.
pub(crate) fn letter(to: &str, number: u64, body: &str) -> Letter {
    Letter {
        message: Message {
            from: user("carl"),
            id: MessageId::mint(number, [7; 10]),
            to: user(to),
            stamp: second(number),
            body: Bytes::copy_from_slice(body.as_bytes()),
        },
        fingerprint: number * 1_000,
    }
}

pub(crate) fn second(number: u64) -> Stamp {
    Stamp(number * 1_000_000)
}

pub(crate) fn stored(position: u64, letter: &Letter) -> Stored {
    Stored {
        position: Position(position),
        from: letter.message.from.clone(),
        id: letter.message.id,
        stamp: letter.message.stamp,
        fingerprint: letter.fingerprint,
    }
}

impl<S: Carries> Stage<S> {
    pub(crate) fn new(store: S) -> Self {
        Self { store }
    }

    pub(crate) fn dies(&mut self, shard: Incarnation) {
        self.store.incarnation_died(shard);
    }

    pub(crate) fn claims_all(&mut self, shard: Incarnation, slots: &[Slot]) -> Vec<Outcome> {
        let slots = slots.to_vec();
        self.store.carry_out(Request::Claim { slots, shard })
    }

    /// A claim that is granted.
    pub(crate) fn claims(&mut self, shard: Incarnation, slot: Slot) -> (Claim, Vec<Remembered>) {
        let mut outcomes = self.claims_all(shard, &[slot]);
        match (outcomes.pop(), outcomes.len()) {
            (Some(Outcome::Claimed { claim, recent }), 0) => {
                assert_eq!(claim.slot, slot);
                (claim, recent)
            }
            other => panic!("claimed expected, not {other:?}"),
        }
    }

    /// The claim of the slot of a user, granted to the shard of most scenes.
    pub(crate) fn serves(&mut self, name: &str) -> Claim {
        self.claims(ANN, slot_of(name)).0
    }

    pub(crate) fn is_held(&mut self, shard: Incarnation, slot: Slot) {
        let held = vec![Outcome::Held { slot }];
        assert_eq!(self.claims_all(shard, &[slot]), held);
    }

    pub(crate) fn releases(&mut self, claim: Claim, recent: &[Remembered]) {
        let recent = recent.to_vec();
        let outcomes = self.store.carry_out(Request::Release { claim, recent });
        assert_eq!(outcomes, []);
    }

    /// Appends; where the first lies and how many fit.
    pub(crate) fn appends(
        &mut self,
        claim: Claim,
        name: &str,
        messages: &[Letter],
    ) -> (Position, usize) {
        self.appends_behind(claim, name, 0, messages)
    }

    /// Appends if the mailbox ends at a position or behind it.
    pub(crate) fn appends_behind(
        &mut self,
        claim: Claim,
        name: &str,
        behind: u64,
        messages: &[Letter],
    ) -> (Position, usize) {
        let user = user(name);
        let request = Request::Append {
            claim,
            user: user.clone(),
            behind: Position(behind),
            messages: messages.to_vec(),
        };
        match self.only(request) {
            Outcome::Appended {
                claim: told,
                user: to,
                first,
                count,
            } if told == claim && to == user => (first, count),
            other => panic!("appended expected, not {other:?}"),
        }
    }

    /// Reads; what is there.
    pub(crate) fn reads(
        &mut self,
        claim: Claim,
        name: &str,
        from: u64,
        (count_max, bytes_max): (usize, usize),
    ) -> Vec<(u64, Letter)> {
        let request = Request::Read {
            claim,
            user: user(name),
            reader: 99,
            from: Position(from),
            count_max,
            bytes_max,
        };
        match self.only(request) {
            Outcome::Read {
                claim: told,
                user: whose,
                reader: 99,
                from: Position(told_from),
                letters: Some(letters),
            } if told == claim && whose == user(name) && told_from == from => letters
                .into_iter()
                .map(|(position, letter)| (position.0, letter))
                .collect(),
            other => panic!("read expected, not {other:?}"),
        }
    }

    pub(crate) fn reads_all(&mut self, claim: Claim, name: &str) -> Vec<(u64, Letter)> {
        self.reads(claim, name, 1, (usize::MAX, usize::MAX))
    }

    pub(crate) fn opens(&mut self, claim: Claim, name: &str) -> Mailbox {
        self.opens_since(claim, name, Stamp(0))
    }

    pub(crate) fn opens_since(&mut self, claim: Claim, name: &str, since: Stamp) -> Mailbox {
        let user = user(name);
        let request = Request::Open {
            claim,
            user: user.clone(),
            since,
        };
        match self.only(request) {
            Outcome::Opened {
                claim: told,
                user: whose,
                mailbox: Some(mailbox),
            } if told == claim && whose == user => mailbox,
            other => panic!("opened expected, not {other:?}"),
        }
    }

    /// Cursor and end.
    pub(crate) fn bounds(&mut self, claim: Claim, name: &str) -> (u64, u64) {
        let mailbox = self.opens(claim, name);
        (mailbox.cursor.0, mailbox.end.0)
    }

    pub(crate) fn advances(&mut self, claim: Claim, name: &str, cursor: u64) {
        let advanced = Outcome::Advanced {
            claim,
            user: user(name),
            done: true,
        };
        assert_eq!(self.only(advance(claim, name, cursor)), advanced);
    }

    pub(crate) fn notes(&mut self, claim: Claim, name: &str, receipt: Receipt) {
        assert_eq!(self.store.carry_out(note(claim, name, receipt)), []);
    }

    /// Takes the receipts, sorted by peer, kind and stamp.
    pub(crate) fn takes_notes(&mut self, claim: Claim, name: &str) -> Vec<Receipt> {
        match self.only(take_notes(claim, name)) {
            Outcome::Notes {
                claim: told,
                user: whose,
                mut receipts,
            } if told == claim && whose == user(name) => {
                receipts.sort_by_key(|receipt| {
                    let is_read = receipt.kind == ReceiptKind::Read;
                    (receipt.peer.clone(), is_read, receipt.up_to)
                });
                receipts
            }
            other => panic!("receipts expected, not {other:?}"),
        }
    }

    pub(crate) fn sees(&mut self, claim: Claim, name: &str, seen: Seen) {
        assert_eq!(self.store.carry_out(see(claim, name, seen)), []);
    }

    pub(crate) fn is_alive(&mut self, shard: Incarnation, stamp: Stamp) {
        self.is_alive_by(shard, stamp, true);
    }

    /// The clock is steady, or not yet.
    pub(crate) fn is_alive_by(&mut self, shard: Incarnation, stamp: Stamp, steady: bool) {
        let outcomes = self.store.carry_out(Request::Alive {
            shard,
            stamp,
            steady,
        });
        assert_eq!(outcomes, []);
    }

    /// Every request under this claim is refused.
    pub(crate) fn is_refused(&mut self, claim: Claim, name: &str) {
        self.is_refused_to_serve(claim, name);
        let recent = Vec::new();
        let outcomes = self.store.carry_out(Request::Release { claim, recent });
        assert_eq!(outcomes, [Outcome::Refused { claim }]);
    }

    /// Every request under this claim but a release is refused.
    pub(crate) fn is_refused_to_serve(&mut self, claim: Claim, name: &str) {
        let receipt = Receipt {
            peer: user("carl"),
            kind: ReceiptKind::Read,
            up_to: second(9),
        };
        let all = [
            Request::Open {
                claim,
                user: user(name),
                since: Stamp(0),
            },
            append(claim, name, &[letter(name, 9, "too late")]),
            Request::Read {
                claim,
                user: user(name),
                reader: 99,
                from: Position(1),
                count_max: 10,
                bytes_max: 1_000,
            },
            advance(claim, name, u64::MAX),
            note(claim, name, receipt),
            take_notes(claim, name),
            see(claim, name, Seen::At(second(9))),
        ];
        for request in all.into_iter().chain(groups::all(claim, name)) {
            let outcomes = self.store.carry_out(request.clone());
            assert_eq!(outcomes, [Outcome::Refused { claim }], "{request:?}");
        }
    }

    fn only(&mut self, request: Request) -> Outcome {
        let mut outcomes = self.store.carry_out(request);
        assert_eq!(outcomes.len(), 1, "{outcomes:?}");
        outcomes.remove(0)
    }
}

/// The same slot under another token.
pub(crate) fn forged(claim: Claim, token: u64) -> Claim {
    Claim {
        token: Token(token),
        ..claim
    }
}

fn append(claim: Claim, name: &str, messages: &[Letter]) -> Request {
    Request::Append {
        claim,
        user: user(name),
        behind: Position(0),
        messages: messages.to_vec(),
    }
}

fn advance(claim: Claim, name: &str, cursor: u64) -> Request {
    Request::Advance {
        claim,
        user: user(name),
        cursor: Position(cursor),
    }
}

fn note(claim: Claim, name: &str, receipt: Receipt) -> Request {
    Request::Note {
        claim,
        user: user(name),
        receipt,
    }
}

fn take_notes(claim: Claim, name: &str) -> Request {
    Request::TakeNotes {
        claim,
        user: user(name),
    }
}

fn see(claim: Claim, name: &str, seen: Seen) -> Request {
    Request::Seen {
        claim,
        user: user(name),
        seen,
    }
}
