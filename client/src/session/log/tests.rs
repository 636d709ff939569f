//! A log by itself.

use super::*;
use proto::group::{Action, Conversation, Logged, ReadTo};
use proto::ids::{GroupId, MessageId, Stamp, UserId};

fn at(epoch: u64, seq: u64) -> Head {
    let epoch = LogEpoch(epoch);
    Head {
        place: Place { epoch, seq },
        messages: seq,
    }
}

fn entry(seq: u64) -> LogEntry {
    LogEntry {
        seq,
        messages: seq,
        stamp: Stamp(seq),
        from: UserId::new("ben").unwrap(),
        what: Logged::Message {
            id: MessageId::mint(seq, [0; 10]),
            body: "hello".into(),
            mentions: Vec::new(),
        },
    }
}

fn page(epoch: u64, first: u64, last: u64, entries: std::ops::RangeInclusive<u64>) -> History {
    History {
        request: 1,
        of: Conversation::Group(GroupId::new("g").unwrap()),
        epoch: LogEpoch(epoch),
        first,
        last,
        read: ReadTo::default(),
        entries: entries.map(entry).collect(),
    }
}

/// A log, and what the application was told of it: numbers, `-n` the last
/// one of those skipped, 0 that it began anew.
struct Stage {
    log: Log,
    held: Held,
    told: Vec<Told>,
}

impl Stage {
    fn after(seq: u64) -> Self {
        Self {
            log: Log::after(at(1, seq)),
            held: Held::default(),
            told: Vec::new(),
        }
    }

    fn hears(&mut self, epoch: u64, seq: u64) {
        let Self { log, held, told } = self;
        log.hear(LogEpoch(epoch), entry(seq), held, told);
    }

    fn ends(&mut self, epoch: u64, seq: u64) {
        let Self { log, held, told } = self;
        log.ends(at(epoch, seq), held, told);
    }

    fn is_given(&mut self, page: History) {
        let Self { log, held, told } = self;
        log.page(page, held, told);
    }

    fn misses(&mut self) -> Option<u64> {
        let Self { log, held, told } = self;
        log.missing(held, told)
    }

    fn told(&mut self) -> Vec<i64> {
        let number = |told: Told| match told {
            Told::Anew => 0,
            Told::Skipped(_, to) => -i64::try_from(to).unwrap(),
            Told::Entry(entry) => i64::try_from(entry.seq).unwrap(),
        };
        std::mem::take(&mut self.told)
            .into_iter()
            .map(number)
            .collect()
    }

    /// The application takes everything.
    fn takes(&mut self) -> Vec<i64> {
        for told in &self.told {
            self.held.release(match told {
                Told::Entry(entry) => entry.weight(),
                Told::Anew | Told::Skipped(..) => 0,
            });
        }
        self.told()
    }
}

#[test]
fn entries_are_told_once_and_in_order_over_a_gap() {
    let mut stage = Stage::after(4);
    for seq in [3, 4, 5, 5, 8, 7, 8] {
        stage.hears(1, seq);
    }
    assert_eq!(stage.told(), [5]);
    assert_eq!(stage.misses(), Some(5));
    stage.is_given(page(1, 1, 7, 6..=6));
    assert_eq!(stage.told(), [6, 7, 8]);
    assert_eq!(stage.misses(), None);
    stage.is_given(page(1, 1, 8, 6..=8));
    assert_eq!(stage.told(), [0; 0]);
}

#[test]
fn an_end_that_is_named_is_a_gap() {
    let mut stage = Stage::after(4);
    stage.ends(1, 4);
    assert!(!stage.log.is_behind());
    stage.ends(1, 6);
    assert_eq!(stage.misses(), Some(4));
    stage.is_given(page(1, 1, 6, 5..=5));
    assert!(stage.log.is_behind(), "pages, until the gap is closed");
    assert_eq!(stage.misses(), Some(5));
    stage.is_given(page(1, 1, 6, 6..=6));
    assert_eq!(stage.told(), [5, 6]);
    assert!(!stage.log.is_behind());
}

#[test]
fn of_too_many_the_last_page_is_told_and_the_rest_is_skipped() {
    let mut stage = Stage::after(0);
    stage.ends(1, MISSED_MAX);
    assert_eq!(stage.misses(), Some(0));
    stage.ends(1, MISSED_MAX + 1);
    let from = MISSED_MAX + 1 - PAGE_MAX as u64;
    assert_eq!(stage.misses(), Some(from));
    assert_eq!(stage.told(), [-(from as i64)]);
}

