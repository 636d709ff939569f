//! Users of a friend graph, in one thread: they log in, see their friends, and
//! leave.
//!
//! Owns who is logged in, and what each sees. Must not know what is measured.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use proto::client::{ClientPacket, Login};
use proto::codes::Next;
use proto::ids::DeviceId;
use proto::server::{Closing, ServerPacket};

use crate::deadline::Deadline;
use crate::pool::{Event, Pool};
use crate::ring::{self, Ring};
use crate::session::{self, Seat};
use crate::target::Target;
use crate::view::{News, View};

/// All log-ins, or all log-outs, are over in this time.
const PATIENCE: Duration = Duration::from_secs(120);

struct Member {
    seat: Seat,
    view: View,
    /// Log-ins and snapshots are counted together, from 1: which number this
    /// user's log-in and snapshot have.
    began: u64,
    whole: Option<u64>,
    /// The server has said that it takes the log-in later, and is about to
    /// close.
    put_off: bool,
}

/// The users of a ring.
pub struct Crowd {
    ring: Ring,
    /// Their sockets.
    pub pool: Pool,
    members: Vec<Member>,
    events: u64,
}

/// What friends are to be seen at the end of all log-ins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// All of them, online.
    All,
    /// None of them.
    Nobody,
    /// Whoever; there is no friend yet.
    Any,
}

impl Crowd {
    /// Nobody is logged in. Users are spread over the gateways.
    pub fn new(ring: Ring, users: usize, target: &Target) -> Result<Self> {
        let member = |user: usize| {
            let friends = ring.friends(user).map(ring::name);
            let friends = friends.collect::<Result<Vec<_>>>()?;
            Ok(Member {
                seat: Seat {
                    user: ring::name(user)?,
                    device: DeviceId::new("bench")?,
                    address: target.gateways[user % target.gateways.len()],
                    trust: None,
                },
                view: View::new(friends),
                began: 0,
                whole: None,
                put_off: false,
            })
        };
        Ok(Self {
            ring,
            pool: Pool::new(users)?,
            members: (0..users).map(member).collect::<Result<_>>()?,
            events: 0,
        })
    }

    /// A log-in of every user by name, online and without a list's hash.
    pub fn logins(&self) -> Vec<Login> {
        let seats = self.members.iter().map(|member| &member.seat);
        seats.map(session::login).collect()
    }

    /// Logs all users in, so many at a time, until each has its snapshot and
    /// sees what is expected. Returns how many log-ins were put off by the
    /// server's rate.
    pub fn enter(
        &mut self,
        logins: Vec<Login>,
        in_flight: usize,
        expected: Expected,
        target: &mut Target,
    ) -> Result<u64> {
        let mut deadline = Deadline::new("logging in", PATIENCE);
        let packets = logins.into_iter().map(Box::new).map(ClientPacket::Login);
        let packets: Vec<_> = packets.collect();
        let mut waiting: VecDeque<usize> = (0..packets.len()).collect();
        let (mut open, mut put_off) = (0, 0);
        let mut pause_until = Instant::now();
        for member in &mut self.members {
            member.whole = None;
        }
        while open > 0 || !waiting.is_empty() || !self.sees(expected) {
            deadline.check(target).with_context(|| self.missing())?;
            while open < in_flight && Instant::now() >= pause_until {
                let Some(at) = waiting.pop_front() else { break };
                self.begin(at, &packets[at])?;
                open += 1;
            }
            for (at, event) in self.pool.turn()? {
                if self.members[at].put_off {
                    if let Event::Closed(_) = event {
                        waiting.push_back(at);
                        open -= 1;
                        put_off += 1;
                    }
                    continue;
                }
                let packet = self.packet(at, event)?;
                if let ServerPacket::Closing(closing) = packet {
                    pause_until = Instant::now() + pause(&closing)?;
                    self.members[at].put_off = true;
                    continue;
                }
                self.take(at, packet)?;
                let member = &mut self.members[at];
                if member.whole.is_none() && member.view.is_whole() {
                    open -= 1;
                    self.became_whole(at, expected)?;
                }
            }
        }
        Ok(put_off)
    }

    fn begin(&mut self, at: usize, login: &ClientPacket) -> Result<()> {
        self.events += 1;
        let member = &mut self.members[at];
        member.began = self.events;
        member.put_off = false;
        member.view.forget();
        self.pool.open(at, member.seat.address)?;
        self.pool.put(at, login);
        Ok(())
    }

