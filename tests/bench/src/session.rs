//! A client before the measured window: it logs in and makes a friend, one
//! step after another on a blocking socket.
//!
//! Owns the set-up of a session. Must not know load or figures.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use bytes::{Buf, BytesMut};
use proto::client::{ChangeFriend, ClientPacket, Login};
use proto::codes::{Code, Next};
use proto::frame::{self, Front, HEADER_BYTES};
use proto::friends::FriendAction;
use proto::ids::{DeviceId, UserId};
use proto::limits::{SERVER_FRAME_BYTES_MAX, VERSION};
use proto::server::{Closing, LoginOk, ServerPacket};
use proto::status::Status;

use crate::stream::{Stream, Trust};

/// The longest wait for one packet.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest wait for a log-in that is put off by the server.
const LOGIN_PATIENCE: Duration = Duration::from_secs(60);
/// The longest that a server allows, so that pings cost nothing.
const HEARTBEAT_MS: u32 = 300_000;

/// Who logs in, and where.
#[derive(Debug, Clone)]
pub struct Seat {
    /// The user.
    pub user: UserId,
    /// The user's device.
    pub device: DeviceId,
    /// The gateway.
    pub address: SocketAddr,
    /// Whom it trusts, where the gateway speaks TLS.
    pub trust: Option<Trust>,
}

/// A session that is logged in.
pub struct Session {
    /// Blocking, without delay.
    pub stream: Stream,
    /// Who it is.
    pub user: UserId,
    /// What the log-in granted.
    pub granted: LoginOk,
    /// What was read beyond the packets taken so far.
    pub received: BytesMut,
}

impl Session {
    /// Logs in; comes back when the server asks for it.
    pub fn log_in(seat: &Seat) -> Result<Self> {
        let began = Instant::now();
        loop {
            let closing = match Self::try_log_in(seat)? {
                Ok(session) => return Ok(session),
                Err(closing) => closing,
            };
            let again = closing.code.next() == Next::ComeBack;
            if !again || began.elapsed() > LOGIN_PATIENCE {
                bail!("log-in of {} was refused: {}", seat.user, closing.code);
            }
            let pause_ms = u64::from(closing.come_back_after_ms).clamp(100, 5_000);
            thread::sleep(Duration::from_millis(pause_ms));
        }
    }

    fn try_log_in(seat: &Seat) -> Result<Result<Self, Closing>> {
        let socket = TcpStream::connect(seat.address)
            .with_context(|| format!("connection of {} to {}", seat.user, seat.address))?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let mut stream = Stream::new(socket, seat.trust.as_ref())?;
        let login = ClientPacket::Login(Box::new(login(seat)));
        write(&mut stream, &login)?;
        let mut received = BytesMut::new();
        match next_packet(&mut stream, &mut received).context("log-in answer")? {
            ServerPacket::LoginOk(granted) => Ok(Ok(Self {
                stream,
                user: seat.user.clone(),
                granted: *granted,
                received,
            })),
            ServerPacket::Closing(closing) => Ok(Err(closing)),
            other => bail!("the answer to a log-in was {other:?}"),
        }
    }

    /// Makes friends with `other`: a request and its acceptance.
    pub fn befriend(&mut self, other: &mut Self) -> Result<()> {
        self.change_friend(FriendAction::Request, other.user.clone())?;
        other.change_friend(FriendAction::Accept, self.user.clone())
    }

    fn change_friend(&mut self, action: FriendAction, peer: UserId) -> Result<()> {
        let change = ChangeFriend {
            request: 1,
            action,
            peer,
        };
        write(&mut self.stream, &ClientPacket::ChangeFriend(change))?;
        loop {
            match next_packet(&mut self.stream, &mut self.received)? {
                ServerPacket::FriendResult { code, .. } => {
                    let done: Option<Code> = code;
                    ensure!(
                        done.is_none(),
                        "{action:?} of {} failed: {done:?}",
                        self.user
                    );
                    return Ok(());
                }
                ServerPacket::Closing(closing) => bail!("{}: {}", self.user, closing.code),
                // Presence and news of the list come at any time.
                _ => {}
            }
        }
    }
}

/// A log-in by name, online, without a friend list.
pub fn login(seat: &Seat) -> Login {
    Login {
        version_min: VERSION,
        version_max: VERSION,
        features: 0,
        token: String::new(),
        user: Some(seat.user.clone()),
        device: Some(seat.device.clone()),
        friends_hash: None,
        heartbeat_ms: HEARTBEAT_MS,
        status: Some(Status::online()),
    }
}

fn write(stream: &mut Stream, packet: &ClientPacket) -> Result<()> {
    let mut out = BytesMut::new();
    packet.encode(&mut out);
    stream.write_all(&out)?;
    Ok(stream.flush()?)
}

fn next_packet(stream: &mut Stream, received: &mut BytesMut) -> Result<ServerPacket> {
    loop {
        if let Front::Whole { end } = frame::front(received, SERVER_FRAME_BYTES_MAX)? {
            let mut content = received.split_to(end).freeze();
            content.advance(HEADER_BYTES);
            return Ok(ServerPacket::decode(content)?);
        }
        let mut chunk = [0; 4096];
        let count = stream.read(&mut chunk)?;
        ensure!(count > 0, "the server closed the connection");
        received.extend_from_slice(&chunk[..count]);
    }
}
