//! Messages, their marks, and what is read.

use super::*;

fn read(peer: &str, seconds: u64) -> Wish {
    Wish::Read {
        peer: user(peer),
        up_to: Stamp(NOON_MICROS + seconds * 1_000_000),
    }
}

#[test]
fn a_message_goes_its_way_with_its_marks() {
    let mut stage = Stage::with_friends(80, 24);
    stage.control('n');
    assert_eq!(stage.app.talks.open(), Some(&whom("dave")));
    stage.key(KeyCode::Tab);
    stage.types("xyz");
    assert_eq!(stage.app.talk().composer.text(), "");
    stage.enters("/to bob");
    stage.types("six it is");
    stage.press(KeyCode::Enter, KeyModifiers::ALT);
    stage.enters("at mine");
    assert!(stage.wishes.contains(&Wish::Typing(whom("bob"))));
    assert!(matches!(
        stage.deliveries("bob")[..],
        [Delivery::Waiting(1)]
    ));
    let id = stage.is_taken(1);
    let talk = stage.app.talk();
    assert_eq!(talk.entries().back().unwrap().text, "six it is\nat mine");
    assert!(matches!(
        stage.deliveries("bob")[..],
        [Delivery::Underway(_)]
    ));
    let stamp = Stamp(NOON_MICROS);
    stage.fate(id, Fate::Stored { stamp });
    assert_eq!(stage.deliveries("bob")[0].label(), "stored");
    for (kind, label) in [
        (ReceiptKind::Delivered, "delivered"),
        (ReceiptKind::Read, "read"),
    ] {
        stage.event(Event::Receipt(Receipt {
            peer: user("bob"),
            kind,
            up_to: stamp,
        }));
        assert_eq!(stage.deliveries("bob")[0].label(), label);
    }
    assert_eq!(stage.app.lost(), 0);
}

#[test]
fn a_refusal_tells_why_and_an_unknown_fate_can_be_tried_again() {
    let mut stage = Stage::with_friends(80, 24);
    stage.enters("bob: one");
    assert_eq!(stage.app.talks.open(), Some(&whom("bob")));
    let id = stage.is_taken(1);
    let code = Code::NotFriends;
    let text = "you are not friends".into();
    stage.fate(id, Fate::Rejected { code, text });
    let label = stage.deliveries("bob")[0].label();
    assert!(
        label.starts_with("refused: 101 you are not friends"),
        "{label}"
    );
    stage.enters("two");
    let id = stage.is_taken(2);
    let code = Code::FateUnknown;
    stage.fate(id, Fate::Unknown { code });
    assert!(stage.deliveries("bob")[1].label().contains("/again 2"));
    stage.enters("/again 2");
    let Some(Wish::Again { sent, .. }) = stage.wishes.last() else {
        panic!("sent again: {:?}", stage.wishes);
    };
    assert_eq!(sent.id, id);
    assert!(matches!(stage.deliveries("bob")[1], Delivery::Waiting(_)));
}

#[test]
fn what_is_looked_at_is_read_and_what_is_not_rings() {
    let mut stage = Stage::with_friends(80, 24);
    stage.hears("bob", 1, "one");
    assert_eq!(stage.wishes, [Wish::Bell]);
    stage.hears("bob", 2, "two");
    assert_eq!((stage.unread("bob"), stage.wishes.len()), (2, 1));
    stage.control('g');
    assert_eq!(stage.wishes[1..], [read("bob", 2)]);
    stage.hears("bob", 3, "three");
    assert_eq!(stage.wishes[2..], [read("bob", 3)]);
    stage.waits(BELL_TEST_PAUSE);
    stage.does(Input::Focus(false));
    stage.hears("bob", 4, "four");
    assert_eq!(
        (stage.unread("bob"), stage.wishes.last()),
        (1, Some(&Wish::Bell))
    );
    stage.does(Input::Focus(true));
    assert_eq!(
        (stage.unread("bob"), stage.wishes.last()),
        (0, Some(&read("bob", 4)))
    );
    stage.key(KeyCode::F(3));
    stage.wishes.clear();
    stage.hears("carol", 5, "five");
    assert!(stage.wishes.is_empty(), "the bell is off");
}

/// Longer than the pause between two bells.
const BELL_TEST_PAUSE: Duration = Duration::from_secs(10);

