//! Parts of logs, and what goes of them.

use bytes::Bytes;
use msgd_core::store::{Found, GroupWrite, LogPage};
use proto::group::{Action, LogEntry, Logged, Range};
use proto::ids::{LogEpoch, Stamp};

use crate::stage::groups::{EPOCH, change, entries, making, member, message};
use crate::stage::{ANN, Stage, second, user};
use crate::{Carries, SETTINGS};

const ALL: (usize, usize) = (usize::MAX, usize::MAX);

/// What a page of a log must be: the log is all there.
fn expected(log: &[LogEntry], range: Range, (count, bytes): (usize, usize)) -> Vec<LogEntry> {
    let wanted = |entry: &&LogEntry| match range {
        Range::After(seq) => entry.seq > seq,
        Range::Since(stamp) => entry.stamp >= stamp,
        Range::Before(seq) => seq == 0 || entry.seq < seq,
    };
    let backwards = matches!(range, Range::Before(_));
    let mut found: Vec<LogEntry> = log.iter().filter(wanted).cloned().collect();
    if backwards {
        found.reverse();
    }
    let mut weight = 0;
    let mut taken = 0;
    found.retain(|entry| {
        weight += entry.weight();
        taken += 1;
        taken <= count && (taken == 1 || weight <= bytes)
    });
    if backwards {
        found.reverse();
    }
    found
}

fn each_range(last: u64) -> impl Iterator<Item = Range> {
    let numbers = (0..=last + 2).chain([u64::MAX]);
    numbers.flat_map(|number| {
        let stamp = Stamp(number.saturating_mul(1_000_000));
        [
            Range::After(number),
            Range::Before(number),
            Range::Since(stamp),
            Range::Since(Stamp(stamp.0.saturating_add(1))),
        ]
    })
}

pub(crate) fn a_log_is_read_in_every_part<S: Carries>(stage: &mut Stage<S>) {
    let claim = stage.serves_group("team");
    assert!(stage.writes(claim, "team", making(EPOCH, 0)));
    let mut log = Vec::new();
    for seq in 1..=6 {
        let mut entry = message(seq);
        // Several of one time, and times without any.
        entry.stamp = second([1, 1, 3, 3, 3, 7][seq as usize - 1]);
        let write = entries(seq - 1, vec![entry.clone()]);
        assert!(stage.writes(claim, "team", write));
        log.push(entry);
        for range in each_range(seq) {
            for count in [0, 1, 2, 3, 6, 7, usize::MAX] {
                let page = stage.pages(claim, "team", range, (count, usize::MAX));
                let entries = expected(&log, range, (count, usize::MAX));
                let page_expected = LogPage { first: 1, entries };
                assert_eq!(page, page_expected, "{range:?}, {count} of {seq}");
            }
        }
    }
}

pub(crate) fn a_page_is_bounded_in_bytes<S: Carries>(stage: &mut Stage<S>) {
    let claim = stage.serves_group("team");
    let mut log: Vec<LogEntry> = (1..=8).map(message).collect();
    let with_body = |bytes: usize, mentions: usize, entry: &mut LogEntry| {
        if let Logged::Message {
            body, mentions: of, ..
        } = &mut entry.what
        {
            *body = Bytes::from(vec![1; bytes]);
            *of = vec![user("ann"); mentions];
        }
    };
    with_body(100, 0, &mut log[0]);
    with_body(0, 0, &mut log[1]);
    with_body(36, 1, &mut log[2]);
    log[3] = change(4, 3, Action::Join);
    with_body(1_000, 0, &mut log[4]);
    with_body(0, 2, &mut log[6]);
    for (at, entry) in log.iter_mut().enumerate().skip(3) {
        entry.messages = at as u64;
    }
    assert!(stage.writes(claim, "team", making(EPOCH, 0)));
    assert!(stage.writes(claim, "team", entries(0, log.clone())));
    for range in each_range(8) {
        for bytes in [
            0, 1, 99, 100, 101, 199, 200, 201, 456, 1_256, 1_355, 1_356, 1_500, 9_000,
        ] {
            let page = stage.pages(claim, "team", range, (usize::MAX, bytes));
            let entries = expected(&log, range, (usize::MAX, bytes));
            assert_eq!(page.entries, entries, "{range:?}, {bytes}");
        }
        let page = stage.pages(claim, "team", range, (2, 200));
        assert_eq!(page.entries, expected(&log, range, (2, 200)), "{range:?}");
    }
}

