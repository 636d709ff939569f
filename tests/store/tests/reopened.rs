//! What another process finds in the directory.

mod stage;

use std::collections::VecDeque;

use bytes::Bytes;
use msgd_core::store::{
    Claim, Letter, MailboxSettings, Outcome, Position, Remembered, Request, Seen, StoreSettings,
};
use proto::ids::{Identity, Incarnation, MessageId, Stamp, UserId};
use proto::link::Message;
use proto::server::{Outcome as Fate, Receipt, ReceiptKind};
use proto::slot::Slot;
use stage::Embedded;
use store_suite::Carries;

const FORMER: Incarnation = Incarnation(1);
const LATER: Incarnation = Incarnation(2);

fn dora() -> UserId {
    UserId::new("dora").unwrap()
}

fn letter(number: u64) -> Letter {
    Letter {
        message: Message {
            from: UserId::new("carl").unwrap(),
            id: MessageId::mint(number, [3; 10]),
            to: dora(),
            stamp: Stamp(number),
            body: Bytes::from(format!("text {number}")),
        },
        fingerprint: number,
    }
}

fn claims(store: &mut Embedded, shard: Incarnation, slot: Slot) -> (Claim, Vec<Remembered>) {
    let slots = vec![slot];
    let mut outcomes = store.carry_out(Request::Claim { slots, shard });
    match outcomes.pop() {
        Some(Outcome::Claimed { claim, recent }) => (claim, recent),
        other => panic!("claimed expected, not {other:?}"),
    }
}

/// Appends messages from the one of a number on; where they lie.
fn appends(store: &mut Embedded, claim: Claim, numbers: std::ops::Range<u64>) -> Outcome {
    let outcomes = store.carry_out(Request::Append {
        claim,
        user: dora(),
        behind: Position(0),
        messages: numbers.map(letter).collect(),
    });
    outcomes.into_iter().next().expect("an outcome")
}

fn advances(store: &mut Embedded, claim: Claim, cursor: u64) {
    store.carry_out(Request::Advance {
        claim,
        user: dora(),
        cursor: Position(cursor),
    });
}

/// Cursor, end, and what is between.
fn finds(store: &mut Embedded, claim: Claim) -> (u64, u64, Vec<Letter>) {
    let opened = store.carry_out(Request::Open {
        claim,
        user: dora(),
        since: Stamp(0),
    });
    let [
        Outcome::Opened {
            mailbox: Some(mailbox),
            ..
        },
    ] = &opened[..]
    else {
        panic!("opened expected, not {opened:?}");
    };
    let read = store.carry_out(Request::Read {
        claim,
        user: dora(),
        reader: 1,
        from: Position(1),
        count_max: 1_000,
        bytes_max: 1_000_000,
    });
    let [
        Outcome::Read {
            letters: Some(letters),
            ..
        },
    ] = &read[..]
    else {
        panic!("read expected, not {read:?}");
    };
    let positions = letters.iter().map(|(position, _)| position.0);
    assert!(positions.eq(mailbox.cursor.0..mailbox.end.0));
    assert_eq!(mailbox.latest.len(), letters.len());
    let letters = letters.iter().map(|(_, letter)| letter.clone()).collect();
    (mailbox.cursor.0, mailbox.end.0, letters)
}

#[test]
fn mailboxes_are_found_as_they_were() {
    let directory = tempfile::tempdir().unwrap();
    let settings = StoreSettings {
        mailbox: MailboxSettings {
            messages_max: 10,
            ..MailboxSettings::default()
        },
        ..StoreSettings::default()
    };
    // What is done in each process, and the cursor and end that the next finds.
    type Act = fn(&mut Embedded, Claim);
    let acts: [(Act, u64, u64); 6] = [
        (|_, _| {}, 1, 1),
        (|store, claim| drop(appends(store, claim, 1..6)), 1, 6),
        (|store, claim| advances(store, claim, 4), 4, 6),
        (|store, claim| drop(appends(store, claim, 6..9)), 4, 9),
        (|store, claim| advances(store, claim, 9), 9, 9),
        (|store, claim| drop(appends(store, claim, 9..12)), 9, 12),
    ];
    for (shard, (act, cursor, end)) in (1..).zip(acts) {
        let mut store = Embedded::open(directory.path(), settings);
        let (claim, _) = claims(&mut store, Incarnation(shard), Slot::of(&dora()));
        act(&mut store, claim);
        store.stop();

        let mut store = Embedded::open(directory.path(), settings);
        let (claim, _) = claims(&mut store, Incarnation(shard + 100), Slot::of(&dora()));
        let letters = (cursor..end).map(letter).collect();
        assert_eq!(finds(&mut store, claim), (cursor, end, letters));
        store.stop();
    }

    // The bound counts what was found.
    let mut store = Embedded::open(directory.path(), settings);
    let (claim, _) = claims(&mut store, Incarnation(200), Slot::of(&dora()));
    let partly = Outcome::Appended {
        claim,
        user: dora(),
        first: Position(12),
        count: 7,
    };
    assert_eq!(appends(&mut store, claim, 12..22), partly);
}

