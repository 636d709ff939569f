//! The listening socket of each gateway.
//!
//! Every thread listens on the same address, and the kernel spreads the
//! connections. Must not know what a connection does.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tracing::warn;

use crate::gateway::Gateway;

/// Connections that the kernel keeps for a busy thread.
const BACKLOG: u32 = 4_096;

/// The pause after a failed accept: there is no descriptor left, and closing
/// one takes a moment.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Binds an address that several threads may bind.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Accepts for ever.
pub async fn run(gateway: Rc<Gateway>, listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => gateway.accept(stream),
            Err(error) => {
                warn!(%error, "cannot accept; trying again");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
