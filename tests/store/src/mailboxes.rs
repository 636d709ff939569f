//! Messages, the cursor, the bounds.

use msgd_core::store::{Letter, OPEN_IDENTITIES_MAX, Position};
use proto::ids::Stamp;

use crate::stage::{ANN, BEN, Stage, letter, second, slot_of, stored, user};
use crate::{Carries, SETTINGS};

fn letters(to: &str, numbers: impl IntoIterator<Item = u64>) -> Vec<Letter> {
    numbers
        .into_iter()
        .map(|number| letter(to, number, &format!("text {number}")))
        .collect()
}

/// Each at the position of its number.
fn in_place(to: &str, numbers: impl IntoIterator<Item = u64>) -> Vec<(u64, Letter)> {
    letters(to, numbers)
        .into_iter()
        .map(|letter| (letter.message.stamp.0 / 1_000_000, letter))
        .collect()
}

pub(crate) fn an_unknown_mailbox_is_empty<S: Carries>(stage: &mut Stage<S>) {
    let claim = stage.serves("dora");
    let mailbox = stage.opens(claim, "dora");
    assert_eq!((mailbox.cursor, mailbox.end), (Position(1), Position(1)));
    assert_eq!(mailbox.latest, []);
    assert!(!mailbox.notes);
    assert_eq!(mailbox.last_seen, None);
    assert_eq!(stage.reads_all(claim, "dora"), []);
    assert_eq!(stage.takes_notes(claim, "dora"), []);
    stage.advances(claim, "dora", 7);
    assert_eq!(stage.bounds(claim, "dora"), (1, 1));
}

pub(crate) fn what_was_appended_is_read_in_order<S: Carries>(stage: &mut Stage<S>) {
    let claim = stage.serves("dora");
    let first = stage.appends(claim, "dora", &letters("dora", 1..=3));
    assert_eq!(first, (Position(1), 3));
    let second = stage.appends(claim, "dora", &letters("dora", 4..=5));
    assert_eq!(second, (Position(4), 2));
    assert_eq!(stage.appends(claim, "dora", &[]), (Position(6), 0));

    assert_eq!(stage.reads_all(claim, "dora"), in_place("dora", 1..=5));
    let later = stage.reads(claim, "dora", 4, (10, 1_000));
    assert_eq!(later, in_place("dora", 4..=5));
    assert_eq!(stage.reads(claim, "dora", 6, (10, 1_000)), []);
    assert_eq!(stage.reads(claim, "dora", u64::MAX, (10, 1_000)), []);
    assert_eq!(stage.bounds(claim, "dora"), (1, 6));
}

pub(crate) fn an_append_is_behind_what_it_waits_for<S: Carries>(stage: &mut Stage<S>) {
    let claim = stage.serves("dora");
    stage.appends(claim, "dora", &letters("dora", 1..=3));
    let later = letters("dora", 4..=5);
    let overtaking = stage.appends_behind(claim, "dora", 5, &later);
    assert_eq!(overtaking, (Position(4), 0));
    assert_eq!(stage.reads_all(claim, "dora"), in_place("dora", 1..=3));
    let next = stage.appends_behind(claim, "dora", 4, &later);
    assert_eq!(next, (Position(4), 2));
    assert_eq!(stage.reads_all(claim, "dora"), in_place("dora", 1..=5));
}

pub(crate) fn letters_come_back_whole<S: Carries>(stage: &mut Stage<S>) {
    let mut all = letters("dora", 1..=3);
    all[0].message.body = (0..=255).collect();
    all[1].message.body = Default::default();
    all[1].message.from = user(&"f".repeat(64));
    all[1].message.stamp = Stamp(u64::MAX / 2);
    all[1].fingerprint = u64::MAX;
    // The same message again is for the shard to notice.
    all[2] = all[0].clone();
    let claim = stage.serves("dora");
    stage.appends(claim, "dora", &all);
    let read = stage.reads_all(claim, "dora");
    let read: Vec<Letter> = read.into_iter().map(|(_, letter)| letter).collect();
    assert_eq!(read, all);
}

pub(crate) fn a_read_is_bounded<S: Carries>(stage: &mut Stage<S>) {
    let claim = stage.serves("dora");
    stage.appends(claim, "dora", &letters("dora", 1..=5));
    // Each body has 6 bytes.
    for (most, numbers) in [
        ((2, 1_000), 2..=3),
        ((10, 18), 2..=4),
        ((10, 17), 2..=3),
        ((10, 0), 2..=2),
    ] {
        let read = stage.reads(claim, "dora", 2, most);
        assert_eq!(read, in_place("dora", numbers), "{most:?}");
    }
    assert_eq!(stage.reads(claim, "dora", 2, (0, 1_000)), []);
}

