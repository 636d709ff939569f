//! The relay: the least that can carry frames between two clients.
//!
//! Owns its connections. A log-in names the user and, as its device, the peer;
//! every frame after it goes to the peer as it is, or to all who are there. Must not know what frames
//! mean. One thread; the task that reads a client writes to its peer.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use anyhow::{Context, Result, bail, ensure};
use bytes::{Buf, Bytes, BytesMut};
use proto::client::ClientPacket;
use proto::ids::{SessionId, Stamp};
use proto::limits::VERSION;
use proto::server::{LoginOk, ServerPacket};
use tokio::net::{TcpListener, TcpStream};

use crate::connection::{next_content, whole_frames};

const SCRATCH_BYTES: usize = 64 * 1024;
/// What waits for a client whose socket is full; above it the client is
/// dropped. Windows keep it far below.
const SPILL_BYTES_MAX: usize = 8 << 20;
/// As in the cluster's default settings, so that the load is the same.
const WINDOW_MESSAGES: u32 = 128;
const WINDOW_BYTES: u32 = 512 * 1024;
const HEARTBEAT_MS: u32 = 300_000;

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; SCRATCH_BYTES]);
}

/// Clients by name; as many as there are connections.
type Clients = Arc<Mutex<HashMap<String, Arc<Client>>>>;

struct Client {
    stream: TcpStream,
    /// What the socket did not take yet.
    spill: Mutex<BytesMut>,
}

/// Serves until its process ends: from each to its peer, or from each to all.
pub fn run(address: SocketAddr, all: bool) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await?;
        let clients = Clients::default();
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let clients = Arc::clone(&clients);
            tokio::spawn(async move {
                if let Err(e) = serve(stream, &clients, all).await {
                    eprintln!("relay: {e:#}");
                }
            });
        }
    })
}

async fn serve(stream: TcpStream, clients: &Clients, all: bool) -> Result<()> {
    let client = Arc::new(Client {
        stream,
        spill: Mutex::default(),
    });
    let mut partial = BytesMut::new();
    let mut login = None;
    while login.is_none() {
        let Some(mut frames) = client.read(&mut partial).await? else {
            return Ok(());
        };
        login = next_content(&mut frames);
        ensure!(frames.is_empty(), "frames before the log-in answer");
    }
    let (user, peer) = log_in(login.unwrap_or_default(), &client)?;
    lock(clients).insert(user, Arc::clone(&client));
    let mut peer_client = None;
    while let Some(frames) = client.read(&mut partial).await? {
        if all {
            let clients = lock(clients);
            clients
                .values()
                .try_for_each(|client| client.write(&frames))?;
            continue;
        }
        if peer_client.is_none() {
            peer_client = lock(clients).get(&peer).cloned();
        }
        let peer_client: &Arc<Client> = peer_client.as_ref().context("the peer is not there")?;
        peer_client.write(&frames)?;
    }
    Ok(())
}

fn log_in(content: Bytes, client: &Arc<Client>) -> Result<(String, String)> {
    let ClientPacket::Login(login) = ClientPacket::decode(content)? else {
        bail!("the first packet is no log-in");
    };
    let user = login.user.context("a log-in without user")?;
    let device = login.device.context("a log-in without device")?;
    let names = (user.as_str().to_owned(), device.as_str().to_owned());
    let since_1970 = SystemTime::UNIX_EPOCH.elapsed()?;
    let granted = ServerPacket::LoginOk(Box::new(LoginOk {
        version: VERSION,
        features: 0,
        user,
        device,
        session: SessionId(0),
        window_messages: WINDOW_MESSAGES,
        window_bytes: WINDOW_BYTES,
        heartbeat_ms: HEARTBEAT_MS,
        body_bytes_max: WINDOW_BYTES,
        server_time: Stamp(since_1970.as_micros() as u64),
        groups: Vec::new(),
    }));
    let mut out = BytesMut::new();
    granted.encode(&mut out);
    client.write(&out)?;
    Ok(names)
}

impl Client {
    /// Whole frames as they come; `None` at the end.
    async fn read(&self, partial: &mut BytesMut) -> Result<Option<Bytes>> {
        loop {
            self.stream.readable().await?;
            let frames = SCRATCH.with_borrow_mut(|scratch| self.try_read(scratch, partial))?;
            match frames {
                Some(frames) if frames.is_empty() => {}
                other => return Ok(other),
            }
        }
    }

    fn try_read(&self, scratch: &mut [u8], partial: &mut BytesMut) -> Result<Option<Bytes>> {
        let count = match self.stream.try_read(scratch) {
            Ok(0) => return Ok(None),
            Ok(count) => count,
            Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(Some(Bytes::new())),
            Err(e) => return Err(e.into()),
        };
        partial.extend_from_slice(&scratch[..count]);
        let whole = whole_frames(partial)?;
        Ok(Some(partial.split_to(whole).freeze()))
    }

    /// Writes at once what the socket takes; the rest follows when it has
    /// room, and what is written later comes after it.
    fn write(self: &Arc<Self>, bytes: &[u8]) -> Result<()> {
        let mut spill = lock(&self.spill);
        let waits = !spill.is_empty();
        let written = if waits { 0 } else { self.try_write(bytes)? };
        if written == bytes.len() {
            return Ok(());
        }
        ensure!(
            spill.len() + bytes.len() <= SPILL_BYTES_MAX,
            "a client reads too slowly"
        );
        spill.extend_from_slice(&bytes[written..]);
        if !waits {
            tokio::spawn(Arc::clone(self).drain());
        }
        Ok(())
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self.stream.try_write(bytes) {
            Err(e) if e.kind() == ErrorKind::WouldBlock => Ok(0),
            other => other,
        }
    }

    async fn drain(self: Arc<Self>) {
        while self.stream.writable().await.is_ok() {
            let mut spill = lock(&self.spill);
            // A broken socket is noticed by its reader, too.
            let Ok(written) = self.try_write(&spill) else {
                return;
            };
            spill.advance(written);
            if spill.is_empty() {
                return;
            }
        }
    }
}

/// One thread takes these locks, and never two at once.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
