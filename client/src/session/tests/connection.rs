//! Coming, staying, and coming back or not.

use super::*;
use crate::session::connection::LOGIN_PATIENCE;
use proto::server::Goaway;

fn reconnecting(event: Option<Event>) -> (Duration, Reason) {
    match event {
        Some(Event::Reconnecting { after, reason }) => (after, reason),
        other => panic!("expected a reconnect, not {other:?}"),
    }
}

#[test]
fn who_is_replaced_does_not_come_back() {
    let mut stage = Stage::live();
    let id = stage.sends("one");
    stage.is_closed_with(Code::Replaced);
    let code = Code::Replaced;
    let fate = Fate::Unknown { code };
    assert_eq!(stage.effects(), [Effect::Settle { id, fate }]);
    let closed = Event::Closed {
        code: Some(code),
        text: code.text().into(),
    };
    assert_eq!(stage.told(), Some(closed));
    assert_eq!(stage.told(), None);
    assert_eq!(stage.session.wants(), Wants::Nothing);
    assert_eq!(stage.session.deadline(), None);
    assert_eq!(stage.tries("two"), Err(SendError::Closed));
}

#[test]
fn who_is_sent_away_comes_back_not_sooner_than_asked() {
    let mut stage = Stage::live();
    let id = stage.sends("one");
    stage.hears(ServerPacket::Closing(Closing {
        come_back_after_ms: 4_000,
        ..Closing::of(Code::Stopping)
    }));
    let (after, reason) = reconnecting(stage.told());
    assert!(after >= Duration::from_secs(4) && after < Duration::from_secs(6));
    assert!(matches!(
        reason,
        Reason::Closed {
            code: Code::Stopping,
            ..
        }
    ));
    stage.rests();
    stage.logs_in();
    assert_eq!(stage.says_messages(), [id]);
}

#[test]
fn pauses_grow_while_nobody_answers_and_start_anew_after_a_good_connection() {
    let mut stage = Stage::new(Confirmation::Automatic);
    let mut pauses = Vec::new();
    for _ in 0..10 {
        stage
            .session
            .dial_failed(stage.now, "refused".into(), &mut stage.effects);
        let (after, reason) = reconnecting(stage.told());
        assert_eq!(reason, Reason::Unreachable("refused".into()));
        pauses.push(after);
        stage.rests();
    }
    assert!(pauses[0] <= backoff::FIRST);
    assert!(pauses[9] >= backoff::LONGEST / 2 && pauses[9] <= backoff::LONGEST);
    stage.logs_in();
    stage.waits(backoff::GOOD);
    stage.told();
    stage.breaks();
    assert!(reconnecting(stage.told()).0 <= backoff::FIRST);
}

#[test]
fn an_unanswered_log_in_is_given_up() {
    let mut stage = Stage::new(Confirmation::Automatic);
    stage.session.dialed(stage.now);
    stage.says();
    stage.waits(LOGIN_PATIENCE);
    assert_eq!(reconnecting(stage.told()).1, Reason::Silent);
}

#[test]
fn a_ping_leaves_each_heartbeat_and_silence_is_noticed() {
    let mut stage = Stage::live();
    assert_eq!(stage.says(), []);
    let start = stage.now;
    stage.jumps();
    assert_eq!(stage.now.since(start), Duration::from_secs(30));
    assert_eq!(stage.says(), [ClientPacket::Ping]);
    assert_eq!(stage.says(), []);
    stage.hears(ServerPacket::Pong);
    stage.jumps();
    assert_eq!(stage.says(), [ClientPacket::Ping]);
    stage.jumps();
    assert_eq!(stage.session.wants(), Wants::Rest);
    assert_eq!(reconnecting(stage.told()).1, Reason::Silent);
}

#[test]
fn a_client_that_only_talks_still_asks_whether_the_server_lives() {
    let mut stage = Stage::live();
    let mut pings = 0;
    for second in 0..40 {
        stage.waits(Duration::from_secs(1));
        let peer = user(&format!("u{second}"));
        stage.session.mark_read(peer, Stamp(1)).unwrap();
        let said = stage.says().into_iter();
        pings += said.filter(|p| *p == ClientPacket::Ping).count();
    }
    assert_eq!(pings, 1);
}

#[test]
fn an_expired_token_waits_for_a_fresh_one() {
    let mut stage = Stage::live();
    let id = stage.sends("one");
    stage.is_closed_with(Code::TokenExpired);
    assert_eq!(stage.told(), Some(Event::TokenExpired));
    assert_eq!(stage.session.wants(), Wants::Rest);
    assert_eq!(stage.session.deadline(), None);
    stage.session.refresh_token("fresh".into()).unwrap();
    assert_eq!(stage.logs_in().token, "fresh");
    assert_eq!(stage.says_messages(), [id]);
}

