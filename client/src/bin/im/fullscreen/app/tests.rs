//! The state by itself: keys and events in, wishes out, on a clock that jumps.

use std::sync::Arc;

use super::*;
use bytes::Bytes;
use client::{
    Availability, Code, Connected, FriendEntry, FriendList, ListVersion, Message, PeerStatus,
    Reason, Receipt, ReceiptKind, Relation, SessionId, TransientFrom,
};
use crossterm::event::{KeyCode, KeyModifiers};
use proto::ids::Token;
use proto::status::StatusVersion;

/// 2026-11-21 12:30:00 UTC.
const NOON_MICROS: u64 = 1_795_264_200_000_000;

/// A state, its clock, and what it wished for.
pub struct Stage {
    pub app: App,
    pub now: Now,
    pub wishes: Vec<Wish>,
}

pub fn user(name: &str) -> UserId {
    name.parse().unwrap()
}

impl Stage {
    /// Alice, not logged in yet.
    pub fn new(columns: u16, rows: u16) -> Self {
        let mut stage = Self {
            app: App::new(user("alice"), TimeZone::UTC, true),
            now: Now {
                at: Instant::now(),
                wall: Timestamp::from_microsecond(NOON_MICROS as i64).unwrap(),
            },
            wishes: Vec::new(),
        };
        stage.does(Input::Resize(Size::new(columns, rows)));
        stage
    }

    /// Alice, logged in, with bob online and carol away since an hour; dave
    /// asks her.
    pub fn with_friends(columns: u16, rows: u16) -> Self {
        let mut stage = Self::new(columns, rows);
        stage.connects();
        stage.friends(&[
            ("bob", Relation::Friend),
            ("carol", Relation::Friend),
            ("dave", Relation::Invited),
        ]);
        stage.is_seen("bob", Availability::Online, "in a call", None);
        let hour = 3_600_000_000;
        stage.is_seen("carol", Availability::Offline, "", Some(NOON_MICROS - hour));
        stage.app.notice = None;
        stage
    }

    pub fn does(&mut self, input: Input) {
        let wishes = self.app.apply(input, self.now);
        self.wishes.extend(wishes);
    }

    pub fn waits(&mut self, duration: Duration) {
        self.now.at += duration;
        self.now.wall += jiff::SignedDuration::try_from(duration).unwrap();
    }

    pub fn event(&mut self, event: Event) {
        self.does(Input::Event(event));
    }

    pub fn connects(&mut self) {
        self.event(Event::Connected(Connected {
            user: user("alice"),
            device: "desk".parse().unwrap(),
            session: SessionId(1),
            server_time: Stamp(NOON_MICROS),
        }));
    }

    pub fn friends(&mut self, entries: &[(&str, Relation)]) {
        let entry = |(name, relation): &(&str, Relation)| FriendEntry {
            user: user(name),
            relation: *relation,
            blocked: false,
        };
        let entries = entries.iter().map(entry).collect();
        let list = FriendList::new(ListVersion(1), entries).unwrap();
        self.event(Event::Friends(Arc::new(list)));
    }

    pub fn is_seen(&mut self, who: &str, as_: Availability, text: &str, seen: Option<u64>) {
        self.event(Event::Presence(PeerStatus {
            user: user(who),
            status: Status {
                availability: as_,
                text: text.into(),
            },
            version: StatusVersion {
                token: Token(1),
                counter: 1,
            },
            last_seen: seen.map(Stamp),
        }));
    }

    /// A message that is sent `seconds` after noon.
    pub fn hears(&mut self, from: &str, seconds: u64, text: &str) {
        self.event(Event::Message(Message {
            from: user(from),
            id: MessageId::from_bytes([seconds as u8; 16]),
            stamp: Stamp(NOON_MICROS + seconds * 1_000_000),
            body: Bytes::copy_from_slice(text.as_bytes()),
        }));
    }

    pub fn press(&mut self, code: KeyCode, modifiers: KeyModifiers) {
        self.does(Input::Key(KeyEvent::new(code, modifiers)));
    }

    pub fn key(&mut self, code: KeyCode) {
        self.press(code, KeyModifiers::NONE);
    }

    pub fn control(&mut self, c: char) {
        self.press(KeyCode::Char(c), KeyModifiers::CONTROL);
    }

    pub fn types(&mut self, text: &str) {
        text.chars().for_each(|c| self.key(KeyCode::Char(c)));
    }

    pub fn enters(&mut self, text: &str) {
        self.types(text);
        self.key(KeyCode::Enter);
    }

