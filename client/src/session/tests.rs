//! Scenes of a session with its server, on a clock that jumps.

mod connection;
mod devices;
mod group_chance;
mod group_reads;
mod group_requests;
mod groups;
mod messages;
mod sides;

use super::*;
use proto::client::ClientPacket;
use proto::codes::Code;
use proto::ids::{DeviceId, SessionId};
use proto::server::{Closing, Deliver, LoginOk, Outcome, Sent, ServerPacket};

/// The server's clock at every log-in, far from the client's.
const SERVER_MS: u64 = 1_795_000_000_000;

/// A session, its clock, and the test in the place of its shell and server.
struct Stage {
    session: Session,
    now: Moment,
    effects: Vec<Effect>,
    window_messages: u32,
    deliveries: u64,
    /// What the log-in names.
    groups: Vec<proto::group::UserGroup>,
}

impl Stage {
    fn new(confirmation: Confirmation) -> Self {
        Self::new_by(confirmation, 42)
    }

    fn new_by(confirmation: Confirmation, seed: u64) -> Self {
        let account = Account {
            credentials: Credentials::Open(user("ann")),
            device: Some(DeviceId::new("phone").unwrap()),
            status: Some(Status::online()),
            heartbeat: Duration::from_secs(30),
        };
        Self {
            session: Session::new(account, confirmation, seed),
            now: Moment(5_000_000),
            effects: Vec::new(),
            window_messages: 4,
            deliveries: 0,
            groups: Vec::new(),
        }
    }

    /// Logged in, with the friend list of nobody, and nothing left to say.
    fn live() -> Self {
        Self::live_with(Confirmation::Automatic)
    }

    fn live_with(confirmation: Confirmation) -> Self {
        Self::new(confirmation).has_come()
    }

    /// Likewise, with chance of this seed.
    fn live_by(seed: u64) -> Self {
        Self::new_by(Confirmation::Automatic, seed).has_come()
    }

    fn has_come(self) -> Self {
        let mut stage = self;
        stage.logs_in();
        assert_eq!(stage.says(), [ClientPacket::GetFriends]);
        stage.hears(ServerPacket::Friends(Arc::new(FriendList::empty())));
        assert!(matches!(stage.told(), Some(Event::Connected(_))));
        assert!(matches!(stage.told(), Some(Event::Friends(_))));
        stage
    }

    /// Connects and is granted a window; returns what the log-in said.
    fn logs_in(&mut self) -> Box<proto::client::Login> {
        assert_eq!(self.session.wants(), Wants::Dial);
        self.session.dialed(self.now);
        let Some(ClientPacket::Login(login)) = self.session.transmit(self.now) else {
            panic!("the log-in comes first");
        };
        assert_eq!(self.session.transmit(self.now), None);
        self.is_greeted();
        login
    }

    /// The log-in is answered.
    fn is_greeted(&mut self) {
        self.deliveries = 0;
        self.hears(ServerPacket::LoginOk(Box::new(LoginOk {
            version: 1,
            features: 0,
            user: user("ann"),
            device: DeviceId::new("phone").unwrap(),
            session: SessionId(1),
            window_messages: self.window_messages,
            window_bytes: 1_000,
            heartbeat_ms: 30_000,
            body_bytes_max: 100,
            server_time: Stamp(SERVER_MS * 1_000),
            groups: self.groups.clone(),
        })));
    }

    /// The connection breaks; the next one is granted after the pause.
    fn reconnects(&mut self) {
        self.breaks();
        self.rests();
        self.logs_in();
        assert!(matches!(self.told_state(), Some(Event::Connected(_))));
    }

    fn breaks(&mut self) {
        self.session
            .lost(self.now, "broken".into(), &mut self.effects);
        assert_eq!(self.session.wants(), Wants::Rest);
    }

    /// Jumps over the pause before the next connection.
    fn rests(&mut self) {
        self.jumps();
        assert_eq!(self.session.wants(), Wants::Dial);
    }

    /// Jumps to the next deadline.
    fn jumps(&mut self) {
        let deadline = self.session.deadline().unwrap();
        assert!(
            deadline > self.now,
            "a deadline that is due was not handled"
        );
        self.now = deadline;
        self.session.tick(self.now, &mut self.effects);
    }

    fn waits(&mut self, duration: Duration) {
        self.now = self.now + duration;
        self.session.tick(self.now, &mut self.effects);
    }

    fn sends(&mut self, text: &str) -> MessageId {
        self.tries(text).unwrap()
    }

    fn tries(&mut self, text: &str) -> Result<MessageId, SendError> {
        let body = Bytes::copy_from_slice(text.as_bytes());
        self.session
            .send(self.now, None, To::User(user("ben")), body)
    }

    /// Everything that the session has to say now.
    fn says(&mut self) -> Vec<ClientPacket> {
        std::iter::from_fn(|| self.session.transmit(self.now)).collect()
    }

    /// The messages among what it says.
    fn says_messages(&mut self) -> Vec<MessageId> {
        let packets = self.says().into_iter();
        let messages = packets.filter_map(|packet| match packet {
            ClientPacket::Send(send) => Some(send.id),
            _ => None,
        });
        messages.collect()
    }

    /// The acknowledgement among what it says.
    fn acknowledges(&mut self) -> Option<u64> {
        let packets = self.says().into_iter();
        let mut acks = packets.filter_map(|packet| match packet {
            ClientPacket::Ack { seq } => Some(seq),
            _ => None,
        });
        acks.next()
    }

    fn hears(&mut self, packet: ServerPacket) {
        self.session
            .received(self.now, packet, false, &mut self.effects);
    }

    fn is_closed_with(&mut self, code: Code) {
        self.hears(ServerPacket::Closing(Closing::of(code)));
    }

    /// A message from Ben, under the connection's next number.
    fn is_delivered(&mut self, n: u64) {
        self.is_delivered_known(n, false);
    }

    fn is_delivered_known(&mut self, n: u64, known: bool) {
        self.deliveries += 1;
        let packet = ServerPacket::Deliver(Deliver {
            seq: self.deliveries,
            id: letter(n).id,
            from: letter(n).from,
            stamp: Stamp(n),
            body: Bytes::new(),
        });
        self.session
            .received(self.now, packet, known, &mut self.effects);
    }

    fn is_answered(&mut self, id: MessageId) {
        let stamp = Stamp(77);
        let outcome = Outcome::Stored;
        let sent = Sent { stamp, outcome };
        self.hears(ServerPacket::Sent { id, sent });
    }

    fn told(&mut self) -> Option<Event> {
        self.session.take(self.now, &mut self.effects)
    }

    /// The next event that is no message.
    fn told_state(&mut self) -> Option<Event> {
        std::iter::from_fn(|| self.told()).find(|event| !matches!(event, Event::Message(_)))
    }

    /// The numbers of the messages that the application is given.
    fn told_messages(&mut self) -> Vec<u64> {
        let events = std::iter::from_fn(|| self.told());
        let stamps = events.filter_map(|event| match event {
            Event::Message(message) => Some(message.stamp.0),
            _ => None,
        });
        stamps.collect()
    }

    fn effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }
}

fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

/// Ben's message of this number.
fn letter(n: u64) -> Identity {
    Identity {
        from: user("ben"),
        id: MessageId::mint(n, [0; 10]),
    }
}

fn stored(id: MessageId) -> Effect {
    let stamp = Stamp(77);
    Effect::Settle {
        id,
        fate: Fate::Stored { stamp },
    }
}