#[test]
fn a_fresh_token_is_sent_while_live_and_used_if_it_came_too_late() {
    let mut stage = Stage::live();
    stage.session.refresh_token("fresh".into()).unwrap();
    let token = "fresh".to_owned();
    assert_eq!(stage.says(), [ClientPacket::RefreshToken { token }]);
    stage.is_closed_with(Code::TokenExpired);
    assert_eq!(reconnecting(stage.told()).1, Reason::FreshToken);
    stage.rests();
    assert_eq!(stage.logs_in().token, "fresh");
    stage.is_closed_with(Code::TokenExpired);
    assert_eq!(stage.told(), Some(Event::TokenExpired));
}

#[test]
fn a_server_that_breaks_the_rules_is_left() {
    let mut stage = Stage::live();
    stage.deliveries = 6;
    stage.is_delivered(1);
    assert!(matches!(reconnecting(stage.told()).1, Reason::Lost(_)));
    stage.rests();
    stage.session.dialed(stage.now);
    stage.says();
    stage.hears(ServerPacket::Pong);
    assert!(matches!(reconnecting(stage.told()).1, Reason::Lost(_)));
}

#[test]
fn a_close_waits_for_answers_then_logs_out() {
    let mut stage = Stage::live();
    let id = stage.sends("one");
    let until = stage.now + Duration::from_secs(5);
    stage.session.close(until, &mut stage.effects);
    assert_eq!(stage.tries("two"), Err(SendError::Closed));
    assert_eq!(stage.says_messages(), [id]);
    stage.is_answered(id);
    assert_eq!(stage.says(), [ClientPacket::Logout]);
    assert_eq!(stage.session.wants(), Wants::Nothing);
    let text = "".into();
    assert_eq!(stage.told(), Some(Event::Closed { code: None, text }));
}

#[test]
fn a_close_gives_up_what_has_no_answer_in_time() {
    let mut stage = Stage::live();
    let id = stage.sends("one");
    stage.says();
    let until = stage.now + Duration::from_secs(5);
    stage.session.close(until, &mut stage.effects);
    stage.jumps();
    assert_eq!(stage.now, until);
    let code = Code::FateUnknown;
    let fate = Fate::Unknown { code };
    assert_eq!(stage.effects(), [Effect::Settle { id, fate }]);
    assert_eq!(stage.says(), [ClientPacket::Logout]);
}

#[test]
fn a_close_without_a_connection_ends_at_once_or_in_time() {
    let mut stage = Stage::live();
    stage.breaks();
    let until = stage.now + Duration::from_secs(5);
    stage.session.close(until, &mut stage.effects);
    assert_eq!(stage.session.wants(), Wants::Nothing);

    let mut stage = Stage::live();
    let id = stage.sends("one");
    stage.breaks();
    let until = stage.now + Duration::from_secs(5);
    stage.session.close(until, &mut stage.effects);
    stage.rests();
    stage.logs_in();
    assert_eq!(stage.says_messages(), [id]);
    stage.breaks();
    while stage.session.wants() != Wants::Nothing {
        stage.jumps();
        if stage.session.wants() == Wants::Dial {
            stage.waits(Duration::from_secs(60));
        }
    }
    assert!(stage.now >= until);
}

/// A word of the server that it is about to stop.
fn goaway(after_ms: u32, spread_ms: u32) -> ServerPacket {
    ServerPacket::Goaway(Goaway {
        after_ms,
        spread_ms,
    })
}

/// Jumps until another connection is wanted; gives how long that took.
fn wants_another(stage: &mut Stage) -> Duration {
    let start = stage.now;
    while stage.session.wants() != Wants::Another {
        assert_eq!(stage.session.wants(), Wants::Connection);
        stage.jumps();
    }
    stage.now.since(start)
}

