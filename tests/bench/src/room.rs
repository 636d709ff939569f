//! One room, in one thread: its members, who are logged in, and who has got
//! what.
//!
//! Owns the accounts: each message is to reach each member once, in order. Must
//! not know what is measured.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use proto::client::{ChangeGroup, ClientPacket, GetHistory, GroupSend};
use proto::group::{Action, Conversation, Entrance, LogEntry, Logged, Range};
use proto::ids::{DeviceId, GroupId, LogEpoch, MessageId, Stamp, UserId};
use proto::server::{GroupDeliver, ServerPacket};

use crate::deadline::Deadline;
use crate::outcome::Latencies;
use crate::pool::{Event, Pool};
use crate::session::{self, Seat};
use crate::target::Target;

/// Log-ins and joins at a time.
const IN_FLIGHT: usize = 64;
/// Entries of a page of history.
const PAGE: u32 = 100;
/// Pages that are asked for at a time.
const PAGES_IN_FLIGHT: usize = 8;
/// All log-ins, all joins, all pages.
const PATIENCE: Duration = Duration::from_secs(120);

/// To what the members speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// A cluster, in which the room is a group.
    Cluster,
    /// The relay, which writes to all what one writes.
    Relay,
}

/// A message that has not reached all.
struct Flight {
    due: Instant,
    missing: usize,
}

/// The members of one room.
pub struct Room {
    side: Side,
    group: GroupId,
    pool: Pool,
    seats: Vec<Seat>,
    /// Who reads, the first of all.
    hearing: usize,
    /// The last message that each has got; messages count from 1.
    got: Vec<u64>,
    /// The last entry of the log that each has seen.
    seen: Vec<u64>,
    flights: HashMap<u64, Flight>,
    written: u64,
    accounts: Accounts,
}

/// What became of the messages.
#[derive(Default)]
pub struct Accounts {
    /// Messages that got to members.
    pub delivered: u64,
    /// Those that got there again.
    pub duplicates: u64,
    /// Those that were left out.
    pub lost: u64,
    /// Messages answered as safe.
    pub sent: u64,
    /// Messages refused.
    pub refused: u64,
    /// Intended send → decoded at a member.
    pub delivery: Option<Latencies>,
}

impl Room {
    /// Nobody is there. Members are spread over the gateways; the last `deaf` of
    /// them will not read.
    pub fn new(side: Side, members: usize, deaf: usize, target: &Target) -> Result<Self> {
        let all = members + deaf;
        let seat = |number: usize| {
            Ok(Seat {
                user: UserId::new(format!("u{number}"))?,
                device: DeviceId::new("bench")?,
                address: target.gateways[number % target.gateways.len()],
                trust: None,
            })
        };
        Ok(Self {
            side,
            group: GroupId::new("room")?,
            pool: Pool::new(all)?,
            seats: (0..all).map(seat).collect::<Result<_>>()?,
            hearing: members,
            got: vec![0; all],
            seen: vec![0; all],
            flights: HashMap::default(),
            written: 0,
            accounts: Accounts::default(),
        })
    }

    /// Logs all in.
    pub fn log_in(&mut self, target: &mut Target) -> Result<()> {
        let begin = |room: &mut Self, at: usize| {
            let login = session::login(&room.seats[at]);
            room.pool.open(at, room.seats[at].address)?;
            room.pool.put(at, &ClientPacket::Login(Box::new(login)));
            Ok(())
        };
        let all = 0..self.seats.len();
        self.each("logging in", all, begin, target, |packet| {
            matches!(packet, ServerPacket::LoginOk(_))
        })
    }

    /// The first makes the room, the others come in; over when each has seen all
    /// come who came after it.
    pub fn join(&mut self, target: &mut Target) -> Result<()> {
        let act = |action: Action| {
            move |room: &mut Self, at: usize| {
                let change = ChangeGroup {
                    request: 1,
                    group: room.group.clone(),
                    action: action.clone(),
                };
                room.pool.put(at, &ClientPacket::ChangeGroup(change));
                Ok(())
            }
        };
        let is_in = |packet: &ServerPacket| matches!(packet, ServerPacket::GroupState(_));
        let create = Action::Create {
            title: "a room".into(),
            entrance: Entrance::Open,
        };
        self.each("creating", 0..1, act(create), target, is_in)?;
        let others = 1..self.seats.len();
        self.each("joining", others, act(Action::Join), target, is_in)?;
        let all = self.seats.len() as u64;
        let mut deadline = Deadline::new("seeing all join", PATIENCE);
        while self.seen.iter().any(|seen| *seen < all) {
            deadline.check(target)?;
            for (at, event) in self.pool.turn()? {
                self.take(at, event)?;
            }
        }
        for at in self.hearing..self.seats.len() {
            self.pool.deafen(at);
        }
        Ok(())
    }

    /// Something is begun for each, so many at a time, until each has its answer.
    fn each(
        &mut self,
        what: &'static str,
        members: std::ops::Range<usize>,
        begin: impl Fn(&mut Self, usize) -> Result<()>,
        target: &mut Target,
        is_done: impl Fn(&ServerPacket) -> bool,
    ) -> Result<()> {
        let mut deadline = Deadline::new(what, PATIENCE);
        let mut waiting: VecDeque<usize> = members.collect();
        let mut open = 0;
        while open > 0 || !waiting.is_empty() {
            deadline.check(target)?;
            while open < IN_FLIGHT {
                let Some(at) = waiting.pop_front() else { break };
                begin(self, at)?;
                open += 1;
            }
            for (at, event) in self.pool.turn()? {
                if let Some(packet) = self.take(at, event)? {
                    open -= usize::from(is_done(&packet));
                }
            }
        }
        Ok(())
    }

