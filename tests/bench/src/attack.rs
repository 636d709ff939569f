//! What one attacker does, in a process of its own, until it is told to stop.
//!
//! Owns the ways of being unfair. Must not know what others make of it.

use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use bytes::Bytes;
use clap::ValueEnum;
use proto::client::{self, ClientPacket};
use proto::codes::Code;
use proto::ids::{MessageId, UserId};
use proto::server::ServerPacket;
use rustix::process::Signal;

use crate::interrupt;
use crate::mob::Mob;

/// The priority of an attacker: nobody's is lower.
const NICE: i32 = 19;
/// Readers that never read, and those of them that ask without end.
const READERS: usize = 100;
const ASKERS: usize = 2;
/// Who writes to the readers, and into mailboxes.
const WRITERS: usize = 8;
/// Messages that a writer keeps unanswered.
const WINDOW: usize = 8;
/// Answers that nobody reads are asked for so many at a time.
const PINGS: usize = 1_000;
/// The most that a body may be by default: few of these fill a mailbox.
const BODY_BYTES: usize = 16 * 1024;
/// A mailbox that refused so often is left for the next one.
const FULL_ENOUGH: u64 = 100;
/// What a sender writes at once: within a window, and far beyond it.
const BURST: usize = 100;
const ABUSE: usize = 1_000;
/// One in so many bursts goes beyond the window.
const ABUSE_EVERY: usize = 50;
/// Log-ins that one attacker has under way.
const LOGINS: usize = 64;

/// A way of being unfair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Attack {
    /// A hundred users are written to and never read; some of them ask without
    /// end.
    Readers,
    /// One session writes as much as it can, and beyond its window.
    Sender,
    /// Log-ins without end.
    Logins,
    /// One connection opens and closes without end.
    Opening,
    /// Mailboxes are filled to their bound, one after the other.
    Mailbox,
}

impl Attack {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Readers,
        Self::Sender,
        Self::Logins,
        Self::Opening,
        Self::Mailbox,
    ];

    /// As it is written on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Readers => "readers",
            Self::Sender => "sender",
            Self::Logins => "logins",
            Self::Opening => "opening",
            Self::Mailbox => "mailbox",
        }
    }

    /// What servers count when they meet it, without prefix.
    pub fn counters(self) -> &'static [&'static str] {
        match self {
            Self::Readers => &["connd_slow_readers_total"],
            Self::Sender => &["connd_window_exceeded_total", "msgd_rejected_total"],
            Self::Logins => &["connd_refused_total"],
            Self::Opening => &["connd_opened_total"],
            Self::Mailbox => &["mailboxes_full_total"],
        }
    }
}

/// Goes on until it is told to stop, and prints how much it did: messages,
/// log-ins or connections.
pub fn run(attack: Attack, gateways: &[SocketAddr]) -> Result<()> {
    interrupt::listen()?;
    // Nobody is to be attacked by who was left behind.
    rustix::process::set_parent_process_death_signal(Some(Signal::TERM))?;
    rustix::process::setpriority_process(None, NICE)?;
    let done = match attack {
        Attack::Readers => readers(gateways)?,
        Attack::Sender => sender(gateways)?,
        Attack::Logins => logins(gateways)?,
        Attack::Opening => opening(gateways[0]),
        Attack::Mailbox => mailbox(gateways)?,
    };
    println!("{done}");
    Ok(())
}

fn readers(gateways: &[SocketAddr]) -> Result<u64> {
    let mut mob = Mob::new("reader", READERS + WRITERS, gateways)?;
    let mut writers = Writers::new(READERS);
    let body = Bytes::from(vec![b'x'; 1_000]);
    while !interrupt::is_asked() {
        for (at, packet) in mob.turn()? {
            if matches!(packet, ServerPacket::LoginOk(_)) && at < READERS {
                mob.pool.deafen(at);
            }
            writers.take(at, &packet);
        }
        for asker in 0..ASKERS {
            if mob.is_there(asker) && mob.pool.has_said_all(asker) {
                (0..PINGS).for_each(|_| mob.pool.put(asker, &ClientPacket::Ping));
            }
        }
        let to = mob.user(writers.done as usize % READERS).clone();
        writers.write(&mut mob, &to, &body);
    }
    Ok(writers.done)
}

