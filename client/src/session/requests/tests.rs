//! Requests by themselves.

use super::*;

const START: Moment = Moment(1_000_000);

fn ben() -> UserId {
    UserId::new("ben").unwrap()
}

#[test]
fn a_flood_is_paced_and_only_the_newest_read_mark_leaves() {
    let mut requests = Requests::new();
    for n in 0..500 {
        requests.read(ben(), Stamp(500 - n)).unwrap();
    }
    let read = Read {
        peer: ben(),
        up_to: Stamp(500),
    };
    assert_eq!(requests.transmit(START), Some(ClientPacket::Read(read)));
    assert!(requests.is_idle());
    let mut left = 0;
    for n in 0..500 {
        requests.read(ben(), Stamp(1_000 + n)).unwrap();
        left += u32::from(requests.transmit(START).is_some());
    }
    assert_eq!(left, PACE.1 - 1);
    let later = requests.deadline().unwrap();
    assert!(later > START && later <= START + Duration::from_secs(1));
    assert!(requests.transmit(later).is_some());
}

#[test]
fn a_change_is_asked_once_and_answered_or_given_up() {
    let mut requests = Requests::new();
    let first = requests.change(START, FriendAction::Block, ben()).unwrap();
    let second = requests.change(START, FriendAction::Accept, ben()).unwrap();
    assert_ne!(first, second);
    assert!(requests.transmit(START).is_some());
    assert!(requests.transmit(START).is_some());
    assert_eq!(requests.transmit(START), None);
    assert_eq!(
        requests.answered(first, None),
        Some((first, Ok(Answer::Done)))
    );
    assert_eq!(requests.answered(first, None), None);
    assert!(requests.expired(START).is_empty());
    let given_up = requests.expired(requests.deadline().unwrap());
    assert_eq!(given_up, [(second, Err(ChangeError::Unanswered))]);
}

#[test]
fn what_was_not_asked_survives_a_lost_connection() {
    let mut requests = Requests::new();
    let asked = requests.change(START, FriendAction::Block, ben()).unwrap();
    requests.transmit(START);
    let waiting = requests.change(START, FriendAction::Accept, ben()).unwrap();
    assert_eq!(requests.lost(), [(asked, Err(ChangeError::Unanswered))]);
    let Some(ClientPacket::ChangeFriend(change)) = requests.transmit(START) else {
        panic!("the second change waits");
    };
    assert_eq!(change.request, waiting);
}

#[test]
fn the_devices_are_asked_for_once_and_again_on_the_next_connection() {
    let mut requests = Requests::new();
    requests.devices(START);
    requests.devices(START);
    assert_eq!(requests.transmit(START), Some(ClientPacket::GetDevices));
    assert_eq!(requests.transmit(START), None);
    assert!(!requests.is_idle());
    requests.lost();
    assert_eq!(requests.transmit(START), Some(ClientPacket::GetDevices));
    assert!(!requests.devices_expired(START));
    assert!(requests.devices_expired(START + PATIENCE));
    assert!(requests.is_idle());
}

#[test]
fn bounds_have_an_answer() {
    let mut requests = Requests::new();
    for _ in 0..CHANGES_MAX {
        requests.change(START, FriendAction::Block, ben()).unwrap();
    }
    let one_more = requests.change(START, FriendAction::Block, ben());
    assert_eq!(one_more, Err(RequestError::Busy));
    for n in 0..READS_MAX {
        let peer = UserId::new(format!("u{n}")).unwrap();
        requests.read(peer, Stamp(1)).unwrap();
    }
    assert_eq!(requests.read(ben(), Stamp(1)), Err(RequestError::Busy));
}