#[test]
fn who_is_sent_away_moves_when_it_has_another_connection() {
    let mut stage = Stage::live();
    stage.hears(goaway(200, 3_000));
    let id = stage.sends("one");
    assert_eq!(stage.says_messages(), [id]);
    let after = wants_another(&mut stage);
    let allowed = Duration::from_millis(200)..=Duration::from_millis(3_200);
    assert!(allowed.contains(&after), "{after:?}");
    // Until then it is served where it is.
    let two = stage.sends("two");
    assert_eq!(stage.says_messages(), [two]);
    stage.is_answered(id);
    stage.is_delivered(1);
    assert_eq!(stage.told_messages(), [1]);
    stage.told();
    assert_eq!(stage.acknowledges(), Some(1));
    stage.session.moved(stage.now, &mut stage.effects);
    let (pause, reason) = reconnecting(stage.told_state());
    assert_eq!((pause, reason), (Duration::ZERO, Reason::Goaway));
    let Some(ClientPacket::Login(_)) = stage.session.transmit(stage.now) else {
        panic!("the log-in comes first");
    };
    stage.is_greeted();
    // What has no answer goes out again, and nothing else.
    assert_eq!(stage.says_messages(), [two]);
    // The next failure is the first one in a row.
    stage.breaks();
    let Some(Event::Reconnecting { after, .. }) = stage.told_state() else {
        panic!("no state");
    };
    assert!(after <= backoff::FIRST);
}

#[test]
fn clients_that_are_sent_away_together_leave_at_different_moments() {
    let draw = |seed| {
        let mut stage = Stage::live_by(seed);
        stage.hears(goaway(0, 10_000));
        wants_another(&mut stage)
    };
    let mut drawn: Vec<Duration> = (0..100).map(draw).collect();
    drawn.sort_unstable();
    assert!(drawn[99] <= Duration::from_secs(10));
    // Each tenth of the spread is drawn by some, none by most.
    for tenth in 0..10 {
        let part = Duration::from_secs(tenth)..Duration::from_secs(tenth + 1);
        let there = drawn.iter().filter(|moment| part.contains(moment)).count();
        assert!((1..=30).contains(&there), "{there} in {part:?}");
    }
}

#[test]
fn who_is_sent_away_twice_does_not_stay_for_longer() {
    let mut stage = Stage::live();
    stage.hears(goaway(100, 0));
    stage.hears(goaway(60_000, 0));
    assert_eq!(wants_another(&mut stage), Duration::from_millis(100));
    stage.hears(goaway(60_000, 0));
    assert_eq!(stage.session.wants(), Wants::Another);
}

#[test]
fn who_finds_no_other_server_is_served_to_the_end() {
    let mut stage = Stage::live();
    stage.hears(goaway(100, 0));
    wants_another(&mut stage);
    stage.session.stays();
    assert_eq!(stage.session.wants(), Wants::Connection);
    // And is not told to try again and again.
    stage.hears(goaway(100, 0));
    let id = stage.sends("one");
    assert_eq!(stage.says_messages(), [id]);
    stage.waits(Duration::from_secs(1));
    assert_eq!(stage.session.wants(), Wants::Connection);
    stage.is_closed_with(Code::Stopping);
    let (after, reason) = reconnecting(stage.told());
    assert!(after > Duration::ZERO);
    assert!(matches!(reason, Reason::Closed { .. }));
    stage.rests();
    stage.logs_in();
    assert_eq!(stage.says_messages(), [id]);
}

#[test]
fn who_closes_does_not_move_first() {
    let mut stage = Stage::live();
    let id = stage.sends("one");
    assert_eq!(stage.says_messages(), [id]);
    stage.hears(goaway(100, 0));
    let until = stage.now + Duration::from_secs(5);
    stage.session.close(until, &mut stage.effects);
    stage.waits(Duration::from_millis(200));
    assert_eq!(stage.session.wants(), Wants::Connection);
    assert_eq!(stage.session.deadline(), Some(until));
    stage.is_answered(id);
    assert_eq!(stage.says(), [ClientPacket::Logout]);
}

#[test]
fn who_closes_while_it_moves_gets_its_answer_elsewhere() {
    let mut stage = Stage::live();
    let id = stage.sends("one");
    stage.says();
    stage.hears(goaway(0, 0));
    stage.waits(Duration::from_millis(1));
    assert_eq!(stage.session.wants(), Wants::Another);
    let until = stage.now + Duration::from_secs(5);
    stage.session.close(until, &mut stage.effects);
    stage.session.moved(stage.now, &mut stage.effects);
    assert_eq!(stage.says().len(), 1, "the log-in");
    stage.is_greeted();
    assert_eq!(stage.says_messages(), [id]);
    stage.is_answered(id);
    assert_eq!(stage.says(), [ClientPacket::Logout]);
    assert_eq!(stage.session.wants(), Wants::Nothing);
}

#[test]
fn a_connection_that_comes_too_late_is_of_no_use() {
    let mut stage = Stage::live();
    stage.hears(goaway(0, 0));
    stage.waits(Duration::from_millis(1));
    stage.breaks();
    stage.session.moved(stage.now, &mut stage.effects);
    assert_eq!(stage.session.wants(), Wants::Rest);
}
