//! A balancer before several gateways, as an operator puts one there, whose
//! connections can be made to carry nothing any more.
//!
//! Owns its connections. Must not know what travels.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A balancer; dropped, its connections are closed.
#[derive(Debug)]
pub struct Balancer {
    address: SocketAddr,
    cut: watch::Sender<()>,
    accepting: JoinHandle<()>,
}

impl Balancer {
    /// Takes connections to the first of these addresses that takes them.
    pub async fn before(backends: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let cut = watch::Sender::new(());
        let cuts = cut.clone();
        let backends = Arc::new(backends);
        let accepting = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(carry(client, backends.clone(), cuts.subscribe()));
            }
        });
        Self {
            address,
            cut,
            accepting,
        }
    }

    /// Where clients connect.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// What is connected by now carries nothing any more, and neither end is
    /// told: both are half-open. What connects later is served.
    pub fn loses_all(&self) {
        self.cut.send_replace(());
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn carry(mut client: TcpStream, backends: Arc<Vec<String>>, mut cut: watch::Receiver<()>) {
    for backend in backends.iter() {
        let Ok(mut gateway) = TcpStream::connect(backend).await else {
            continue;
        };
        let _ = (client.set_nodelay(true), gateway.set_nodelay(true));
        tokio::select! {
            // However it ends, both ends are told by the closing sockets.
            _ = copy_bidirectional(&mut client, &mut gateway) => return,
            _ = cut.changed() => std::future::pending().await,
        }
    }
}
