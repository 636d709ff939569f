//! imd stops or is killed, and comes back: all that was acknowledged is there.

use std::time::Duration;

use client::{Code, Event, Fate, Identity, Reason, Relation};
use cluster::imd::Imd;
use cluster::ledger::{Balance, Ledger};
use cluster::patience::within;
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
    assert!(matches!(
        ann.says(&ben.user, "live").await,
        Fate::Delivered { .. }
    ));
    let ben_id = ben.user.clone();
    ben.leaves().await;
    let mut texts = Vec::new();
    for number in 0..50 {
        let text = format!("letter {number}");
        let fate = ann.says(&ben_id, text.clone()).await;
        assert!(matches!(fate, Fate::Stored { .. }), "{fate:?}");
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
    let fate = ann.says(&ben_id, "after").await;
    assert!(matches!(fate, Fate::Delivered { .. }), "{fate:?}");
    texts.push("after".to_owned());
    assert_eq!(ben.texts(), texts);
    let code = Code::Blocked;
    let fate = cat.says(&ben_id, "let me in").await;
    assert!(
        matches!(&fate, Fate::Rejected { code: c, .. } if *c == code),
        "{fate:?}"
    );
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
        let id = handle.id();
        let from = ann.user.clone();
        ledger.told(Identity { from, id }, within("a fate", handle).await);
    }
    let last = ann.says(&ben.user, "the last").await;
    assert!(
        matches!(last, Fate::Delivered { .. } | Fate::Stored { .. }),
        "{last:?}"
    );
    let fence = ben.reads("the last").await.identity();
    let shown = ben.messages().into_iter().map(|m| m.identity());
    ledger.shown(shown.filter(|identity| *identity != fence));
    let Balance {
        unknown, rejected, ..
    } = ledger.close();
    assert_eq!((unknown, rejected), (0, 0));
}