pub(crate) fn the_oldest_go_by_count<S: Carries>(stage: &mut Stage<S>) {
    let claim = stage.serves_group("team");
    assert!(stage.writes(claim, "team", making(EPOCH, 0)));
    let kept_max = SETTINGS.log.log_max;
    let mut last = 0;
    for count in [1, 1, 5, 1, 1, 3, 1, 8, 2, 20, 1] {
        let seqs = last + 1..=last + count;
        let write = entries(last, seqs.map(message).collect());
        assert!(stage.writes(claim, "team", write));
        last += count;
        let first = (last + 1).saturating_sub(kept_max).max(1);
        let kept: Vec<LogEntry> = (first..=last).map(message).collect();
        for range in each_range(last) {
            for count in [1, 4, usize::MAX] {
                let page = stage.pages(claim, "team", range, (count, usize::MAX));
                let entries = expected(&kept, range, (count, usize::MAX));
                assert_eq!(page, LogPage { first, entries }, "{range:?} of {last}");
            }
        }
        let found = stage.opens_group(claim, "team");
        let place = found.head.place.seq;
        assert_eq!((place, found.head.messages), (last, last));
        assert_eq!(found.latest.len(), kept.len());
        assert_eq!(found.latest[0].seq, first);
        assert_eq!(found.whole, first == 1, "{last} of {kept_max}");
    }
}

pub(crate) fn the_oldest_go_by_age<S: Carries>(stage: &mut Stage<S>) {
    let claim = stage.serves_group("team");
    assert!(stage.writes(claim, "team", making(EPOCH, 0)));
    let mut log: Vec<LogEntry> = (1..=5).map(message).collect();
    for (entry, at) in log.iter_mut().zip([1, 2, 2, 30, 50]) {
        entry.stamp = second(at);
    }
    assert!(stage.writes(claim, "team", entries(0, log.clone())));
    let nothing = |after| {
        let mut write = entries(after, Vec::new());
        write.members = vec![(user("ann"), Some(member(1, after)))];
        write
    };
    let first = |stage: &mut Stage<S>| stage.whole_log(claim, "team").first;
    // A clock that may be wrong drops nothing.
    stage.is_alive_by(ANN, second(900), false);
    assert!(stage.writes(claim, "team", nothing(5)));
    assert_eq!(first(stage), 1);
    // An entry lives for 60 seconds.
    stage.is_alive(ANN, second(61));
    assert!(stage.writes(claim, "team", nothing(5)));
    assert_eq!(first(stage), 1);
    stage.is_alive(ANN, Stamp(second(62).0 + 1));
    // Only what is written drops.
    assert_eq!(first(stage), 1);
    assert_eq!(stage.opens_group(claim, "team").latest.len(), 5);
    // Not even that, if it is not done.
    assert!(!stage.writes(claim, "team", nothing(4)));
    assert_eq!(first(stage), 1);
    assert!(stage.writes(claim, "team", nothing(5)));
    let page = stage.whole_log(claim, "team");
    assert_eq!((page.first, page.entries), (4, log[3..].to_vec()));
    let found = stage.opens_group(claim, "team");
    assert_eq!((found.latest.len(), found.whole), (2, false));
    let Found::Group(found) = stage.finds(claim, "team", second(31)) else {
        panic!("there is a group");
    };
    assert_eq!((found.latest.len(), found.whole), (1, true));
    let page = stage.pages(claim, "team", Range::Since(second(2)), ALL);
    assert_eq!(page.entries, log[3..]);

    // All of it goes, and what counts goes on.
    stage.is_alive(ANN, second(1_000));
    assert!(stage.writes(claim, "team", nothing(5)));
    for range in [Range::After(0), Range::Before(0), Range::Since(Stamp(0))] {
        let page = stage.pages(claim, "team", range, ALL);
        assert_eq!((page.first, page.entries), (6, vec![]), "{range:?}");
    }
    let found = stage.opens_group(claim, "team");
    assert_eq!((found.head.place.seq, found.head.messages), (5, 5));
    assert_eq!((found.newest, found.latest), (second(50), vec![]));
    assert!(!found.whole);
    assert!(!stage.writes(claim, "team", entries(0, vec![message(1)])));
    let mut sixth = message(6);
    sixth.stamp = second(990);
    assert!(stage.writes(claim, "team", entries(5, vec![sixth.clone()])));
    let page = stage.whole_log(claim, "team");
    assert_eq!((page.first, page.entries), (6, vec![sixth]));
    // What is old when it is written is there until the next is.
    let mut old = message(7);
    old.stamp = second(990);
    stage.is_alive(ANN, second(2_000));
    assert!(stage.writes(claim, "team", entries(6, vec![old])));
    assert_eq!(first(stage), 7);
    assert!(stage.writes(claim, "team", nothing(7)));
    assert_eq!(first(stage), 8);
}

