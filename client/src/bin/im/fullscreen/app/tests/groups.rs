//! Groups: beside people, unread until looked at, with what was there before.

use super::*;
use crate::groups::command::Ask;
use client::{
    Action, Entrance, Group, GroupEntry, GroupId, GroupSkipped, GroupState, GroupTransientFrom,
    Head, History, LogEntry, LogEpoch, Logged, Place, ReadTo, Role,
};

fn choir() -> GroupId {
    "choir".parse().unwrap()
}

fn up_to(seq: u64) -> ReadTo {
    let messages = seq;
    ReadTo { seq, messages }
}

fn message(seq: u64, from: &str, text: &str, mentions: &[&str]) -> LogEntry {
    LogEntry {
        seq,
        messages: seq,
        stamp: Stamp(NOON_MICROS + seq * 1_000_000),
        from: user(from),
        what: Logged::Message {
            id: MessageId::mint(seq, [0; 10]),
            body: Bytes::copy_from_slice(text.as_bytes()),
            mentions: mentions.iter().map(|name| user(name)).collect(),
        },
    }
}

impl Stage {
    /// Alice is a member of the choir, whose last entry is the fourth, and has
    /// read it up to an entry.
    pub fn in_choir(read: u64) -> Self {
        let mut stage = Self::with_friends(80, 24);
        stage.choir(4, read);
        stage
    }

    fn choir(&mut self, seq: u64, read: u64) {
        let epoch = LogEpoch(1);
        self.event(Event::Group(Group {
            state: GroupState {
                group: choir(),
                title: "The choir".into(),
                entrance: Entrance::Open,
                role: Role::Member,
                members: 12,
                head: Head {
                    place: Place { epoch, seq },
                    messages: seq,
                },
                read: up_to(read),
                muted: None,
            },
            told: seq,
        }));
    }

    pub fn hears_in_choir(&mut self, seq: u64, from: &str, text: &str, mentions: &[&str]) {
        self.logs(message(seq, from, text, mentions), false);
    }

    fn logs(&mut self, entry: LogEntry, is_echo: bool) {
        let mentions_me = match &entry.what {
            Logged::Message { mentions, .. } => mentions.contains(&self.app.user),
            Logged::Change(_) => false,
        };
        self.event(Event::GroupEntry(GroupEntry {
            group: choir(),
            epoch: LogEpoch(1),
            entry,
            mentions_me,
            is_echo,
        }));
    }

    /// A page of history comes.
    pub fn fetches(&mut self, entries: Vec<LogEntry>) {
        let history = History {
            request: 1,
            of: client::Conversation::Group(choir()),
            epoch: LogEpoch(1),
            first: 1,
            last: 4,
            read: up_to(0),
            entries,
        };
        let group = choir();
        let result = Ok(history);
        self.does(Input::Done(Done::Fetched { group, result }));
    }

    fn choir_texts(&self) -> Vec<&str> {
        let talk = self.app.talks.get(&whom("#choir")).unwrap();
        let texts = talk.entries().iter();
        texts.map(|entry| entry.text.as_str()).collect()
    }

    fn choir_unread(&self) -> (usize, bool) {
        let known = self.app.groups.get(&choir()).unwrap();
        (known.unread(), known.mentions_me)
    }

    fn fetch(before: u64) -> Wish {
        let group = choir();
        Wish::Fetch { group, before }
    }
}

fn read(seq: u64) -> Wish {
    Wish::ReadGroup {
        group: choir(),
        read: up_to(seq),
    }
}

