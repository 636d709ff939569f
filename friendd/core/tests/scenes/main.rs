//! What the graph does with the store and with those who ask, scene by scene.

mod stage;

use friendd_core::graph::GraphSettings;
use proto::codes::Code;
use proto::friends::{FriendAction, FriendList, ListVersion, Relation};
use proto::graph::GraphAnswer;

use stage::{Stage, list, relation, roomy, user};

#[test]
fn readers_share_one_load_and_later_ones_need_none() {
    let mut stage = Stage::roomy();
    stage.reads(1, "ann");
    stage.reads(2, "ann");
    stage.loads(&["ann"]);
    stage.finds("ann", list(4, &["ben"]));
    stage.told_list(1, 4);
    stage.told_list(2, 4);
    stage.reads(3, "ann");
    stage.told_list(3, 4);
    stage.is_silent();
}

#[test]
fn a_known_list_is_not_sent_again() {
    let mut stage = Stage::roomy();
    let known = list(4, &["ben"]).hash();
    stage.reads_unless(1, "ann", list(3, &[]).hash());
    stage.reads_unless(2, "ann", known);
    stage.loads(&["ann"]);
    stage.finds("ann", list(4, &["ben"]));
    stage.told_list(1, 4);
    let version = ListVersion(4);
    stage.told(2, GraphAnswer::NotModified { version });
    stage.reads_unless(3, "ann", known);
    stage.told(3, GraphAnswer::NotModified { version });
}

#[test]
fn a_failed_load_sends_all_away_and_is_tried_at_the_next_question() {
    let mut stage = Stage::roomy();
    stage.reads(1, "ann");
    stage.changes(2, "ben", FriendAction::Request, "ann", (0, 0));
    stage.changes(3, "ben", FriendAction::Request, "kim", (0, 0));
    stage.loads(&["ann", "ben", "kim"]);
    stage.finds("kim", FriendList::empty());
    stage.finds("ben", FriendList::empty());
    // The second change waits for the first.
    stage.is_silent();
    stage.cannot_load("ann");
    stage.told(1, GraphAnswer::Unavailable);
    stage.told(2, GraphAnswer::Unavailable);
    assert_eq!(stage.saves(3), ["ben 0 -> 1", "kim 0 -> 1"]);
    stage.reads(4, "ann");
    stage.loads(&["ann"]);
}

#[test]
fn a_change_is_answered_when_both_lists_are_saved() {
    let mut stage = Stage::roomy();
    stage.holds("ann", list(4, &["kim"]));
    stage.holds("ben", list(7, &[]));
    stage.changes(1, "ann", FriendAction::Request, "ben", (4, 7));
    assert_eq!(stage.saves(1), ["ann 4 -> 5", "ben 7 -> 8"]);
    stage.is_silent();
    stage.saved(1);
    let GraphAnswer::Changed { actor, peer } = stage.answer(1) else {
        panic!("changed expected");
    };
    assert_eq!(relation(&actor, "ben"), Some(Relation::Requested));
    assert_eq!(relation(&peer, "ann"), Some(Relation::Invited));
    assert_eq!((actor.version().0, peer.version().0), (5, 8));
    stage.reads(2, "ben");
    stage.told(2, GraphAnswer::List(peer));
}

#[test]
fn who_asks_for_a_list_learns_of_every_earlier_change() {
    let mut stage = Stage::roomy();
    stage.holds("ann", list(4, &["kim"]));
    stage.holds("ben", list(7, &[]));
    let known = list(4, &["kim"]).hash();
    stage.changes(1, "ann", FriendAction::Request, "ben", (4, 7));
    assert_eq!(stage.saves(1), ["ann 4 -> 5", "ben 7 -> 8"]);
    // The list that is held may be old in a moment: to say so now would
    // leave a shard with it that nobody tells of the change.
    stage.reads_unless(2, "ann", known);
    stage.changes(3, "ann", FriendAction::Block, "kim", (5, 0));
    stage.loads(&["kim"]);
    stage.finds("kim", FriendList::empty());
    stage.reads(4, "ann");
    stage.reads(5, "ben");
    stage.is_silent();
    stage.saved(1);
    stage.answer(1);
    stage.told_list(2, 5);
    stage.told_list(5, 8);
    assert_eq!(stage.saves(3), ["ann 5 -> 6"]);
    stage.saved(3);
    stage.answer(3);
    stage.told_list(4, 6);
    stage.is_silent();
}

#[test]
fn who_asks_for_a_list_waits_for_a_save_that_fails() {
    let mut stage = Stage::roomy();
    stage.holds("ann", list(4, &[]));
    stage.holds("ben", list(7, &[]));
    stage.changes(1, "ann", FriendAction::Block, "ben", (4, 0));
    assert_eq!(stage.saves(1), ["ann 4 -> 5"]);
    stage.reads(2, "ann");
    stage.save_fails(1);
    stage.told(1, GraphAnswer::Unavailable);
    // It may have been carried out.
    stage.loads(&["ann"]);
    stage.finds("ann", list(5, &[]));
    stage.told_list(2, 5);
}

#[test]
fn a_block_saves_and_checks_one_list() {
    let mut stage = Stage::roomy();
    stage.holds("ann", list(4, &[]));
    stage.holds("ben", list(7, &[]));
    stage.changes(1, "ann", FriendAction::Block, "ben", (4, 999));
    assert_eq!(stage.saves(1), ["ann 4 -> 5"]);
    stage.saved(1);
    let GraphAnswer::Changed { actor, peer } = stage.answer(1) else {
        panic!("changed expected");
    };
    assert!(actor.find(&user("ben")).unwrap().blocked);
    assert_eq!(peer.version(), ListVersion(7));
}

