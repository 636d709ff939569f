//! A bare connection on which the test speaks the protocol itself, packet by
//! packet or byte by byte.
//!
//! Owns the socket. Acknowledges nothing and comes back never, unlike the SDK.

use bytes::{Buf, BytesMut};
use client::{MessageId, Status, UserId};
use proto::client::{ClientPacket, Login, Send};
use proto::frame::{self, Front};
use proto::limits::{SERVER_FRAME_BYTES_MAX, VERSION};
use proto::server::ServerPacket;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::patience::within;

/// A bare connection.
#[derive(Debug)]
pub struct Line {
    stream: TcpStream,
    input: BytesMut,
}

impl Line {
    /// Connected; nothing said.
    ///
    /// # Panics
    /// Nobody listens.
    pub async fn to(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.expect("a connection");
        stream.set_nodelay(true).expect("an option");
        Self {
            stream,
            input: BytesMut::new(),
        }
    }

    /// Logged in, in open mode.
    ///
    /// # Panics
    /// The log-in is refused.
    pub async fn logged_in(address: &str, user: &UserId, heartbeat_ms: u32) -> Self {
        let mut line = Self::to(address).await;
        line.says(&[login(user, heartbeat_ms)]).await;
        let answer = line.hears().await;
        assert!(
            matches!(answer, Some(ServerPacket::LoginOk(_))),
            "{answer:?} to a log-in"
        );
        line
    }

    /// Writes packets.
    pub async fn says(&mut self, packets: &[ClientPacket]) {
        let mut output = BytesMut::new();
        packets.iter().for_each(|packet| packet.encode(&mut output));
        self.says_bytes(&output).await;
    }

    /// Writes bytes, whatever they are.
    ///
    /// # Panics
    /// The connection is closed.
    pub async fn says_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("a write");
    }

    /// The next packet; `None` at the end of the connection.
    ///
    /// # Panics
    /// What comes is no packet, or breaks off.
    pub async fn hears(&mut self) -> Option<ServerPacket> {
        within("a packet or the end", async {
            loop {
                let front = frame::front(&self.input, SERVER_FRAME_BYTES_MAX);
                if let Front::Whole { end } = front.expect("a frame") {
                    let mut content = self.input.split_to(end);
                    content.advance(frame::HEADER_BYTES);
                    return Some(ServerPacket::decode(content.freeze()).expect("a packet"));
                }
                let read = self.stream.read_buf(&mut self.input).await;
                if read.expect("no reset before the end") == 0 {
                    assert!(self.input.is_empty(), "half a frame before the end");
                    return None;
                }
            }
        })
        .await
    }

    /// Everything up to and with the first packet that is it.
    ///
    /// # Panics
    /// The connection ends before.
    pub async fn hears_until(
        &mut self,
        is_it: impl Fn(&ServerPacket) -> bool,
    ) -> Vec<ServerPacket> {
        let mut heard = Vec::new();
        loop {
            let Some(packet) = self.hears().await else {
                panic!("the connection ended after {heard:?}");
            };
            let found = is_it(&packet);
            heard.push(packet);
            if found {
                return heard;
            }
        }
    }

    /// Everything up to the end of the connection.
    pub async fn hears_all(&mut self) -> Vec<ServerPacket> {
        let mut heard = Vec::new();
        while let Some(packet) = self.hears().await {
            heard.push(packet);
        }
        heard
    }
}

/// A log-in in open mode, from the device `line`.
pub fn login(user: &UserId, heartbeat_ms: u32) -> ClientPacket {
    ClientPacket::Login(Box::new(Login {
        version_min: VERSION,
        version_max: VERSION,
        features: 0,
        token: String::new(),
        user: Some(user.clone()),
        device: Some("line".parse().expect("a device")),
        friends_hash: None,
        heartbeat_ms,
        status: Some(Status::online()),
    }))
}

/// A message, minted now.
pub fn message(to: &UserId, body: impl Into<bytes::Bytes>) -> Send {
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed();
    let now = now.expect("a clock after 1970").as_millis();
    let mut random = [0; 10];
    fastrand::fill(&mut random);
    Send {
        // Milliseconds since 1970 fit for a long time to come.
        id: MessageId::mint(now as u64, random),
        to: to.clone(),
        body: body.into(),
        friends_hash: None,
    }
}