#[test]
fn who_reads_back_has_not_read_what_comes() {
    let mut stage = Stage::with_friends(80, 24);
    stage.enters("/to bob");
    for n in 0..60 {
        stage.hears("bob", n, "some text");
    }
    stage.key(KeyCode::PageUp);
    stage.wishes.clear();
    stage.hears("bob", 61, "newest");
    assert_eq!(
        (stage.unread("bob"), &stage.wishes[..]),
        (1, &[Wish::Bell][..])
    );
    stage.key(KeyCode::Esc);
    assert_eq!(stage.wishes.last(), Some(&read("bob", 61)));
}

#[test]
fn on_a_narrow_screen_only_what_is_shown_is_looked_at() {
    let mut stage = Stage::with_friends(40, 12);
    stage.enters("/to bob");
    stage.key(KeyCode::Tab);
    stage.hears("bob", 1, "one");
    assert_eq!(stage.unread("bob"), 1);
    stage.key(KeyCode::Enter);
    assert_eq!(stage.wishes.last(), Some(&read("bob", 1)));
}

#[test]
fn a_mark_of_a_message_that_is_gone_changes_nothing() {
    let mut stage = Stage::with_friends(80, 24);
    stage.enters("bob: one");
    let id = stage.is_taken(1);
    for n in 0..talk::ENTRIES_MAX as u64 {
        stage.hears("bob", n % 200, "more");
    }
    let stamp = Stamp(NOON_MICROS);
    stage.fate(id, Fate::Stored { stamp });
    assert!(stage.deliveries("bob").is_empty());
    assert_eq!(stage.app.unsettled(), 0);
}

fn elsewhere(did: Did) -> Event {
    let device = "phone".parse().unwrap();
    Event::Carbon(Carbon { device, did })
}

#[test]
fn what_this_user_does_on_another_device_is_seen_here() {
    let mut stage = Stage::with_friends(80, 24);
    stage.hears("bob", 1, "are you there");
    assert_eq!(stage.unread("bob"), 1);
    stage.event(elsewhere(Did::Read(Read {
        peer: user("bob"),
        up_to: Stamp(NOON_MICROS + 1_000_000),
    })));
    assert_eq!(stage.unread("bob"), 0);
    let typing = Did::Transient(Transient {
        to: user("bob"),
        kind: client::TRANSIENT_TYPING,
        body: Bytes::new(),
    });
    stage.event(elsewhere(typing));
    stage.enters("/to bob");
    assert!(stage.app.talk().is_typed_to(stage.now.at));
    let stamp = Stamp(NOON_MICROS + 2_000_000);
    let sent = SentElsewhere {
        id: MessageId::from_bytes([9; 16]),
        sent: client::Sent {
            stamp,
            outcome: Outcome::Stored,
        },
        to: user("bob"),
        body: Bytes::from_static(b"yes"),
    };
    stage.event(elsewhere(Did::Sent(sent)));
    assert!(!stage.app.talk().is_typed_to(stage.now.at));
    assert_eq!(stage.app.talk().entries().back().unwrap().text, "yes");
    assert_eq!(stage.deliveries("bob")[0].label(), "stored");
    stage.event(Event::Receipt(Receipt {
        peer: user("bob"),
        kind: ReceiptKind::Read,
        up_to: stamp,
    }));
    assert_eq!(stage.deliveries("bob")[0].label(), "read");
    assert_eq!(stage.app.lost(), 0, "it is not this device's to wait for");
}

#[test]
fn devices_are_listed_and_ended() {
    let mut stage = Stage::with_friends(80, 24);
    stage.enters("/devices");
    stage.enters("/end phone");
    let device: DeviceId = "phone".parse().unwrap();
    assert!(stage.wishes.contains(&Wish::Devices));
    assert!(stage.wishes.contains(&Wish::End(device.clone())));
    let entry = DeviceEntry {
        device: device.clone(),
        since: Stamp(NOON_MICROS),
        own: false,
    };
    stage.does(Input::Done(Done::Devices(Ok(vec![entry]))));
    let told = |stage: &Stage| stage.app.talk().entries().back().unwrap().text.clone();
    assert!(told(&stage).starts_with("phone"), "{}", told(&stage));
    let result = Err(ChangeError::Refused(Code::NoDevice));
    stage.does(Input::Done(Done::Ended { device, result }));
    assert!(told(&stage).contains("124"), "{}", told(&stage));
    assert_eq!(stage.app.unsettled(), 0);
}