#[test]
fn a_group_is_listed_with_what_is_unread_and_read_when_it_is_shown() {
    let mut stage = Stage::in_choir(1);
    let first = stage.app.contacts().remove(0);
    assert_eq!((first.whom(), first.unread()), (whom("#choir"), 3));
    stage.hears_in_choir(5, "bob", "@alice, do you come?", &["alice"]);
    assert_eq!(stage.choir_unread(), (4, true));
    assert_eq!(stage.wishes, [Wish::Bell]);
    stage.wishes.clear();
    stage.control('g');
    assert_eq!(stage.app.talks.open(), Some(&whom("#choir")));
    let wanted = [Wish::Here(choir()), Stage::fetch(5), read(5)];
    assert_eq!(stage.wishes, wanted);
    assert_eq!(
        stage.app.lost(),
        0,
        "an answer that does not come is no message"
    );
    assert_eq!(stage.choir_unread(), (0, false));
    stage.hears_in_choir(6, "bob", "well?", &[]);
    assert_eq!(stage.wishes.last(), Some(&read(6)));
    stage.does(Input::Focus(false));
    stage.hears_in_choir(7, "bob", "...", &[]);
    assert_eq!(stage.choir_unread(), (1, false));
    stage.does(Input::Focus(true));
    assert_eq!(stage.wishes.last(), Some(&read(7)));
}

#[test]
fn what_another_device_has_read_is_not_unread() {
    let mut stage = Stage::in_choir(4);
    stage.hears_in_choir(5, "bob", "@alice", &["alice"]);
    assert_eq!(stage.choir_unread(), (1, true));
    stage.choir(5, 5);
    assert_eq!(stage.choir_unread(), (0, false));
    assert_eq!(stage.unread("#choir"), 0);
}

#[test]
fn what_was_there_before_stands_above_once() {
    let mut stage = Stage::in_choir(4);
    stage.hears_in_choir(5, "bob", "five", &[]);
    stage.enters("/to #choir");
    stage.hears_in_choir(6, "bob", "six", &[]);
    let old: Vec<LogEntry> = (2..=6).map(|n| message(n, "bob", "old", &[])).collect();
    let mut entries = old.clone();
    entries[0].what = Logged::Change(Action::Join);
    stage.fetches(entries);
    stage.fetches(old);
    assert_eq!(
        stage.choir_texts(),
        ["bob came in", "old", "old", "five", "six"]
    );
    stage.wishes.clear();
    stage.enters("/history");
    assert_eq!(stage.wishes, [Stage::fetch(2)]);
    stage.enters("/to bob");
    stage.wishes.clear();
    stage.enters("/to #choir");
    assert_eq!(stage.wishes, [Wish::Here(choir())], "fetched once");
}

#[test]
fn an_own_message_is_shown_once_and_marked() {
    let mut stage = Stage::in_choir(4);
    stage.enters("/to #choir");
    stage.fetches(Vec::new());
    stage.wishes.clear();
    stage.enters("hello @bob");
    assert!(stage.wishes.contains(&Wish::Typing(whom("#choir"))));
    let sent = |wish: &Wish| matches!(wish, Wish::Send { to, .. } if *to == whom("#choir"));
    assert!(stage.wishes.iter().any(sent));
    let echo = message(5, "alice", "hello @bob", &["bob"]);
    stage.logs(echo, true);
    let id = stage.is_taken(1);
    let place = Place {
        epoch: LogEpoch(1),
        seq: 5,
    };
    let stamp = Stamp(1);
    stage.fate(id, Fate::Logged { place, stamp });
    assert_eq!(stage.choir_texts(), ["hello @bob"]);
    let talk = stage.app.talks.get(&whom("#choir")).unwrap();
    let Source::Own(delivery) = &talk.entries()[0].source else {
        panic!("an own message");
    };
    assert_eq!(delivery.label(), "sent");
    stage.hears_in_choir(6, "alice", "from the phone", &[]);
    assert_eq!(stage.choir_texts(), ["hello @bob", "from the phone"]);
    assert_eq!(stage.wishes.iter().filter(|w| **w == Wish::Bell).count(), 0);
}

