//! `im` in a pseudo-terminal: what somebody sees who sits before it.

use client::{Receipt, ReceiptKind, Relation, UserId};
use cluster::binaries::program;
use cluster::imd::Imd;
use cluster::person::{Person, befriend};
use pty_process::Command;
use rustix::process::{Signal, kill_process};

use crate::seat::{ENTER, Seat};

const TAB: &str = "\t";
const ALT_ENTER: &str = "\x1b\r";
const ESCAPE: &str = "\x1b";
const CONTROL_F: &str = "\x06";
const CONTROL_G: &str = "\x07";
const CONTROL_Q: &str = "\x11";

fn alice() -> UserId {
    "alice".parse().expect("a name")
}

fn im(columns: u16, rows: u16, words: &[&str]) -> Seat {
    Seat::takes(columns, rows, Command::new(program("im")).args(words))
}

async fn is_invited(alice_is: Relation, by: &Person) {
    by.lists(&alice(), alice_is, false).await;
}

#[tokio::test]
async fn somebody_chats_by_keys_alone() {
    let imd = Imd::start().await;
    let at = imd.address();
    let bob = Person::comes(&at, "bob", "phone").await;
    bob.client.request(&alice()).await.expect("asked");
    let words = ["alice", "--connect", &at, "--device", "desk"];
    let mut seat = im(80, 24, &words);
    seat.sees(&["alice: online on desk", "F1: help"]).await;
    seat.sees(&["? bob"]).await;
    assert!(!seat.is_given_back());

    // The invitation is accepted in the list, and answered with a message.
    seat.types(TAB).await;
    seat.sees(&["▸? bob"]).await;
    seat.types("a").await;
    is_invited(Relation::Friend, &bob).await;
    seat.sees(&["▸● bob"]).await;
    seat.types(ENTER).await;
    seat.types("see you").await;
    seat.types(ALT_ENTER).await;
    seat.types("at six").await;
    seat.types(ENTER).await;
    let message = bob.reads("see you\nat six").await;
    seat.sees(&["at six", "delivered"]).await;
    bob.client.mark_read(&alice(), message.stamp).expect("read");
    seat.sees(&["at six", "read"]).await;

    // What comes is shown, cannot steer the terminal, and is read.
    bob.client.typing(&alice());
    seat.sees(&["bob is typing"]).await;
    let stamp = bob.tells(&alice(), "six \x1b[2J\x07it is 日本").await;
    seat.sees(&["bob six ␛[2J␇it is 日本"]).await;
    let receipt = Receipt {
        peer: alice(),
        kind: ReceiptKind::Read,
        up_to: stamp,
    };
    bob.hears("that it is read", |events| {
        let read = |event: &client::Event| *event == client::Event::Receipt(receipt.clone());
        events.iter().any(read).then_some(())
    })
    .await;
    assert_eq!(seat.bells(), 0);

    // What is not looked at is counted, and rings.
    let carol = Person::comes(&at, "carol", "phone").await;
    carol.client.request(&alice()).await.expect("asked");
    seat.sees(&["? carol"]).await;
    seat.types("/accept carol").await;
    seat.types(ENTER).await;
    is_invited(Relation::Friend, &carol).await;
    carol.tells(&alice(), "are you there").await;
    seat.sees(&["● carol", "1│"]).await;
    seat.sees(&["1 unread"]).await;
    assert_eq!(seat.bells(), 1);
    seat.types(CONTROL_G).await;
    seat.sees(&["carol are you there"]).await;
    seat.sees_no(&["1 unread"]).await;

    // A paste is one text, however many lines it has.
    seat.types("\x1b[200~one\rtwo\x1b[201~").await;
    seat.sees(&["> one"]).await;
    seat.types(ENTER).await;
    carol.reads("one\ntwo").await;
    for number in 1..=40 {
        carol.tells(&alice(), format!("line {number}")).await;
    }
    seat.sees(&["carol line 40"]).await;
    seat.sees_no(&["are you there"]).await;
    seat.types(CONTROL_F).await;
    seat.types("YOU").await;
    seat.sees(&["search: YOU"]).await;
    seat.sees(&["carol are you there"]).await;
    seat.types(ESCAPE).await;
    seat.sees_no(&["search:"]).await;
    seat.sees(&["Esc: newest"]).await;
    seat.types(ESCAPE).await;
    seat.sees(&["carol line 40"]).await;

    seat.types(CONTROL_Q).await;
    assert_eq!(seat.ends().await, Some(0));
    bob.sees(&alice(), client::Availability::Offline).await;
}

#[tokio::test]
async fn a_narrow_pane_shows_one_thing_at_a_time() {
    let imd = Imd::start().await;
    let at = imd.address();
    let bob = Person::comes(&at, "bob", "phone").await;
    let elsewhere = Person::comes(&at, "alice", "phone").await;
    befriend(&bob, &elsewhere).await;
    let mut seat = im(40, 12, &["alice", "--connect", &at]);
    seat.sees(&["alice: online", "Tab: list"]).await;
    seat.types("/to bob").await;
    seat.types(ENTER).await;
    seat.sees(&["bob ● online"]).await;
    seat.types(TAB).await;
    seat.sees(&["Friends", "1 here"]).await;
    bob.tells(&alice(), "hello").await;
    seat.sees(&["▸● bob", "1"]).await;
    assert!(!seat.screen().contains("hello"));
    seat.types(ENTER).await;
    seat.sees(&["bob hello"]).await;
    seat.sees_no(&["1 unread"]).await;
    seat.resizes(1, 1);
    seat.sees(&[">"]).await;
    seat.resizes(80, 24);
    seat.sees(&["Friends", "│bob ● online"]).await;
    seat.sees(&["│", "bob hello"]).await;
    seat.types("/quit").await;
    seat.types(ENTER).await;
    assert_eq!(seat.ends().await, Some(0));
}

#[tokio::test]
async fn a_session_that_breaks_comes_back_and_one_that_ends_says_why() {
    let mut imd = Imd::start().await;
    let at = imd.address();
    let words = ["alice", "--connect", &at, "--device", "desk"];
    let mut seat = im(80, 24, &words);
    seat.sees(&["alice: online on desk"]).await;
    imd.kill();
    seat.sees(&["offline, next try in", " s: "]).await;
    imd.start_again().await;
    seat.sees(&["alice: online on desk"]).await;
    let _other = Person::comes(&at, "alice", "desk").await;
    seat.sees(&["closed, Ctrl-Q ends: 406"]).await;
    seat.types(CONTROL_Q).await;
    assert_eq!(seat.ends().await, Some(1));
    seat.sees(&["im: the session was closed: 406"]).await;
}

#[tokio::test]
async fn a_signal_logs_out_and_gives_the_terminal_back() {
    let imd = Imd::start().await;
    let at = imd.address();
    let mut seat = im(80, 24, &["alice", "--connect", &at]);
    seat.sees(&["alice: online"]).await;
    assert!(!seat.is_given_back());
    kill_process(seat.process(), Signal::TERM).expect("sent");
    assert_eq!(seat.ends().await, Some(0));
}