pub(crate) fn mailboxes_are_apart<S: Carries>(stage: &mut Stage<S>) {
    // Ids that are each other's beginnings, whatever slots they have.
    let names = ["d", "do", "dor", "dora", "dora.", "dora-1"];
    let claims = names.map(|name| stage.claims(ANN, slot_of(name)).0);
    for (number, (name, claim)) in (1..).zip(names.iter().zip(claims)) {
        let first = stage.appends(claim, name, &letters(name, [number]));
        assert_eq!(first, (Position(1), 1));
    }
    stage.advances(claims[2], names[2], 2);
    for (number, (name, claim)) in (1..).zip(names.iter().zip(claims)) {
        let read = stage.reads_all(claim, name);
        let expected = letters(name, (number != 3).then_some(number));
        let expected: Vec<_> = expected.into_iter().map(|letter| (1, letter)).collect();
        assert_eq!(read, expected, "{name}");
    }
}

pub(crate) fn the_cursor_goes_forward_only<S: Carries>(stage: &mut Stage<S>) {
    let claim = stage.serves("dora");
    stage.appends(claim, "dora", &letters("dora", 1..=5));
    stage.advances(claim, "dora", 3);
    assert_eq!(stage.bounds(claim, "dora"), (3, 6));
    assert_eq!(stage.reads_all(claim, "dora"), in_place("dora", 3..=5));
    stage.advances(claim, "dora", 3);
    stage.advances(claim, "dora", 1);
    assert_eq!(stage.bounds(claim, "dora"), (3, 6));
    stage.advances(claim, "dora", 100);
    assert_eq!(stage.bounds(claim, "dora"), (6, 6));
    assert_eq!(stage.reads_all(claim, "dora"), []);
    // Positions go on.
    let next = stage.appends(claim, "dora", &letters("dora", [6]));
    assert_eq!(next, (Position(6), 1));
    assert_eq!(stage.reads_all(claim, "dora"), in_place("dora", [6]));
}

pub(crate) fn the_cursor_makes_room<S: Carries>(stage: &mut Stage<S>) {
    let claim = stage.serves("dora");
    let mut appended = 0;
    for round in 0..20 {
        let room = SETTINGS.mailbox.messages_max - (appended - 2 * round);
        let (first, count) =
            stage.appends(claim, "dora", &letters("dora", appended + 1..=appended + 3));
        assert_eq!((first.0, count as u64), (appended + 1, room.min(3)));
        appended += count as u64;
        stage.advances(claim, "dora", 2 * round + 3);
        let waiting = in_place("dora", 2 * round + 3..=appended);
        assert_eq!(stage.reads_all(claim, "dora"), waiting);
    }
}

pub(crate) fn the_first_that_fit_are_appended<S: Carries>(stage: &mut Stage<S>) {
    let claim = stage.serves("dora");
    stage.appends(claim, "dora", &letters("dora", 1..=6));
    let partly = stage.appends(claim, "dora", &letters("dora", 7..=9));
    assert_eq!(partly, (Position(7), 2));
    let full = stage.appends(claim, "dora", &letters("dora", 9..=10));
    assert_eq!(full, (Position(9), 0));
    assert_eq!(stage.reads_all(claim, "dora"), in_place("dora", 1..=8));
    stage.advances(claim, "dora", 2);
    let room = stage.appends(claim, "dora", &letters("dora", 9..=10));
    assert_eq!(room, (Position(9), 1));
}

pub(crate) fn bytes_are_bounded<S: Carries>(stage: &mut Stage<S>) {
    let claim = stage.serves("dora");
    let large = |number, bytes| letter("dora", number, &"x".repeat(bytes));
    let first = [large(1, 400), large(2, 500), large(3, 101), large(4, 1)];
    // The fourth would fit, but it may not overtake the third.
    assert_eq!(stage.appends(claim, "dora", &first), (Position(1), 2));
    assert_eq!(
        stage.appends(claim, "dora", &[large(3, 100)]),
        (Position(3), 1)
    );
    assert_eq!(stage.appends(claim, "dora", &[large(4, 1)]).1, 0);
    assert_eq!(stage.appends(claim, "dora", &[large(4, 0)]).1, 1);
    stage.advances(claim, "dora", 2);
    assert_eq!(stage.appends(claim, "dora", &[large(5, 401)]).1, 0);
    assert_eq!(stage.appends(claim, "dora", &[large(5, 400)]).1, 1);
    stage.advances(claim, "dora", 6);
    assert_eq!(stage.appends(claim, "dora", &[large(6, 1_001)]).1, 0);
    assert_eq!(stage.appends(claim, "dora", &[large(6, 1_000)]).1, 1);
}