fn sender(gateways: &[SocketAddr]) -> Result<u64> {
    let mut mob = Mob::new("sender", 1, gateways)?;
    let to = UserId::new("nobody-there")?;
    let body = Bytes::from_static(b"buy this");
    let (mut done, mut bursts, mut open) = (0, 0, 0);
    while !interrupt::is_asked() {
        for (_, packet) in mob.turn()? {
            match packet {
                ServerPacket::LoginOk(_) => open = 0,
                packet if is_answer(&packet) => open -= 1,
                _ => {}
            }
        }
        if !mob.is_there(0) || open > 0 {
            continue;
        }
        bursts += 1;
        open = if bursts % ABUSE_EVERY == 0 {
            ABUSE
        } else {
            BURST
        };
        for _ in 0..open {
            mob.pool.put(0, &message(&to, body.clone()));
        }
        done += open as u64;
    }
    Ok(done)
}

fn logins(gateways: &[SocketAddr]) -> Result<u64> {
    let mut mob = Mob::new("comer", LOGINS, gateways)?;
    let mut done = 0;
    while !interrupt::is_asked() {
        for (at, packet) in mob.turn()? {
            let answer = matches!(packet, ServerPacket::LoginOk(_) | ServerPacket::Closing(_));
            if answer {
                done += 1;
                mob.comes_anew(at);
            }
        }
    }
    Ok(done)
}

fn opening(gateway: SocketAddr) -> u64 {
    let mut done = 0;
    while !interrupt::is_asked() {
        match TcpStream::connect(gateway) {
            Ok(_) => done += 1,
            // No port is free for a while.
            Err(_) => thread::sleep(Duration::from_millis(10)),
        }
    }
    done
}

fn mailbox(gateways: &[SocketAddr]) -> Result<u64> {
    let mut mob = Mob::new("filler", WRITERS, gateways)?;
    let mut writers = Writers::new(0);
    let body = Bytes::from(vec![b'x'; BODY_BYTES]);
    while !interrupt::is_asked() {
        for (at, packet) in mob.turn()? {
            writers.take(at, &packet);
        }
        let to = UserId::new(format!("away-{}", writers.full / FULL_ENOUGH))?;
        writers.write(&mut mob, &to, &body);
    }
    Ok(writers.done)
}

/// The last clients of a mob, who write and keep to a window.
struct Writers {
    first: usize,
    open: [usize; WRITERS],
    done: u64,
    /// Answers that a mailbox is full.
    full: u64,
}

impl Writers {
    fn new(first: usize) -> Self {
        Self {
            first,
            open: [0; WRITERS],
            done: 0,
            full: 0,
        }
    }

    fn take(&mut self, at: usize, packet: &ServerPacket) {
        let Some(writer) = at.checked_sub(self.first) else {
            return;
        };
        if let ServerPacket::LoginOk(_) = packet {
            self.open[writer] = 0;
        } else if is_answer(packet) {
            self.open[writer] -= 1;
        }
        if let ServerPacket::Rejected { code, .. } = packet {
            self.full += u64::from(*code == Code::MailboxFull);
        }
    }

    fn write(&mut self, mob: &mut Mob, to: &UserId, body: &Bytes) {
        for (writer, open) in self.open.iter_mut().enumerate() {
            let at = self.first + writer;
            while mob.is_there(at) && *open < WINDOW {
                mob.pool.put(at, &message(to, body.clone()));
                *open += 1;
                self.done += 1;
            }
        }
    }
}

fn is_answer(packet: &ServerPacket) -> bool {
    matches!(
        packet,
        ServerPacket::Sent { .. } | ServerPacket::Rejected { .. } | ServerPacket::Unknown { .. }
    )
}

fn message(to: &UserId, body: Bytes) -> ClientPacket {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let unix_ms = now.unwrap_or_default().as_millis() as u64;
    let mut random = [0; 10];
    fastrand::fill(&mut random);
    ClientPacket::Send(client::Send {
        id: MessageId::mint(unix_ms, random),
        to: to.clone(),
        body,
        friends_hash: None,
        again: false,
    })
}
