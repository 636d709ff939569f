//! One task per connection: it reads, and hands packets to the gateway.
//!
//! Owns the reading half and the partial frame. Must not know the session's
//! state: that is the core's.

use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Poll, ready};

use proto::ids::SessionId;
use tokio::io::{AsyncRead, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;

use crate::frames::{Decoded, Frames};
use crate::gateway::{Gateway, Scratch};
use crate::secure::Secure;
use crate::socket::Socket;

/// Serves a connection until it is over.
pub async fn run(gateway: Rc<Gateway>, stream: TcpStream) {
    let Ok(peer) = stream.peer_addr() else {
        return;
    };
    // Frames are gathered here; the kernel is not to wait for more.
    let _ = stream.set_nodelay(true);
    let secure = match gateway.tls().map(Secure::new).transpose() {
        Ok(secure) => secure,
        Err(error) => return tracing::error!(%error, "TLS cannot be served"),
    };
    let (mut half, write) = stream.into_split();
    let socket = Socket::new(write, secure);
    let session = gateway.opened(peer.ip(), socket.clone());
    if socket.is_handshaking() {
        // Who says nothing waits outside; who says something, in line.
        let _ = half.readable().await;
        let is_there = async || {
            let ready = half.ready(Interest::READABLE).await;
            !socket.is_closing() && ready.is_ok_and(|ready| !ready.is_read_closed())
        };
        // Its state would make every session larger.
        Box::pin(gateway.admit_handshake(is_there)).await;
    }
    let mut frames = Frames::default();
    while read(&gateway, session, &mut half, &mut frames, &socket).await {}
    gateway.closed(session);
}

/// One read; `false` when the connection is over.
async fn read(
    gateway: &Rc<Gateway>,
    session: SessionId,
    half: &mut OwnedReadHalf,
    frames: &mut Frames,
    socket: &Rc<Socket>,
) -> bool {
    poll_fn(|context| {
        // The scratch is the thread's: a waiting session holds no buffer.
        let mut scratch = gateway.scratch();
        let Scratch {
            bytes,
            packets,
            room,
        } = &mut *scratch;
        let mut buffer = ReadBuf::new(bytes);
        // `poll_read` knows that a read which did not fill the buffer emptied
        // the socket, and saves asking again.
        if ready!(Pin::new(&mut *half).poll_read(context, &mut buffer)).is_err() {
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
        if !unsealed.bytes.is_empty() {
            let packets: &mut Vec<Decoded> = packets;
            frames.take(unsealed.bytes, packets);
            gateway.received(session, packets);
        }
        Poll::Ready(unsealed.is_open)
    })
    .await
}
