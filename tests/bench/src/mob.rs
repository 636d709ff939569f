//! Clients of an attacker: they come, and come back however they were closed.
//!
//! Owns who of them is logged in. Must not know what they do then.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Result;
use proto::client::ClientPacket;
use proto::ids::{DeviceId, UserId};
use proto::server::ServerPacket;

use crate::pool::{Event, Pool};
use crate::session::{self, Seat};

/// Between an end and the next attempt.
const PAUSE: Duration = Duration::from_millis(50);

/// The clients of one attacker.
pub struct Mob {
    /// Their sockets.
    pub pool: Pool,
    seats: Vec<Seat>,
    there: Vec<bool>,
    /// Who is to connect, and when.
    due: BTreeMap<usize, Instant>,
}

impl Mob {
    /// So many, each of its own user, on all gateways in turn; all are about to
    /// come.
    pub fn new(name: &str, count: usize, gateways: &[SocketAddr]) -> Result<Self> {
        let seat = |at: usize| {
            Ok(Seat {
                user: UserId::new(format!("{name}-{at}"))?,
                device: DeviceId::new("mob")?,
                address: gateways[at % gateways.len()],
                trust: None,
            })
        };
        let now = Instant::now();
        Ok(Self {
            pool: Pool::new(count)?,
            seats: (0..count).map(seat).collect::<Result<_>>()?,
            there: vec![false; count],
            due: (0..count).map(|at| (at, now)).collect(),
        })
    }

    /// Whether a client is logged in.
    pub fn is_there(&self, at: usize) -> bool {
        self.there[at]
    }

    /// Who a client is.
    pub fn user(&self, at: usize) -> &UserId {
        &self.seats[at].user
    }

    /// A client goes without a word, and comes back at once.
    pub fn comes_anew(&mut self, at: usize) {
        self.pool.close(at);
        self.ended(at, Duration::ZERO);
    }

    /// Lets those come who are due, waits a little, and returns what came.
    pub fn turn(&mut self) -> Result<Vec<(usize, ServerPacket)>> {
        let now = Instant::now();
        let due = self.due.iter().filter(|(_, when)| **when <= now);
        let due: Vec<usize> = due.map(|(at, _)| *at).collect();
        for at in due {
            self.comes(at);
        }
        let mut packets = Vec::new();
        for (at, event) in self.pool.turn()? {
            match event {
                Event::Closed(_) => self.ended(at, PAUSE),
                Event::Packet(packet) => {
                    if let ServerPacket::LoginOk(_) = packet {
                        self.there[at] = true;
                    }
                    packets.push((at, packet));
                }
            }
        }
        Ok(packets)
    }

    fn comes(&mut self, at: usize) {
        let seat = &self.seats[at];
        // Who gets no port or is not accepted comes back like any other.
        if self.pool.open(at, seat.address).is_err() {
            return self.ended(at, PAUSE);
        }
        self.due.remove(&at);
        let login = ClientPacket::Login(Box::new(session::login(seat)));
        self.pool.put(at, &login);
    }

    fn ended(&mut self, at: usize, pause: Duration) {
        self.there[at] = false;
        self.due.insert(at, Instant::now() + pause);
    }
}