#[test]
fn claims_of_a_former_process_are_over() {
    let directory = tempfile::tempdir().unwrap();
    let slot = Slot::of(&dora());
    let mut store = Embedded::open(directory.path(), StoreSettings::default());
    let slots: Vec<Slot> = Slot::all().collect();
    let shard = FORMER;
    let outcomes = store.carry_out(Request::Claim { slots, shard });
    assert_eq!(outcomes.len(), 16_384);
    let (old, _) = claims(&mut store, FORMER, slot);
    store.stop();

    let mut store = Embedded::open(directory.path(), StoreSettings::default());
    let refused = Outcome::Refused { claim: old };
    assert_eq!(appends(&mut store, old, 1..2), refused);
    let (claim, _) = claims(&mut store, LATER, slot);
    assert!(claim.token > old.token);
    assert_eq!(appends(&mut store, old, 1..2), refused);
    assert_eq!(finds(&mut store, claim), (1, 1, Vec::new()));
}

#[test]
fn what_was_left_for_later_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let slot = Slot::of(&dora());
    let recent = vec![Remembered {
        to: dora(),
        identity: Identity {
            from: UserId::new("carl").unwrap(),
            id: MessageId::mint(5, [3; 10]),
        },
        stamp: Stamp(5),
        fingerprint: 6,
        fate: Fate::Stored,
    }];
    let receipt = Receipt {
        peer: UserId::new("carl").unwrap(),
        kind: ReceiptKind::Read,
        up_to: Stamp(7),
    };
    let user = dora();

    let mut store = Embedded::open(directory.path(), StoreSettings::default());
    let (claim, _) = claims(&mut store, FORMER, slot);
    for request in [
        Request::Alive {
            shard: FORMER,
            stamp: Stamp(8),
            steady: true,
        },
        Request::Seen {
            claim,
            user: user.clone(),
            seen: Seen::Here(FORMER),
        },
        Request::Note {
            claim,
            user: user.clone(),
            receipt: receipt.clone(),
        },
        Request::Release {
            claim,
            recent: recent.clone(),
        },
    ] {
        assert_eq!(store.carry_out(request), []);
    }
    store.stop();

    let mut store = Embedded::open(directory.path(), StoreSettings::default());
    let (claim, taken) = claims(&mut store, LATER, slot);
    assert_eq!(taken, recent);
    let since = Stamp(0);
    let opened = store.carry_out(Request::Open {
        claim,
        user: user.clone(),
        since,
    });
    let [
        Outcome::Opened {
            mailbox: Some(mailbox),
            ..
        },
    ] = &opened[..]
    else {
        panic!("opened expected, not {opened:?}");
    };
    assert!(mailbox.notes);
    assert_eq!(mailbox.last_seen, Some(Stamp(8)));
    let receipts = vec![receipt];
    assert_eq!(
        store.carry_out(Request::TakeNotes {
            claim,
            user: user.clone()
        }),
        [Outcome::Notes {
            claim,
            user,
            receipts
        }]
    );
    store.stop();

    // What was taken is gone for good.
    let mut store = Embedded::open(directory.path(), StoreSettings::default());
    assert_eq!(claims(&mut store, LATER, slot).1, []);
}

#[test]
fn each_shard_gets_its_own_outcomes() {
    let directory = tempfile::tempdir().unwrap();
    let store = Embedded::open(directory.path(), StoreSettings::default());
    let slots: Vec<Slot> = Slot::all().take(40).collect();
    for place in [3, 7] {
        let claim = |slot| Request::Claim {
            slots: vec![slot],
            shard: Incarnation(place as u64),
        };
        let mut requests: VecDeque<Request> = slots
            .iter()
            .filter(|slot| slot.index() % 2 == place / 4)
            .copied()
            .map(claim)
            .collect();
        store.place(place).ask(&mut requests).unwrap();
        assert!(requests.is_empty());
    }
    for _ in &slots {
        let (place, outcome) = store.next();
        let Outcome::Claimed { claim, .. } = outcome else {
            panic!("claimed expected, not {outcome:?}");
        };
        assert_eq!(claim.slot.index() % 2, place / 4);
    }
}
