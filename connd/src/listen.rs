//! The listening socket of each gateway.
//!
//! Every thread listens on the same address, and the kernel spreads the
//! connections. Must not know what a connection does.

use std::io;
use std::net::{SocketAddr, TcpListener as Bound};
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Context;
use connd_core::Settings;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, spawn_local};
use tracing::warn;

use crate::doors::Kind;
use crate::gateway::Gateway;
use crate::session;

/// Connections that the kernel keeps for a busy thread.
const BACKLOG: i32 = 4_096;

/// Connections that are taken before those who are here have their turn: what
/// comes with them, log-ins and goodbyes, is bounded with it.
const TAKEN_AT_ONCE: usize = 2;

/// The pause after a failed accept: there is no descriptor left, and closing
/// one takes a moment.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The pause between two lines in the log about that: it may last.
const WARN_PAUSE: Duration = Duration::from_secs(60);

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

/// The same of the door for lines, if there is one.
///
/// # Errors
/// As [`bind`], with the flag's name.
pub fn bind_some(address: Option<SocketAddr>, threads: NonZeroUsize) -> anyhow::Result<Vec<Bound>> {
    let bound = address.map(|at| bind(at, threads).with_context(|| format!("--lines {at}")));
    Ok(bound.transpose()?.unwrap_or_default())
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

/// Accepts for ever, on this thread: clients, and lines if they are taken.
///
/// # Errors
/// A socket cannot be watched.
pub fn run_all(
    gateway: &Rc<Gateway>,
    listener: Bound,
    lines: Option<Bound>,
) -> io::Result<Vec<JoinHandle<()>>> {
    let native = std::iter::once((listener, Kind::Native));
    let all = native.chain(lines.map(|lines| (lines, Kind::Lines)));
    all.map(|(bound, kind)| {
        let listener = TcpListener::from_std(bound)?;
        Ok(spawn_local(run(gateway.clone(), listener, kind)))
    })
    .collect()
}

/// Accepts for ever.
async fn run(gateway: Rc<Gateway>, listener: TcpListener, kind: Kind) {
    let mut warned: Option<Instant> = None;
    for taken in 1_usize.. {
        if taken.is_multiple_of(TAKEN_AT_ONCE) {
            tokio::task::yield_now().await;
        }
        match listener.accept().await {
            Ok((stream, peer)) => session::serve(&gateway, stream, peer.ip(), kind),
            Err(error) => {
                gateway.accept_failed();
                if warned.is_none_or(|warned| warned.elapsed() >= WARN_PAUSE) {
                    warn!(%error, "cannot accept clients; those who are here stay, others wait");
                    warned = Some(Instant::now());
                }
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Settings for each of so many gateways, with no more clients than the limit
/// on open files has room for: the store, the links and the admin port need
/// some when clients have taken theirs.
pub fn fitted(mut settings: Settings, gateways: NonZeroUsize) -> Settings {
    let room = node::limits::files_for_clients() / gateways.get();
    if settings.sessions_max > room {
        warn!(
            clients = room,
            sessions_max = settings.sessions_max,
            "the limit on open files (ulimit -n) has room for fewer clients per gateway than \
             sessions_max; more are refused with 305"
        );
        settings.sessions_max = room;
    }
    settings
}