pub(crate) fn a_long_log_is_read_and_goes<S: Carries>(stage: &mut Stage<S>) {
    const LENGTH: u64 = 3_000;
    let claim = stage.serves_group("team");
    assert!(stage.writes(claim, "team", making(EPOCH, 0)));
    for after in (0..LENGTH).step_by(500) {
        let seqs = after + 1..=after + 500;
        let write = entries(after, seqs.map(message).collect());
        assert!(stage.writes(claim, "team", write));
    }
    // Forwards, backwards, from everywhere.
    let page = (100, usize::MAX);
    for from in [0, 1, 99, 1_023, 1_024, 2_047, 2_899, 2_901, 2_999, 3_000] {
        let seqs = |range: std::ops::RangeInclusive<u64>| range.map(message).collect::<Vec<_>>();
        let after = stage.pages(claim, "team", Range::After(from), page);
        let end = LENGTH.min(from + 100);
        assert_eq!(after.entries, seqs(from + 1..=end), "after {from}");
        let since = stage.pages(claim, "team", Range::Since(second(from + 1)), page);
        assert_eq!(since.entries, after.entries, "since {from}");
        let before = stage.pages(claim, "team", Range::Before(from + 1), page);
        let begin = from.saturating_sub(99).max(1);
        assert_eq!(before.entries, seqs(begin..=from), "before {from}");
    }
    // More than goes at once is too old; it goes with what follows.
    stage.is_alive(ANN, second(LENGTH + 30 + 90 * 24 * 60 * 60));
    let mut last = LENGTH;
    for _ in 0..10 {
        last += 1;
        let mut entry = message(last);
        entry.stamp = second(LENGTH + 90 * 24 * 60 * 60);
        assert!(stage.writes(claim, "team", entries(last - 1, vec![entry])));
    }
    let page = stage.whole_log(claim, "team");
    assert_eq!((page.first, page.entries.len()), (LENGTH + 1, 10));
    let found = stage.opens_group(claim, "team");
    assert_eq!(found.head.place.seq, last);
    assert_eq!(found.head.place.epoch, LogEpoch(EPOCH));
    let next = GroupWrite {
        epoch: LogEpoch(EPOCH),
        ..entries(last, vec![message(last + 1)])
    };
    assert!(stage.writes(claim, "team", next));
}
