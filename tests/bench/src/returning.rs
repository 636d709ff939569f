//! Sessions that say nothing, lose their gateway all at once, and come back to
//! the others, with the pauses of the SDK.
//!
//! Owns where each of them is. Must not know what is measured.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use proto::client::ClientPacket;
use proto::codes::Next;
use proto::friends::{FriendList, ListVersion};
use proto::ids::DeviceId;
use proto::server::ServerPacket;

use crate::deadline::Deadline;
use crate::interrupt;
use crate::pool::{Event, Pool};
use crate::ring;
use crate::session::{self, Seat};
use crate::target::Target;

/// Log-ins at a time, before anything is lost.
const IN_FLIGHT: usize = 64;
const PATIENCE: Duration = Duration::from_secs(300);
/// Pauses before attempts, as in the SDK: the ceiling doubles with each
/// failure in a row, and a pause is at least half of its ceiling.
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Away,
    Entering,
    There,
    /// Its log-in was put off: the server is about to close.
    PutOff(Instant),
    /// Comes back at this time.
    Lost(Instant),
}

struct Member {
    login: ClientPacket,
    place: Place,
    failures: u32,
}

/// The sessions.
pub struct Returning {
    pool: Pool,
    members: Vec<Member>,
    gateways: Vec<SocketAddr>,
}

/// How they came back.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// When the last of them was.
    pub back: Duration,
    /// The most log-ins that were granted within any second.
    pub logins_per_s_max: usize,
    /// Log-ins that the servers put off.
    pub put_off: u64,
}

impl Returning {
    /// Nobody is there yet. All come to the first gateway, and later to the
    /// others.
    pub fn new(sessions: usize, gateways: &[SocketAddr]) -> Result<Self> {
        let nobody = FriendList::new(ListVersion(0), Vec::new())?.hash();
        let member = |at: usize| {
            let mut login = session::login(&Seat {
                user: ring::name(at)?,
                device: DeviceId::new("bench")?,
                address: gateways[0],
                trust: None,
            });
            login.friends_hash = Some(nobody);
            Ok(Member {
                login: ClientPacket::Login(Box::new(login)),
                place: Place::Away,
                failures: 0,
            })
        };
        Ok(Self {
            pool: Pool::new(sessions)?,
            members: (0..sessions).map(member).collect::<Result<_>>()?,
            gateways: gateways.to_vec(),
        })
    }

    /// All log in, some at a time.
    pub fn enter(&mut self, target: &mut Target) -> Result<()> {
        let mut deadline = Deadline::new("logging in", PATIENCE);
        let mut waiting: VecDeque<usize> = (0..self.members.len()).collect();
        let (mut open, mut there) = (0, 0);
        while there < self.members.len() {
            deadline.check(target)?;
            while open < IN_FLIGHT
                && let Some(at) = waiting.pop_front()
            {
                self.begin(at, self.gateways[0])?;
                open += 1;
            }
            for (at, event) in self.pool.turn()? {
                match event {
                    Event::Packet(ServerPacket::LoginOk(_)) => {
                        self.members[at].place = Place::There;
                        (open, there) = (open - 1, there + 1);
                    }
                    // What is put off is closed, and tried again.
                    Event::Packet(_) => {}
                    Event::Closed(_) => {
                        ensure!(self.members[at].place != Place::There, "a session ended");
                        waiting.push_back(at);
                        open -= 1;
                    }
                }
            }
        }
        Ok(())
    }

    fn begin(&mut self, at: usize, address: SocketAddr) -> Result<()> {
        self.pool.open(at, address)?;
        let member = &mut self.members[at];
        member.place = Place::Entering;
        self.pool.put(at, &member.login);
        Ok(())
    }

    /// Waits until all who lost the first gateway are back at the others.
    pub fn come_back(&mut self, lost_at: Instant, patience: Duration) -> Result<Seen> {
        let mut granted = Vec::with_capacity(self.members.len());
        let mut put_off = 0;
        while granted.len() < self.members.len() {
            interrupt::check()?;
            let missing = self.members.len() - granted.len();
            ensure!(lost_at.elapsed() < patience, "{missing} do not come back");
            self.begin_those_due();
            for (at, event) in self.pool.turn()? {
                match event {
                    Event::Packet(ServerPacket::LoginOk(_)) => {
                        self.members[at].place = Place::There;
                        granted.push(lost_at.elapsed());
                    }
                    Event::Packet(ServerPacket::Closing(closing)) => {
                        let code = closing.code;
                        ensure!(code.next() == Next::ComeBack, "a log-in got {code}");
                        let wish = u64::from(closing.come_back_after_ms);
                        let due = self.pause(at, Duration::from_millis(wish));
                        self.members[at].place = Place::PutOff(due);
                        put_off += 1;
                    }
                    Event::Packet(_) => {}
                    Event::Closed(_) => self.is_lost(at)?,
                }
            }
        }
        let back = granted.iter().max().copied().unwrap_or_default();
        Ok(Seen {
            back,
            logins_per_s_max: most_within_a_second(&granted),
            put_off,
        })
    }

    fn is_lost(&mut self, at: usize) -> Result<()> {
        let due = match self.members[at].place {
            Place::PutOff(due) => due,
            // At the first gateway nobody had failed.
            Place::There if self.members[at].failures > 0 => {
                bail!("a session ended that had come back")
            }
            _ => self.pause(at, Duration::ZERO),
        };
        self.members[at].place = Place::Lost(due);
        Ok(())
    }

    fn begin_those_due(&mut self) {
        let now = Instant::now();
        for at in 0..self.members.len() {
            let is_due = matches!(self.members[at].place, Place::Lost(due) if due <= now);
            let others = &self.gateways[1..];
            if is_due
                && self
                    .begin(at, others[fastrand::usize(..others.len())])
                    .is_err()
            {
                let due = self.pause(at, Duration::ZERO);
                self.members[at].place = Place::Lost(due);
            }
        }
    }

    /// When the next attempt is due, not before what the server asked for.
    fn pause(&mut self, at: usize, wish: Duration) -> Instant {
        let member = &mut self.members[at];
        let half = FIRST
            .saturating_mul(1 << member.failures.min(16))
            .min(LONGEST)
            / 2;
        member.failures += 1;
        let jitter = Duration::from_millis(fastrand::u64(..=half.as_millis() as u64));
        Instant::now() + half.max(wish) + jitter
    }
}

/// Moments in any order.
fn most_within_a_second(moments: &[Duration]) -> usize {
    let mut moments = moments.to_vec();
    moments.sort_unstable();
    let within = |(first, begin): (usize, &Duration)| {
        let end = *begin + Duration::from_secs(1);
        moments.partition_point(|moment| *moment < end) - first
    };
    let most = moments.iter().enumerate().map(within).max();
    most.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fullest_second_is_found_wherever_it_begins() {
        let moments = [100, 1_900, 2_500, 2_600, 2_899, 2_900].map(Duration::from_millis);
        assert_eq!(most_within_a_second(&moments), 4);
        assert_eq!(most_within_a_second(&[]), 0);
    }
}
