//! The shards of members are told as what these belong to a group: what is
//! durable, until they keep it, and the newest in the end.

use std::sync::Arc;
use std::time::Duration;

use msgd_core::{Event, Settings};
use proto::codes::Code;
use proto::friends::FriendList;
use proto::graph::GraphAnswer;
use proto::group::{Action, Belongs, Entrance};
use proto::ids::{GroupId, LogEpoch};
use proto::link::{Down, FromGroup, Membership, MembershipVersion, Relayed, Request};
use proto::server::ServerPacket;

use crate::hall::{Hall, OTHER, open, room};
use crate::stage::{GATEWAY, user};

fn title() -> Action {
    Action::Create {
        title: "Room".into(),
        entrance: Entrance::Open,
    }
}

#[test]
fn a_shard_is_told_every_second_until_it_keeps_the_newest() {
    let mut hall = Hall::with(open(), &["m2"]);
    let owner = hall.someone(0, true);
    let far = hall.someone(0, false);
    hall.enters(&owner);
    assert_eq!(hall.does(&owner, title()), Ok(()));
    hall.acts_from_afar(&far, Action::Join);
    let words = hall.words();
    assert_eq!(words.len(), 1);
    assert_eq!(words[0].belongs, Some(Belongs::Member));
    hall.pass(Duration::from_millis(2_500));
    assert_eq!(hall.words(), [words[0].clone(), words[0].clone()]);
    // A newer one: the older counts no more.
    assert_eq!(hall.does(&owner, Action::Kick(user(&far))), Ok(()));
    let newer = hall.words();
    assert_eq!((newer.len(), &newer[0].belongs), (1, &None));
    assert!(newer[0].version > words[0].version);
    hall.keeps(&words[0]);
    hall.pass(Duration::from_secs(1));
    assert_eq!(hall.words(), newer);
    hall.keeps(&newer[0]);
    hall.pass(Duration::from_secs(3));
    assert_eq!(hall.words(), []);
    let rows = &hall.stored[&room()].rows;
    assert!(!rows.contains_key(&user(&far)), "nothing is kept of it");
}

#[test]
fn a_new_start_tells_what_was_not_kept() {
    let mut hall = Hall::with(open(), &["m2"]);
    let owner = hall.someone(0, true);
    let far = hall.someone(0, false);
    hall.enters(&owner);
    assert_eq!(hall.does(&owner, title()), Ok(()));
    hall.acts_from_afar(&far, Action::Join);
    let words = hall.words();
    hall.loses_slot();
    assert_eq!(hall.words(), []);
    // Somebody needs the group.
    hall.enters(&owner);
    hall.posts(&owner, 1);
    hall.pass(Duration::from_secs(1));
    assert_eq!(hall.words(), words);
}

#[test]
fn however_often_a_group_was_read_again_words_go_out_once_a_second() {
    let mut hall = Hall::with(open(), &["m2"]);
    let owner = hall.someone(0, true);
    let far = hall.someone(0, false);
    hall.enters(&owner);
    assert_eq!(hall.does(&owner, title()), Ok(()));
    hall.acts_from_afar(&far, Action::Join);
    hall.holds_writes = true;
    for number in 1..=9 {
        hall.posts(&owner, number);
        hall.lets_write(false);
    }
    hall.holds_writes = false;
    hall.words();
    hall.pass(Duration::from_secs(4));
    let words = hall.words().len();
    assert!((3..=4).contains(&words), "{words}");
}

#[test]
fn what_is_not_durable_is_told_to_nobody() {
    let mut hall = Hall::room(Entrance::Open, &["ben"]);
    hall.holds_writes = true;
    let mute = Action::Mute {
        user: user("ben"),
        seconds: 60,
    };
    hall.asks("ann", mute);
    let kick = hall.asks("ann", Action::Kick(user("ben")));
    hall.lets_write(true);
    assert_eq!(hall.listed("ben"), Some(Belongs::Member));
    hall.pass(Duration::from_secs(2));
    // The kick does not become durable.
    hall.lets_write(false);
    assert_eq!(hall.result(kick), Some(Err(Code::StoreUnavailable)));
    hall.holds_writes = false;
    hall.pass(Duration::from_secs(2));
    assert_eq!(hall.listed("ben"), Some(Belongs::Member));
    hall.follows(GATEWAY, "ben");
    assert!(matches!(
        hall.heard(GATEWAY).last(),
        Some(FromGroup::Followed { .. })
    ));
}

#[test]
fn who_leaves_and_comes_back_at_once_follows_again() {
    let mut hall = Hall::room(Entrance::Open, &["ben"]);
    hall.follows(GATEWAY, "ben");
    hall.said();
    hall.holds_writes = true;
    hall.asks("ben", Action::Leave);
    hall.asks("ben", Action::Join);
    hall.lets_write(true);
    hall.lets_write(true);
    hall.holds_writes = false;
    let session = hall.session("ben");
    let said = hall.said();
    let dropped = said
        .iter()
        .position(|(_, down)| matches!(down, Down::FromGroup(FromGroup::Drop { .. })));
    let joined = said
        .iter()
        .rposition(|(_, down)| matches!(down, Down::Joined { session: of, .. } if *of == session));
    assert!(dropped.is_some() && joined > dropped, "{said:?}");
    assert_eq!(hall.listed("ben"), Some(Belongs::Member));
}

