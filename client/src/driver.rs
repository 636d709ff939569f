//! The task that moves bytes between the session and its socket.
//!
//! Owns the socket. Must not know what packets mean.

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt, WriteHalf};
use tokio::time::timeout;

use crate::dial::{Place, dial};
use crate::session::Wants;
use crate::shared::Shared;
use crate::stream::Stream;

/// Room for incoming bytes before each read.
const INPUT_BYTES: usize = 16 * 1024;

/// How long the last bytes may take to leave.
const PARTING: Duration = Duration::from_secs(1);

/// Drives the session until it is over or nobody is left.
pub(crate) async fn drive(shared: Arc<Shared>, place: Place) {
    let _done = Done(&shared);
    let mut last = None;
    loop {
        match shared.wants() {
            Wants::Rest => shared.pause().await,
            Wants::Dial => {
                let mut connection = connect(&shared, &place, &mut last).await;
                while let Some(stream) = connection {
                    connection = converse(&shared, stream, &place, &mut last).await;
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
async fn connect(shared: &Shared, place: &Place, last: &mut Option<SocketAddr>) -> Option<Stream> {
    let dialing = dial(place, *last);
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
    stream: Stream,
    place: &Place,
    last: &mut Option<SocketAddr>,
) -> Option<Stream> {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut input = BytesMut::new();
    let mut output = BytesMut::new();
    let mut dialing = None;
    // After a failed write the server's last word may still be there to read:
    // without it a replaced device would come back and replace its successor.
    let mut writable = true;
    // What TLS has sealed may wait for room in the socket.
    let mut is_flushed = true;
    loop {
        shared.fill(&mut output);
        is_flushed &= output.is_empty();
        match shared.wants() {
            Wants::Connection => {}
            Wants::Another => {
                dialing.get_or_insert_with(|| Box::pin(dial(place, *last)));
            }
            Wants::Rest | Wants::Dial | Wants::Nothing => break,
        }
        input.reserve(INPUT_BYTES);
        // What can be read is read before a deadline is looked at: after a
        // long sleep of the machine the server was not silent.
        tokio::select! {
            biased;
            written = write(&mut writer, &mut output), if writable && !is_flushed => {
                writable = written.is_ok();
                is_flushed = true;
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
        let parting = async {
            write(&mut writer, &mut output).await?;
            writer.shutdown().await
        };
        let _ = timeout(PARTING, parting).await;
    }
    None
}

/// Writes all. Dropped before its end it goes on where it was.
async fn write(writer: &mut WriteHalf<Stream>, output: &mut BytesMut) -> io::Result<()> {
    while !output.is_empty() {
        writer.write_buf(output).await?;
    }
    writer.flush().await
}

/// What comes of what is under way, if anything is.
async fn outcome<F: Future + Unpin>(under_way: &mut Option<F>) -> F::Output {
    match under_way {
        Some(future) => future.await,
        None => pending().await,
    }
}
