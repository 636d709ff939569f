//! Several devices of one user: what each learns of the others, who they are,
//! and the end of one by another.

use std::time::Duration;

use client::{
    Availability, Carbon, ChangeError, Code, Did, Event, Fate, Outcome, Read, SentElsewhere, Stamp,
    Status,
};
use cluster::binaries::program;
use cluster::imd::Imd;
use cluster::patience::within;
use cluster::person::{Person, befriend, settings};
use cluster::processes::Processes;
use cluster::terminal::Terminal;

/// Waits until `who` was told that `device` did something like this.
async fn told<T>(who: &Person, device: &str, like: impl Fn(&Did) -> Option<T>) -> T {
    who.hears(&format!("a carbon of {device}"), |events| {
        events.iter().find_map(|event| match event {
            Event::Carbon(Carbon { device: of, did }) if of.as_str() == device => like(did),
            _ => None,
        })
    })
    .await
}

fn carbons(of: &Person) -> Vec<Carbon> {
    let carbon = |event: Event| match event {
        Event::Carbon(carbon) => Some(carbon),
        _ => None,
    };
    of.heard().into_iter().filter_map(carbon).collect()
}

fn body<'a>(text: &'a str) -> impl Fn(&Did) -> Option<SentElsewhere> + 'a {
    move |did| match did {
        Did::Sent(sent) if sent.body == text => Some(sent.clone()),
        _ => None,
    }
}

#[tokio::test]
async fn what_one_device_does_the_others_learn_over_two_gateways() {
    let cluster = Processes::start().await;
    let [one, two] = [0, 1].map(|n| cluster.connds[n].address());
    let (ann, ben) = (cluster.user_of(0, "ann"), cluster.user_of(1, "ben"));
    let phone = Person::comes(&one, ann.as_str(), "phone").await;
    let desk = Person::comes(&two, ann.as_str(), "desk").await;
    let same = Person::comes(&one, ann.as_str(), "same-gateway").await;
    let ben = Person::comes(&two, ben.as_str(), "tablet").await;
    befriend(&phone, &ben).await;

    let Fate::Delivered { stamp, .. } = phone.says(&ben.user, "on my way").await else {
        panic!("ben is there");
    };
    for other in [&desk, &same] {
        let sent = told(other, "phone", body("on my way")).await;
        assert_eq!((&sent.to, sent.sent.stamp), (&ben.user, stamp));
        let device = "tablet".parse().unwrap();
        assert_eq!(sent.sent.outcome, Outcome::Delivered { device });
    }
    let answer = ben.tells(&ann, "hurry up").await;
    phone.reads("hurry up").await;
    phone.client.mark_read(&ben.user, answer).unwrap();
    phone.client.typing(&ben.user);
    for other in [&desk, &same] {
        let read = told(other, "phone", |did| match did {
            Did::Read(read) => Some(read.clone()),
            _ => None,
        });
        let (peer, up_to) = (ben.user.clone(), answer);
        assert_eq!(read.await, Read { peer, up_to });
        let typing = |did: &Did| matches!(did, Did::Transient(t) if t.to == ben.user);
        told(other, "phone", |did| typing(did).then_some(())).await;
    }
    // What is said to oneself is delivered everywhere, once.
    phone.tells(&ann, "milk").await;
    for device in [&phone, &desk, &same] {
        device.reads("milk").await;
    }
    desk.tells(&ben.user, "that is all").await;
    told(&phone, "desk", body("that is all")).await;
    told(&same, "desk", body("that is all")).await;
    assert_eq!(carbons(&phone).len(), 1, "nothing of its own");
    assert_eq!(carbons(&desk).len(), 3);
    assert_eq!(carbons(&same).len(), 4);
    assert!(carbons(&ben).is_empty(), "nobody else's");
}

#[tokio::test]
async fn a_copy_says_stored_and_what_was_refused_has_none() {
    let imd = Imd::start().await;
    let phone = Person::comes(&imd.address(), "ann", "phone").await;
    let desk = Person::comes(&imd.address(), "ann", "desk").await;
    let ben = Person::comes(&imd.address(), "ben", "tablet").await;
    befriend(&phone, &ben).await;
    let ben_id = ben.user.clone();
    ben.leaves().await;
    let stranger = "nobody-knows".parse().unwrap();
    phone
        .is_refused(&stranger, "who are you", Code::NotFriends)
        .await;
    let stamp = phone.leaves_word(&ben_id, "call me").await;
    let sent = told(&desk, "phone", body("call me")).await;
    assert_eq!(
        (sent.sent.stamp, sent.sent.outcome),
        (stamp, Outcome::Stored)
    );
    assert_eq!(carbons(&desk).len(), 1);
}