    /// The newest message that was to be sent is on its way, as this number.
    pub fn is_taken(&mut self, n: u8) -> MessageId {
        let sent = self.wishes.iter().rev().find_map(|wish| match wish {
            Wish::Send { ticket, to, text } => Some((*ticket, to.clone(), text.clone())),
            _ => None,
        });
        let (ticket, to, text) = sent.expect("something was to be sent");
        let id = MessageId::from_bytes([n; 16]);
        self.does(Input::Done(Done::Sent {
            ticket,
            to,
            text,
            result: Ok(id),
        }));
        id
    }

    pub fn fate(&mut self, id: MessageId, fate: Fate) {
        self.does(Input::Done(Done::Fate { id, fate }));
    }

    fn deliveries(&self, peer: &str) -> Vec<Delivery> {
        let talk = self.app.talks.get(&user(peer)).unwrap();
        let own = talk
            .entries()
            .iter()
            .filter_map(|entry| match &entry.source {
                Source::Own(delivery) => Some(delivery.clone()),
                _ => None,
            });
        own.collect()
    }

    fn unread(&self, peer: &str) -> usize {
        self.app
            .talks
            .get(&user(peer))
            .map_or(0, |talk| talk.unread)
    }
}

fn read(peer: &str, seconds: u64) -> Wish {
    Wish::Read {
        peer: user(peer),
        up_to: Stamp(NOON_MICROS + seconds * 1_000_000),
    }
}

#[test]
fn a_message_goes_its_way_with_its_marks() {
    let mut stage = Stage::with_friends(80, 24);
    stage.control('n');
    assert_eq!(stage.app.talks.open(), Some(&user("dave")));
    stage.key(KeyCode::Tab);
    stage.types("xyz");
    assert_eq!(stage.app.talk().composer.text(), "");
    stage.enters("/to bob");
    stage.types("six it is");
    stage.press(KeyCode::Enter, KeyModifiers::ALT);
    stage.enters("at mine");
    assert!(stage.wishes.contains(&Wish::Typing(user("bob"))));
    assert!(matches!(
        stage.deliveries("bob")[..],
        [Delivery::Waiting(1)]
    ));
    let id = stage.is_taken(1);
    let talk = stage.app.talk();
    assert_eq!(talk.entries().back().unwrap().text, "six it is\nat mine");
    assert!(matches!(
        stage.deliveries("bob")[..],
        [Delivery::Underway(_)]
    ));
    let stamp = Stamp(NOON_MICROS);
    stage.fate(id, Fate::Stored { stamp });
    assert_eq!(stage.deliveries("bob")[0].label(), "stored");
    for (kind, label) in [
        (ReceiptKind::Delivered, "delivered"),
        (ReceiptKind::Read, "read"),
    ] {
        stage.event(Event::Receipt(Receipt {
            peer: user("bob"),
            kind,
            up_to: stamp,
        }));
        assert_eq!(stage.deliveries("bob")[0].label(), label);
    }
    assert_eq!(stage.app.lost(), 0);
}

#[test]
fn a_refusal_tells_why_and_an_unknown_fate_can_be_tried_again() {
    let mut stage = Stage::with_friends(80, 24);
    stage.enters("bob: one");
    assert_eq!(stage.app.talks.open(), Some(&user("bob")));
    let id = stage.is_taken(1);
    let code = Code::NotFriends;
    let text = "you are not friends".into();
    stage.fate(id, Fate::Rejected { code, text });
    let label = stage.deliveries("bob")[0].label();
    assert!(
        label.starts_with("refused: 101 you are not friends"),
        "{label}"
    );
    stage.enters("two");
    let id = stage.is_taken(2);
    let code = Code::FateUnknown;
    stage.fate(id, Fate::Unknown { code });
    assert!(stage.deliveries("bob")[1].label().contains("/again 2"));
    stage.enters("/again 2");
    let Some(Wish::Again { sent, .. }) = stage.wishes.last() else {
        panic!("sent again: {:?}", stage.wishes);
    };
    assert_eq!(sent.id, id);
    assert!(matches!(stage.deliveries("bob")[1], Delivery::Waiting(_)));
}

#[test]
fn what_is_looked_at_is_read_and_what_is_not_rings() {
    let mut stage = Stage::with_friends(80, 24);
    stage.hears("bob", 1, "one");
    assert_eq!(stage.wishes, [Wish::Bell]);
    stage.hears("bob", 2, "two");
    assert_eq!((stage.unread("bob"), stage.wishes.len()), (2, 1));
    stage.control('g');
    assert_eq!(stage.wishes[1..], [read("bob", 2)]);
    stage.hears("bob", 3, "three");
    assert_eq!(stage.wishes[2..], [read("bob", 3)]);
    stage.waits(BELL_TEST_PAUSE);
    stage.does(Input::Focus(false));
    stage.hears("bob", 4, "four");
    assert_eq!(
        (stage.unread("bob"), stage.wishes.last()),
        (1, Some(&Wish::Bell))
    );
    stage.does(Input::Focus(true));
    assert_eq!(
        (stage.unread("bob"), stage.wishes.last()),
        (0, Some(&read("bob", 4)))
    );
    stage.key(KeyCode::F(3));
    stage.wishes.clear();
    stage.hears("carol", 5, "five");
    assert!(stage.wishes.is_empty(), "the bell is off");
}

