//! A bare connection on which the test speaks the protocol itself, packet by
//! packet or byte by byte.
//!
//! Owns the socket. Acknowledges nothing and comes back never, unlike the SDK.

use std::io::ErrorKind;
use std::marker;
use std::sync::Arc;

use bytes::{Buf, BytesMut};
use client::{MessageId, Status, UserId};
use proto::client::{ClientPacket, Login, Send};
use proto::frame::{self, Front};
use proto::limits::{SERVER_FRAME_BYTES_MAX, VERSION};
use proto::server::ServerPacket;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::patience::within;

/// A bare connection, plain or inside TLS.
#[derive(Debug)]
pub struct Line {
    stream: Box<dyn Stream>,
    input: BytesMut,
}

trait Stream: AsyncRead + AsyncWrite + marker::Send + Unpin + std::fmt::Debug {}

impl<S: AsyncRead + AsyncWrite + marker::Send + Unpin + std::fmt::Debug> Stream for S {}

impl Line {
    /// Connected; nothing said.
    ///
    /// # Panics
    /// Nobody listens.
    pub async fn to(address: &str) -> Self {
        Self::over(connect(address).await)
    }

    /// Likewise inside TLS, trusting the signer whose certificate this is, in
    /// PEM.
    ///
    /// # Panics
    /// Nobody listens, or it shows no certificate of that signer.
    pub async fn secure(address: &str, ca: &[u8]) -> Self {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(ca) {
            let added = roots.add(certificate.expect("a certificate"));
            added.expect("a signer");
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let host = address.rsplit_once(':').expect("HOST:PORT").0.to_owned();
        let host = ServerName::try_from(host).expect("a host");
        let stream = connect(address).await;
        let secured = TlsConnector::from(Arc::new(config)).connect(host, stream);
        Self::over(within("a handshake", secured).await.expect("TLS"))
    }

    fn over(stream: impl Stream + 'static) -> Self {
        Self {
            stream: Box::new(stream),
            input: BytesMut::new(),
        }
    }

    /// Logged in, in open mode.
    ///
    /// # Panics
    /// The log-in is refused.
    pub async fn logged_in(address: &str, user: &UserId, heartbeat_ms: u32) -> Self {
        let mut line = Self::to(address).await;
        line.says(&[login(user, heartbeat_ms)]).await;
        let answer = line.hears().await;
        assert!(
            matches!(answer, Some(ServerPacket::LoginOk(_))),
            "{answer:?} to a log-in"
        );
        line
    }

    /// Writes packets.
    pub async fn says(&mut self, packets: &[ClientPacket]) {
        let mut output = BytesMut::new();
        packets.iter().for_each(|packet| packet.encode(&mut output));
        self.says_bytes(&output).await;
    }

    /// Writes packets; `false` if the connection was closed before it took
    /// them all.
    pub async fn takes(&mut self, packets: &[ClientPacket]) -> bool {
        let mut output = BytesMut::new();
        packets.iter().for_each(|packet| packet.encode(&mut output));
        let taken = self.stream.write_all(&output);
        within("packets to be taken", taken).await.is_ok()
    }

    /// Writes bytes, whatever they are.
    ///
    /// # Panics
    /// The connection is closed.
    pub async fn says_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("a write");
    }

    /// Says nothing more, in order.
    pub async fn falls_silent(&mut self) {
        // The other end may have closed it by now.
        let _ = self.stream.shutdown().await;
    }

    /// The next packet; `None` at the end of the connection.
    ///
    /// # Panics
    /// What comes is no packet, or breaks off.
    pub async fn hears(&mut self) -> Option<ServerPacket> {
        within("a packet or the end", async {
            loop {
                let front = frame::front(&self.input, SERVER_FRAME_BYTES_MAX);
                if let Front::Whole { end } = front.expect("a frame") {
                    let mut content = self.input.split_to(end);
                    content.advance(frame::HEADER_BYTES);
                    return Some(ServerPacket::decode(content.freeze()).expect("a packet"));
                }
                let read = match self.stream.read_buf(&mut self.input).await {
                    // TLS, where the other end just goes.
                    Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(0),
                    read => read,
                };
                if read.expect("no reset before the end") == 0 {
                    assert!(self.input.is_empty(), "half a frame before the end");
                    return None;
                }
            }
        })
        .await
    }

    /// Everything up to and with the first packet that is it.
    ///
    /// # Panics
    /// The connection ends before.
    pub async fn hears_until(
        &mut self,
        is_it: impl Fn(&ServerPacket) -> bool,
    ) -> Vec<ServerPacket> {
        let mut heard = Vec::new();
        loop {
            let Some(packet) = self.hears().await else {
                panic!("the connection ended after {heard:?}");
            };
            let found = is_it(&packet);
            heard.push(packet);
            if found {
                return heard;
            }
        }
    }

    /// Everything up to the end of the connection.
    pub async fn hears_all(&mut self) -> Vec<ServerPacket> {
        let mut heard = Vec::new();
        while let Some(packet) = self.hears().await {
            heard.push(packet);
        }
        heard
    }
}

async fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).await.expect("a connection");
    stream.set_nodelay(true).expect("an option");
    stream
}

/// A log-in in open mode, from the device `line`.
pub fn login(user: &UserId, heartbeat_ms: u32) -> ClientPacket {
    ClientPacket::Login(Box::new(Login {
        version_min: VERSION,
        version_max: VERSION,
        features: 0,
        token: String::new(),
        user: Some(user.clone()),
        device: Some("line".parse().expect("a device")),
        friends_hash: None,
        heartbeat_ms,
        status: Some(Status::online()),
    }))
}

/// A message, minted now.
pub fn message(to: &UserId, body: impl Into<bytes::Bytes>) -> Send {
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed();
    let now = now.expect("a clock after 1970").as_millis();
    let mut random = [0; 10];
    fastrand::fill(&mut random);
    Send {
        // Milliseconds since 1970 fit for a long time to come.
        id: MessageId::mint(now as u64, random),
        to: to.clone(),
        body: body.into(),
        friends_hash: None,
        again: false,
    }
}
