//! Two people, one cluster: live, away, in order, on several devices.

use client::{Event, Fate, Receipt, ReceiptKind, Stamp, UserId};
use cluster::imd::Imd;
use cluster::patience::within;
use cluster::person::{Person, befriend};

#[tokio::test]
async fn friends_write_and_know_that_it_came() {
    let imd = Imd::start_patient().await;
    let ann = Person::comes(&imd.address(), "ann", "phone").await;
    let ben = Person::comes(&imd.address(), "ben", "desk").await;
    befriend(&ann, &ben).await;
    let Fate::Delivered { device, stamp } = ann.says(&ben.user, "see you at six").await else {
        panic!("ben is there");
    };
    assert_eq!(device.as_str(), "desk");
    let message = ben.reads("see you at six").await;
    assert_eq!((message.from, message.stamp), (ann.user.clone(), stamp));
    ben.client.mark_read(&ann.user, stamp).unwrap();
    hears_receipt(&ann, &ben.user, ReceiptKind::Read, stamp).await;
    ben.tells(&ann.user, "six it is").await;
    ann.reads("six it is").await;
    assert_eq!(ann.messages().len() + ben.messages().len(), 2);
}

#[tokio::test]
async fn typing_is_seen_by_who_is_there() {
    let imd = Imd::start().await;
    let ann = Person::comes(&imd.address(), "ann", "phone").await;
    let ben = Person::comes(&imd.address(), "ben", "desk").await;
    befriend(&ann, &ben).await;
    ann.client.typing(&ben.user);
    ben.hears("typing", |events| {
        let typing = |e: &Event| matches!(e, Event::Transient(t) if t.from == ann.user);
        events.iter().any(typing).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_comes_while_away_is_stored_and_a_receipt_follows() {
    let imd = Imd::start().await;
    let ann = Person::comes(&imd.address(), "ann", "phone").await;
    let ben = Person::comes(&imd.address(), "ben", "desk").await;
    befriend(&ann, &ben).await;
    let ben_id = ben.user.clone();
    ben.leaves().await;
    let first = ann.leaves_word(&ben_id, "one").await;
    let ben = Person::comes(&imd.address(), "ben", "desk").await;
    ben.reads("one").await;
    hears_receipt(&ann, &ben_id, ReceiptKind::Delivered, first).await;

    // A receipt for who is away waits too.
    ben.leaves().await;
    let second = ann.leaves_word(&ben_id, "two").await;
    ann.leaves().await;
    let ben = Person::comes(&imd.address(), "ben", "desk").await;
    ben.reads("two").await;
    assert_eq!(ben.texts(), ["two"], "what was taken does not come again");
    // It is stored once ben's acknowledgement has come, which ann cannot see:
    // she hears of it live or finds it.
    let ann = Person::comes(&imd.address(), "ann", "phone").await;
    hears_receipt(&ann, &ben_id, ReceiptKind::Delivered, second).await;
}

async fn hears_receipt(who: &Person, of: &UserId, kind: ReceiptKind, least: Stamp) {
    let good =
        |receipt: &Receipt| receipt.peer == *of && receipt.kind == kind && receipt.up_to >= least;
    who.hears(&format!("a receipt {kind:?}"), |events| {
        let receipt = |e: &Event| matches!(e, Event::Receipt(receipt) if good(receipt));
        events.iter().any(receipt).then_some(())
    })
    .await;
}

/// More than twice a window.
const MANY: usize = 300;

#[tokio::test]
async fn three_hundred_messages_keep_their_order_live() {
    let imd = Imd::start().await;
    let ann = Person::comes(&imd.address(), "ann", "phone").await;
    let ben = Person::comes(&imd.address(), "ben", "desk").await;
    befriend(&ann, &ben).await;
    for fate in says_many(&ann, &ben.user).await {
        assert!(is_safe(&fate), "{fate:?}");
    }
    assert_eq!(ben.texts(), numbers());
}

#[tokio::test]
async fn three_hundred_messages_keep_their_order_in_the_mailbox() {
    let imd = Imd::start().await;
    let ann = Person::comes(&imd.address(), "ann", "phone").await;
    let ben = Person::comes(&imd.address(), "ben", "desk").await;
    befriend(&ann, &ben).await;
    let ben_id = ben.user.clone();
    ben.leaves().await;
    for fate in says_many(&ann, &ben_id).await {
        assert!(matches!(fate, Fate::Stored { .. }), "{fate:?}");
    }
    // What comes while the mailbox is being emptied waits behind it.
    let ben = Person::comes(&imd.address(), "ben", "desk").await;
    ann.tells(&ben_id, "the last").await;
    ben.reads("the last").await;
    let mut expected = numbers();
    expected.push("the last".to_owned());
    assert_eq!(ben.texts(), expected);
}

async fn says_many(who: &Person, to: &UserId) -> Vec<Fate> {
    let mut handles = Vec::new();
    for number in numbers() {
        handles.push(who.begins_to_say(to, number).await);
    }
    let mut fates = Vec::new();
    for handle in handles {
        fates.push(within("a fate", handle).await);
    }
    fates
}

fn is_safe(fate: &Fate) -> bool {
    matches!(fate, Fate::Delivered { .. } | Fate::Stored { .. })
}

fn numbers() -> Vec<String> {
    (1..=MANY).map(|number| number.to_string()).collect()
}

#[tokio::test]
async fn every_device_gets_a_live_copy() {
    let imd = Imd::start().await;
    let ann = Person::comes(&imd.address(), "ann", "phone").await;
    let desk = Person::comes(&imd.address(), "ben", "desk").await;
    let phone = Person::comes(&imd.address(), "ben", "phone").await;
    befriend(&ann, &desk).await;
    for text in ["one", "two", "three"] {
        ann.tells(&desk.user, text).await;
    }
    for device in [&desk, &phone] {
        device.reads("three").await;
        assert_eq!(device.texts(), ["one", "two", "three"]);
    }
}