/// Longer than the pause between two bells.
const BELL_TEST_PAUSE: Duration = Duration::from_secs(10);

#[test]
fn who_reads_back_has_not_read_what_comes() {
    let mut stage = Stage::with_friends(80, 24);
    stage.enters("/to bob");
    for n in 0..60 {
        stage.hears("bob", n, "some text");
    }
    stage.key(KeyCode::PageUp);
    stage.wishes.clear();
    stage.hears("bob", 61, "newest");
    assert_eq!(
        (stage.unread("bob"), &stage.wishes[..]),
        (1, &[Wish::Bell][..])
    );
    stage.key(KeyCode::Esc);
    assert_eq!(stage.wishes.last(), Some(&read("bob", 61)));
}

#[test]
fn on_a_narrow_screen_only_what_is_shown_is_looked_at() {
    let mut stage = Stage::with_friends(40, 12);
    stage.enters("/to bob");
    stage.key(KeyCode::Tab);
    stage.hears("bob", 1, "one");
    assert_eq!(stage.unread("bob"), 1);
    stage.key(KeyCode::Enter);
    assert_eq!(stage.wishes.last(), Some(&read("bob", 1)));
}

#[test]
fn people_are_in_order_and_invitations_can_be_answered() {
    let mut stage = Stage::with_friends(80, 24);
    let order = |stage: &Stage| -> Vec<String> {
        let people = stage.app.people.all(&stage.app.talks).into_iter();
        people.map(|person| person.entry.user.to_string()).collect()
    };
    assert_eq!(order(&stage), ["dave", "bob", "carol"]);
    stage.hears("carol", 1, "hello");
    assert_eq!(order(&stage), ["carol", "dave", "bob"]);
    stage.key(KeyCode::Tab);
    stage.key(KeyCode::Home);
    stage.key(KeyCode::Char('a'));
    assert_eq!(stage.app.told(stage.now.at), Some("that is no invitation"));
    stage.key(KeyCode::Down);
    stage.key(KeyCode::Char('a'));
    let accept = |name| Wish::Change {
        action: FriendAction::Accept,
        peer: user(name),
    };
    assert_eq!(stage.wishes.last(), Some(&accept("dave")));
    stage.key(KeyCode::Enter);
    stage.enters("/accept");
    assert_eq!(
        stage.wishes.last(),
        Some(&accept("dave")),
        "about whom is clear"
    );
    stage.does(Input::Done(Done::Changed {
        action: FriendAction::Accept,
        peer: user("dave"),
        result: Err(ChangeError::Refused(Code::NoRequest)),
    }));
    assert!(
        stage
            .app
            .told(stage.now.at)
            .unwrap()
            .contains("accept dave")
    );
}

#[test]
fn what_cannot_be_done_stays_to_be_mended() {
    let mut stage = Stage::with_friends(80, 24);
    stage.enters("/nonsense");
    assert_eq!(stage.app.talk().composer.text(), "/nonsense");
    assert!(stage.app.told(stage.now.at).unwrap().contains("/nonsense"));
    stage.control('u');
    stage.enters("hello?");
    assert_eq!(stage.app.talk().composer.text(), "hello?");
    assert!(stage.wishes.is_empty());
}

#[test]
fn a_paste_is_one_text() {
    let mut stage = Stage::with_friends(80, 24);
    stage.enters("/to bob");
    stage.does(Input::Paste("one\rtwo\r\nthree\x1b".into()));
    assert_eq!(stage.app.talk().composer.text(), "one\ntwo\nthree");
    assert!(
        !stage
            .wishes
            .iter()
            .any(|wish| matches!(wish, Wish::Send { .. }))
    );
}

#[test]
fn a_search_finds_back_and_forth() {
    let mut stage = Stage::with_friends(80, 24);
    stage.enters("/to bob");
    for n in 0..100 {
        stage.hears("bob", n, &format!("number {n}"));
    }
    stage.control('f');
    stage.types("NUMBER 5");
    let found = |stage: &Stage| match &stage.app.mode {
        Mode::Search(search) => search.found.map(|serial| serial - 1),
        _ => None,
    };
    assert_eq!(found(&stage), Some(59));
    stage.key(KeyCode::Up);
    assert_eq!(found(&stage), Some(58));
    stage.key(KeyCode::Down);
    stage.key(KeyCode::Down);
    assert_eq!(found(&stage), Some(59));
    stage.types("x");
    assert_eq!(found(&stage), None);
    stage.key(KeyCode::Esc);
    assert_ne!(stage.app.talk().place, Place::Newest);
    stage.key(KeyCode::Esc);
    assert_eq!(stage.app.talk().place, Place::Newest);
}

