//! Receipts for users who are away.

use msgd_core::store::NOTES_MAX;
use proto::server::{Receipt, ReceiptKind};

use crate::Carries;
use crate::stage::{Stage, second, user};

fn receipt(peer: &str, kind: ReceiptKind, up_to: u64) -> Receipt {
    Receipt {
        peer: user(peer),
        kind,
        up_to: second(up_to),
    }
}

pub(crate) fn receipts_are_coalesced_and_taken_once<S: Carries>(stage: &mut Stage<S>) {
    use ReceiptKind::{Delivered, Read};
    let claim = stage.serves("dora");
    for (peer, kind, up_to) in [
        ("carl", Delivered, 3),
        ("carl", Read, 2),
        ("emil", Delivered, 5),
        ("carl", Delivered, 7),
        ("emil", Delivered, 4),
    ] {
        stage.notes(claim, "dora", receipt(peer, kind, up_to));
    }
    assert!(stage.opens(claim, "dora").notes);
    assert_eq!(
        stage.takes_notes(claim, "dora"),
        [
            receipt("carl", Delivered, 7),
            receipt("carl", Read, 2),
            receipt("emil", Delivered, 5),
        ]
    );
    assert!(!stage.opens(claim, "dora").notes);
    assert_eq!(stage.takes_notes(claim, "dora"), []);
    // What was taken does not count any more.
    stage.notes(claim, "dora", receipt("carl", Delivered, 1));
    assert_eq!(
        stage.takes_notes(claim, "dora"),
        [receipt("carl", Delivered, 1)]
    );
}

pub(crate) fn receipts_are_shed<S: Carries>(stage: &mut Stage<S>) {
    let claim = stage.serves("dora");
    let peers: Vec<String> = (0..NOTES_MAX + 10).map(|n| format!("peer{n:04}")).collect();
    for peer in &peers {
        stage.notes(claim, "dora", receipt(peer, ReceiptKind::Read, 1));
    }
    // One that is kept is still brought up to date.
    stage.notes(claim, "dora", receipt(&peers[0], ReceiptKind::Read, 2));
    let taken = stage.takes_notes(claim, "dora");
    assert_eq!(taken.len(), NOTES_MAX);
    assert_eq!(taken[0], receipt(&peers[0], ReceiptKind::Read, 2));
    let last = &peers[NOTES_MAX - 1];
    assert_eq!(taken.last(), Some(&receipt(last, ReceiptKind::Read, 1)));
}
