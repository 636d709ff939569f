//! The server's end of one loopback connection, spoken by the test itself: it
//! says what a server says in moments that a real one cannot be made to have.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use client::{Client, Event, Events, FriendList, MessageId, SessionId, Settings, Stamp, UserId};
use proto::client::ClientPacket;
use proto::codes::Code;
use proto::frame::{self, Front};
use proto::group::UserGroup;
use proto::limits::CLIENT_FRAME_BYTES_MAX;
use proto::server::{Closing, Deliver, LoginOk, Outcome, Sent, ServerPacket};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// Far above what any step of these tests takes.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Where a client connects to.
pub struct Server {
    listener: TcpListener,
}

/// One client's connection.
pub struct Connection {
    stream: TcpStream,
    input: BytesMut,
    deliveries: u64,
}

impl Server {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { listener }
    }

    /// Where it listens.
    pub fn address(&self) -> String {
        self.listener.local_addr().unwrap().to_string()
    }

    /// Ann's settings for this server.
    pub fn settings(&self) -> Settings {
        let device = "phone".parse().unwrap();
        Settings::open(self.address(), user("ann"), device)
    }

    /// Ann, logged in and with the friend list of nobody, and her
    /// connection's other end.
    pub async fn greets(&self, settings: Settings) -> (Client, Events, Connection) {
        let (client, mut events) = Client::connect(settings).unwrap();
        let mut connection = self.accepts().await;
        let connected = next(&mut events).await;
        assert!(matches!(connected, Event::Connected(_)), "{connected:?}");
        let asked = connection.hears().await;
        assert_eq!(asked, Some(ClientPacket::GetFriends));
        let nobody = ServerPacket::Friends(Arc::new(FriendList::empty()));
        connection.says(&[nobody]).await;
        assert!(matches!(next(&mut events).await, Event::Friends(_)));
        (client, events, connection)
    }

    /// The next connection, past its log-in.
    pub async fn accepts(&self) -> Connection {
        self.accepts_with(Vec::new()).await
    }

    /// Likewise, of somebody who belongs to groups.
    pub async fn accepts_with(&self, groups: Vec<UserGroup>) -> Connection {
        let (stream, _) = timeout(PATIENCE, self.listener.accept())
            .await
            .expect("a connection in time")
            .unwrap();
        let mut connection = Connection {
            stream,
            input: BytesMut::new(),
            deliveries: 0,
        };
        let login = connection.hears().await;
        assert!(matches!(login, Some(ClientPacket::Login(_))), "{login:?}");
        let granted = LoginOk {
            version: 1,
            features: 0,
            user: user("ann"),
            device: "phone".parse().unwrap(),
            session: SessionId(1),
            window_messages: 4,
            window_bytes: 100_000,
            heartbeat_ms: 30_000,
            body_bytes_max: 10_000,
            server_time: Stamp(1_795_000_000_000_000),
            groups,
        };
        connection
            .says(&[ServerPacket::LoginOk(Box::new(granted))])
            .await;
        connection
    }
}

impl Connection {
    /// The next packet; `None` when the client is gone.
    pub async fn hears(&mut self) -> Option<ClientPacket> {
        loop {
            if let Front::Whole { end } = frame::front(&self.input, CLIENT_FRAME_BYTES_MAX).unwrap()
            {
                let mut content = self.input.split_to(end);
                content.advance(frame::HEADER_BYTES);
                return Some(ClientPacket::decode(content.freeze()).unwrap());
            }
            let read = timeout(PATIENCE, self.stream.read_buf(&mut self.input));
            if read.await.expect("a packet in time").unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    /// The id of the next packet, which is a message.
    pub async fn hears_message(&mut self) -> MessageId {
        match self.hears().await {
            Some(ClientPacket::Send(send)) => send.id,
            other => panic!("a message, not {other:?}"),
        }
    }

    pub async fn says(&mut self, packets: &[ServerPacket]) {
        let mut output = BytesMut::new();
        packets.iter().for_each(|packet| packet.encode(&mut output));
        self.stream.write_all(&output).await.unwrap();
    }

    pub async fn stores(&mut self, id: MessageId) {
        let (stamp, outcome) = (Stamp(7), Outcome::Stored);
        let sent = Sent { stamp, outcome };
        self.says(&[ServerPacket::Sent { id, sent }]).await;
    }

    /// Ben's message of this number.
    pub async fn delivers(&mut self, n: u64) {
        self.deliveries += 1;
        let deliver = Deliver {
            seq: self.deliveries,
            id: letter(n),
            from: user("ben"),
            stamp: Stamp(n),
            body: Bytes::from_static(b"see you at six"),
        };
        self.says(&[ServerPacket::Deliver(deliver)]).await;
    }

    /// The one error before a close, and the close, when something came that
    /// was not read.
    pub async fn closes_without_reading(mut self, code: Code) {
        self.stream.readable().await.unwrap();
        self.says(&[ServerPacket::Closing(Closing::of(code))]).await;
    }
}

pub fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

pub fn letter(n: u64) -> MessageId {
    MessageId::mint(n, [0; 10])
}

/// The next event, in time.
pub async fn next(events: &mut Events) -> Event {
    let event = timeout(PATIENCE, events.next()).await;
    event.expect("an event in time").expect("not the end")
}

/// The number of the next message.
pub async fn next_message(events: &mut Events) -> u64 {
    match next(events).await {
        Event::Message(message) => message.stamp.0,
        other => panic!("a message, not {other:?}"),
    }
}
