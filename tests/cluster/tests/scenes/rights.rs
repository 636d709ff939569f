//! Who may write what to whom.

use client::{ChangeError, Code, Event, Fate, Relation, SendError};
use cluster::imd::Imd;
use cluster::line::{Line, message};
use cluster::patience::within;
use cluster::person::{Person, befriend, user};
use proto::client::{ClientPacket, Send};
use proto::server::{Outcome, ServerPacket};
use tokio::task::JoinSet;

#[tokio::test]
async fn among_friends_strangers_and_the_blocked_are_told_no() {
    let imd = Imd::start().await;
    let ann = Person::comes(&imd.address(), "ann", "phone").await;
    let ben = Person::comes(&imd.address(), "ben", "phone").await;
    ann.is_refused(&ben.user, "hello", Code::NotFriends).await;
    ann.is_refused(&user("nobody"), "hello", Code::NotFriends)
        .await;
    // Asking is not enough.
    ann.client.request(&ben.user).await.unwrap();
    ann.is_refused(&ben.user, "hello", Code::NotFriends).await;
    ben.client.decline(&ann.user).await.unwrap();
    let again = ben.client.accept(&ann.user).await;
    assert_eq!(again, Err(ChangeError::Refused(Code::NoRequest)));
    let own = ann.client.request(&ann.user).await;
    assert_eq!(own, Err(ChangeError::Refused(Code::OwnSelf)));

    befriend(&ann, &ben).await;
    ben.client.block(&ann.user).await.unwrap();
    ann.is_refused(&ben.user, "hello", Code::Blocked).await;
    ben.client.unblock(&ann.user).await.unwrap();
    ann.tells(&ben.user, "hello again").await;
    ben.client.remove(&ann.user).await.unwrap();
    ann.is_refused(&ben.user, "hello", Code::NotFriends).await;
    assert_eq!(ben.texts(), ["hello again"]);
}

#[tokio::test]
async fn in_an_open_cluster_all_may_write_but_the_blocked_who_may_not_know() {
    let flags = ["--policy", "open", "--blocks", "hidden"].map(str::to_owned);
    let imd = Imd::start_with(|_| flags.to_vec()).await;
    let ann = Person::comes(&imd.address(), "ann", "phone").await;
    let ben = Person::comes(&imd.address(), "ben", "phone").await;
    ann.tells(&ben.user, "we have not met").await;
    ben.client.block(&ann.user).await.unwrap();
    ann.is_refused(&ben.user, "why not", Code::NotFriends).await;
    // A request of hers looks like any that is not answered.
    assert_eq!(ann.client.request(&ben.user).await, Ok(()));
    ben.client.unblock(&ann.user).await.unwrap();
    ann.tells(&ben.user, "thank you").await;
    assert_eq!(ben.texts(), ["we have not met", "thank you"]);
}

#[tokio::test]
async fn a_hidden_block_among_friends_looks_like_the_end_of_the_friendship() {
    let flags = ["--blocks", "hidden"].map(str::to_owned);
    let imd = Imd::start_with(|_| flags.to_vec()).await;
    let ann = Person::comes(&imd.address(), "ann", "phone").await;
    let ben = Person::comes(&imd.address(), "ben", "phone").await;
    befriend(&ann, &ben).await;
    ben.client.block(&ann.user).await.unwrap();
    ann.is_refused(&ben.user, "hello", Code::NotFriends).await;
    ann.client.typing(&ben.user);
    // A friend's message comes behind the typing, which was not shown.
    let cat = Person::comes(&imd.address(), "cat", "phone").await;
    befriend(&cat, &ben).await;
    cat.tells(&ben.user, "the fence").await;
    ben.reads("the fence").await;
    let typing = |event: &Event| matches!(event, Event::Transient(_));
    assert!(!ben.heard().iter().any(typing));
}

#[tokio::test]
async fn words_that_are_not_wanted_are_refused() {
    let imd = Imd::start_with(|home| {
        let words = home.join("words");
        std::fs::write(&words, "swordfish\nSpam\n").unwrap();
        let open = ["--policy", "open", "--words"].map(str::to_owned);
        [&open[..], &[words.display().to_string()]].concat()
    })
    .await;
    let ann = Person::comes(&imd.address(), "ann", "phone").await;
    let ben = Person::comes(&imd.address(), "ben", "phone").await;
    for refused in ["swordfish", "buy SPAM now"] {
        ann.is_refused(&ben.user, refused, Code::Filtered).await;
    }
    ann.tells(&ben.user, "fish").await;
    assert_eq!(ben.texts(), ["fish"]);
}

/// As the log-in answer says.
const BODY_BYTES_MAX: usize = 16 * 1024;
const WINDOW: usize = 128;

#[tokio::test]
async fn a_body_above_the_limit_is_refused_by_both_ends() {
    let flags = ["--policy", "open"].map(str::to_owned);
    let imd = Imd::start_with(|_| flags.to_vec()).await;
    let ann = Person::comes(&imd.address(), "ann", "phone").await;
    let ben = user("ben");
    ann.leaves_word(&ben, vec![7; BODY_BYTES_MAX]).await;
    let refused = ann.client.try_send(&ben, vec![7; BODY_BYTES_MAX + 1]);
    let (bytes, limit) = (BODY_BYTES_MAX + 1, BODY_BYTES_MAX);
    assert_eq!(refused.unwrap_err(), SendError::TooLarge { bytes, limit });
    // Who does not ask the SDK is told by the server, and stays.
    let mut line = Line::logged_in(&imd.address(), &user("cat"), 0).await;
    let large = message(&ben, vec![7; BODY_BYTES_MAX + 1]);
    let small = message(&ben, vec![7; BODY_BYTES_MAX]);
    let (refused, taken) = (large.id, small.id);
    line.says(&[large, small].map(ClientPacket::Send)).await;
    let heard = line
        .hears_until(|packet| matches!(packet, ServerPacket::Sent { id, .. } if *id == taken))
        .await;
    let told = heard.iter().any(|packet| match packet {
        ServerPacket::Rejected { id, code, .. } => *id == refused && *code == Code::BodyTooLarge,
        _ => false,
    });
    assert!(told, "{heard:?}");
}

