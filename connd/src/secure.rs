//! The TLS end of one connection, without I/O: bytes of the wire in, bytes of
//! the client out, and back.
//!
//! Owns the state of the connection. Must not know sockets or packets.

use std::fmt;
use std::io::{Read, Write};
use std::sync::Arc;

use rustls::{ServerConfig, ServerConnection};

/// One connection.
pub struct Secure {
    // Boxed by its holder: connections without TLS do not carry its size.
    connection: ServerConnection,
}

/// What came is no TLS, or not acceptable; an alert may wait to be written.
#[derive(Debug, thiserror::Error)]
#[error("the client does not speak TLS as it should: {0}")]
pub struct Unacceptable(#[from] rustls::Error);

impl Secure {
    /// A connection that has not begun. Fails on a configuration that cannot
    /// be served, which its checks have excluded.
    pub fn new(config: Arc<ServerConfig>) -> Result<Self, Unacceptable> {
        let mut connection = ServerConnection::new(config)?;
        // What waits for a socket is bounded by its owner.
        connection.set_buffer_limit(None);
        Ok(Self { connection })
    }

    /// Whether the handshake is not over yet.
    pub fn is_handshaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    /// Takes bytes of the wire; what the client said is appended to `plain`,
    /// what is to be written in answer to `sealed`, which holds even on error.
    /// `false`: the client has said that nothing follows.
    pub fn received(
        &mut self,
        mut wire: &[u8],
        plain: &mut Vec<u8>,
        sealed: &mut Vec<u8>,
    ) -> Result<bool, Unacceptable> {
        let mut result = Ok(true);
        while result.is_ok() && !wire.is_empty() {
            // Reading from memory fails only when rustls holds too much
            // undecoded, and that is taken out each time.
            if !matches!(self.connection.read_tls(&mut wire), Ok(1..)) {
                break;
            }
            match self.connection.process_new_packets() {
                Ok(state) => {
                    let start = plain.len();
                    plain.resize(start + state.plaintext_bytes_to_read(), 0);
                    let read = self.connection.reader().read(&mut plain[start..]);
                    plain.truncate(start + read.unwrap_or(0));
                    if state.peer_has_closed() {
                        result = Ok(false);
                    }
                }
                Err(error) => result = Err(error.into()),
            }
        }
        self.take_sealed(sealed);
        result
    }

    /// Seals bytes for the client.
    pub fn seal(&mut self, plain: &[u8], sealed: &mut Vec<u8>) {
        // Writing to memory without a limit takes everything.
        let _ = self.connection.writer().write_all(plain);
        self.take_sealed(sealed);
    }

    /// Says that nothing follows.
    pub fn close(&mut self, sealed: &mut Vec<u8>) {
        self.connection.send_close_notify();
        self.take_sealed(sealed);
    }

    fn take_sealed(&mut self, sealed: &mut Vec<u8>) {
        while self.connection.wants_write() {
            if !matches!(self.connection.write_tls(sealed), Ok(1..)) {
                return;
            }
        }
    }
}

impl fmt::Debug for Secure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secure")
            .field("is_handshaking", &self.is_handshaking())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::ServerName;
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use rustls::{ClientConfig, ClientConnection, RootCertStore};

    /// A client that trusts the certificate of the server.
    fn ends() -> (Secure, ClientConnection) {
        let home = tempfile::tempdir().unwrap();
        let made = node::certificates::development(&home.path().join("tls")).unwrap();
        let server = crate::tls::server(&made.chain, &made.key).unwrap();
        let mut roots = RootCertStore::empty();
        let ca = CertificateDer::from_pem_slice(&made.ca).unwrap();
        roots.add(ca).unwrap();
        let client = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").unwrap();
        let client = ClientConnection::new(Arc::new(client), name).unwrap();
        assert!(PrivateKeyDer::from_pem_slice(&made.key).is_ok());
        (Secure::new(server).unwrap(), client)
    }

    /// Everything that the client has to say, in pieces of this size.
    fn says(client: &mut ClientConnection, server: &mut Secure, piece: usize) -> (Vec<u8>, bool) {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire).unwrap();
        }
        let (mut plain, mut sealed) = (Vec::new(), Vec::new());
        for piece in wire.chunks(piece) {
            if server.received(piece, &mut plain, &mut sealed).is_err() {
                return (sealed, false);
            }
        }
        let mut sealed = &sealed[..];
        while !sealed.is_empty() {
            client.read_tls(&mut sealed).unwrap();
            client.process_new_packets().unwrap();
        }
        (plain, true)
    }

    #[test]
    fn bytes_go_both_ways_however_they_are_cut() {
        for piece in [1, 7, 1_000, 100_000] {
            let (mut server, mut client) = ends();
            while client.is_handshaking() || server.is_handshaking() {
                assert_eq!(says(&mut client, &mut server, piece), (Vec::new(), true));
            }
            let said = vec![7; 200_000];
            client.set_buffer_limit(None);
            client.writer().write_all(&said).unwrap();
            assert_eq!(says(&mut client, &mut server, piece), (said, true));
            let mut sealed = Vec::new();
            server.seal(&[9; 50_000], &mut sealed);
            server.close(&mut sealed);
            let (mut sealed, mut heard) = (&sealed[..], Vec::new());
            while !sealed.is_empty() {
                client.read_tls(&mut sealed).unwrap();
                let state = client.process_new_packets().unwrap();
                let mut some = vec![0; state.plaintext_bytes_to_read()];
                client.reader().read_exact(&mut some).unwrap();
                heard.extend(some);
            }
            assert_eq!(heard, [9; 50_000]);
        }
    }

    #[test]
    fn what_is_no_tls_is_answered_with_an_alert() {
        let (mut server, _) = ends();
        let (mut plain, mut sealed) = (Vec::new(), Vec::new());
        let garbage = b"GET / HTTP/1.1\r\n\r\n";
        assert!(server.received(garbage, &mut plain, &mut sealed).is_err());
        assert!(plain.is_empty());
        // Content type 21: an alert.
        assert_eq!(sealed.first(), Some(&21));
    }
}
