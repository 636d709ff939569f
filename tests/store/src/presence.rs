//! When a user was last there.

use msgd_core::store::Seen;

use crate::Carries;
use crate::stage::{ANN, BEN, Stage, letter, second, slot_of};

pub(crate) fn last_seen_is_what_was_said_last<S: Carries>(stage: &mut Stage<S>) {
    let claim = stage.serves("dora");
    stage.sees(claim, "dora", Seen::At(second(5)));
    stage.appends(claim, "dora", &[letter("dora", 1, "text")]);
    stage.advances(claim, "dora", 2);
    assert_eq!(stage.opens(claim, "dora").last_seen, Some(second(5)));
    stage.sees(claim, "dora", Seen::Here(ANN));
    stage.sees(claim, "dora", Seen::At(second(7)));
    let mailbox = stage.opens(claim, "dora");
    assert_eq!(mailbox.last_seen, Some(second(7)));
    assert_eq!((mailbox.cursor.0, mailbox.end.0), (2, 2));
}

pub(crate) fn here_means_alive_after_a_crash<S: Carries>(stage: &mut Stage<S>) {
    let slot = slot_of("dora");
    let (claim, _) = stage.claims(ANN, slot);
    stage.sees(claim, "dora", Seen::Here(ANN));
    assert_eq!(stage.opens(claim, "dora").last_seen, None);
    stage.is_alive(ANN, second(20));
    stage.is_alive(ANN, second(30));
    stage.dies(ANN);
    let (claim, _) = stage.claims(BEN, slot);
    stage.is_alive(BEN, second(70));
    assert_eq!(stage.opens(claim, "dora").last_seen, Some(second(30)));
    stage.sees(claim, "dora", Seen::Here(BEN));
    assert_eq!(stage.opens(claim, "dora").last_seen, Some(second(70)));
}
