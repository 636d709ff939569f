//! imd stops or is killed, and comes back: all that was acknowledged is there.

use std::time::Duration;

use client::{Code, Event, Reason, Relation};
use cluster::imd::Imd;
use cluster::ledger::{Balance, Ledger};
use cluster::person::{Person, befriend};

/// How imd ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Stop,
    Kill,
}

#[tokio::test]
async fn a_stop_takes_less_than_a_second_and_keeps_everything() {
    keeps_everything(End::Stop).await;
}

#[tokio::test]
async fn a_kill_keeps_everything() {
    keeps_everything(End::Kill).await;
}

async fn keeps_everything(end: End) {
    let mut imd = Imd::start().await;
    let ann = Person::comes(&imd.address(), "ann", "phone").await;
    let ben = Person::comes(&imd.address(), "ben", "desk").await;
    let cat = Person::comes(&imd.address(), "cat", "desk").await;
    let dan = Person::comes(&imd.address(), "dan", "desk").await;
    befriend(&ann, &ben).await;
    befriend(&cat, &ben).await;
    ben.client.block(&cat.user).await.unwrap();
    dan.client.request(&ann.user).await.unwrap();
    ann.tells(&ben.user, "live").await;
    let ben_id = ben.user.clone();
    ben.leaves().await;
    let mut texts = Vec::new();
    for number in 0..50 {
        let text = format!("letter {number}");
        ann.leaves_word(&ben_id, text.clone()).await;
        texts.push(text);
    }

    match end {
        End::Stop => {
            let took = imd.stop().await;
            assert!(took < Duration::from_secs(1), "{took:?}");
            hears_stopping(&ann).await;
        }
        End::Kill => imd.kill(),
    }
    imd.start_again().await;

    ann.connected(2).await;
    ann.lists(&ben_id, Relation::Friend, false).await;
    ann.lists(&dan.user, Relation::Invited, false).await;
    let ben = Person::comes(&imd.address(), "ben", "desk").await;
    ben.lists(&ann.user, Relation::Friend, false).await;
    ben.lists(&cat.user, Relation::Friend, true).await;
    ben.reads("letter 49").await;
    ann.tells(&ben_id, "after").await;
    ben.reads("after").await;
    texts.push("after".to_owned());
    assert_eq!(ben.texts(), texts);
    cat.is_refused(&ben_id, "let me in", Code::Blocked).await;
}

async fn hears_stopping(who: &Person) {
    who.hears("that the server stops", |events| {
        let stopping = |event: &Event| match event {
            Event::Reconnecting { reason, .. } => {
                matches!(reason, Reason::Closed { code, .. } if *code == Code::Stopping)
            }
            _ => false,
        };
        events.iter().any(stopping).then_some(())
    })
    .await;
}

/// Below a window, so that all of them are under way at once.
const UNDER_WAY: usize = 100;

#[tokio::test]
async fn what_was_unanswered_at_a_kill_gets_an_answer_and_is_shown_once() {
    let mut imd = Imd::start().await;
    let ann = Person::comes(&imd.address(), "ann", "phone").await;
    let ben = Person::comes(&imd.address(), "ben", "desk").await;
    befriend(&ann, &ben).await;
    let before = ann.begins_to_say(&ben.user, "before").await;
    let mut handles = vec![before];
    // Frozen, it answers nothing and is killed with all in its sockets.
    imd.freeze().await;
    for number in 0..UNDER_WAY {
        let text = number.to_string();
        handles.push(ann.begins_to_say(&ben.user, text).await);
    }
    imd.kill();
    // And some while there is no imd at all.
    for number in UNDER_WAY..UNDER_WAY + 20 {
        let text = number.to_string();
        handles.push(ann.begins_to_say(&ben.user, text).await);
    }
    imd.start_again().await;
    let mut ledger = Ledger::default();
    for handle in handles {
        ledger.awaits(&ann, handle).await;
    }
    ledger.last_words(&ann, &ben).await;
    let Balance {
        unknown, rejected, ..
    } = ledger.close();
    assert_eq!((unknown, rejected), (0, 0));
}