#[test]
fn earlier_texts_come_back_and_a_draft_is_not_lost() {
    let mut stage = Stage::with_friends(80, 24);
    stage.enters("/to bob");
    stage.enters("one");
    stage.enters("two");
    stage.types("draft");
    let shown = |stage: &Stage| stage.app.talk().composer.text().to_owned();
    for text in ["two", "one", "/to bob", "/to bob"] {
        stage.key(KeyCode::Up);
        assert_eq!(shown(&stage), text);
    }
    for text in ["one", "two", "draft", "draft"] {
        stage.key(KeyCode::Down);
        assert_eq!(shown(&stage), text);
    }
}

#[test]
fn typing_is_seen_for_a_while_and_told_now_and_then() {
    let mut stage = Stage::with_friends(80, 24);
    stage.enters("/to bob");
    stage.types("hello");
    stage.waits(Duration::from_secs(4));
    stage.types("!");
    let typing = Wish::Typing(user("bob"));
    assert_eq!(stage.wishes, [typing.clone(), typing]);
    stage.enters(" /status invisible");
    stage.control('u');
    stage.enters("/status invisible");
    stage.waits(Duration::from_secs(4));
    stage.wishes.clear();
    stage.types("unseen");
    assert!(stage.wishes.is_empty());
    stage.event(Event::Transient(TransientFrom {
        from: user("bob"),
        kind: client::TRANSIENT_TYPING,
        body: Bytes::new(),
    }));
    let until = stage.app.talk().typing_until.unwrap();
    assert!(until > stage.now.at);
    stage.hears("bob", 1, "there");
    assert_eq!(stage.app.talk().typing_until, None);
}

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

#[test]
fn no_keys_in_any_order_on_any_screen_break_it() {
    let mut stage = Stage::with_friends(80, 24);
    let mut seed: u32 = 7;
    let mut draw = |below: u32| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) % below
    };
    let codes = [
        KeyCode::Enter,
        KeyCode::Tab,
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::Left,
        KeyCode::Right,
        KeyCode::Home,
        KeyCode::End,
        KeyCode::PageUp,
        KeyCode::PageDown,
        KeyCode::Esc,
        KeyCode::Backspace,
        KeyCode::Delete,
        KeyCode::F(1),
        KeyCode::Char('n'),
        KeyCode::Char('p'),
        KeyCode::Char('f'),
        KeyCode::Char('g'),
        KeyCode::Char('w'),
        KeyCode::Char('a'),
        KeyCode::Char('d'),
        KeyCode::Char(' '),
        KeyCode::Char('日'),
        KeyCode::Char('k'),
        KeyCode::Char('j'),
        KeyCode::Char('b'),
    ];
    let modifiers = [
        KeyModifiers::NONE,
        KeyModifiers::NONE,
        KeyModifiers::CONTROL,
        KeyModifiers::ALT,
    ];
    for n in 0..20_000 {
        match draw(20) {
            0 => {
                let (columns, rows) = (draw(100) as u16, draw(30) as u16);
                stage.does(Input::Resize(Size::new(columns, rows)));
            }
            1 => stage.hears(
                ["bob", "carol", "eve"][draw(3) as usize],
                n,
                "日本語 👍🏽 text",
            ),
            2 => stage.does(Input::Paste("two\nlines".into())),
            _ => {
                let code = codes[draw(codes.len() as u32) as usize];
                stage.press(code, modifiers[draw(4) as usize]);
            }
        }
        assert!(rows::in_sight(stage.app.talk(), stage.app.page()).len() <= 30);
    }
    assert!(stage.app.waiting <= WAITING_MAX);
    assert!(matches!(stage.app.link, Link::Online));
}

#[test]
fn a_mark_of_a_message_that_is_gone_changes_nothing() {
    let mut stage = Stage::with_friends(80, 24);
    stage.enters("bob: one");
    let id = stage.is_taken(1);
    for n in 0..talk::ENTRIES_MAX as u64 {
        stage.hears("bob", n % 200, "more");
    }
    let stamp = Stamp(NOON_MICROS);
    stage.fate(id, Fate::Stored { stamp });
    assert!(stage.deliveries("bob").is_empty());
    assert_eq!(stage.app.unsettled(), 0);
}
