//! The admin port of a daemon, as somebody sees it who scrapes.
//!
//! Owns the little HTTP that this needs. Must not know which daemon it is.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::patience::{until, within};

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The status, as 200.
    pub status: u16,
    /// The content.
    pub body: String,
}

/// The page at `path`.
///
/// # Errors
/// Nobody listens, or what comes is no HTTP.
pub async fn page(admin: SocketAddr, path: &str) -> io::Result<Page> {
    within("a page", async {
        let mut stream = TcpStream::connect(admin).await?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: {admin}\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let (head, body) = answer.split_once("\r\n\r\n").ok_or(io::ErrorKind::Other)?;
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
        Ok(Page {
            status: status.ok_or(io::ErrorKind::InvalidData)?,
            body: body.to_owned(),
        })
    })
    .await
}

/// Whether the daemon says that it serves.
pub async fn is_ready(admin: SocketAddr) -> bool {
    page(admin, "/readyz").await.is_ok_and(|p| p.status == 200)
}

/// A figure without labels, as `im_connd_logins_total`; `None` if it is not
/// shown.
///
/// # Panics
/// There is no page.
pub async fn figure(admin: SocketAddr, name: &str) -> Option<u64> {
    let page = page(admin, "/metrics").await.expect("a page of figures");
    let line = |line: &str| {
        let (series, value) = line.split_once(' ')?;
        (series == name).then(|| value.parse().ok())?
    };
    page.body.lines().find_map(line)
}

/// Waits until a figure has risen to `least`: figures are a moment old.
///
/// # Panics
/// It does not.
pub async fn risen(admin: SocketAddr, name: &str, least: u64) -> u64 {
    let what = format!("{name} to rise to {least}");
    until(&what, async || {
        figure(admin, name).await.filter(|value| *value >= least)
    })
    .await
}
