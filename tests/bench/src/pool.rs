//! Sockets of many clients in one thread, each of which may come and go.
//!
//! Owns the thread's epoll and what is on its way. Must not know what packets
//! mean.

use std::mem::MaybeUninit;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::time::Duration;

use anyhow::{Context, Error, Result, ensure};
use bytes::BytesMut;
use proto::client::ClientPacket;
use proto::server::ServerPacket;
use rustix::event::{Timespec, epoll};
use rustix::io::Errno;

use crate::connection::{self, Connection};
use crate::stream::Stream;

/// What is read at once.
const SCRATCH_BYTES: usize = 64 * 1024;
/// Sockets that are looked at per turn.
const EVENTS_MAX: usize = 256;
/// The longest wait of a turn, so that callers see to other things.
const TURN: Duration = Duration::from_millis(20);

/// What came for a client.
pub enum Event {
    /// A packet.
    Packet(ServerPacket),
    /// The connection has ended, without this client's doing.
    Closed(Error),
}

/// Connections by the client's number; a client has one at most.
pub struct Pool {
    epoll: OwnedFd,
    connections: Vec<Option<Connection>>,
    to_flush: Vec<usize>,
    /// Connections that broke while they were written to.
    broken: Vec<(usize, Error)>,
    scratch: Vec<u8>,
}

impl Pool {
    /// Room for so many clients, none of them connected.
    pub fn new(clients: usize) -> Result<Self> {
        Ok(Self {
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            connections: (0..clients).map(|_| None).collect(),
            to_flush: Vec::new(),
            broken: Vec::new(),
            scratch: vec![0; SCRATCH_BYTES],
        })
    }

    /// Connects a client; what it had is closed.
    pub fn open(&mut self, at: usize, address: SocketAddr) -> Result<()> {
        self.connections[at] = None;
        let stream = TcpStream::connect(address)
            .with_context(|| format!("connection of client {at} to {address}"))?;
        stream.set_nodelay(true)?;
        let connection = Connection::new(Stream::Plain(stream), BytesMut::new())?;
        let edges = epoll::EventFlags::IN
            | epoll::EventFlags::OUT
            | epoll::EventFlags::RDHUP
            | epoll::EventFlags::ET;
        let number = epoll::EventData::new_u64(at as u64);
        epoll::add(&self.epoll, &connection, number, edges)?;
        self.connections[at] = Some(connection);
        Ok(())
    }

    /// From now on nothing is read of what comes for a client.
    pub fn deafen(&mut self, at: usize) {
        if let Some(connection) = &mut self.connections[at] {
            connection.deaf = true;
        }
    }

    /// Closes a client's connection without a word.
    pub fn close(&mut self, at: usize) {
        self.connections[at] = None;
    }

    /// Whether a client is connected, and all that it said is written.
    pub fn has_said_all(&self, at: usize) -> bool {
        let connection = self.connections[at].as_ref();
        connection.is_some_and(|connection| connection.out.is_empty())
    }

    /// Writes a packet with the next [`Pool::flush`]; a client without a
    /// connection says nothing.
    pub fn put(&mut self, at: usize, packet: &ClientPacket) {
        if let Some(connection) = &mut self.connections[at] {
            if connection.out.is_empty() {
                self.to_flush.push(at);
            }
            packet.encode(&mut connection.out);
        }
    }

    /// Writes all that is to be written, as far as sockets take it.
    pub fn flush(&mut self) {
        for at in std::mem::take(&mut self.to_flush) {
            self.flush_one(at);
        }
    }

    fn flush_one(&mut self, at: usize) {
        let Some(connection) = &mut self.connections[at] else {
            return;
        };
        if let Err(e) = connection.flush() {
            self.connections[at] = None;
            self.broken.push((at, e));
        }
    }

    /// The same of what a server would say, for the relay.
    pub fn put_frame(&mut self, at: usize, packet: &ServerPacket) {
        if let Some(connection) = &mut self.connections[at] {
            if connection.out.is_empty() {
                self.to_flush.push(at);
            }
            packet.encode(&mut connection.out);
        }
    }

    /// Writes what is to be written, waits a little for sockets, and returns
    /// what came.
    pub fn turn(&mut self) -> Result<Vec<(usize, Event)>> {
        self.turn_within(TURN)
    }

    /// The same, waiting not longer than this.
    pub fn turn_within(&mut self, patience: Duration) -> Result<Vec<(usize, Event)>> {
        self.flush();
        let broken = std::mem::take(&mut self.broken).into_iter();
        let mut came: Vec<_> = broken.map(|(at, e)| (at, Event::Closed(e))).collect();
        let patience = if came.is_empty() {
            patience
        } else {
            Duration::ZERO
        };
        let timeout = Timespec {
            tv_sec: 0,
            tv_nsec: i64::from(patience.subsec_nanos()),
        };
        let mut room = [MaybeUninit::<epoll::Event>::uninit(); EVENTS_MAX];
        let events = match epoll::wait(&self.epoll, &mut room, Some(&timeout)) {
            Ok((events, _)) => events,
            Err(Errno::INTR) => return Ok(came),
            Err(e) => return Err(e.into()),
        };
        for event in events {
            let at = event.data.u64() as usize;
            let over = epoll::EventFlags::RDHUP | epoll::EventFlags::HUP | epoll::EventFlags::ERR;
            // The end has one edge: it is read up to, now or never.
            let flags = event.flags;
            let to_the_end = flags.intersects(over);
            self.ready(at, to_the_end, &mut came);
        }
        Ok(came)
    }

    fn ready(&mut self, at: usize, to_the_end: bool, came: &mut Vec<(usize, Event)>) {
        self.flush_one(at);
        if let Err(e) = self.read(at, to_the_end, came) {
            self.connections[at] = None;
            came.push((at, Event::Closed(e)));
        }
    }

    fn read(&mut self, at: usize, to_the_end: bool, came: &mut Vec<(usize, Event)>) -> Result<()> {
        let Some(connection) = &mut self.connections[at] else {
            return Ok(());
        };
        if connection.deaf {
            ensure!(!to_the_end, "the server closed the connection");
            return Ok(());
        }
        loop {
            let mut received = connection.read(&mut self.scratch)?;
            let nothing = received.count == 0;
            while let Some(content) = connection::next_content(&mut received.frames) {
                came.push((at, Event::Packet(ServerPacket::decode(content)?)));
            }
            if !received.more && (nothing || !to_the_end) {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::{Shutdown, TcpListener};

    use super::*;

    #[test]
    fn what_was_written_before_an_end_is_read_before_it() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut pool = Pool::new(2).unwrap();
        pool.open(1, listener.local_addr().unwrap()).unwrap();
        let mut server = listener.accept().unwrap().0;
        let mut frame = BytesMut::new();
        ServerPacket::Pong.encode(&mut frame);
        server.write_all(&frame).unwrap();
        server.shutdown(Shutdown::Both).unwrap();
        let mut came = Vec::new();
        for _ in 0..100 {
            came.extend(pool.turn().unwrap());
            if came.len() >= 2 {
                break;
            }
        }
        assert!(matches!(came[0], (1, Event::Packet(ServerPacket::Pong))));
        assert!(matches!(came[1], (1, Event::Closed(_))));
        assert_eq!(came.len(), 2);
        // Who has no connection says nothing, and hears nothing.
        pool.put(1, &ClientPacket::Ping);
        assert!(pool.turn().unwrap().is_empty());
    }
}