#[tokio::test]
async fn what_exceeds_the_window_is_refused_and_repeated_excess_ends_the_session() {
    let flags = ["--policy", "open"].map(str::to_owned);
    let imd = Imd::start_with(|_| flags.to_vec()).await;
    // Ben takes nothing for now, so nothing to him is answered at once.
    let ben_id = user("ben");
    let ben = Line::logged_in(&imd.address(), &ben_id, 0).await;
    let mut ann = Line::logged_in(&imd.address(), &user("ann"), 0).await;
    let letters = |count: usize| -> Vec<ClientPacket> {
        let letters = (0..count).map(|_| message(&ben_id, "hello"));
        letters.map(ClientPacket::Send).collect()
    };
    // Of ten beyond the window it says that four were sent before.
    let before = |packet| match packet {
        ClientPacket::Send(send) => ClientPacket::Send(Send {
            again: true,
            ..send
        }),
        other => other,
    };
    ann.says(&letters(WINDOW + 6)).await;
    let four: Vec<_> = letters(4).into_iter().map(before).collect();
    ann.says(&four).await;
    let (mut stored, mut refused, mut unknown) = (0, 0, 0);
    while stored + refused + unknown < WINDOW + 10 {
        match ann.hears().await {
            Some(ServerPacket::Sent { sent, .. }) => {
                assert_eq!(sent.outcome, Outcome::Stored);
                stored += 1;
            }
            Some(ServerPacket::Rejected { code, .. }) => {
                assert_eq!(code, Code::WindowExceeded);
                refused += 1;
            }
            Some(ServerPacket::Unknown { code, .. }) => {
                assert_eq!(code, Code::TooMany);
                unknown += 1;
            }
            Some(ServerPacket::Presence { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((stored, refused, unknown), (WINDOW, 6, 4));
    // The session goes on, and ends when it does not learn.
    ann.says(&letters(6 * WINDOW)).await;
    let heard = within("the end", ann.hears_all()).await;
    let Some(ServerPacket::Closing(closing)) = heard.last() else {
        panic!("{heard:?}");
    };
    assert_eq!(closing.code, Code::WindowAbused);
    drop(ben);
}

#[tokio::test]
async fn above_the_rate_messages_are_refused_and_the_session_stays() {
    let settings = "policy = \"open\"\n[shard]\nsession_messages_per_second = 1";
    let imd = Imd::start_by(|_| settings.to_owned()).await;
    let ann = Person::comes(&imd.address(), "ann", "phone").await;
    let cat = Person::comes(&imd.address(), "cat", "phone").await;
    let ben = user("ben");
    // One a second, and four at once: thirty are more, however slow this is.
    let mut handles = Vec::new();
    for number in 0..30 {
        handles.push(ann.begins_to_say(&ben, format!("{number}")).await);
    }
    // What it may have sent before is not called never delivered.
    let mut again = Vec::new();
    for _ in 0..30 {
        let message = message(&ben, "again");
        let sent = ann.client.send_with_id(message.id, &ben, message.body);
        again.push(sent.await.unwrap());
    }
    let (mut stored, mut refused) = (0, 0);
    for handle in handles {
        match within("a fate", handle).await {
            Fate::Stored { .. } => stored += 1,
            Fate::Rejected {
                code: Code::RateExceeded,
                ..
            } => refused += 1,
            fate => panic!("stored or refused for the rate, not {fate:?}"),
        }
    }
    assert!(stored >= 4 && refused > 0, "{stored}, {refused}");
    let mut unknown = 0;
    for handle in again {
        match within("a fate", handle).await {
            Fate::Stored { .. } => {}
            Fate::Unknown {
                code: Code::TooMany,
            } => unknown += 1,
            fate => panic!("stored or 206, not {fate:?}"),
        }
    }
    assert!(unknown > 0);
    // Nobody else is held to it, and who was stays.
    cat.leaves_word(&ben, "hello").await;
    assert_eq!(ann.logins(), 1);
}

#[tokio::test]
async fn twelve_who_accept_at_once_are_all_friends() {
    let imd = Imd::start().await;
    let ann = Person::comes(&imd.address(), "ann", "phone").await;
    let mut others = Vec::new();
    for number in 1..=12 {
        let other = Person::comes(&imd.address(), &format!("f{number}"), "desk").await;
        ann.client.request(&other.user).await.unwrap();
        other.lists(&ann.user, Relation::Invited, false).await;
        others.push(other);
    }
    let mut accepting = JoinSet::new();
    for other in &others {
        let (client, ann) = (other.client.clone(), ann.user.clone());
        accepting.spawn(async move { client.accept(&ann).await });
    }
    for accepted in within("all to have accepted", accepting.join_all()).await {
        assert_eq!(accepted, Ok(()));
    }
    for other in &others {
        ann.lists(&other.user, Relation::Friend, false).await;
    }
}