#[test]
fn a_list_that_is_not_kept_is_told_again() {
    let mut hall = Hall::room(Entrance::Open, &["ben"]);
    hall.enters("cat");
    hall.loses_lists = true;
    assert_eq!(hall.does("cat", Action::Join), Ok(()));
    let joined = |said: Vec<_>| {
        let is_it = |(_, down): &(_, Down)| matches!(down, Down::Joined { .. });
        said.iter().filter(|said| is_it(said)).count()
    };
    assert_eq!(joined(hall.said()), 1);
    hall.pass(Duration::from_secs(2));
    assert_eq!(hall.listed("cat"), None);
    hall.loses_lists = false;
    hall.pass(Duration::from_secs(2));
    assert_eq!(hall.listed("cat"), Some(Belongs::Member));
    assert_eq!(joined(hall.said()), 0, "the sessions know it");
    assert!(!hall.stored[&room()].rows[&user("cat")].untold);
}

#[test]
fn an_invitation_is_shown_to_who_hears_from_its_sender() {
    let mut hall = Hall::room(Entrance::Invitation, &[]);
    hall.enters("ben");
    hall.said();
    assert_eq!(hall.does("ann", Action::Invite(user("ben"))), Ok(()));
    let by = user("ann");
    let invited = |said: Vec<(_, Down)>| {
        said.iter().any(|(_, down)| match down {
            Down::Push { packet, .. } => matches!(**packet, ServerPacket::GroupInvited { .. }),
            _ => false,
        })
    };
    assert!(invited(hall.said()));
    assert_eq!(hall.listed("ben"), Some(Belongs::Invited { by }));
    // Among friends only, a stranger's is not shown, and may be used all the same.
    let mut hall = Hall::with(Settings::default(), &[]);
    hall.create(Entrance::Invitation, &[]);
    hall.enters("ben");
    hall.said();
    assert_eq!(hall.does("ann", Action::Invite(user("ben"))), Ok(()));
    assert!(!invited(hall.said()));
    assert_eq!(hall.listed("ben"), None);
    assert!(!hall.stored[&room()].rows[&user("ben")].untold);
    assert_eq!(hall.does("ben", Action::Join), Ok(()));
    assert_eq!(hall.listed("ben"), Some(Belongs::Member));
}

#[test]
fn an_invitation_that_waits_for_the_list_ends_with_what_comes_after() {
    let mut hall = Hall::room(Entrance::Invitation, &[]);
    hall.no_friends = true;
    hall.asks("ann", Action::Invite(user("ben")));
    assert_eq!(hall.listed("ben"), None);
    let asked = std::mem::take(&mut hall.stage.asked);
    assert!(!asked.is_empty(), "the list is asked for");
    hall.asks("ann", Action::Deny(user("ben")));
    for (ticket, _) in asked {
        let answer = GraphAnswer::List(Arc::new(FriendList::empty()));
        hall.stage.handle(Event::Graph { ticket, answer });
    }
    hall.settle();
    assert_eq!(hall.listed("ben"), None);
    hall.pass(Duration::from_secs(2));
    assert_eq!(hall.listed("ben"), None);
}

/// A word of a group's shard about ben.
fn word(group: &GroupId, belongs: Option<Belongs>, revision: u64) -> Relayed {
    Relayed::Membership(Box::new(Membership {
        group: group.clone(),
        user: user("ben"),
        belongs,
        version: version(revision),
    }))
}

fn version(revision: u64) -> MembershipVersion {
    let epoch = LogEpoch(1);
    MembershipVersion { epoch, revision }
}

#[test]
fn an_older_word_than_what_is_kept_changes_nothing() {
    let mut hall = Hall::room(Entrance::Open, &["ben"]);
    hall.relayed_to_user(OTHER, word(&room(), None, 9), "ben");
    assert_eq!(hall.listed("ben"), Some(Belongs::Member));
}

#[test]
fn a_gateway_that_hears_of_no_membership_mends_the_list() {
    let mut hall = Hall::room(Entrance::Open, &["ben"]);
    let other = GroupId::new("other").unwrap();
    let member = Some(Belongs::Member);
    hall.relayed_to_user(OTHER, word(&other, member.clone(), 9), "ben");
    assert_eq!(hall.lists[&user("ben")].len(), 2);
    hall.wishes("ben", Request::NotMember(other, version(9)));
    assert_eq!(hall.lists[&user("ben")].len(), 1);
    assert_eq!(hall.listed("ben"), member);
}

