//! Clients of one thread that write and take messages, and come back after a
//! loss.
//!
//! Owns who is there, what each has unanswered, and the accounts of it. Must
//! not know when a part is killed, or what is measured.

mod comings;
mod unknown;

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use proto::client::{self, ClientPacket};
use proto::codes::Next;
use proto::ids::MessageId;
use proto::server::{Deliver, Outcome, ServerPacket};
use proto::status::Status;

use crate::correspondent::{Correspondent, Place, Route};
use crate::ledger::{Answer, Delivery, Ledger, MessageNumber, Tally};
use crate::letters::{Letter, Letters};
use crate::pool::{Event, Pool};
use crate::repeats::Repeats;
use crate::session::Seat;

/// Between a loss and the next attempt to come back, and between `Unknown` and
/// the next attempt to send.
const PAUSE: Duration = Duration::from_millis(50);

/// What is asked of all clients.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Messages that a writer keeps unanswered.
    pub window: usize,
    /// The body of a message, in bytes.
    pub size: usize,
    /// Who is away: clients by number.
    pub away: Range<usize>,
    /// A session that ends comes back; else its end is an error.
    pub come_back: bool,
}

/// A message that was answered, and when: since the clients began.
#[derive(Debug, Clone, Copy)]
pub struct Served {
    /// Who wrote it.
    pub sender: usize,
    /// To whom.
    pub recipient: usize,
    /// When it was first written.
    pub written: Duration,
    /// When it was answered.
    pub answered: Duration,
}

/// The clients.
pub struct Post {
    rules: Rules,
    body: Bytes,
    pool: Pool,
    clients: Vec<Correspondent>,
    letters: Letters,
    ledger: Ledger,
    /// What came more than once.
    pub repeats: Repeats,
    /// Messages that may yet be written.
    left: u64,
    /// Messages written to those who are away.
    to_away: usize,
    /// Who is the first to write when more is to be written.
    next_writer: usize,
    statuses_seen: u64,
    /// The server's clock, and when it was so.
    clock: (u64, Instant),
    unknown: u64,
    written_again: u64,
    answered_at: Option<Instant>,
    lost: BTreeSet<usize>,
    /// Who has something that was answered `Unknown`.
    repeating: BTreeSet<usize>,
    began: Instant,
    /// `None`: nobody watches.
    served: Option<Vec<Served>>,
}

impl Post {
    /// Nobody is there yet.
    pub fn new(rules: Rules, seats: Vec<(Seat, Route)>) -> Result<Self> {
        Ok(Self {
            body: Bytes::from(vec![b'x'; rules.size]),
            pool: Pool::new(seats.len())?,
            clients: seats.into_iter().map(Correspondent::new).collect(),
            rules,
            letters: Letters::default(),
            ledger: Ledger::new(0),
            repeats: Repeats::default(),
            next_writer: 0,
            statuses_seen: 0,
            left: 0,
            to_away: 0,
            clock: (0, Instant::now()),
            unknown: 0,
            written_again: 0,
            answered_at: None,
            lost: BTreeSet::new(),
            repeating: BTreeSet::new(),
            began: Instant::now(),
            served: None,
        })
    }

    /// From now on it is known when messages were written and answered.
    pub fn watch(&mut self) {
        self.served = Some(Vec::new());
    }

    /// What was answered since somebody watches.
    pub fn served(&self) -> &[Served] {
        self.served.as_deref().unwrap_or_default()
    }

    /// How long ago the clients began.
    pub fn clock(&self) -> Duration {
        self.began.elapsed()
    }

    /// A client shows another status, if it is there.
    pub fn set_status(&mut self, at: usize, status: Status) {
        if self.is_there(at) {
            self.pool.put(at, &ClientPacket::SetStatus(status));
        }
    }

    /// How many statuses of friends came.
    pub fn statuses_seen(&self) -> u64 {
        self.statuses_seen
    }

