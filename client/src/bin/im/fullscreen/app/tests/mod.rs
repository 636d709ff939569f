//! The state by itself: keys and events in, wishes out, on a clock that jumps.

mod ends;
mod groups;
mod messages;
mod writing;

use std::sync::Arc;

use super::talk::Delivery;
use super::*;
use bytes::Bytes;
use client::{
    Availability, Carbon, ChangeError, Code, Connected, DeviceEntry, Did, Event, Fate,
    FriendAction, FriendEntry, FriendList, ListVersion, Message, Outcome, PeerStatus, Read, Reason,
    Receipt, ReceiptKind, Relation, SentElsewhere, SessionId, Transient, TransientFrom,
};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
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

pub fn whom(name: &str) -> Whom {
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
        let talk = self.app.talks.get(&whom(peer)).unwrap();
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
            .get(&whom(peer))
            .map_or(0, |talk| talk.unread)
    }
}
