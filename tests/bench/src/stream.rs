//! A client's way to the server: bare, or inside TLS.
//!
//! Owns the difference between the two. Must not know what is said on it.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// Whom clients trust.
#[derive(Debug, Clone)]
pub struct Trust(Arc<ClientConfig>);

impl Trust {
    /// Those whom the certificates of this file (PEM) are of. Nobody resumes:
    /// each client of a crowd is one that was never there.
    pub fn of(file: &Path) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        let certificates = CertificateDer::pem_file_iter(file)
            .with_context(|| format!("certificates in {}", file.display()))?;
        for certificate in certificates {
            roots.add(certificate?)?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        Ok(Self(Arc::new(config)))
    }
}

/// A connection, bare or inside TLS.
pub enum Stream {
    /// Bytes as they are.
    Plain(TcpStream),
    /// Its handshake is done by the first who writes.
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Stream {
    /// Inside TLS where somebody is trusted, else bare.
    pub fn new(stream: TcpStream, trust: Option<&Trust>) -> Result<Self> {
        let Some(Trust(config)) = trust else {
            return Ok(Self::Plain(stream));
        };
        let name = ServerName::from(stream.peer_addr()?.ip());
        let connection = ClientConnection::new(config.clone(), name)?;
        let stream = StreamOwned::new(connection, stream);
        Ok(Self::Tls(Box::new(stream)))
    }

    /// The socket.
    pub fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => &stream.sock,
        }
    }

    /// Whether a read that took `count` bytes into room for `room` may have
    /// left some.
    pub fn may_hold_more(&self, count: usize, room: usize) -> bool {
        match self {
            Self::Plain(_) => count == room,
            // A read takes what one record has, and the next may be there.
            Self::Tls(_) => count > 0,
        }
    }
}

impl Read for Stream {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(room),
            Self::Tls(stream) => stream.read(room),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    /// Writes what was taken and is still here; what the socket does not take
    /// waits for the next read or write.
    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Tls(stream) => match stream.flush() {
                Err(e) if e.kind() == ErrorKind::WouldBlock => Ok(()),
                flushed => flushed,
            },
        }
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket().as_fd()
    }
}