    /// So many more messages are to be written: one by each writer in turn,
    /// and what finds no room is written as answers come.
    pub fn write_more(&mut self, messages: u64) -> Result<()> {
        self.left += messages;
        let clients = self.clients.len();
        let mut without_room = 0;
        while self.left > 0 && without_room < clients {
            let at = self.next_writer % clients;
            self.next_writer = at + 1;
            without_room = if self.write_one(at)? {
                0
            } else {
                without_room + 1
            };
        }
        Ok(())
    }

    /// Writes to sockets what is to be written, as far as they take it.
    pub fn flush(&mut self) {
        self.pool.flush();
    }

    /// So many more messages are to be written; none is before this is said.
    pub fn write(&mut self, messages: u64) -> Result<()> {
        self.left = messages;
        (0..self.clients.len()).try_for_each(|at| self.replenish(at))
    }

    /// No further message is written.
    pub fn write_no_more(&mut self) {
        self.left = 0;
    }

    /// Whether all that was to be written is, and is answered.
    pub fn is_answered(&self) -> bool {
        self.left == 0 && self.ledger.tally().unanswered == 0
    }

    /// Whether besides that what is safe has been delivered.
    pub fn is_settled(&self) -> bool {
        self.left == 0 && self.ledger.is_settled()
    }

    /// How many messages came for a client.
    pub fn taken(&self, at: usize) -> u64 {
        self.letters.taken(at)
    }

    /// How many came after a later one of the same sender.
    pub fn out_of_order(&self) -> u64 {
        self.letters.out_of_order()
    }

    /// The accounts by now; what was answered `Unknown` is not answered.
    pub fn tally(&self) -> Tally {
        Tally {
            unknown: self.unknown,
            ..self.ledger.tally().clone()
        }
    }

    /// How often a message was written again.
    pub fn written_again(&self) -> u64 {
        self.written_again
    }

    /// When the first answer came since this was last asked.
    pub fn take_answered_at(&mut self) -> Option<Instant> {
        self.answered_at.take()
    }

    /// Sees to all clients, and waits a little for what comes. Returns how
    /// much came.
    pub fn turn(&mut self) -> Result<usize> {
        self.come_back()?;
        self.repeat_unknown();
        let came = self.pool.turn()?;
        let count = came.len();
        let mut heard = BTreeSet::new();
        for (at, event) in came {
            heard.insert(at);
            match event {
                Event::Packet(packet) => self.packet(at, packet)?,
                Event::Closed(_) if self.clients[at].place == Place::Leaving => {
                    self.clients[at].place = Place::Away;
                }
                Event::Closed(e) if self.may_be_lost(at) => {
                    eprintln!(
                        "bench: {} lost its connection: {e:#}",
                        self.clients[at].seat.user
                    );
                    self.lose(at, PAUSE)?;
                }
                Event::Closed(e) => {
                    return Err(e.context(format!("session of {}", self.clients[at].seat.user)));
                }
            }
        }
        for at in heard {
            self.acknowledge(at);
            self.replenish(at)?;
        }
        self.pool.flush();
        Ok(count)
    }

    fn packet(&mut self, at: usize, packet: ServerPacket) -> Result<()> {
        if self.clients[at].place == Place::Leaving {
            return Ok(());
        }
        match packet {
            ServerPacket::LoginOk(granted) => self.entered(at, &granted),
            ServerPacket::Presence { peers, .. } => {
                self.statuses_seen += peers.len() as u64;
                Ok(())
            }
            ServerPacket::Deliver(deliver) => self.delivered(at, &deliver),
            ServerPacket::Sent { id, sent } => match sent.outcome {
                Outcome::Delivered { .. } => self.answered(at, id, Answer::Delivered),
                Outcome::Stored | Outcome::Logged(_) => self.answered(at, id, Answer::Stored),
            },
            ServerPacket::Rejected { id, code, .. } => {
                eprintln!("bench: {} was refused: {code}", self.clients[at].seat.user);
                self.answered(at, id, Answer::Refused)
            }
            ServerPacket::Unknown { id, code } => self.unknown(at, id, code),
            ServerPacket::Closing(closing) => {
                let user = &self.clients[at].seat.user;
                let entering = self.clients[at].place == Place::Entering;
                let again = closing.code.next() == Next::ComeBack;
                ensure!(
                    again && (entering || self.rules.come_back),
                    "{user} was closed: {}",
                    closing.code
                );
                let pause = Duration::from_millis(u64::from(closing.come_back_after_ms));
                self.lose(at, pause.max(PAUSE))
            }
            _ => Ok(()),
        }
    }

