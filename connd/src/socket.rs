//! A client's connection, sealed where it is secure.
//!
//! The dispatcher writes to the socket itself, all frames of one turn at once.
//! A buffer is kept only while the socket is full, and it is bounded. Must not
//! know packets.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::net::Shutdown;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use connd_core::Settings;
use proto::ids::SessionId;
use tokio::io::{AsyncRead, Interest, ReadBuf};
use tokio::net::TcpStream;

use crate::secure::{Secure, Unacceptable};

/// How long a closed connection may take to read what was written last.
const CLOSE_PATIENCE: Duration = Duration::from_secs(2);

/// What may wait for a client's socket besides one window of deliveries.
const REST_BYTES: usize = 1024 * 1024;

/// The most that may wait for a client's socket, in bytes.
pub fn rest_max(settings: &Settings) -> usize {
    REST_BYTES + 2 * settings.window_bytes as usize
}

/// A client's socket.
#[derive(Debug)]
pub struct Socket {
    session: SessionId,
    /// Borrowed for one read or write at a time.
    stream: RefCell<TcpStream>,
    /// None: plain.
    secure: Option<Box<RefCell<Secure>>>,
    /// What the socket had no room for, if anything; a task waits to write it.
    rest: RefCell<Option<Box<BytesMut>>>,
    /// To be closed once the rest is written.
    closing: Cell<bool>,
}

// With the counts of its `Rc` it takes 96 bytes, a size of the allocator; a word
// more where tokio is built with both of its schedulers, as tests are.
const _: () = assert!(size_of::<Socket>() <= 88);

/// Buffers of a thread for what is sealed and unsealed.
#[derive(Debug, Default)]
pub struct Room {
    plain: Vec<u8>,
    sealed: Vec<u8>,
}

/// What the client said.
#[derive(Debug)]
pub struct Unsealed<'a> {
    /// As it said it.
    pub bytes: &'a [u8],
    /// More may follow.
    pub is_open: bool,
}

/// A client does not read: more waits than it may.
#[derive(Debug, PartialEq, Eq)]
pub struct Clogged;

impl Socket {
    /// Wraps the connection of a session.
    pub fn new(session: SessionId, stream: TcpStream, secure: Option<Secure>) -> Rc<Self> {
        Rc::new(Self {
            session,
            stream: RefCell::new(stream),
            secure: secure.map(RefCell::new).map(Box::new),
            rest: RefCell::new(None),
            closing: Cell::new(false),
        })
    }

