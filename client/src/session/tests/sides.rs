//! Friends, presence and requests beside the messages.

use super::*;
use proto::friends::{FriendEntry, ListVersion, Relation};
use proto::ids::Token;
use proto::status::{Availability, StatusVersion};

fn list(version: u64, friends: &[&str]) -> Arc<FriendList> {
    let entry = |name: &&str| FriendEntry {
        user: user(name),
        relation: Relation::Friend,
        blocked: false,
    };
    let entries = friends.iter().map(entry).collect();
    Arc::new(FriendList::new(ListVersion(version), entries).unwrap())
}

fn status(name: &str, availability: Availability, counter: u64) -> PeerStatus {
    PeerStatus {
        user: user(name),
        status: Status::plain(availability),
        version: StatusVersion {
            token: Token(1),
            counter,
        },
        last_seen: None,
    }
}

#[test]
fn the_held_list_is_named_and_a_stale_one_fetched() {
    let mut stage = Stage::live();
    let held = FriendList::empty().hash();
    stage.breaks();
    stage.rests();
    assert_eq!(stage.logs_in().friends_hash, Some(held));
    assert_eq!(stage.says(), []);
    let newer = list(2, &["ben"]);
    let (version, hash) = (newer.version(), newer.hash());
    stage.hears(ServerPacket::FriendsStale { version, hash });
    assert_eq!(stage.says(), [ClientPacket::GetFriends]);
    stage.hears(ServerPacket::Friends(Arc::clone(&newer)));
    assert_eq!(stage.session.friends(), Some(&newer));
    stage.hears(ServerPacket::FriendsChanged { version, hash });
    assert_eq!(stage.says(), []);
    stage.sends("hello");
    let said = stage.says();
    let [ClientPacket::Send(send)] = &said[..] else {
        panic!("one message, not {said:?}");
    };
    assert_eq!(send.friends_hash, Some(hash));
}

#[test]
fn an_older_status_is_dropped_and_who_is_no_friend_forgotten() {
    let mut stage = Stage::live();
    stage.hears(ServerPacket::Friends(list(1, &["ben"])));
    let peers = vec![status("ben", Availability::Away, 2)];
    let snapshot = true;
    stage.hears(ServerPacket::Presence { peers, snapshot });
    let peers = vec![status("ben", Availability::Online, 1)];
    let snapshot = false;
    stage.hears(ServerPacket::Presence { peers, snapshot });
    assert!(matches!(stage.told(), Some(Event::Friends(_))));
    let Some(Event::Presence(shown)) = stage.told() else {
        panic!("the newer status is told");
    };
    assert_eq!(shown.status.availability, Availability::Away);
    assert_eq!(stage.told(), None);
    assert!(stage.session.status_of(&user("ben")).is_some());
    stage.hears(ServerPacket::Friends(list(2, &[])));
    assert_eq!(stage.session.status_of(&user("ben")), None);
}

#[test]
fn a_change_has_its_answer_or_is_given_up_with_the_connection() {
    let mut stage = Stage::live();
    let ask = |stage: &mut Stage| {
        let peer = user("ben");
        let now = stage.now;
        let action = FriendAction::Request;
        stage.session.change_friend(now, action, peer).unwrap()
    };
    let done = ask(&mut stage);
    let refused = ask(&mut stage);
    let unanswered = ask(&mut stage);
    assert_eq!(stage.says().len(), 3);
    let code = Some(Code::ListFull);
    stage.hears(ServerPacket::FriendResult {
        request: refused,
        code,
    });
    stage.hears(ServerPacket::FriendResult {
        request: done,
        code: None,
    });
    stage.breaks();
    let changed = |request, result| Effect::Changed { request, result };
    assert_eq!(
        stage.effects(),
        [
            changed(refused, Err(ChangeError::Refused(Code::ListFull))),
            changed(done, Ok(Answer::Done)),
            changed(unanswered, Err(ChangeError::Unanswered)),
        ]
    );
}

#[test]
fn a_status_is_told_once_and_by_every_later_log_in() {
    let mut stage = Stage::live();
    let busy = Status::plain(Availability::Busy);
    stage.session.set_status(busy.clone()).unwrap();
    assert_eq!(stage.says(), [ClientPacket::SetStatus(busy.clone())]);
    stage.breaks();
    let away = Status::plain(Availability::Away);
    stage.session.set_status(away.clone()).unwrap();
    stage.rests();
    assert_eq!(stage.logs_in().status, Some(away));
    assert_eq!(stage.says(), []);
    let long = Status {
        availability: Availability::Busy,
        text: "x".repeat(TEXT_BYTES_MAX + 1).into(),
    };
    let too_long = RequestError::TooLong(TEXT_BYTES_MAX);
    assert_eq!(stage.session.set_status(long), Err(too_long));
}

#[test]
fn typing_is_shed_without_a_connection_and_read_marks_wait_for_one() {
    let mut stage = Stage::live();
    stage.session.typing(user("ben"));
    assert!(matches!(stage.says()[..], [ClientPacket::Transient(_)]));
    stage.breaks();
    stage.session.typing(user("ben"));
    stage.session.mark_read(user("ben"), Stamp(9)).unwrap();
    stage.rests();
    stage.logs_in();
    assert!(matches!(stage.says()[..], [ClientPacket::Read(_)]));
}