    /// A friend who was there before this user's log-in is in the snapshot.
    fn became_whole(&mut self, at: usize, expected: Expected) -> Result<()> {
        self.events += 1;
        self.members[at].whole = Some(self.events);
        let member = &self.members[at];
        if expected != Expected::All {
            return Ok(());
        }
        for friend in self.ring.friends(at) {
            let friend = &self.members[friend];
            let was_there = friend.whole.is_some_and(|whole| whole < member.began);
            ensure!(
                !was_there || member.view.sees(&friend.seat.user),
                "the snapshot of {} leaves out {}, who is online",
                member.seat.user,
                friend.seat.user
            );
        }
        Ok(())
    }

    fn sees(&self, expected: Expected) -> bool {
        let mut views = self.members.iter().map(|member| &member.view);
        match expected {
            Expected::All => views.all(View::all_online),
            Expected::Nobody => views.all(|view| view.online() == 0),
            Expected::Any => true,
        }
    }

    /// What every user sees, for people.
    fn missing(&self) -> String {
        let whole = self.members.iter().filter(|m| m.view.is_whole()).count();
        let online: usize = self.members.iter().map(|m| m.view.online()).sum();
        let users = self.members.len();
        format!("{whole} of {users} snapshots are there, {online} times a friend is seen online")
    }

    /// Takes what is still on its way; the servers are at rest.
    pub fn catch_up(&mut self) -> Result<()> {
        loop {
            let came = self.pool.turn()?;
            if came.is_empty() {
                return Ok(());
            }
            for (at, event) in came {
                let packet = self.packet(at, event)?;
                self.take(at, packet)?;
            }
        }
    }

    /// Waits until every user sees all friends online; returns what came
    /// until then.
    pub fn until_all_online(&mut self, patience: Duration, target: &mut Target) -> Result<News> {
        let mut deadline = Deadline::new("telling all friends", patience);
        let mut all = News::default();
        while !self.sees(Expected::All) {
            deadline.check(target).with_context(|| self.missing())?;
            for (at, event) in self.pool.turn()? {
                let packet = self.packet(at, event)?;
                let news = self.take(at, packet)?;
                all.came_online += news.came_online;
                all.repeated += news.repeated;
            }
        }
        Ok(all)
    }

    /// Logs all users out, and waits until the server has closed.
    pub fn leave(&mut self, target: &mut Target) -> Result<()> {
        let mut deadline = Deadline::new("logging out", PATIENCE);
        for at in 0..self.members.len() {
            self.pool.put(at, &ClientPacket::Logout);
        }
        let mut left = 0;
        while left < self.members.len() {
            deadline.check(target)?;
            for (_, event) in self.pool.turn()? {
                left += usize::from(matches!(event, Event::Closed(_)));
            }
        }
        Ok(())
    }

    /// The packet of an event; an end that nobody asked for is an error.
    pub fn packet(&self, at: usize, event: Event) -> Result<ServerPacket> {
        match event {
            Event::Packet(packet) => Ok(packet),
            Event::Closed(e) => {
                Err(e.context(format!("session of {}", self.members[at].seat.user)))
            }
        }
    }

    fn take(&mut self, at: usize, packet: ServerPacket) -> Result<News> {
        let member = &mut self.members[at];
        match packet {
            ServerPacket::Presence { peers, snapshot } => {
                let news = member.view.take(peers, snapshot);
                news.with_context(|| format!("session of {}", member.seat.user))
            }
            ServerPacket::FriendsStale { .. } => {
                bail!("{} named a hash that is not the newest", member.seat.user)
            }
            ServerPacket::Closing(closing) => {
                bail!("{} was closed: {}", member.seat.user, closing.code)
            }
            _ => Ok(News::default()),
        }
    }
}

/// How long to wait where a log-in is put off; an error where it is refused.
fn pause(closing: &Closing) -> Result<Duration> {
    ensure!(
        closing.code.next() == Next::ComeBack,
        "a log-in was refused: {}",
        closing.code
    );
    let pause_ms = u64::from(closing.come_back_after_ms);
    Ok(Duration::from_millis(pause_ms.clamp(100, 5_000)))
}
