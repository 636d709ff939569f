//! A shard that was frozen, and does not know that its slot is another's, does
//! nothing in Redis, whatever it does first.

mod stage;

use bytes::Bytes;
use msgd_core::store::{
    Claim, GroupWrite, Letter, Outcome, Position, Remembered, Request, Seen, StoreSettings,
};
use proto::group::Range;
use proto::ids::{Identity, Incarnation, MessageId, Stamp, UserId};
use proto::link::Message;
use proto::server::{Outcome as Fate, Receipt, ReceiptKind};
use proto::slot::Slot;
use redis_stage::Server;
use stage::entries::{finds_group, group, kept, make, member, write, writes, writing};
use stage::redis::{Process, settings};

const FROZEN: Incarnation = Incarnation(1);
const LATER: Incarnation = Incarnation(2);

fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

fn dora() -> UserId {
    user("dora")
}

fn letters(numbers: std::ops::Range<u64>) -> Vec<Letter> {
    let letter = |number| Letter {
        message: Message {
            from: user("carl"),
            id: MessageId::mint(number, [3; 10]),
            to: dora(),
            stamp: Stamp(number),
            body: Bytes::from(format!("text {number}")),
        },
        fingerprint: number,
    };
    numbers.map(letter).collect()
}

fn append(claim: Claim, numbers: std::ops::Range<u64>) -> Request {
    Request::Append {
        claim,
        user: dora(),
        behind: Position(0),
        messages: letters(numbers),
    }
}

fn read(claim: Claim) -> Request {
    Request::Read {
        claim,
        user: dora(),
        reader: 0,
        from: Position(1),
        count_max: 100,
        bytes_max: 100_000,
    }
}

fn receipt(up_to: u64) -> Receipt {
    Receipt {
        peer: user("carl"),
        kind: ReceiptKind::Read,
        up_to: Stamp(up_to),
    }
}

fn claims(process: &Process, shard: Incarnation) -> Claim {
    let slots = vec![Slot::of(&dora())];
    match process.carry_out([Request::Claim { slots, shard }])[..] {
        [Outcome::Claimed { claim, .. }] => claim,
        ref other => panic!("claimed expected, not {other:?}"),
    }
}

/// All that a shard may ask under a claim.
fn all(claim: Claim) -> Vec<Request> {
    let user = dora();
    vec![
        append(claim, 3..5),
        read(claim),
        Request::Advance {
            claim,
            user: user.clone(),
            cursor: Position(2),
        },
        Request::Advance {
            claim,
            user: user.clone(),
            cursor: Position(1),
        },
        Request::Open {
            claim,
            user: user.clone(),
            since: Stamp(0),
        },
        Request::Note {
            claim,
            user: user.clone(),
            receipt: receipt(9),
        },
        Request::TakeNotes {
            claim,
            user: user.clone(),
        },
        Request::Seen {
            claim,
            user: user.clone(),
            seen: Seen::At(Stamp(9)),
        },
        writing(claim, "dora", write(3..5)),
        writing(claim, "dora", anew()),
        Request::EndGroup {
            claim,
            group: group("dora"),
        },
        Request::ReadLog {
            claim,
            group: group("dora"),
            reader: 0,
            range: Range::Before(0),
            count_max: 9,
            bytes_max: 9_000,
        },
        Request::OpenGroup {
            claim,
            group: group("dora"),
            since: Stamp(0),
        },
        Request::KeepGroups {
            claim,
            user: user.clone(),
            groups: vec![kept("dora")],
        },
        Request::Release {
            claim,
            recent: vec![Remembered {
                to: user,
                identity: Identity {
                    from: self::user("carl"),
                    id: MessageId::mint(1, [3; 10]),
                },
                stamp: Stamp(1),
                fingerprint: 1,
                fate: Fate::Stored,
            }],
        },
    ]
}

/// A log that begins anew.
fn anew() -> GroupWrite {
    let mut write = make();
    write.epoch.0 += 1;
    write.record.as_mut().unwrap().epoch = write.epoch;
    write
}

/// What the frozen one knows of the mailbox: it looks up nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// Messages from 1 to 2.
    Mail,
    /// That it was emptied.
    Emptied,
    /// That nothing was ever in it.
    Nothing,
}

