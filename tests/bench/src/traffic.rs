//! Clients that write to each other: 2k to 2k + 1, and back.
//!
//! Owns the clients' windows, what they say, and the accounts of it. Must not
//! know when they are to send, or how their sockets are waited for.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use proto::ids::{DeviceId, MessageId, UserId};
use proto::server::{self, Deliver, LoginOk, ServerPacket};

use crate::connection::{self, Connection};
use crate::dialect::Dialect;
use crate::ledger::{Answer, Delivery, Ledger, MessageNumber};
use crate::outcome::Outcome;
use crate::session::Session;

/// What a thread reads at once.
const SCRATCH_BYTES: usize = 64 * 1024;
/// Bounds of the pause between pings, whatever heartbeat is granted.
const PING_EVERY_MIN: Duration = Duration::from_millis(300);
const PING_EVERY_MAX: Duration = Duration::from_secs(100);

/// What is sent.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// What is spoken.
    pub dialect: Dialect,
    /// The body of every message, in bytes.
    pub size: usize,
}

struct Client {
    connection: Connection,
    user: UserId,
    device: DeviceId,
    /// How many messages more may be unanswered.
    room: usize,
    /// When what found no room was to be sent. An open loop's plan bounds it;
    /// in a closed loop an answer makes room before it asks for more.
    backlog: VecDeque<u64>,
    /// The last delivery taken, and the last acknowledged.
    taken: u64,
    acknowledged: u64,
    flush: bool,
}

/// One thread's clients and what became of their messages.
pub struct Traffic {
    load: Load,
    body: Bytes,
    clients: Vec<Client>,
    /// Clients with something to write.
    to_flush: Vec<usize>,
    ledger: Ledger,
    outcome: Outcome,
    start: Instant,
    window_ns: u64,
    replenish_until_ns: u64,
    /// The server's clock at `start`.
    server_ms: u64,
    ping_every: Duration,
    scratch: Vec<u8>,
}

impl Traffic {
    /// Takes over sessions, of which each must be granted `in_flight` messages
    /// at once.
    pub fn new(
        load: Load,
        in_flight: usize,
        expected: usize,
        sessions: Vec<Session>,
    ) -> Result<Self> {
        let granted = &sessions.first().context("there are no sessions")?.granted;
        let room = room(load, granted);
        ensure!(
            in_flight <= room,
            "{in_flight} messages of {} bytes per user are wanted at once, the server grants {room}",
            load.size
        );
        let heartbeat = Duration::from_millis(u64::from(granted.heartbeat_ms));
        let ping_every = (heartbeat / 3).clamp(PING_EVERY_MIN, PING_EVERY_MAX);
        let server_ms = granted.server_time.as_ms();
        let client = |session: Session| -> Result<Client> {
            Ok(Client {
                connection: Connection::new(session.stream, session.received)?,
                user: session.user,
                device: session.granted.device,
                room,
                backlog: VecDeque::new(),
                taken: 0,
                acknowledged: 0,
                flush: false,
            })
        };
        Ok(Self {
            load,
            body: Bytes::from(vec![b'x'; load.size]),
            clients: sessions.into_iter().map(client).collect::<Result<_>>()?,
            to_flush: Vec::new(),
            ledger: Ledger::new(expected),
            outcome: Outcome::new(),
            start: Instant::now(),
            window_ns: 0,
            replenish_until_ns: 0,
            server_ms,
            ping_every,
            scratch: vec![0; SCRATCH_BYTES],
        })
    }

    /// The sockets by client.
    pub fn sockets(&self) -> impl Iterator<Item = &Connection> {
        self.clients.iter().map(|client| &client.connection)
    }

    /// How many clients there are.
    pub fn clients(&self) -> usize {
        self.clients.len()
    }

    /// A ping at least this often keeps the sessions.
    pub fn ping_every(&self) -> Duration {
        self.ping_every
    }

    /// The window starts. Until `replenish` is over each answer brings a new
    /// message.
    pub fn begin(&mut self, start: Instant, window: Duration, replenish: Duration) {
        let since = start.saturating_duration_since(self.start);
        self.server_ms += since.as_millis() as u64;
        self.start = start;
        self.window_ns = window.as_nanos() as u64;
        self.replenish_until_ns = replenish.as_nanos() as u64;
    }

    /// A message of this client was to be sent at this time: it is, as soon as
    /// the window has room.
    pub fn offer(&mut self, sender: usize, intended_ns: u64) -> Result<()> {
        if self.clients[sender].room == 0 {
            self.clients[sender].backlog.push_back(intended_ns);
            return Ok(());
        }
        self.transmit(sender, intended_ns)
    }

    fn transmit(&mut self, sender: usize, intended_ns: u64) -> Result<()> {
        let now_ns = self.now_ns();
        self.outcome
            .late
            .record_ns(now_ns.saturating_sub(intended_ns));
        let number = self.ledger.start(sender as u32, intended_ns)?;
        let id = number.mint(self.server_ms + now_ns / 1_000_000);
        let to = self.clients[peer(sender)].user.clone();
        let client = &mut self.clients[sender];
        client.room -= 1;
        let body = self.body.clone();
        let out = &mut client.connection.out;
        self.load
            .dialect
            .put_message((&client.user, &to), id, body, out);
        self.wants_flush(sender);
        Ok(())
    }

