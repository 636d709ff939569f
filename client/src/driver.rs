//! The task that moves bytes between the session and its socket.
//!
//! Owns the socket. Must not know what packets mean.

use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::dial::dial;
use crate::session::Wants;
use crate::shared::Shared;

/// Room for incoming bytes before each read.
const INPUT_BYTES: usize = 16 * 1024;

/// How long the last bytes may take to leave.
const PARTING: Duration = Duration::from_secs(1);

/// Drives the session until it is over or nobody is left.
pub(crate) async fn drive(shared: Arc<Shared>, address: String) {
    let _done = Done(&shared);
    let mut last = None;
    loop {
        match shared.wants() {
            Wants::Rest => shared.pause().await,
            Wants::Dial => {
                let mut connection = connect(&shared, &address, &mut last).await;
                while let Some(stream) = connection {
                    connection = converse(&shared, stream, &address, &mut last).await;
                }
            }
            Wants::Nothing => return,
            // Only `dialed` and `moved` make it want to keep one, and what they
            // were given is kept until it wants otherwise.
            Wants::Connection | Wants::Another => {
                debug_assert!(false, "a connection is wanted that nobody holds");
                return;
            }
        }
    }
}

/// Tells who waits for the end, however the driver ends.
struct Done<'a>(&'a Shared);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.done.send_replace(true);
        self.0.news.notify_one();
        self.0.room.notify_one();
    }
}

/// Dials until there is a connection, a failure, or no wish for one.
async fn connect(
    shared: &Shared,
    address: &str,
    last: &mut Option<SocketAddr>,
) -> Option<TcpStream> {
    let dialing = dial(address, *last);
    tokio::pin!(dialing);
    loop {
        tokio::select! {
            dialed = &mut dialing => match dialed {
                Ok((stream, address)) => {
                    *last = Some(address);
                    shared.dialed();
                    return Some(stream);
                }
                Err(text) => {
                    shared.dial_failed(text);
                    return None;
                }
            },
            () = shared.pause() => {
                if shared.wants() != Wants::Dial {
                    return None;
                }
            }
        }
    }
}

/// Moves bytes while the session wants this connection. What it said last, a
/// log-out, still leaves. If it wants another one in place of this one, that is
/// dialed meanwhile and returned.
async fn converse(
    shared: &Shared,
    mut stream: TcpStream,
    address: &str,
    last: &mut Option<SocketAddr>,
) -> Option<TcpStream> {
    let (mut reader, mut writer) = stream.split();
    let mut input = BytesMut::new();
    let mut output = BytesMut::new();
    let mut dialing = None;
    // After a failed write the server's last word may still be there to read:
    // without it a replaced device would come back and replace its successor.
    let mut writable = true;
    loop {
        shared.fill(&mut output);
        match shared.wants() {
            Wants::Connection => {}
            Wants::Another => {
                dialing.get_or_insert_with(|| Box::pin(dial(address, *last)));
            }
            Wants::Rest | Wants::Dial | Wants::Nothing => break,
        }
        input.reserve(INPUT_BYTES);
        // What can be read is read before a deadline is looked at: after a
        // long sleep of the machine the server was not silent.
        tokio::select! {
            biased;
            written = writer.write_buf(&mut output), if writable && !output.is_empty() => {
                writable = written.is_ok();
            }
            read = reader.read_buf(&mut input) => match read {
                Ok(0) => shared.lost("closed by the server".into()),
                Ok(_) => shared.received(&mut input),
                Err(error) => shared.lost(error.to_string()),
            },
            dialed = outcome(&mut dialing) => match dialed {
                Ok((stream, address)) => {
                    *last = Some(address);
                    shared.moved();
                    return Some(stream);
                }
                Err(_) => {
                    dialing = None;
                    shared.stays();
                }
            },
            () = shared.pause() => {}
        }
    }
    if writable && shared.wants() == Wants::Nothing {
        // The session is over; whether the last bytes arrive changes nothing.
        let _ = timeout(PARTING, writer.write_all_buf(&mut output)).await;
        let _ = writer.shutdown().await;
    }
    None
}

/// What comes of what is under way, if anything is.
async fn outcome<F: Future + Unpin>(under_way: &mut Option<F>) -> F::Output {
    match under_way {
        Some(future) => future.await,
        None => pending().await,
    }
}
