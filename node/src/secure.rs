//! An admin port that other machines reach: TLS with certificates at both ends.
//!
//! Owns what is shown there, and who is let in. Must not know what is asked.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::certificates::{self, Certificates};

/// How long a handshake may take; who says nothing is closed then.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(5);

/// What an operator may speak, by TLS's names.
const SPOKEN: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// What the port shows, and by whom operators must be signed.
#[derive(Clone)]
pub struct Secure(TlsAcceptor);

impl Secure {
    /// The certificates that daemons have for each other.
    ///
    /// # Errors
    /// They cannot be used.
    pub fn new(certificates: &Certificates) -> Result<Self, rustls::Error> {
        let none = |error| rustls::Error::General(format!("{error}"));
        let mut signers = RootCertStore::empty();
        for signer in CertificateDer::pem_slice_iter(&certificates.ca) {
            signers.add(signer.map_err(none)?)?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let signers = Arc::new(signers);
        let asked = WebPkiClientVerifier::builder_with_provider(signers, provider.clone());
        let asked = asked.build();
        let asked = asked.map_err(|error| rustls::Error::General(error.to_string()))?;
        let (chain, key) = certificates::pair(&certificates.chain, &certificates.key)?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(asked)
            .with_single_cert(chain, key)?;
        config.alpn_protocols = SPOKEN.map(<[u8]>::to_vec).to_vec();
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    /// The connection, once both ends have shown who they are.
    pub(crate) async fn accept(&self, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
        let handshake = self.0.accept(stream);
        match tokio::time::timeout(HANDSHAKE_PATIENCE, handshake).await {
            Ok(Ok(stream)) => Some(stream),
            Ok(Err(error)) => {
                tracing::debug!(%error, "admin connection without TLS that is good");
                None
            }
            Err(_) => None,
        }
    }
}
