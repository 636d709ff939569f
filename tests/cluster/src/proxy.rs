//! A proxy on the way to one process, which carries, stalls, slows or cuts.
//!
//! Owns its port and its connections. Must not know what travels.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use crate::port::Port;

/// What is read at once.
const CHUNK: usize = 64 * 1024;

/// Connections that wait to be accepted.
const BACKLOG: u32 = 1_024;

/// What a proxy does with what comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// It is carried.
    Open,
    /// Nothing is carried, in either direction, and nobody is told.
    Stalled,
    /// Each piece is carried so much later; a piece is what was read at once.
    Slow(Duration),
    /// Every connection is reset, and so is who comes.
    Cut,
}

/// A proxy; dropped, its connections are reset.
#[derive(Debug)]
pub struct Proxy {
    port: Port,
    way: watch::Sender<Way>,
    line: Line,
    accepting: JoinHandle<()>,
}

/// What a connection needs.
#[derive(Debug, Clone)]
struct Line {
    backend: SocketAddr,
    way: watch::Receiver<Way>,
    one: Arc<Notify>,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    bytes: AtomicU64,
    connections: AtomicU64,
    resets: AtomicU64,
}

impl Proxy {
    /// Carries to this address.
    ///
    /// # Panics
    /// There is no port for it.
    pub fn to(backend: SocketAddr) -> Self {
        let port = Port::take();
        let listener = listen(port.address()).expect("a listener");
        let way = watch::Sender::new(Way::Open);
        let line = Line {
            backend,
            way: way.subscribe(),
            one: Arc::default(),
            counts: Arc::default(),
        };
        let served = line.clone();
        let accepting = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(served.clone().serve(client));
                while connections.try_join_next().is_some() {}
            }
        });
        Self {
            port,
            way,
            line,
            accepting,
        }
    }

    /// Where to connect, as `HOST:PORT`.
    pub fn address(&self) -> String {
        self.port.address().to_string()
    }

    /// From now on it does this.
    pub fn set(&self, way: Way) {
        self.way.send_replace(way);
    }

    /// One of its connections, the one that is looked at first, is reset.
    pub fn reset_one(&self) {
        self.line.one.notify_one();
    }

    /// How many bytes it has carried, both directions together.
    pub fn carried(&self) -> u64 {
        self.line.counts.bytes.load(Ordering::Relaxed)
    }

    /// How many connections it has.
    pub fn connections(&self) -> u64 {
        self.line.counts.connections.load(Ordering::Relaxed)
    }

    /// How many of its connections were reset one by one.
    pub fn resets(&self) -> u64 {
        self.line.counts.resets.load(Ordering::Relaxed)
    }

    /// Whether who connects here and says this hears anything in this time.
    pub async fn answers(&self, words: &[u8], patience: Duration) -> bool {
        let heard = async {
            let mut stream = TcpStream::connect(self.port.address()).await?;
            stream.write_all(words).await?;
            stream.read(&mut [0; 64]).await
        };
        matches!(timeout(patience, heard).await, Ok(Ok(1..)))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    // As daemons do: the port is reserved, see `Port`.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

impl Line {
    async fn serve(mut self, mut client: TcpStream) {
        let is_cut = *self.way.borrow() == Way::Cut;
        let backend = match is_cut {
            true => None,
            false => TcpStream::connect(self.backend).await.ok(),
        };
        let Some(mut backend) = backend else {
            return reset(&client);
        };
        let _ = (client.set_nodelay(true), backend.set_nodelay(true));
        let one = self.one.clone();
        let mut way = self.way.clone();
        self.counts.connections.fetch_add(1, Ordering::Relaxed);
        tokio::select! {
            () = self.carry(&mut client, &mut backend) => {}
            _ = way.wait_for(|way| *way == Way::Cut) => {
                reset(&client);
                reset(&backend);
            }
            () = one.notified() => {
                self.counts.resets.fetch_add(1, Ordering::Relaxed);
                reset(&client);
                reset(&backend);
            }
        }
        self.counts.connections.fetch_sub(1, Ordering::Relaxed);
    }

    /// Until both ends have said all, or one is gone.
    async fn carry(&mut self, client: &mut TcpStream, backend: &mut TcpStream) {
        let (mut from_client, mut to_client) = client.split();
        let (mut from_backend, mut to_backend) = backend.split();
        let up = self.clone().pump(&mut from_client, &mut to_backend);
        let down = self.clone().pump(&mut from_backend, &mut to_client);
        // An error in one direction ends both: the other end hears of it.
        let _ = tokio::try_join!(up, down);
    }

    async fn pump(mut self, from: &mut ReadHalf<'_>, to: &mut WriteHalf<'_>) -> io::Result<()> {
        let mut chunk = vec![0; CHUNK];
        loop {
            self.goes_on().await;
            let read = tokio::select! {
                read = from.read(&mut chunk) => read?,
                _ = self.way.changed() => continue,
            };
            // What was read just before a stall waits too, and so does an end.
            self.goes_on().await;
            let way = *self.way.borrow();
            if let Way::Slow(later) = way {
                sleep(later).await;
            }
            if read == 0 {
                return to.shutdown().await;
            }
            to.write_all(&chunk[..read]).await?;
            self.counts.bytes.fetch_add(read as u64, Ordering::Relaxed);
        }
    }

    async fn goes_on(&mut self) {
        // A proxy that is gone carries nothing: its tasks are ending.
        let _ = self.way.wait_for(|way| *way != Way::Stalled).await;
    }
}

/// What is closed next is reset.
fn reset(stream: &TcpStream) {
    // The other end may have reset it by now.
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patience::within;

    const SOON: Duration = Duration::from_millis(200);

    async fn echo() -> (SocketAddr, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.split();
                    let _ = tokio::io::copy(&mut from, &mut to).await;
                });
            }
        });
        (address, serving)
    }

    async fn says(stream: &mut TcpStream, word: &[u8; 4]) -> io::Result<bool> {
        stream.write_all(word).await?;
        let mut heard = [0; 4];
        match timeout(SOON, stream.read_exact(&mut heard)).await {
            Ok(read) => read.map(|_| heard == *word),
            Err(_) => Ok(false),
        }
    }

    #[tokio::test]
    async fn it_carries_stalls_and_goes_on_and_cuts() {
        let (backend, _serving) = echo().await;
        let proxy = Proxy::to(backend);
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        assert!(says(&mut stream, b"ping").await.unwrap());
        assert_eq!(proxy.carried(), 8);

        proxy.set(Way::Stalled);
        assert!(!says(&mut stream, b"wait").await.unwrap());
        assert!(!proxy.answers(b"anew", SOON).await);
        assert_eq!(proxy.carried(), 8);
        proxy.set(Way::Open);
        let mut late = [0; 4];
        within("what was held", stream.read_exact(&mut late))
            .await
            .unwrap();
        assert_eq!(&late, b"wait");

        proxy.set(Way::Slow(SOON / 4));
        let began = std::time::Instant::now();
        assert!(says(&mut stream, b"slow").await.unwrap());
        // There and back.
        assert!(began.elapsed() >= SOON / 2);

        proxy.set(Way::Cut);
        let error = within("the end", stream.read(&mut late)).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        assert!(!proxy.answers(b"anew", SOON).await);
        proxy.set(Way::Open);
        assert!(proxy.answers(b"anew", SOON).await);
    }

    #[tokio::test]
    async fn one_connection_is_reset_and_the_other_stays() {
        let (backend, _serving) = echo().await;
        let proxy = Proxy::to(backend);
        let mut one = TcpStream::connect(proxy.address()).await.unwrap();
        assert!(says(&mut one, b"ping").await.unwrap());
        let mut other = TcpStream::connect(proxy.address()).await.unwrap();
        assert!(says(&mut other, b"ping").await.unwrap());
        assert_eq!(proxy.connections(), 2);
        proxy.reset_one();
        assert!(within("the reset", one.read(&mut [0; 4])).await.is_err());
        assert!(says(&mut other, b"ping").await.unwrap());
        assert_eq!((proxy.resets(), proxy.connections()), (1, 1));
    }
}
