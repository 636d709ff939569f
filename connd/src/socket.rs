//! The writing half of a client's connection.
//!
//! The dispatcher writes to the socket itself, all frames of one turn at once,
//! sealed where the connection is secure.
//! A buffer is kept only while the socket is full, and it is bounded. Must not
//! know packets.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::Shutdown;
use std::rc::Rc;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::net::tcp::OwnedWriteHalf;

use crate::secure::{Secure, Unacceptable};

/// How long a closed connection may take to read what was written last.
const CLOSE_PATIENCE: Duration = Duration::from_secs(2);

/// A socket to write to.
#[derive(Debug)]
pub struct Socket {
    half: OwnedWriteHalf,
    /// None: plain.
    secure: Option<Box<RefCell<Secure>>>,
    /// What the socket had no room for; a task waits to write it.
    rest: RefCell<BytesMut>,
    /// To be closed once the rest is written.
    closing: Cell<bool>,
}

/// Buffers of a thread for what is sealed and unsealed.
#[derive(Debug, Default)]
pub struct Room {
    plain: Vec<u8>,
    sealed: Vec<u8>,
}

/// A client does not read: more waits than it may.
#[derive(Debug, PartialEq, Eq)]
pub struct Clogged;

impl Socket {
    /// Wraps a connection's writing half.
    pub fn new(half: OwnedWriteHalf, secure: Option<Secure>) -> Rc<Self> {
        Rc::new(Self {
            half,
            secure: secure.map(RefCell::new).map(Box::new),
            rest: RefCell::new(BytesMut::new()),
            closing: Cell::new(false),
        })
    }

    /// Takes bytes of the wire. Gives what the client said, which is the same
    /// where the connection is plain; what TLS has to answer is written.
    pub fn unseal<'a>(
        self: &Rc<Self>,
        wire: &'a [u8],
        room: &'a mut Room,
        rest_max: usize,
    ) -> Result<&'a [u8], Unacceptable> {
        let Some(secure) = &self.secure else {
            return Ok(wire);
        };
        let Room { plain, sealed } = room;
        plain.clear();
        sealed.clear();
        let received = secure.borrow_mut().received(wire, plain, sealed);
        if !sealed.is_empty() {
            // Answers of the handshake are small; whoever reads none of them
            // has no session yet.
            let _ = self.put(sealed, rest_max);
        }
        received.map(|()| &plain[..])
    }

    /// Whether TLS has not come up yet.
    pub fn is_handshaking(&self) -> bool {
        let secure = self.secure.as_ref();
        secure.is_some_and(|secure| secure.borrow().is_handshaking())
    }

    /// Writes what the socket takes; the rest waits, up to `rest_max` bytes.
    pub fn write(
        self: &Rc<Self>,
        bytes: &[u8],
        rest_max: usize,
        room: &mut Room,
    ) -> Result<(), Clogged> {
        let Some(secure) = &self.secure else {
            return self.put(bytes, rest_max);
        };
        room.sealed.clear();
        secure.borrow_mut().seal(bytes, &mut room.sealed);
        self.put(&room.sealed, rest_max)
    }

    fn put(self: &Rc<Self>, bytes: &[u8], rest_max: usize) -> Result<(), Clogged> {
        let mut rest = self.rest.borrow_mut();
        if !rest.is_empty() {
            if rest.len() + bytes.len() > rest_max {
                return Err(Clogged);
            }
            rest.extend_from_slice(bytes);
            return Ok(());
        }
        let written = match self.half.try_write(bytes) {
            Ok(written) => written,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            // The reading half notices, and the session ends.
            Err(_) => return Ok(()),
        };
        if bytes.len() - written > rest_max {
            return Err(Clogged);
        }
        if written < bytes.len() {
            rest.extend_from_slice(&bytes[written..]);
            tokio::task::spawn_local(self.clone().write_rest());
        }
        Ok(())
    }

    /// Closes the connection once all is written, or after a while.
    pub fn close(self: &Rc<Self>) {
        self.closing.set(true);
        if self.is_handshaking() {
            // There is nothing yet in which a code could be written.
            return self.shut(Shutdown::Both);
        }
        if let Some(secure) = &self.secure {
            let mut sealed = Vec::new();
            secure.borrow_mut().close(&mut sealed);
            // It is the last thing; whether it leaves changes nothing.
            let _ = self.put(&sealed, usize::MAX);
        }
        if self.rest.borrow().is_empty() {
            self.shut(Shutdown::Write);
        }
        let socket = self.clone();
        tokio::task::spawn_local(async move {
            tokio::time::sleep(CLOSE_PATIENCE).await;
            socket.shut(Shutdown::Both);
        });
    }

    /// Whether the server has closed it: what comes is not looked at.
    pub fn is_closing(&self) -> bool {
        self.closing.get()
    }

    async fn write_rest(self: Rc<Self>) {
        loop {
            if self.half.writable().await.is_err() {
                return;
            }
            let mut rest = self.rest.borrow_mut();
            match self.half.try_write(&rest) {
                Ok(written) => rest.advance(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Err(_) => return,
            }
            if rest.is_empty() {
                *rest = BytesMut::new();
                break;
            }
        }
        if self.closing.get() {
            self.shut(Shutdown::Write);
        }
    }

    fn shut(&self, how: Shutdown) {
        let stream: &tokio::net::TcpStream = self.half.as_ref();
        // It may be gone already.
        let _ = socket2::SockRef::from(stream).shutdown(how);
    }
}
