//! Who may act on a slot.

use msgd_core::store::{Outcome, Remembered, Seen};
use proto::ids::{DeviceId, Identity, MessageId};
use proto::server::{Outcome as Fate, Receipt, ReceiptKind};
use proto::slot::Slot;

use crate::Carries;
use crate::stage::{ANN, BEN, Stage, forged, letter, second, slot_of, user};

pub(crate) fn slots_are_granted_with_a_token_that_rises<S: Carries>(stage: &mut Stage<S>) {
    let slot = slot_of("dora");
    let mut last = 0;
    for _ in 0..5 {
        let (claim, recent) = stage.claims(ANN, slot);
        assert!(claim.token.0 > last);
        assert_eq!(recent, []);
        last = claim.token.0;
        stage.releases(claim, &[]);
    }
}

pub(crate) fn a_held_slot_is_granted_after_its_release<S: Carries>(stage: &mut Stage<S>) {
    let slot = slot_of("dora");
    let (claim, _) = stage.claims(ANN, slot);
    stage.is_held(BEN, slot);
    // To have asked changes nothing.
    assert_eq!(stage.bounds(claim, "dora"), (1, 1));
    stage.releases(claim, &[]);
    let (newer, _) = stage.claims(BEN, slot);
    assert!(newer.token > claim.token);
    stage.is_held(ANN, slot);
}

pub(crate) fn a_held_slot_is_granted_after_a_death<S: Carries>(stage: &mut Stage<S>) {
    let slot = slot_of("dora");
    let (claim, _) = stage.claims(ANN, slot);
    stage.appends(claim, "dora", &[letter("dora", 1, "before")]);
    stage.is_held(BEN, slot);
    stage.dies(ANN);
    let (newer, _) = stage.claims(BEN, slot);
    assert!(newer.token > claim.token);
    assert_eq!(stage.bounds(newer, "dora"), (1, 2));
}

pub(crate) fn each_slot_of_a_claim_is_decided_alone<S: Carries>(stage: &mut Stage<S>) {
    let slots: Vec<Slot> = Slot::all().collect();
    let (theirs, _) = stage.claims(BEN, slots[5]);
    let outcomes = stage.claims_all(ANN, &slots);
    assert_eq!(outcomes.len(), slots.len());
    for (outcome, slot) in outcomes.iter().zip(&slots) {
        match outcome {
            Outcome::Held { slot: held } => assert_eq!((*held, *slot), (slots[5], slots[5])),
            Outcome::Claimed { claim, .. } => {
                assert_eq!(claim.slot, *slot);
                assert_ne!(*slot, slots[5]);
            }
            other => panic!("a claim's outcome expected, not {other:?}"),
        }
    }
    stage.releases(theirs, &[]);
    stage.claims(ANN, slots[5]);
}

pub(crate) fn who_was_not_told_of_a_claim_claims_again<S: Carries>(stage: &mut Stage<S>) {
    let (untold, _) = stage.claims(ANN, slot_of("dora"));
    let (claim, _) = stage.claims(ANN, slot_of("dora"));
    assert!(claim.token > untold.token);
    stage.is_refused(untold, "dora");
    assert_eq!(stage.bounds(claim, "dora"), (1, 1));
}

pub(crate) fn an_old_token_does_nothing<S: Carries>(stage: &mut Stage<S>) {
    let slot = slot_of("dora");
    let (old, _) = stage.claims(ANN, slot);
    let kept = letter("dora", 1, "before");
    let receipt = Receipt {
        peer: user("emil"),
        kind: ReceiptKind::Read,
        up_to: second(1),
    };
    stage.appends(old, "dora", std::slice::from_ref(&kept));
    stage.notes(old, "dora", receipt.clone());
    stage.sees(old, "dora", Seen::At(second(1)));
    stage.dies(ANN);
    let (claim, _) = stage.claims(BEN, slot);

    stage.is_refused(old, "dora");

    let mailbox = stage.opens(claim, "dora");
    assert_eq!((mailbox.cursor.0, mailbox.end.0), (1, 2));
    assert_eq!(mailbox.last_seen, Some(second(1)));
    assert_eq!(stage.reads_all(claim, "dora"), [(1, kept)]);
    assert_eq!(stage.takes_notes(claim, "dora"), [receipt]);
    // The old one's release freed nothing.
    stage.is_held(ANN, slot);
}

pub(crate) fn a_released_token_does_nothing<S: Carries>(stage: &mut Stage<S>) {
    let released = stage.serves("dora");
    stage.releases(released, &[]);
    stage.is_refused_to_serve(released, "dora");
    let claim = stage.serves("dora");
    stage.is_refused(released, "dora");
    assert_eq!(stage.bounds(claim, "dora"), (1, 1));
}

pub(crate) fn a_slot_is_released_again_until_it_is_claimed<S: Carries>(stage: &mut Stage<S>) {
    let slot = slot_of("dora");
    let recent = [remembered(1, Fate::Stored)];
    let newer = [remembered(2, Fate::Stored)];
    let (claim, _) = stage.claims(ANN, slot);
    stage.releases(claim, &recent);
    stage.releases(claim, &newer);
    assert_eq!(stage.claims(BEN, slot).1, newer);
}

pub(crate) fn a_token_is_good_for_its_slot_alone<S: Carries>(stage: &mut Stage<S>) {
    let claim = stage.serves("dora");
    stage.is_refused(forged(claim, claim.token.0 + 1), "dora");
    stage.is_refused(forged(claim, 0), "dora");
    let mut unclaimed = claim;
    unclaimed.slot = slot_of("emil");
    stage.is_refused(unclaimed, "emil");
}

pub(crate) fn recent_answers_go_to_the_next_holder_once<S: Carries>(stage: &mut Stage<S>) {
    let slot = slot_of("dora");
    let device = DeviceId::new("phone").unwrap();
    let recent = [
        remembered(1, Fate::Stored),
        remembered(2, Fate::Delivered { device }),
    ];

    let (claim, _) = stage.claims(ANN, slot);
    let (other, _) = stage.claims(ANN, slot_of("emil"));
    stage.releases(claim, &recent);
    stage.releases(other, &[]);
    assert_eq!(stage.claims(BEN, slot_of("emil")).1, []);
    assert_eq!(stage.claims(BEN, slot).1, recent);
    // Who takes the slot without a release was told nothing.
    stage.dies(BEN);
    assert_eq!(stage.claims(ANN, slot).1, []);
}

fn remembered(number: u64, fate: Fate) -> Remembered {
    Remembered {
        to: user("dora"),
        identity: Identity {
            from: user("carl"),
            id: MessageId::mint(number, [7; 10]),
        },
        stamp: second(number),
        fingerprint: u64::MAX - number,
        fate,
    }
}