#[test]
fn invitations_stand_in_the_list_and_are_answered_by_keys() {
    let mut stage = Stage::with_friends(80, 24);
    let invited = |name: &str| Event::GroupInvited {
        group: name.parse().unwrap(),
        by: user("bob"),
    };
    stage.event(invited("band"));
    stage.event(invited("choir"));
    let told = stage.app.told(stage.now.at).unwrap();
    assert!(told.starts_with("bob invites you to #choir"), "{told}");
    stage.key(KeyCode::Tab);
    stage.key(KeyCode::Home);
    let order = stage.app.contacts().into_iter();
    let order: Vec<String> = order.map(|c| c.whom().to_string()).collect();
    assert_eq!(order, ["dave", "#band", "#choir", "bob", "carol"]);
    let asked = |name: &str, action| {
        let group = name.parse().unwrap();
        let ask = Ask::Do(action);
        Wish::AskGroup { group, ask }
    };
    stage.key(KeyCode::Down);
    stage.key(KeyCode::Char('d'));
    assert_eq!(stage.wishes.last(), Some(&asked("band", Action::Leave)));
    stage.key(KeyCode::Down);
    stage.key(KeyCode::Char('a'));
    assert_eq!(stage.wishes.last(), Some(&asked("choir", Action::Join)));
    stage.choir(4, 4);
    assert!(stage.app.groups.invited_by(&choir()).is_none());
    assert_eq!(stage.app.groups.known().count(), 1);
}

#[test]
fn what_is_asked_is_of_the_open_group_or_the_one_that_is_named() {
    let mut stage = Stage::in_choir(4);
    stage.enters("/who");
    assert!(
        stage
            .app
            .told(stage.now.at)
            .unwrap()
            .contains("which group")
    );
    stage.enters("/group kick #choir bob");
    stage.enters("/to #choir");
    stage.enters("/group kick bob");
    let group = choir();
    let ask = Ask::Do(Action::Kick(user("bob")));
    let kick = Wish::AskGroup {
        group: group.clone(),
        ask: ask.clone(),
    };
    assert_eq!(stage.wishes.iter().filter(|w| **w == kick).count(), 2);
    let result = Err(ChangeError::Refused(Code::NotAllowed));
    stage.does(Input::Done(Done::Group { group, ask, result }));
    let told = stage.app.told(stage.now.at).unwrap();
    assert!(told.starts_with("kick bob #choir: 134"), "{told}");
    let (group, result) = (choir(), Ok(3));
    stage.does(Input::Done(Done::Here { group, result }));
    assert_eq!(stage.app.groups.get(&choir()).unwrap().here, Some(3));
}

#[test]
fn what_happens_to_a_group_is_told_in_it() {
    let mut stage = Stage::in_choir(4);
    stage.enters("/to #choir");
    stage.event(Event::GroupTransient(GroupTransientFrom {
        group: choir(),
        from: user("bob"),
        kind: client::TRANSIENT_TYPING,
        body: Bytes::new(),
    }));
    assert_eq!(stage.app.talk().typing_by, Some(user("bob")));
    assert!(stage.app.talk().is_typed_to(stage.now.at));
    let epoch = LogEpoch(1);
    let (group, first, last) = (choir(), 5, 104);
    stage.event(Event::GroupSkipped(GroupSkipped {
        group,
        epoch,
        first,
        last,
    }));
    assert_eq!(
        stage.wishes.last(),
        Some(&Wish::ReadGroup {
            group: choir(),
            read: ReadTo {
                seq: 104,
                messages: 4
            },
        })
    );
    let (group, epoch) = (choir(), LogEpoch(2));
    stage.event(Event::GroupAnew { group, epoch });
    stage.hears_in_choir(1, "bob", "anew", &[]);
    assert_eq!(stage.wishes.last(), Some(&read(1)));
    let (group, by) = (choir(), user("bob"));
    let change = Some((by, Action::Kick(user("alice"))));
    stage.event(Event::GroupLeft { group, change });
    assert_eq!(stage.app.groups.known().count(), 0);
    let texts = stage.choir_texts();
    assert!(texts[0].starts_with("100 older entries"), "{texts:?}");
    let rest = ["the group begins anew", "anew", "bob put you out of #choir"];
    assert_eq!(texts[1..], rest);
}
