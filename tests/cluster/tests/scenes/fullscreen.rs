//! `im` in a pseudo-terminal: what somebody sees who sits before it.

use std::num::NonZeroU16;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex};

use client::{Receipt, ReceiptKind, Relation, UserId};
use cluster::binaries::program;
use cluster::imd::Imd;
use cluster::patience::{until, within};
use cluster::person::{Person, befriend};
use cluster::terminal::in_order;
use pty_process::{Command, OwnedWritePty, Size};
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::{LocalModes, tcgetattr};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Child;

const ENTER: &str = "\r";
const TAB: &str = "\t";
const ALT_ENTER: &str = "\x1b\r";
const ESCAPE: &str = "\x1b";
const CONTROL_F: &str = "\x06";
const CONTROL_G: &str = "\x07";
const CONTROL_Q: &str = "\x11";

/// Counts what is heard.
#[derive(Debug, Default)]
struct Ears {
    bells: usize,
}

impl vt100::Callbacks for Ears {
    fn audible_bell(&mut self, _: &mut vt100::Screen) {
        self.bells += 1;
    }
}

type Glass = Arc<Mutex<vt100::Parser<Ears>>>;

/// Somebody at a terminal with `im` on it. Dropped, it is killed.
struct Seat {
    glass: Glass,
    keyboard: OwnedWritePty,
    /// The terminal's end that keeps its modes.
    line: OwnedFd,
    im: Child,
}

impl Seat {
    fn takes(columns: u16, rows: u16, words: &[&str]) -> Self {
        let (pty, pts) = pty_process::open().expect("a terminal");
        pty.resize(Size::new(rows, columns)).expect("a size");
        let line = pty.as_fd().try_clone_to_owned();
        let im = Command::new(program("im"))
            .args(words)
            .env_remove("IM_TOKEN")
            .env_remove("NO_COLOR")
            .env("TERM", "xterm-256color")
            .kill_on_drop(true)
            .spawn(pts)
            .expect("im starts");
        let (down, across) = (cells(rows), cells(columns));
        let parser = vt100::Parser::new_with_callbacks(down, across, 0, Ears::default());
        let glass = Arc::new(Mutex::new(parser));
        let (mut output, keyboard) = pty.into_split();
        let shown = Arc::clone(&glass);
        tokio::spawn(async move {
            let mut bytes = [0; 4096];
            // It fails when nobody has the terminal open any more.
            while let Ok(count @ 1..) = output.read(&mut bytes).await {
                shown.lock().expect("whole").process(&bytes[..count]);
            }
        });
        Self {
            glass,
            keyboard,
            line: line.expect("a handle"),
            im,
        }
    }

    /// The window has another size.
    fn resizes(&mut self, columns: u16, rows: u16) {
        let mut glass = self.glass.lock().expect("whole");
        glass.screen_mut().set_size(cells(rows), cells(columns));
        self.keyboard
            .resize(Size::new(rows, columns))
            .expect("a size");
    }

    async fn types(&mut self, keys: &str) {
        let typed = self.keyboard.write_all(keys.as_bytes()).await;
        typed.expect("somebody reads");
    }

    fn look<R>(&self, look: impl FnOnce(&vt100::Screen) -> R) -> R {
        look(self.glass.lock().expect("whole").screen())
    }

    fn screen(&self) -> String {
        self.look(vt100::Screen::contents)
    }

    fn bells(&self) -> usize {
        self.glass.lock().expect("whole").callbacks().bells
    }

    /// Waits until a row of the screen has all of these words in this order.
    async fn sees(&self, words: &[&str]) {
        self.sees_that(&format!("{words:?}"), |screen| has(screen, words))
            .await;
    }

    /// Waits until no row of the screen has them any more.
    async fn sees_no(&self, words: &[&str]) {
        self.sees_that(&format!("no {words:?}"), |screen| !has(screen, words))
            .await;
    }

    async fn sees_that(&self, what: &str, is_so: impl Fn(&str) -> bool) {
        let what = format!("{what} on the screen");
        until(&what, async || is_so(&self.screen()).then_some(())).await;
    }

    /// Whether the terminal is as a shell wants it.
    fn is_given_back(&self) -> bool {
        let modes = tcgetattr(&self.line).expect("modes").local_modes;
        let is_cooked = modes.contains(LocalModes::ICANON | LocalModes::ECHO);
        let is_plain = self.look(|screen| {
            !screen.alternate_screen() && !screen.bracketed_paste() && !screen.hide_cursor()
        });
        is_cooked && is_plain
    }

    /// Waits until `im` has ended; gives its code, if no signal ended it.
    async fn ends(&mut self) -> Option<i32> {
        let status = within("the end of im", self.im.wait()).await;
        let code = status.expect("a status").code();
        until("the terminal to be given back", async || {
            self.is_given_back().then_some(())
        })
        .await;
        code
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the last screen\n{}", self.screen());
        }
    }
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).expect("some")
}

fn has(screen: &str, words: &[&str]) -> bool {
    screen.lines().any(|line| in_order(line, words))
}

fn alice() -> UserId {
    "alice".parse().expect("a name")
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
    let mut seat = Seat::takes(80, 24, &words);
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
    let mut seat = Seat::takes(40, 12, &["alice", "--connect", &at]);
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
    let mut seat = Seat::takes(80, 24, &words);
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
    let mut seat = Seat::takes(80, 24, &["alice", "--connect", &at]);
    seat.sees(&["alice: online"]).await;
    assert!(!seat.is_given_back());
    let id = seat.im.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    kill_process(id.expect("it runs"), Signal::TERM).expect("sent");
    assert_eq!(seat.ends().await, Some(0));
}
