//! How a session breaks and ends.

use super::*;

#[test]
fn who_leaves_waits_for_fates_once() {
    let mut stage = Stage::with_friends(80, 24);
    stage.enters("bob: one");
    let id = stage.is_taken(1);
    stage.control('q');
    assert_eq!(stage.wishes.last(), Some(&Wish::Leave(LEAVE_PATIENCE)));
    assert_eq!((stage.app.is_over, stage.app.lost()), (false, 1));
    let code = Code::FateUnknown;
    stage.fate(id, Fate::Unknown { code });
    let (code, text) = (None, "".into());
    stage.event(Event::Closed { code, text });
    assert_eq!((stage.app.is_over, stage.app.lost()), (true, 1));
    let mut stage = Stage::with_friends(80, 24);
    stage.control('c');
    stage.control('c');
    assert!(stage.app.is_over);
}

#[test]
fn a_session_that_ends_for_good_stays_to_be_read() {
    let mut stage = Stage::with_friends(80, 24);
    stage.enters("/to bob");
    let text = "replaced".into();
    let code = Some(Code::Replaced);
    stage.event(Event::Closed { code, text });
    assert!(!stage.app.is_over);
    stage.enters("hello");
    assert_eq!(stage.app.told(stage.now.at), Some("the session is over"));
    stage.control('u');
    stage.enters("/quit");
    assert!(stage.app.is_over);
    assert!(matches!(&stage.app.link, Link::Closed(Some(why)) if why.starts_with("406")));
}

#[test]
fn somebody_elses_token_and_an_expired_one_end_the_session() {
    let mut stage = Stage::new(80, 24);
    stage.event(Event::TokenExpired);
    assert_eq!(stage.wishes, [Wish::Leave(Duration::ZERO)]);
    let (code, text) = (None, "".into());
    stage.event(Event::Closed { code, text });
    assert!(matches!(&stage.app.link, Link::Closed(Some(why)) if why.contains("351")));
    assert!(!stage.app.is_over);
}

#[test]
fn a_countdown_asks_for_frames_and_a_quiet_screen_for_few() {
    let mut stage = Stage::with_friends(80, 24);
    assert_eq!(stage.app.next_change(stage.now.at), Duration::from_secs(60));
    stage.event(Event::Reconnecting {
        after: Duration::from_secs(3),
        reason: Reason::Silent,
    });
    assert_eq!(stage.app.next_change(stage.now.at), Duration::from_secs(1));
}
