//! The listening socket of each gateway.
//!
//! Every thread listens on the same address, and the kernel spreads the
//! connections. Must not know what a connection does.

use std::io;
use std::net::{SocketAddr, TcpListener as Bound};
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio::task::spawn_local;
use tracing::warn;

use crate::gateway::Gateway;
use crate::session;

/// Connections that the kernel keeps for a busy thread.
const BACKLOG: i32 = 4_096;

/// The pause after a failed accept: there is no descriptor left, and closing
/// one takes a moment.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Binds an address once for each thread of this process.
///
/// # Errors
/// The address is taken by another process, or not this machine's.
pub fn bind(address: SocketAddr, threads: NonZeroUsize) -> io::Result<Vec<Bound>> {
    // Another process of the same user may have shared the address; alone it
    // would not be noticed.
    drop(bind_one(address, false)?);
    (0..threads.get())
        .map(|_| bind_one(address, true))
        .collect()
}

fn bind_one(address: SocketAddr, shared: bool) -> io::Result<Bound> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(shared)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Accepts for ever.
pub async fn run(gateway: Rc<Gateway>, listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                spawn_local(session::run(gateway.clone(), stream));
            }
            Err(error) => {
                warn!(%error, "cannot accept; trying again");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