#[test]
fn a_stale_word_of_a_gateway_removes_nobody() {
    let mut hall = Hall::room(Entrance::Open, &["ben"]);
    assert_eq!(hall.does("ann", Action::Kick(user("ben"))), Ok(()));
    hall.follows(OTHER, "ben");
    let heard = hall.heard(OTHER);
    let [FromGroup::NotMember { version, .. }] = heard[..] else {
        panic!("{heard:?}");
    };
    assert_eq!(hall.does("ben", Action::Join), Ok(()));
    hall.wishes("ben", Request::NotMember(room(), version));
    assert_eq!(hall.listed("ben"), Some(Belongs::Member));
}

#[test]
fn who_is_in_already_or_is_not_is_told_so_again() {
    let mut hall = Hall::room(Entrance::Open, &["ben"]);
    let later = MembershipVersion {
        epoch: LogEpoch(u64::MAX),
        revision: 0,
    };
    hall.wishes("ben", Request::NotMember(room(), later));
    assert_eq!(hall.listed("ben"), None);
    assert_eq!(hall.does("ben", Action::Join), Ok(()));
    assert_eq!(hall.listed("ben"), Some(Belongs::Member));
    // An invitation that was overtaken, by another gateway.
    let epoch = hall.stored[&room()].record.epoch;
    hall.enters("cat");
    assert_eq!(hall.does("ann", Action::Invite(user("cat"))), Ok(()));
    assert_eq!(hall.does("ann", Action::Deny(user("cat"))), Ok(()));
    let revision = hall.stored[&room()].record.revision - 1;
    let word = Membership {
        group: room(),
        user: user("cat"),
        belongs: Some(Belongs::Invited { by: user("ann") }),
        version: MembershipVersion { epoch, revision },
    };
    hall.relayed_to_user(OTHER, Relayed::Membership(Box::new(word)), "cat");
    assert!(hall.listed("cat").is_some());
    assert_eq!(hall.does("cat", Action::Leave), Ok(()));
    assert_eq!(hall.listed("cat"), None);
}

#[test]
fn so_many_groups_and_invitations_are_kept_of_one_user() {
    let mut hall = Hall::room(Entrance::Approval, &[]);
    hall.enters("ben");
    let by = user("ann");
    for number in 0..101 {
        let group = GroupId::new(format!("a{number}")).unwrap();
        let invited = Some(Belongs::Invited { by: by.clone() });
        hall.relayed_to_user(OTHER, word(&group, invited, 9), "ben");
    }
    assert_eq!(hall.lists[&user("ben")].len(), 100);
    for number in 0..900 {
        let group = GroupId::new(format!("b{number}")).unwrap();
        hall.relayed_to_user(OTHER, word(&group, Some(Belongs::Member), 9), "ben");
    }
    assert_eq!(hall.lists[&user("ben")].len(), 1_000);
    hall.said();
    hall.enters("ben");
    let said = hall.said();
    let named = said.iter().find_map(|(_, down)| match down {
        Down::Accepted { groups, .. } => Some(groups.len()),
        _ => None,
    });
    assert_eq!(named, Some(1_000));
    // Who is let into one more leaves it.
    hall.acts_from_afar("ben", Action::Join);
    assert_eq!(hall.does("ann", Action::Admit(user("ben"))), Ok(()));
    hall.pass(Duration::from_secs(2));
    assert!(!hall.stored[&room()].rows.contains_key(&user("ben")));
    assert_eq!(hall.lists[&user("ben")].len(), 1_000);
}

#[test]
fn a_group_that_ended_is_forgotten_when_all_know_it_and_its_name_is_free() {
    let mut hall = Hall::with(open(), &["m2"]);
    let owner = hall.someone(0, true);
    let far = hall.someone(0, false);
    hall.enters(&owner);
    assert_eq!(hall.does(&owner, title()), Ok(()));
    let epoch = hall.stored[&room()].record.epoch;
    hall.acts_from_afar(&far, Action::Join);
    let word = hall.words().remove(0);
    hall.keeps(&word);
    assert_eq!(hall.does(&owner, Action::Dissolve), Ok(()));
    assert_eq!(hall.does(&owner, title()), Err(Code::GroupExists));
    assert_eq!(hall.does(&owner, Action::Join), Err(Code::NoGroup));
    let word = hall.words().remove(0);
    assert_eq!((&word.user, &word.belongs), (&user(&far), &None));
    hall.keeps(&word);
    assert!(!hall.stored.contains_key(&room()));
    assert_eq!(hall.listed(&owner), None);
    hall.stage.now.wall.0 += 1;
    assert_eq!(hall.does(&owner, title()), Ok(()));
    assert!(hall.stored[&room()].record.epoch > epoch);
}

#[test]
fn an_end_that_was_not_carried_out_is_when_the_group_is_read_again() {
    let mut hall = Hall::room(Entrance::Open, &["ben"]);
    hall.loses_ends = true;
    assert_eq!(hall.does("ann", Action::Dissolve), Ok(()));
    assert!(hall.stored[&room()].record.dissolved && hall.stored[&room()].rows.is_empty());
    hall.loses_ends = false;
    hall.loses_slot();
    hall.enters("ann");
    assert_eq!(hall.does("ann", title()), Ok(()));
}