    /// A client's socket has something to read, or room for writing.
    pub fn ready(&mut self, at: usize) -> Result<()> {
        if !self.clients[at].connection.out.is_empty() {
            self.wants_flush(at);
        }
        loop {
            let connection = &mut self.clients[at].connection;
            let received = connection
                .read(&mut self.scratch)
                .with_context(|| format!("session of {}", self.clients[at].user))?;
            let mut frames = received.frames;
            while let Some(content) = connection::next_content(&mut frames) {
                self.take(at, ServerPacket::decode(content)?)?;
            }
            self.acknowledge(at);
            self.flush()?;
            if !received.more {
                return Ok(());
            }
        }
    }

    fn take(&mut self, at: usize, packet: ServerPacket) -> Result<()> {
        match packet {
            ServerPacket::Deliver(deliver) => self.delivered(at, &deliver),
            ServerPacket::Sent { id, sent } => {
                let answer = match sent.outcome {
                    server::Outcome::Delivered { .. } => Answer::Delivered,
                    server::Outcome::Stored | server::Outcome::Logged(_) => Answer::Stored,
                };
                self.answered(at, id, answer)
            }
            ServerPacket::Rejected { id, .. } => self.answered(at, id, Answer::Refused),
            ServerPacket::Unknown { id, .. } => self.answered(at, id, Answer::Unknown),
            ServerPacket::Closing(closing) => {
                bail!("{} was closed: {}", self.clients[at].user, closing.code)
            }
            ServerPacket::LoginOk(_) => bail!("a second log-in answer"),
            _ => Ok(()),
        }
    }

    fn delivered(&mut self, at: usize, deliver: &Deliver) -> Result<()> {
        let sender = peer(at);
        ensure!(
            deliver.from == self.clients[sender].user && deliver.body.len() == self.load.size,
            "{} got what {} did not send: {deliver:?}",
            self.clients[at].user,
            self.clients[sender].user,
        );
        let number = MessageNumber::of(deliver.id);
        if let Delivery::First { intended_ns } = self.ledger.delivered(number, sender as u32)? {
            let now_ns = self.now_ns();
            let took_ns = now_ns.saturating_sub(intended_ns);
            self.outcome.delivery.record_ns(took_ns);
            if now_ns <= self.window_ns {
                self.outcome.delivered_in_window += 1;
            }
        }
        let dialect = self.load.dialect;
        if !dialect.has_answers() {
            return self.answered(sender, deliver.id, Answer::Delivered);
        }
        let client = &mut self.clients[at];
        client.taken = deliver.seq;
        dialect.put_taken(deliver, &client.device, &mut client.connection.out);
        self.wants_flush(at);
        Ok(())
    }

    fn answered(&mut self, sender: usize, id: MessageId, answer: Answer) -> Result<()> {
        let number = MessageNumber::of(id);
        let intended_ns = self.ledger.answered(number, sender as u32, answer)?;
        let now_ns = self.now_ns();
        if matches!(answer, Answer::Delivered | Answer::Stored) {
            let took_ns = now_ns.saturating_sub(intended_ns);
            self.outcome.sent.record_ns(took_ns);
        }
        self.clients[sender].room += 1;
        if let Some(waiting_ns) = self.clients[sender].backlog.pop_front() {
            self.transmit(sender, waiting_ns)?;
        } else if now_ns < self.replenish_until_ns {
            self.transmit(sender, now_ns)?;
        }
        Ok(())
    }

    fn acknowledge(&mut self, at: usize) {
        let client = &mut self.clients[at];
        if client.taken == client.acknowledged {
            return;
        }
        client.acknowledged = client.taken;
        let out = &mut client.connection.out;
        self.load.dialect.put_ack(client.taken, out);
    }

    /// Says that every session lives.
    pub fn ping(&mut self) -> Result<()> {
        for at in 0..self.clients.len() {
            let out = &mut self.clients[at].connection.out;
            self.load.dialect.put_ping(out);
            self.wants_flush(at);
        }
        self.flush()
    }

    fn wants_flush(&mut self, at: usize) {
        if !self.clients[at].flush {
            self.clients[at].flush = true;
            self.to_flush.push(at);
        }
    }

    /// Writes all that is to be written, as far as sockets take it.
    pub fn flush(&mut self) -> Result<()> {
        for at in self.to_flush.drain(..) {
            let client = &mut self.clients[at];
            client.flush = false;
            let user = &client.user;
            let flushed = client.connection.flush();
            flushed.with_context(|| format!("session of {user}"))?;
        }
        Ok(())
    }

    /// Whether nothing more is to come.
    pub fn is_settled(&self) -> bool {
        let all_written = self.clients.iter().all(|client| client.backlog.is_empty());
        all_written && self.ledger.is_settled()
    }

    /// What was seen.
    pub fn finish(mut self) -> Outcome {
        self.outcome.tally = self.ledger.tally().clone();
        self.outcome.unsent = self.clients.iter().map(|c| c.backlog.len() as u64).sum();
        self.outcome
    }

    fn now_ns(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }
}

fn peer(at: usize) -> usize {
    at ^ 1
}

/// How many messages of this size a session may have unanswered.
fn room(load: Load, granted: &LoginOk) -> usize {
    let by_bytes = granted.window_bytes as usize / load.size.max(1);
    by_bytes.min(granted.window_messages as usize)
}