    /// Whose it is.
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// Reads what has come. A read that does not fill the buffer has emptied the
    /// socket, and is not tried again before more comes.
    pub fn poll_read(
        &self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream.borrow_mut()).poll_read(context, buffer)
    }

    /// Waits for something to read; `false` if the client sends nothing more.
    pub async fn heard(&self) -> bool {
        // A new connection passes for readable until one has looked.
        let mut byte = [0];
        let heard = poll_fn(|context| {
            let mut buffer = ReadBuf::new(&mut byte);
            self.stream.borrow().poll_peek(context, &mut buffer)
        });
        matches!(heard.await, Ok(1..)) && !self.is_read_closed()
    }

    fn is_read_closed(&self) -> bool {
        let stream = self.stream.borrow();
        let ready = pin!(stream.ready(Interest::READABLE));
        // Asked, not waited for.
        match ready.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(ready)) => ready.is_read_closed(),
            Poll::Ready(Err(_)) => true,
            Poll::Pending => false,
        }
    }

    /// Takes bytes of the wire. Gives what the client said, which is the same
    /// where the connection is plain; what TLS has to answer is written.
    pub fn unseal<'a>(
        self: &Rc<Self>,
        wire: &'a [u8],
        room: &'a mut Room,
        rest_max: usize,
    ) -> Result<Unsealed<'a>, Unacceptable> {
        let Some(secure) = &self.secure else {
            let (bytes, is_open) = (wire, true);
            return Ok(Unsealed { bytes, is_open });
        };
        let Room { plain, sealed } = room;
        plain.clear();
        sealed.clear();
        let received = secure.borrow_mut().received(wire, plain, sealed);
        if !sealed.is_empty() {
            // Answers of TLS itself are small and few; whoever reads none of
            // them is found by what else is written.
            let _ = self.put(sealed, rest_max);
        }
        let bytes = &plain[..];
        received.map(|is_open| Unsealed { bytes, is_open })
    }

    /// Whether the client has not read what it was written before.
    pub fn lags(&self) -> bool {
        self.rest.borrow().is_some()
    }

    /// How many bytes the client has not read that it was written before.
    pub fn waiting(&self) -> usize {
        self.rest.borrow().as_ref().map_or(0, |rest| rest.len())
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
        // What is sealed must leave: without it nothing after it can be read.
        let waiting = self.rest.borrow().as_ref().map_or(0, |rest| rest.len());
        if waiting > 0 && waiting + bytes.len() > rest_max {
            return Err(Clogged);
        }
        room.sealed.clear();
        secure.borrow_mut().seal(bytes, &mut room.sealed);
        // Sealing adds a little to what had room.
        self.put(&room.sealed, rest_max + room.sealed.len())
    }

    fn put(self: &Rc<Self>, bytes: &[u8], rest_max: usize) -> Result<(), Clogged> {
        let mut rest = self.rest.borrow_mut();
        if let Some(rest) = &mut *rest {
            if rest.len() + bytes.len() > rest_max {
                return Err(Clogged);
            }
            rest.extend_from_slice(bytes);
            return Ok(());
        }
        let written = match self.stream.borrow().try_write(bytes) {
            Ok(written) => written,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            // The reader notices, and the session ends.
            Err(_) => return Ok(()),
        };
        if bytes.len() - written > rest_max {
            return Err(Clogged);
        }
        if written < bytes.len() {
            *rest = Some(Box::new(BytesMut::from(&bytes[written..])));
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
        if !self.lags() {
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
            let writable = poll_fn(|context| self.stream.borrow().poll_write_ready(context));
            if writable.await.is_err() {
                return;
            }
            let mut rest = self.rest.borrow_mut();
            let Some(waiting) = &mut *rest else {
                break;
            };
            match self.stream.borrow().try_write(waiting) {
                Ok(written) => waiting.advance(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Err(_) => return,
            }
            if waiting.is_empty() {
                *rest = None;
                break;
            }
        }
        if self.closing.get() {
            self.shut(Shutdown::Write);
        }
    }

    fn shut(&self, how: Shutdown) {
        // It may be gone already.
        let _ = socket2::SockRef::from(&*self.stream.borrow()).shutdown(how);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, ServerName};
    use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
    use std::io::Read;
    use std::sync::Arc;

    const REST: usize = 100_000;

    /// What a client that did not read hears, from a server that finds it
    /// clogged, says one last word, and closes.
    async fn last_word(is_secure: bool) -> Result<Vec<u8>, io::Error> {
        let home = tempfile::tempdir().unwrap();
        let made = node::certificates::development(&home.path().join("tls")).unwrap();
        let config = crate::tls::server(&made.chain, &made.key).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let (go, may_read) = std::sync::mpsc::sync_channel::<()>(1);
        let client = tokio::task::spawn_blocking(move || {
            let mut stream = std::net::TcpStream::connect(at).unwrap();
            let mut heard = Vec::new();
            if !is_secure {
                may_read.recv().unwrap();
                return stream.read_to_end(&mut heard).map(|_| heard);
            }
            let mut roots = RootCertStore::empty();
            roots
                .add(CertificateDer::from_pem_slice(&made.ca).unwrap())
                .unwrap();
            let config = ClientConfig::builder()
                .with_root_certificates(roots)
                .with_no_client_auth();
            let name = ServerName::try_from("localhost").unwrap();
            let connection = ClientConnection::new(Arc::new(config), name).unwrap();
            let mut stream = StreamOwned::new(connection, stream);
            while stream.conn.is_handshaking() {
                stream.conn.complete_io(&mut stream.sock).unwrap();
            }
            may_read.recv().unwrap();
            stream.read_to_end(&mut heard).map(|_| heard)
        });
        let (stream, _) = listener.accept().await.unwrap();
        let secure = is_secure.then(|| Secure::new(config).unwrap());
        let socket = Socket::new(SessionId(1), stream, secure);
        let mut room = Room::default();
        let mut bytes = vec![0; 10_000];
        while socket.is_handshaking() {
            let mut buffer = ReadBuf::new(&mut bytes);
            let read = poll_fn(|context| socket.poll_read(context, &mut buffer));
            read.await.unwrap();
            socket.unseal(buffer.filled(), &mut room, REST).unwrap();
        }
        let mut room = Room::default();
        while socket.write(&[7; 30_000], REST, &mut room).is_ok() {}
        assert_eq!(socket.write(b"last word", REST, &mut room), Ok(()));
        socket.close();
        go.send(()).unwrap();
        client.await.unwrap()
    }

    #[tokio::test]
    async fn who_was_clogged_hears_why_in_plain() {
        let local = tokio::task::LocalSet::new();
        let heard = local.run_until(last_word(false)).await.unwrap();
        assert!(heard.ends_with(b"last word"));
    }

    #[tokio::test]
    async fn who_was_clogged_hears_why_with_tls() {
        let local = tokio::task::LocalSet::new();
        let heard = local.run_until(last_word(true)).await.unwrap();
        assert!(heard.ends_with(b"last word"));
    }
}