#[test]
fn what_is_kept_no_more_is_skipped() {
    let mut stage = Stage::after(4);
    stage.ends(1, 20);
    stage.is_given(page(1, 15, 20, 15..=20));
    assert_eq!(stage.told(), [-14, 15, 16, 17, 18, 19, 20]);
    let mut nothing_left = Stage::after(4);
    nothing_left.ends(1, 20);
    #[allow(clippy::reversed_empty_ranges)]
    nothing_left.is_given(page(1, 21, 20, 1..=0));
    assert_eq!(nothing_left.told(), [-20]);
    assert!(!nothing_left.log.is_behind());
}

#[test]
fn a_later_epoch_begins_anew_and_an_older_one_is_nothing() {
    let mut stage = Stage::after(40);
    stage.hears(1, 42);
    stage.hears(2, 2);
    stage.hears(1, 41);
    assert_eq!(stage.takes(), [0]);
    assert_eq!(stage.misses(), Some(0));
    stage.is_given(page(1, 1, 42, 41..=42));
    assert_eq!(stage.told(), [0; 0]);
    stage.is_given(page(2, 1, 2, 1..=1));
    assert_eq!(stage.takes(), [1, 2]);
    stage.is_given(page(3, 1, 9, 3..=9));
    assert_eq!(stage.takes(), [0]);
    assert_eq!(stage.misses(), Some(0), "it is asked for from the first");
    assert_eq!(stage.held.early, 7);
    stage.log.forget(&mut stage.held);
    assert_eq!((stage.held.early, stage.held.early_bytes), (0, 0));
}

#[test]
fn a_page_without_the_next_one_ends_the_asking_until_something_is_heard() {
    let mut stage = Stage::after(4);
    stage.ends(1, 6);
    assert_eq!(stage.misses(), Some(4));
    stage.is_given(page(1, 1, 6, 6..=6));
    assert!(!stage.log.is_behind());
    stage.ends(1, 6);
    assert!(!stage.log.is_behind());
    stage.hears(1, 7);
    assert!(stage.log.is_behind());
    assert_eq!(stage.told(), [0; 0]);
}

#[test]
fn an_answer_to_a_question_of_the_former_log_does_not_end_the_asking() {
    let mut stage = Stage::after(40);
    stage.ends(1, 42);
    assert_eq!(stage.misses(), Some(40));
    stage.ends(2, 2);
    #[allow(clippy::reversed_empty_ranges)]
    stage.is_given(page(2, 1, 2, 41..=40));
    assert_eq!(stage.misses(), Some(0));
}

#[test]
fn who_takes_nothing_is_held_little_for_and_misses_nothing() {
    let mut stage = Stage::after(0);
    let count = HELD_MAX as u64 + 500;
    for seq in 1..=count {
        stage.hears(1, seq);
    }
    assert_eq!(stage.told.len(), HELD_MAX);
    assert_eq!(stage.held.entries, HELD_MAX);
    assert!(!stage.held.fits(1));
    stage.hears(2, 1);
    assert_eq!(stage.told.len(), HELD_MAX, "that it began anew waits too");
    assert_eq!(stage.takes().len(), HELD_MAX);
    assert!(stage.held.fits(1));
    assert_eq!(stage.misses(), None);
    assert_eq!(stage.takes(), [0, 1]);
    assert_eq!((stage.held.entries, stage.held.bytes), (0, 0));
}

#[test]
fn early_ones_have_a_bound_of_their_own() {
    let mut stage = Stage::after(0);
    for seq in 2..1_000 {
        stage.hears(1, seq);
    }
    assert_eq!(stage.log.early.len(), EARLY_IN_GROUP_MAX);
    stage.is_given(page(1, 1, 999, 1..=10));
    assert_eq!(stage.told().len(), EARLY_IN_GROUP_MAX + 1);
    assert_eq!(stage.misses(), Some(EARLY_IN_GROUP_MAX as u64 + 1));
    assert_eq!(stage.held.early, 0);
}

#[test]
fn a_change_is_an_entry_like_a_message() {
    let mut stage = Stage::after(0);
    let what = Logged::Change(Action::Join);
    let change = LogEntry { what, ..entry(1) };
    let Stage { log, held, told } = &mut stage;
    log.hear(LogEpoch(1), change, held, told);
    assert_eq!(stage.takes(), [1]);
    assert_eq!(stage.held.bytes, 0);
}