#[test]
fn a_late_writer_does_nothing_whatever_it_does_first() {
    let server = Server::start();
    let redis = settings(&server.url(), None);
    for first in 0..all(forged()).len() {
        for known in [Known::Mail, Known::Emptied, Known::Nothing] {
            server.ask(&["FLUSHALL"]);
            let mut frozen = Process::start(&redis, StoreSettings::default());
            let mut later = Process::start(&redis, StoreSettings::default());
            let old = claims(&frozen, FROZEN);
            // The group that is called as the user is has the same slot.
            assert!(writes(&mut frozen, old, "dora", make()));
            assert!(writes(&mut frozen, old, "dora", write(1..3)));
            let kept = Request::Note {
                claim: old,
                user: dora(),
                receipt: receipt(1),
            };
            frozen.carry_out([kept, all(old).swap_remove(OPEN)]);
            if known != Known::Nothing {
                frozen.carry_out([append(old, 1..3)]);
            }
            if known == Known::Emptied {
                frozen.carry_out([Request::Advance {
                    claim: old,
                    user: dora(),
                    cursor: Position(3),
                }]);
            }
            let claim = claims(&later, LATER);
            let request = all(old).swap_remove(first);
            let told = frozen.carry_out([request.clone()]);
            assert_eq!(told, [Outcome::Refused { claim: old }], "{request:?}");

            let expected = match (known, &request) {
                // What was acknowledged may go late: that harms nobody.
                (
                    Known::Mail,
                    Request::Advance {
                        cursor: Position(2),
                        ..
                    },
                ) => 2..3,
                (Known::Mail, _) => 1..3,
                _ => 0..0,
            };
            is_untouched(&later, claim, expected, &format!("{known:?}, {request:?}"));
            let (found, log) = finds_group(&mut later, claim, "dora").expect("the group");
            assert_eq!(
                (found.record, log.entries.len()),
                (make().record.unwrap(), 2)
            );
            assert_eq!(found.members, [(self::user("ann"), member(2))]);
            frozen.stop();
            later.stop();
        }
    }
}

/// Which of [`all`] opens.
const OPEN: usize = 4;

/// Nothing is in the mailbox but these messages and the receipt.
fn is_untouched(later: &Process, claim: Claim, expected: std::ops::Range<u64>, after: &str) {
    let found = later.carry_out([read(claim)]);
    let letters = expected.clone().zip(letters(expected));
    let letters = letters.map(|(at, letter)| (Position(at), letter)).collect();
    let told = Outcome::Read {
        claim,
        user: dora(),
        reader: 0,
        from: Position(1),
        letters: Some(letters),
    };
    assert_eq!(found, [told], "{after}");
    match &later.carry_out([all(claim).swap_remove(OPEN)])[..] {
        [
            Outcome::Opened {
                mailbox: Some(mailbox),
                ..
            },
        ] => {
            assert_eq!((mailbox.last_seen, mailbox.notes), (None, true), "{after}");
            assert_eq!(mailbox.groups, [], "{after}");
        }
        other => panic!("opened expected, not {other:?}"),
    }
    let user = dora();
    let notes = later.carry_out([Request::TakeNotes { claim, user }]);
    let expected = Outcome::Notes {
        claim,
        user: dora(),
        receipts: vec![receipt(1)],
    };
    assert_eq!(notes, [expected], "{after}");
}

fn forged() -> Claim {
    Claim {
        slot: Slot::of(&dora()),
        token: proto::ids::Token(1),
    }
}

/// Half a pipeline was on its way when the slot was taken: the commands get
/// there one by one, and none of them counts.
#[test]
fn what_was_on_its_way_is_refused() {
    let server = Server::start();
    let redis = settings(&server.url(), None);
    let frozen = Process::start(&redis, StoreSettings::default());
    let later = Process::start(&redis, StoreSettings::default());
    let old = claims(&frozen, FROZEN);
    frozen.carry_out([append(old, 1..3)]);
    server.ask(&["CLIENT", "PAUSE", "300", "WRITE"]);
    frozen.ask([append(old, 3..4)]);
    let claim = claims(&later, LATER);
    // Redis resumes those who waited in the order that it likes.
    match frozen.next() {
        Outcome::Refused { .. } => {}
        Outcome::Appended { count: 1, .. } => {
            let [Outcome::Read { letters, .. }] = &later.carry_out([read(claim)])[..] else {
                panic!("read expected");
            };
            assert_eq!(letters.as_ref().map(Vec::len), Some(3), "told, and there");
        }
        other => panic!("not {other:?}"),
    }
    let refused = Outcome::Refused { claim: old };
    assert_eq!(frozen.carry_out([append(old, 4..5)]), [refused]);
}