#[test]
fn a_change_from_an_old_version_is_a_conflict() {
    let mut stage = Stage::roomy();
    stage.holds("ann", list(4, &["kim"]));
    stage.holds("ben", list(7, &[]));
    for (id, versions) in [(1, (3, 7)), (2, (4, 6)), (3, (5, 7))] {
        stage.changes(id, "ann", FriendAction::Request, "ben", versions);
        stage.told_conflict(id, (4, 7));
    }
    stage.is_silent();
}

#[test]
fn what_is_so_already_or_refused_is_told_whatever_the_version() {
    let mut stage = Stage::roomy();
    stage.holds("ann", list(4, &["ben"]));
    stage.holds("ben", list(7, &["ann"]));
    stage.changes(1, "ann", FriendAction::Accept, "ben", (0, 0));
    let GraphAnswer::Changed { actor, peer } = stage.answer(1) else {
        panic!("changed expected");
    };
    assert_eq!((actor.version().0, peer.version().0), (4, 7));
    stage.changes(2, "ann", FriendAction::Decline, "ben", (0, 0));
    let code = Code::NoRequest;
    stage.told(2, GraphAnswer::Refused { code });
    stage.changes(3, "ann", FriendAction::Block, "ann", (4, 4));
    let code = Code::OwnSelf;
    stage.told(3, GraphAnswer::Refused { code });
    stage.is_silent();
}

#[test]
fn changes_of_one_user_go_one_after_the_other() {
    let mut stage = Stage::roomy();
    for name in ["ann", "ben", "kim", "lee"] {
        stage.holds(name, FriendList::empty());
    }
    stage.changes(1, "ann", FriendAction::Request, "ben", (0, 0));
    assert_eq!(stage.saves(1), ["ann 0 -> 1", "ben 0 -> 1"]);
    stage.changes(2, "kim", FriendAction::Request, "ben", (0, 1));
    stage.changes(3, "lee", FriendAction::Request, "kim", (0, 1));
    stage.is_silent();
    stage.saved(1);
    stage.answer(1);
    assert_eq!(stage.saves(2), ["kim 0 -> 1", "ben 1 -> 2"]);
    // Nothing to do with them.
    stage.changes(4, "ann", FriendAction::Block, "zoe", (1, 0));
    stage.loads(&["zoe"]);
    stage.finds("zoe", FriendList::empty());
    assert_eq!(stage.saves(4), ["ann 1 -> 2"]);
    stage.saved(2);
    stage.answer(2);
    assert_eq!(stage.saves(3), ["lee 0 -> 1", "kim 1 -> 2"]);
}

#[test]
fn what_another_graph_saved_is_a_conflict() {
    let mut stage = Stage::roomy();
    stage.holds("ann", list(4, &[]));
    stage.holds("ben", list(7, &[]));
    stage.changes(1, "ann", FriendAction::Request, "ben", (4, 7));
    assert_eq!(stage.saves(1), ["ann 4 -> 5", "ben 7 -> 8"]);
    stage.conflict(1, [("ann", list(4, &[])), ("ben", list(9, &["kim"]))]);
    stage.told_conflict(1, (4, 9));
    stage.changes(2, "ann", FriendAction::Request, "ben", (4, 9));
    assert_eq!(stage.saves(2), ["ann 4 -> 5", "ben 9 -> 10"]);
}

#[test]
fn after_a_failed_save_the_store_is_asked_again() {
    let mut stage = Stage::roomy();
    stage.holds("ann", list(4, &[]));
    stage.holds("ben", list(7, &[]));
    stage.changes(1, "ann", FriendAction::Request, "ben", (4, 7));
    assert_eq!(stage.saves(1), ["ann 4 -> 5", "ben 7 -> 8"]);
    stage.changes(2, "ann", FriendAction::Block, "ben", (4, 7));
    stage.save_fails(1);
    stage.told(1, GraphAnswer::Unavailable);
    // The change in line needs the lists anew.
    stage.loads(&["ann", "ben"]);
    stage.finds("ann", list(5, &[]));
    stage.finds("ben", list(8, &[]));
    stage.told_conflict(2, (5, 8));
    stage.reads(3, "ann");
    stage.told_list(3, 5);
}

#[test]
fn more_than_may_wait_are_sent_away() {
    let mut stage = Stage::with(GraphSettings {
        waiting_max: 2,
        ..roomy()
    });
    stage.holds("kim", list(3, &[]));
    stage.reads(1, "ann");
    stage.loads(&["ann"]);
    // The question and its load.
    stage.reads(2, "ann");
    stage.told(2, GraphAnswer::Unavailable);
    stage.changes(3, "ann", FriendAction::Block, "ben", (0, 0));
    stage.told(3, GraphAnswer::Unavailable);
    // What needs no store is answered all the same.
    stage.reads(4, "kim");
    stage.told_list(4, 3);
    stage.finds("ann", list(1, &[]));
    stage.told_list(1, 1);
    stage.reads(5, "ben");
    stage.loads(&["ben"]);
}

#[test]
fn a_list_that_was_not_used_lately_goes() {
    let mut probe = Stage::roomy();
    probe.holds("ann", list(1, &["zoe"]));
    let one = probe.graph.cache_bytes();
    let mut stage = Stage::with(GraphSettings {
        cache_bytes_max: 2 * one,
        ..roomy()
    });
    stage.holds("ann", list(1, &["zoe"]));
    stage.holds("ben", list(1, &["zoe"]));
    stage.reads(1, "ann");
    stage.told_list(1, 1);
    stage.holds("kim", list(1, &["zoe"]));
    assert_eq!(
        (stage.graph.users(), stage.graph.cache_bytes()),
        (2, 2 * one)
    );
    stage.reads(2, "ann");
    stage.told_list(2, 1);
    stage.reads(3, "ben");
    stage.loads(&["ben"]);
}
