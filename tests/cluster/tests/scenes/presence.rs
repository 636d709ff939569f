//! Who sees whom, and for how long.

use std::time::SystemTime;

use client::{Availability, PeerStatus, Status};
use cluster::admin::figure;
use cluster::imd::Imd;
use cluster::patience::until;
use cluster::person::{Person, befriend, settings};

#[tokio::test]
async fn a_reconnect_in_time_is_not_seen_and_a_vanished_one_is() {
    let imd = Imd::start().await;
    let ann = Person::comes(&imd.address(), "ann", "phone").await;
    let ben = Person::comes(&imd.address(), "ben", "phone").await;
    let cat = Person::comes(&imd.address(), "cat", "phone").await;
    befriend(&ann, &ben).await;
    befriend(&cat, &ben).await;
    let (ann_id, cat_id) = (ann.user.clone(), cat.user.clone());
    ben.sees(&ann_id, Availability::Online).await;
    ben.sees(&cat_id, Availability::Online).await;
    ann.vanishes().await;
    // Gone for everybody to see, had there been no linger.
    until("ann's session to be gone", async || {
        let sessions = figure(imd.admin(), "im_msgd_user_sessions").await;
        (sessions == Some(2)).then_some(())
    })
    .await;
    let ann = Person::comes(&imd.address(), "ann", "phone").await;
    // Cat goes later and stays away: when her time is over, ann's would be.
    cat.vanishes().await;
    ben.sees(&cat_id, Availability::Offline).await;
    let offline = |peer: &PeerStatus| peer.status.availability == Availability::Offline;
    let shown = ben.shown(&ann_id);
    let since = shown.iter().skip_while(|peer| offline(peer));
    assert!(!since.clone().any(offline), "{shown:?}");
    assert_eq!(ann.logins(), 1);
}

#[tokio::test]
async fn friends_see_what_is_set_and_strangers_nothing() {
    let imd = Imd::start().await;
    let ann = Person::comes(&imd.address(), "ann", "phone").await;
    let ben = Person::comes(&imd.address(), "ben", "phone").await;
    let cat = Person::comes(&imd.address(), "cat", "phone").await;
    befriend(&ann, &ben).await;
    let lunch = Status {
        availability: Availability::Away,
        text: "at lunch \u{1f35c}".into(),
    };
    ann.client.set_status(lunch.clone()).unwrap();
    assert_eq!(ben.sees(&ann.user, Availability::Away).await.status, lunch);

    let invisible = Status::plain(Availability::Invisible);
    ann.client.set_status(invisible).unwrap();
    let gone = ben.sees(&ann.user, Availability::Offline).await;
    assert_eq!(gone.status.text, "");
    // Invisible, and there all the same.
    ben.tells(&ann.user, "I know you are there").await;
    ann.reads("I know you are there").await;

    ann.client.set_status(Status::online()).unwrap();
    ben.sees(&ann.user, Availability::Online).await;
    // A block hides, and what came before it is hidden too.
    ann.client.block(&ben.user).await.unwrap();
    ben.sees(&ann.user, Availability::Offline).await;
    ann.client.unblock(&ben.user).await.unwrap();
    ben.sees(&ann.user, Availability::Online).await;
    // Cat was there all the time.
    ann.client.remove(&ben.user).await.unwrap();
    befriend(&cat, &ben).await;
    assert!(
        cat.shown(&ann.user).is_empty(),
        "{:?}",
        cat.shown(&ann.user)
    );
}

#[tokio::test]
async fn who_comes_invisible_is_not_seen_coming_or_going() {
    let imd = Imd::start().await;
    let ann = Person::comes(&imd.address(), "ann", "phone").await;
    let ben = Person::comes(&imd.address(), "ben", "phone").await;
    befriend(&ann, &ben).await;
    ben.sees(&ann.user, Availability::Online).await;
    let ann_id = ann.user.clone();
    ann.leaves().await;
    let left = ben.sees(&ann_id, Availability::Offline).await;
    let before = ben.shown(&ann_id).len();
    let mut hidden = settings(&imd.address(), "ann", "phone");
    hidden.account.status = Some(Status::plain(Availability::Invisible));
    let ann = Person::comes_with(hidden).await;
    // She sees others, though.
    ann.sees(&ben.user, Availability::Online).await;
    ben.tells(&ann_id, "the fence").await;
    ann.reads("the fence").await;
    ann.tells(&ben.user, "the other fence").await;
    ben.reads("the other fence").await;
    let since = ben.shown(&ann_id).split_off(before);
    assert!(
        since.iter().all(|peer| peer.status == left.status),
        "{since:?}"
    );
}

#[tokio::test]
async fn when_somebody_was_last_there_is_known_also_after_a_restart() {
    let mut imd = Imd::start().await;
    let ann = Person::comes(&imd.address(), "ann", "phone").await;
    let ben = Person::comes(&imd.address(), "ben", "phone").await;
    befriend(&ann, &ben).await;
    ann.sees(&ben.user, Availability::Online).await;
    let (began, ben_id) = (now_ms(), ben.user.clone());
    ben.leaves().await;
    let gone = ann.sees(&ben_id, Availability::Offline).await;
    let seen = gone.last_seen.expect("it is known").as_ms();
    assert!((began..=now_ms()).contains(&seen), "{seen}");

    // Who comes later finds it in the snapshot, also when imd is another.
    ann.leaves().await;
    imd.stop().await;
    imd.start_again().await;
    let ann = Person::comes(&imd.address(), "ann", "phone").await;
    let gone = ann.sees(&ben_id, Availability::Offline).await;
    assert_eq!(gone.last_seen.map(|stamp| stamp.as_ms()), Some(seen));
}

fn now_ms() -> u64 {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    u64::try_from(now.as_millis()).unwrap()
}