#[tokio::test]
async fn one_device_lists_the_others_and_ends_one_for_good() {
    let imd = Imd::start().await;
    let phone = Person::comes(&imd.address(), "ann", "phone").await;
    let desk = Person::comes(&imd.address(), "ann", "desk").await;
    let ben = Person::comes(&imd.address(), "ben", "tablet").await;
    befriend(&phone, &ben).await;
    ben.sees(&phone.user, Availability::Online).await;

    let since = phone.connected(1).await.server_time;
    let mut devices = within("the devices", phone.client.devices()).await.unwrap();
    devices.sort_by(|one, other| one.device.as_str().cmp(other.device.as_str()));
    let told: Vec<_> = devices.iter().map(|d| (d.device.as_str(), d.own)).collect();
    assert_eq!(told, [("desk", false), ("phone", true)]);
    let minute = Duration::from_secs(60).as_micros() as u64;
    for entry in devices {
        let apart = entry.since.0.abs_diff(since.0);
        assert!(entry.since > Stamp(0) && apart < minute, "{entry:?}");
    }

    let nobody = "nothing-like-it".parse().unwrap();
    let refused = within("an answer", phone.client.end_device(&nobody)).await;
    assert_eq!(refused, Err(ChangeError::Refused(Code::NoDevice)));
    let desk_id = "desk".parse().unwrap();
    within("an answer", phone.client.end_device(&desk_id))
        .await
        .unwrap();
    assert_eq!(desk.closed().await, Some(Code::Ended.number()));
    let devices = within("the devices", phone.client.devices()).await.unwrap();
    assert_eq!(devices.len(), 1);

    // The last one ends itself: friends see it at once, without linger.
    let phone_id = "phone".parse().unwrap();
    within("an answer", phone.client.end_device(&phone_id))
        .await
        .unwrap();
    assert_eq!(phone.closed().await, Some(Code::Ended.number()));
    ben.sees(&phone.user, Availability::Offline).await;
}

#[tokio::test]
async fn one_device_more_than_allowed_is_refused_until_one_is_ended() {
    let imd = Imd::start().await;
    let mut devices = Vec::new();
    for number in 1..=16 {
        devices.push(Person::comes(&imd.address(), "ann", &format!("d{number}")).await);
    }
    let one_more = || settings(&imd.address(), "ann", "d17");
    let refused = Person::begins(one_more());
    assert_eq!(refused.closed().await, Some(Code::TooManySessions.number()));
    let ended = "d3".parse().unwrap();
    within("an answer", devices[0].client.end_device(&ended))
        .await
        .unwrap();
    let late = Person::comes_with(one_more()).await;
    late.tells(&late.user, "here").await;
}

#[tokio::test]
async fn im_shows_what_was_written_elsewhere_and_lists_and_ends_devices() {
    let imd = Imd::start().await;
    let at = imd.address();
    let im = |words: &[&str]| {
        let at = ["--connect", at.as_str()];
        Terminal::start(&program("im"), &[words, &at[..]].concat())
    };
    let ben = Person::comes(&at, "ben", "tablet").await;
    let phone = Person::comes(&at, "ann", "phone").await;
    befriend(&phone, &ben).await;
    let mut desk = im(&["ann", "--device", "desk"]);
    desk.shows(&["connected user=ann device=desk"]).await;
    phone.tells(&ben.user, "seven then").await;
    desk.shows(&["elsewhere number=1 to=ben", "device=phone text=seven then"])
        .await;
    desk.shows(&["delivered number=1 to=ben", "device=tablet"])
        .await;
    phone.client.typing(&ben.user);
    desk.shows(&["typingelsewhere to=ben device=phone"]).await;
    desk.types("/devices");
    desk.shows(&["device name=phone", "own=no"]).await;
    desk.shows(&["device name=desk", "own=yes"]).await;

    let listed = im(&["devices", "ann"]);
    listed.shows(&["phone", "since"]).await;
    listed.shows(&["desk", "since"]).await;
    let mut missing = im(&["devices", "ann", "--end", "watch"]);
    assert_eq!(missing.ends().await.code(), Some(2));
    let why = std::fs::read_to_string(missing.home().join("log")).unwrap();
    assert!(why.contains("124 no such device is logged in"), "{why}");
    im(&["devices", "ann", "--end", "phone"])
        .shows(&["phone was logged out"])
        .await;
    assert_eq!(phone.closed().await, Some(Code::Ended.number()));
    desk.types("/end desk");
    desk.shows(&["ended device=desk"]).await;
    desk.shows(&["closed code=410"]).await;
    assert_eq!(desk.ends().await.code(), Some(1));
}

#[tokio::test]
async fn im_devices_takes_no_messages_and_shows_nothing_of_itself() {
    let imd = Imd::start().await;
    let at = imd.address();
    let ben = Person::comes(&at, "ben", "tablet").await;
    let ann = Person::comes(&at, "ann", "phone").await;
    befriend(&ann, &ben).await;
    let invisible = Status::plain(Availability::Invisible);
    ann.client.set_status(invisible).unwrap();
    ben.sees(&ann.user, Availability::Offline).await;
    let asks = async || {
        let mut im = Terminal::start(&program("im"), &["devices", "ann", "--connect", &at]);
        assert!(im.ends().await.success());
    };
    let seen = ben.shown(&ann.user).len();
    asks().await;
    // What is told of ann comes the same way as this.
    ann.tells(&ben.user, "still here").await;
    ben.reads("still here").await;
    assert_eq!(ben.shown(&ann.user).len(), seen, "nobody saw it come");

    let ann_id = ann.user.clone();
    ann.leaves().await;
    for number in 0..20 {
        ben.leaves_word(&ann_id, format!("word {number}")).await;
        asks().await;
    }
    let ann = Person::comes(&at, "ann", "phone").await;
    ann.reads("word 19").await;
    assert_eq!(ann.texts().len(), 20);
}
