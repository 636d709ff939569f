//! One task per connection: it reads, and hands packets to the gateway, or bytes
//! to a door that makes packets of them.
//!
//! Owns the partial frame. Must not know the session's state: that is the
//! core's. There are many, and most of them wait: what a task holds then is a
//! [`Reader`] and nothing else.

use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::ReadBuf;
use tokio::net::TcpStream;
use tokio::task::spawn_local;

use crate::doors::{Kind, is_native};
use crate::frames::{Decoded, Frames};
use crate::gateway::{Gateway, Scratch};
use crate::secure::Secure;
use crate::socket::Socket;

/// Serves a connection until it is over.
pub fn serve(gateway: &Rc<Gateway>, stream: TcpStream, address: IpAddr, kind: Kind) {
    // Frames are gathered here; the kernel is not to wait for more.
    let _ = stream.set_nodelay(true);
    let secure = match gateway.tls().map(Secure::new).transpose() {
        Ok(secure) => secure,
        Err(error) => return tracing::error!(%error, "TLS cannot be served"),
    };
    let socket = Socket::new(gateway.next_session(kind), stream, secure);
    gateway.opened(address, socket.clone());
    let reader = Reader {
        gateway: gateway.clone(),
        socket,
        frames: Frames::default(),
    };
    if reader.socket.is_handshaking() {
        spawn_local(reader.after_admission());
    } else {
        spawn_local(reader);
    }
}

/// The reading side of a connection; over when it is.
struct Reader {
    gateway: Rc<Gateway>,
    socket: Rc<Socket>,
    frames: Frames,
}

// A task of this takes 128 bytes, which is what tasks are aligned to: with one
// more word it takes 256.
const _: () = assert!(size_of::<Reader>() <= 24);

impl Future for Reader {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let reader = self.get_mut();
        while ready!(reader.read(context)) {}
        reader.gateway.closed(reader.socket.session());
        Poll::Ready(())
    }
}

impl Reader {
    async fn after_admission(self) {
        // Who says nothing waits outside; who says something, in line.
        self.socket.heard().await;
        // Who has left meanwhile is known to have once the system was asked.
        tokio::task::yield_now().await;
        let is_there = async || !self.socket.is_closing() && self.socket.heard().await;
        self.gateway.admit_handshake(is_there).await;
        // The line's state would stay with the session as long as it lives.
        spawn_local(self);
    }

    /// One read; `false` when the connection is over.
    fn read(&mut self, context: &mut Context<'_>) -> Poll<bool> {
        let (gateway, socket) = (&self.gateway, &self.socket);
        ready!(gateway.poll_may_read(socket.session(), context));
        ready!(gateway.poll_wants(socket.session(), context));
        // The scratch is the thread's: a waiting session holds no buffer.
        let mut scratch = gateway.scratch();
        let Scratch {
            bytes,
            packets,
            room,
        } = &mut *scratch;
        let mut buffer = ReadBuf::new(bytes);
        if ready!(socket.poll_read(context, &mut buffer)).is_err() {
            return Poll::Ready(false);
        }
        if buffer.filled().is_empty() {
            return Poll::Ready(false);
        }
        if socket.is_closing() {
            return Poll::Ready(true);
        }
        let was_handshaking = socket.is_handshaking();
        let unsealed = socket.unseal(buffer.filled(), room, gateway.rest_max());
        let Ok(unsealed) = unsealed else {
            gateway.handshake_failed();
            return Poll::Ready(false);
        };
        if was_handshaking && !socket.is_handshaking() {
            gateway.handshake_done();
        }
        if !is_native(socket.session()) && !unsealed.bytes.is_empty() {
            gateway.line_received(socket.session(), unsealed.bytes);
        } else if !unsealed.bytes.is_empty() {
            let packets: &mut Vec<Decoded> = packets;
            self.frames.take(unsealed.bytes, packets);
            gateway.received(socket.session(), packets);
        }
        Poll::Ready(unsealed.is_open)
    }
}