    /// Asks for so many pages of the log's end, each member in turn, and counts
    /// the entries that came.
    pub fn read_pages(&mut self, pages: usize, target: &mut Target) -> Result<usize> {
        let mut deadline = Deadline::new("reading pages", PATIENCE);
        let (mut asked, mut open, mut entries) = (0, 0, 0);
        while asked < pages || open > 0 {
            deadline.check(target)?;
            while open < PAGES_IN_FLIGHT && asked < pages {
                let get = GetHistory {
                    request: 1,
                    of: Conversation::Group(self.group.clone()),
                    range: Range::Before(0),
                    count: PAGE,
                };
                let at = asked % self.hearing;
                self.pool.put(at, &ClientPacket::GetHistory(get));
                asked += 1;
                open += 1;
            }
            for (at, event) in self.pool.turn()? {
                if let Some(ServerPacket::History(history)) = self.take(at, event)? {
                    ensure!(history.entries.len() == PAGE as usize, "a page is not full");
                    entries += history.entries.len();
                    open -= 1;
                }
            }
        }
        Ok(entries)
    }

    /// The first member writes a message that was due then.
    pub fn write(&mut self, due: Instant, size: usize) {
        self.written += 1;
        let number = self.written;
        let missing = self.hearing;
        self.flights.insert(number, Flight { due, missing });
        let body = Bytes::from(vec![b'x'; size]);
        let id = id_of(number);
        match self.side {
            Side::Cluster => {
                let send = GroupSend {
                    id,
                    group: self.group.clone(),
                    body,
                    mentions: Vec::new(),
                    again: false,
                };
                self.pool.put(0, &ClientPacket::GroupSend(send));
            }
            Side::Relay => {
                let deliver = GroupDeliver {
                    group: self.group.clone(),
                    epoch: LogEpoch(1_795_000_000_000_000),
                    entry: LogEntry {
                        seq: number,
                        messages: number,
                        stamp: Stamp(1_795_000_000_000_000),
                        from: self.seats[0].user.clone(),
                        what: Logged::Message {
                            id,
                            body,
                            mentions: Vec::new(),
                        },
                    },
                };
                self.pool.put_frame(0, &ServerPacket::GroupDeliver(deliver));
            }
        }
    }

    /// Messages that have not reached all, or whose writer has no answer.
    pub fn open(&self) -> usize {
        self.flights.len()
    }

    /// How many were written.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// What became of them so far.
    pub fn accounts(&mut self) -> &mut Accounts {
        &mut self.accounts
    }

    /// Takes what came, waiting for it a little.
    pub fn turn(&mut self, patience: Duration) -> Result<()> {
        for (at, event) in self.pool.turn_within(patience)? {
            self.take(at, event)?;
        }
        Ok(())
    }

    /// Gives the packet back, if it is not an entry.
    fn take(&mut self, at: usize, event: Event) -> Result<Option<ServerPacket>> {
        let packet = match event {
            Event::Packet(packet) => packet,
            Event::Closed(error) => {
                return Err(error).with_context(|| format!("member {at}"));
            }
        };
        match packet {
            ServerPacket::GroupDeliver(deliver) => {
                self.seen[at] = self.seen[at].max(deliver.entry.seq);
                if let Logged::Message { id, .. } = deliver.entry.what {
                    self.reached(at, number_of(id));
                }
                return Ok(None);
            }
            ServerPacket::GroupState(state) => {
                self.seen[at] = state.head.place.seq;
                return Ok(Some(ServerPacket::GroupState(state)));
            }
            ServerPacket::Sent { .. } => self.accounts.sent += 1,
            ServerPacket::Rejected { .. } | ServerPacket::Unknown { .. } => {
                self.accounts.refused += 1;
            }
            ServerPacket::GroupResult {
                code: Some(code), ..
            } => bail!("member {at}: {code}"),
            ServerPacket::Closing(closing) => bail!("member {at}: {}", closing.code),
            other => return Ok(Some(other)),
        }
        Ok(None)
    }

    fn reached(&mut self, at: usize, number: u64) {
        let before = self.got[at];
        if number <= before {
            self.accounts.duplicates += 1;
            return;
        }
        self.accounts.lost += number - before - 1;
        self.got[at] = number;
        if at >= self.hearing {
            return;
        }
        self.accounts.delivered += 1;
        let Some(flight) = self.flights.get_mut(&number) else {
            return;
        };
        if let Some(delivery) = &mut self.accounts.delivery {
            delivery.record_ns(flight.due.elapsed().as_nanos() as u64);
        }
        flight.missing -= 1;
        if flight.missing == 0 {
            self.flights.remove(&number);
        }
    }
}

/// The number is in the last bytes of the id.
fn id_of(number: u64) -> MessageId {
    let since_1970 = std::time::SystemTime::UNIX_EPOCH.elapsed();
    let now_ms = since_1970.unwrap_or_default().as_millis() as u64;
    let mut random = [0; 10];
    random[3..].copy_from_slice(&number.to_be_bytes()[1..]);
    MessageId::mint(now_ms, random)
}

fn number_of(id: MessageId) -> u64 {
    let mut number = [0; 8];
    number[1..].copy_from_slice(&id.as_bytes()[9..]);
    u64::from_be_bytes(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_known_by_its_id() {
        for number in [1, 255, 256, 1 << 40] {
            assert_eq!(number_of(id_of(number)), number);
        }
    }
}