    fn put_again(&mut self, at: usize, number: MessageNumber) {
        self.written_again += 1;
        self.repeats.written_again(number);
        self.put(at, number, true);
    }

    fn put(&mut self, at: usize, number: MessageNumber, again: bool) {
        let letter = self.letters.get(number);
        let send = client::Send {
            id: letter.id,
            to: self.clients[letter.recipient].seat.user.clone(),
            body: self.body.clone(),
            friends_hash: None,
            again,
        };
        self.pool.put(at, &ClientPacket::Send(send));
    }

    fn replenish(&mut self, at: usize) -> Result<()> {
        while self.write_one(at)? {}
        Ok(())
    }

    /// Writes one message, if there is one left and room for it.
    fn write_one(&mut self, at: usize) -> Result<bool> {
        let has_room = self.clients[at].unanswered.len() < self.rules.window;
        if self.left == 0 || !self.is_there(at) || !has_room {
            return Ok(false);
        }
        let recipient = match self.clients[at].route {
            Route::Nobody => return Ok(false),
            Route::Peer(peer) => peer,
            Route::Away => {
                self.to_away += 1;
                self.rules.away.start + (self.to_away - 1) % self.rules.away.len()
            }
        };
        self.left -= 1;
        // It takes centuries to fill these.
        let written = self.began.elapsed().as_nanos() as u64;
        let number = self.ledger.start(at as u32, written)?;
        let (server_ms, since) = self.clock;
        let id = number.mint(server_ms + since.elapsed().as_millis() as u64);
        self.letters.add(Letter {
            id,
            sender: at,
            recipient,
        });
        self.clients[at].unanswered.push_back(number);
        self.put(at, number, false);
        Ok(true)
    }

    fn delivered(&mut self, at: usize, deliver: &Deliver) -> Result<()> {
        let user = &self.clients[at].seat.user;
        let (number, letter) = self
            .letters
            .find(deliver.id)
            .with_context(|| format!("{user} got what nobody wrote: {deliver:?}"))?;
        let from = &self.clients[letter.sender].seat.user;
        ensure!(
            letter.recipient == at && deliver.from == *from && deliver.body == self.body,
            "{user} got what is not for them: {deliver:?}"
        );
        let delivery = self.ledger.delivered(number, letter.sender as u32)?;
        match delivery {
            Delivery::First { .. } => {
                self.letters.came(number);
                self.repeats.came(number, Instant::now());
            }
            Delivery::Again => self.repeats.came_again(number),
        }
        self.clients[at].taken = deliver.seq;
        Ok(())
    }

    fn acknowledge(&mut self, at: usize) {
        let client = &mut self.clients[at];
        if client.taken > client.acknowledged {
            client.acknowledged = client.taken;
            self.pool.put(at, &ClientPacket::Ack { seq: client.taken });
        }
    }

    fn answered(&mut self, at: usize, id: MessageId, answer: Answer) -> Result<()> {
        let number = MessageNumber::of(id);
        let written = self.ledger.answered(number, at as u32, answer)?;
        if let Some(served) = &mut self.served {
            served.push(Served {
                sender: at,
                recipient: self.letters.get(number).recipient,
                written: Duration::from_nanos(written),
                answered: self.began.elapsed(),
            });
        }
        self.clients[at].unanswered.retain(|one| *one != number);
        self.answered_at.get_or_insert_with(Instant::now);
        Ok(())
    }
}
