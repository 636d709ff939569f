//! Messages in both directions, over reconnects.

use super::*;

#[test]
fn an_answer_settles_a_message_once() {
    let mut stage = Stage::live();
    let id = stage.sends("see you at six");
    assert_eq!(stage.says_messages(), [id]);
    stage.is_answered(id);
    stage.is_answered(id);
    assert_eq!(stage.effects(), [stored(id)]);
}

#[test]
fn what_is_unanswered_goes_out_again_in_order_with_the_same_ids() {
    let mut stage = Stage::live();
    let [one, two, three] = ["one", "two", "three"].map(|text| stage.sends(text));
    assert_eq!(stage.says_messages(), [one, two, three]);
    stage.is_answered(two);
    stage.breaks();
    let four = stage.sends("four");
    assert_eq!(stage.says(), []);
    stage.rests();
    stage.logs_in();
    assert_eq!(stage.says_messages(), [one, three, four]);
    stage.is_answered(one);
    stage.is_answered(three);
    stage.is_answered(four);
    assert_eq!(
        stage.effects(),
        [two, one, three, four].map(stored).to_vec()
    );
}

#[test]
fn a_full_window_hands_back_until_an_answer_makes_room() {
    let mut stage = Stage::live();
    let ids = ["a", "b", "c", "d"].map(|text| stage.sends(text));
    let handed_back = stage.tries("e");
    assert_eq!(handed_back, Err(SendError::Full(Bytes::from_static(b"e"))));
    stage.is_answered(ids[2]);
    assert!(stage.tries("e").is_ok());
    assert!(stage.tries("f").is_err());
}

#[test]
fn nothing_is_taken_before_the_first_log_in() {
    let mut stage = Stage::new(Confirmation::Automatic);
    assert!(matches!(stage.tries("early"), Err(SendError::Full(_))));
    stage.logs_in();
    assert!(stage.tries("now").is_ok());
    stage.breaks();
    assert!(stage.tries("offline").is_ok());
}

#[test]
fn ids_are_minted_by_the_servers_clock_and_never_twice() {
    let mut stage = Stage::live();
    let first = stage.sends("one");
    let second = stage.sends("two");
    assert_eq!(first.minted_ms(), SERVER_MS);
    assert!(second > first);
    stage.waits(Duration::from_millis(1_250));
    assert_eq!(stage.sends("three").minted_ms(), SERVER_MS + 1_250);
}

#[test]
fn a_body_above_the_limit_is_not_taken() {
    let mut stage = Stage::live();
    assert!(stage.tries(&"x".repeat(100)).is_ok());
    let too_large = SendError::TooLarge {
        bytes: 101,
        limit: 100,
    };
    assert_eq!(stage.tries(&"x".repeat(101)), Err(too_large));
}

#[test]
fn a_message_of_unknown_fate_may_be_sent_again_under_its_id() {
    let mut stage = Stage::live();
    let id = stage.sends("one");
    let again = |stage: &mut Stage| {
        let body = Bytes::from_static(b"one");
        let to = To::User(user("ben"));
        stage.session.send(stage.now, Some(id), to, body)
    };
    assert_eq!(again(&mut stage), Err(SendError::UnderWay(id)));
    let code = Code::FateUnknown;
    stage.says();
    stage.hears(ServerPacket::Unknown { id, code });
    let fate = Fate::Unknown { code };
    assert_eq!(stage.effects(), [Effect::Settle { id, fate }]);
    assert_eq!(again(&mut stage), Ok(id));
    assert_eq!(stage.says_messages(), [id]);
}

#[test]
fn a_refusal_is_final() {
    let mut stage = Stage::live();
    let id = stage.sends("one");
    let (code, text) = (Code::Blocked, "no");
    let text: smol_str::SmolStr = text.into();
    stage.hears(ServerPacket::Rejected {
        id,
        code,
        text: text.clone(),
    });
    let fate = Fate::Rejected { code, text };
    assert_eq!(stage.effects(), [Effect::Settle { id, fate }]);
}

#[test]
fn a_delivery_is_acknowledged_when_the_next_event_is_asked_for() {
    let mut stage = Stage::live();
    stage.is_delivered(1);
    stage.is_delivered(2);
    assert_eq!(stage.acknowledges(), None);
    assert!(matches!(stage.told(), Some(Event::Message(_))));
    assert_eq!(stage.acknowledges(), None);
    assert_eq!(stage.effects(), []);
    assert!(matches!(stage.told(), Some(Event::Message(_))));
    assert_eq!(stage.effects(), [Effect::Remember(letter(1))]);
    assert_eq!(stage.acknowledges(), Some(1));
    assert_eq!(stage.told(), None);
    assert_eq!(stage.acknowledges(), Some(2));
}

#[test]
fn in_manual_mode_only_a_confirmation_acknowledges_and_only_an_unbroken_run() {
    let mut stage = Stage::live_with(Confirmation::Manual);
    (1..=3).for_each(|n| stage.is_delivered(n));
    assert_eq!(stage.told_messages(), [1, 2, 3]);
    assert_eq!(stage.acknowledges(), None);
    for n in [2, 1] {
        let now = stage.now;
        stage.session.confirm(now, &letter(n), &mut stage.effects);
    }
    assert_eq!(stage.acknowledges(), Some(2));
    let remembered = [2, 1].map(|n| Effect::Remember(letter(n)));
    assert_eq!(stage.effects(), remembered);
}

#[test]
fn a_duplicate_is_dropped_and_acknowledged_again() {
    let mut stage = Stage::live();
    stage.is_delivered(1);
    stage.is_delivered(1);
    assert_eq!(stage.told_messages(), [1]);
    assert_eq!(stage.acknowledges(), Some(2));
    stage.reconnects();
    stage.is_delivered(1);
    stage.is_delivered(2);
    assert_eq!(stage.told_messages(), [2]);
    assert_eq!(stage.acknowledges(), Some(2));
}

#[test]
fn what_waits_survives_a_reconnect_and_is_acknowledged_under_its_new_number() {
    let mut stage = Stage::live();
    stage.is_delivered(1);
    stage.is_delivered(2);
    assert!(matches!(stage.told(), Some(Event::Message(_))));
    stage.breaks();
    stage.rests();
    stage.logs_in();
    stage.is_delivered(1);
    stage.is_delivered(2);
    assert_eq!(stage.acknowledges(), None);
    assert_eq!(stage.told_messages(), [2]);
    assert_eq!(stage.acknowledges(), Some(2));
}

#[test]
fn what_the_applications_store_knows_is_not_shown() {
    let mut stage = Stage::live();
    stage.is_delivered_known(1, true);
    assert_eq!(stage.told_messages(), []);
    assert_eq!(stage.acknowledges(), Some(1));
    assert_eq!(stage.effects(), []);
}

#[test]
fn what_finds_no_room_is_fetched_on_a_new_connection() {
    let mut stage = Stage::live();
    let most = inbox::HELD_MAX as u64;
    (1..=most + 1).for_each(|n| stage.is_delivered(n));
    let shown: Vec<u64> = std::iter::from_fn(|| match stage.told() {
        Some(Event::Message(message)) => Some(message.stamp.0),
        _ => None,
    })
    .collect();
    assert_eq!(shown, (1..=most).collect::<Vec<_>>());
    assert_eq!(stage.session.wants(), Wants::Rest);
    stage.rests();
    stage.logs_in();
    stage.is_delivered(most + 1);
    assert_eq!(stage.told_messages(), [most + 1]);
}
