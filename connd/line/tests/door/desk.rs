//! A door with both its sides in the test's hands, and with the test's clock.

use std::time::Duration;

use bytes::BytesMut;
use connd_line::{Door, Settings, Turn};
use proto::client::ClientPacket;
use proto::clock::{Moment, Now};
use proto::codes::Code;
use proto::ids::Stamp;
use proto::server::ServerPacket;

use crate::samples::{NOON, login_ok};

/// A door and what came out of it.
pub struct Desk {
    /// The door.
    pub door: Door,
    /// What it is set to.
    pub settings: Settings,
    /// The time.
    pub now: Now,
    /// What is drawn next.
    pub chance: u8,
    packets: Vec<Result<ClientPacket, Code>>,
    out: BytesMut,
}

impl Desk {
    /// Just connected, at noon.
    pub fn new() -> Self {
        Self {
            door: Door::default(),
            settings: Settings::default(),
            now: Now {
                moment: Moment(5_000_000),
                wall: NOON,
            },
            chance: 0,
            packets: Vec::new(),
            out: BytesMut::new(),
        }
    }

    /// Logged in as ann, with what that said taken away.
    pub fn logged_in() -> Self {
        let mut desk = Self::new();
        desk.types("LOGIN ann -");
        desk.gets(&login_ok("ann"));
        assert_eq!(desk.asked().len(), 1);
        assert!(desk.told().starts_with("ok:"));
        desk
    }

    fn call(&mut self, call: impl FnOnce(&mut Door, &mut Turn)) {
        self.chance = self.chance.wrapping_add(1);
        let mut turn = Turn {
            now: self.now,
            random: [self.chance; 10],
            settings: &self.settings,
            packets: &mut self.packets,
            out: &mut self.out,
        };
        call(&mut self.door, &mut turn);
    }

    /// The client sends bytes.
    pub fn sends(&mut self, bytes: &[u8]) {
        self.call(|door, turn| door.take(turn, bytes));
    }

    /// The client sends a line.
    pub fn types(&mut self, line: &str) {
        self.sends(format!("{line}\r\n").as_bytes());
    }

    /// The session gives a packet.
    pub fn gets(&mut self, packet: &ServerPacket) {
        self.call(|door, turn| door.tell(turn, packet));
    }

    /// Time passes; the door is called whenever it wants to be.
    pub fn pass(&mut self, time: Duration) {
        let end = self.now.moment + time;
        while let Some(due) = self.door.next_deadline().filter(|due| *due <= end) {
            self.set(due.max(self.now.moment));
            self.call(|door, turn| door.tick(turn));
            let next = self.door.next_deadline();
            assert!(next.is_none_or(|next| next > due), "nothing came of a tick");
        }
        self.set(end);
    }

    fn set(&mut self, moment: Moment) {
        let passed = moment.since(self.now.moment).as_micros() as u64;
        self.now = Now {
            moment,
            wall: Stamp(self.now.wall.0 + passed),
        };
    }

    /// What the session was given since the last time, errors with it.
    pub fn outcome(&mut self) -> Vec<Result<ClientPacket, Code>> {
        std::mem::take(&mut self.packets)
    }

    /// What the session was given since the last time.
    pub fn asked(&mut self) -> Vec<ClientPacket> {
        let packets = self.outcome().into_iter();
        packets.map(|packet| packet.expect("no error")).collect()
    }

    /// The one packet that the session was given.
    pub fn asked_one(&mut self) -> ClientPacket {
        let mut packets = self.asked();
        assert_eq!(packets.len(), 1, "{packets:?}");
        packets.remove(0)
    }

    /// What the client was told since the last time.
    pub fn told(&mut self) -> String {
        String::from_utf8(self.out.split().to_vec()).expect("text")
    }

    /// What the client was told, as states and bodies.
    pub fn replies(&mut self) -> Vec<(String, String)> {
        let told = self.told();
        let mut rest = told.as_str();
        let mut replies = Vec::new();
        while !rest.is_empty() {
            let (header, after) = rest.split_once("\r\n").expect("a header");
            let (state, length) = header.split_once(':').expect("a length");
            let (body, after) = after.split_at(length.parse().expect("a number"));
            replies.push((state.to_owned(), body.to_owned()));
            rest = after;
        }
        replies
    }

    /// The client types a line that needs no packet, and is told so.
    pub fn is_answered(&mut self, line: &str, state: &str, body: &str) {
        self.types(line);
        self.is_told(state, body);
        assert_eq!(self.outcome(), [], "{line}");
    }

    /// The client was told this and nothing else.
    pub fn is_told(&mut self, state: &str, body: &str) {
        let expected = format!("{state}:{}\r\n{body}", body.len());
        assert_eq!(self.told(), expected);
    }
}