pub(crate) fn a_mailbox_goes_with_its_slot<S: Carries>(stage: &mut Stage<S>) {
    let slot = slot_of("dora");
    let (claim, _) = stage.claims(ANN, slot);
    stage.appends(claim, "dora", &letters("dora", 1..=4));
    stage.advances(claim, "dora", 3);
    stage.releases(claim, &[]);
    let (claim, _) = stage.claims(BEN, slot);
    assert_eq!(stage.bounds(claim, "dora"), (3, 5));
    assert_eq!(stage.reads_all(claim, "dora"), in_place("dora", 3..=4));
}

pub(crate) fn opening_tells_identities_since_a_stamp<S: Carries>(stage: &mut Stage<S>) {
    let claim = stage.serves("dora");
    let all = letters("dora", 1..=6);
    stage.appends(claim, "dora", &all);
    stage.advances(claim, "dora", 2);
    for (since, first) in [(0, 2), (1, 2), (4, 4), (6, 6), (7, 7)] {
        let latest = stage.opens_since(claim, "dora", second(since)).latest;
        let expected: Vec<_> = (first..=6)
            .map(|number| stored(number, &all[number as usize - 1]))
            .collect();
        assert_eq!(latest, expected, "since {since}");
    }
}

pub(crate) fn opening_tells_the_newest_identities<S: Carries>(stage: &mut Stage<S>) {
    let claim = stage.serves("dora");
    let most = OPEN_IDENTITIES_MAX as u64;
    let all = letters("dora", 1..=most + 5);
    stage.appends(claim, "dora", &all);
    let latest = stage.opens(claim, "dora").latest;
    assert_eq!(latest.len(), OPEN_IDENTITIES_MAX);
    assert_eq!(latest[0], stored(6, &all[5]));
    assert!(latest.is_sorted_by_key(|stored| stored.position));
    assert_eq!(latest.last(), Some(&stored(most + 5, &all[all.len() - 1])));
}

pub(crate) fn old_messages_are_dropped_from_the_front<S: Carries>(stage: &mut Stage<S>) {
    let claim = stage.serves("dora");
    stage.appends(claim, "dora", &letters("dora", [1, 2, 30, 3, 50]));
    // The shards' clocks are behind the messages': nothing is old.
    stage.is_alive(ANN, second(1));
    assert_eq!(stage.bounds(claim, "dora"), (1, 6));
    // A clock that may be wrong drops nothing.
    stage.is_alive_by(ANN, second(900), false);
    assert_eq!(stage.bounds(claim, "dora"), (1, 6));
    // A message lives for 60 seconds.
    stage.is_alive(ANN, second(61));
    assert_eq!(stage.bounds(claim, "dora"), (1, 6));
    stage.is_alive(ANN, second(62));
    assert_eq!(stage.reads_all(claim, "dora").len(), 4);
    assert_eq!(stage.bounds(claim, "dora"), (2, 6));
    // The fourth is older, but it lies behind the third.
    stage.is_alive(ANN, second(80));
    let (first, count) = stage.appends(claim, "dora", &letters("dora", 81..=90));
    assert_eq!((first.0, count), (6, 5));
    assert_eq!(stage.bounds(claim, "dora"), (3, 11));
    stage.advances(claim, "dora", 2);
    stage.is_alive(ANN, second(91));
    assert_eq!(stage.reads(claim, "dora", 1, (1, 1))[0].0, 5);
    stage.is_alive(ANN, second(1_000));
    let mailbox = stage.opens(claim, "dora");
    assert_eq!((mailbox.cursor.0, mailbox.end.0), (11, 11));
    assert_eq!(mailbox.latest, []);
    assert_eq!(
        stage.appends(claim, "dora", &letters("dora", [990])).0.0,
        11
    );
    assert_eq!(stage.bounds(claim, "dora"), (11, 12));
}

pub(crate) fn a_long_mailbox_is_emptied<S: Carries>(stage: &mut Stage<S>) {
    const LENGTH: u64 = 3_000;
    let claim = stage.serves("dora");
    for number in (1..=LENGTH).step_by(500) {
        stage.appends(claim, "dora", &letters("dora", number..number + 500));
    }
    stage.advances(claim, "dora", LENGTH);
    let last = in_place("dora", [LENGTH]);
    assert_eq!(stage.reads_all(claim, "dora"), last);
    let next = stage.appends(claim, "dora", &letters("dora", [LENGTH + 1]));
    assert_eq!(next, (Position(LENGTH + 1), 1));
    stage.advances(claim, "dora", LENGTH + 2);
    assert_eq!(stage.bounds(claim, "dora"), (LENGTH + 2, LENGTH + 2));
}
