//! TLS towards the server: whom to trust.
//!
//! Owns the configuration of every connection. Must not know what is said on
//! one.

use std::fmt;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// TLS towards the server; the name before the port of an address is the one
/// that its certificate must be for.
#[derive(Clone)]
pub struct Tls(TlsConnector);

/// Why there is no TLS. The application must act.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The system names nobody to trust.
    #[error("the system has no certificates to trust")]
    NobodyTrusted,
    /// The text has no certificate in PEM.
    #[error("there is no certificate in PEM to trust")]
    NoCertificate,
    /// The certificates cannot be used.
    #[error("TLS cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
}

impl Tls {
    /// Trusts whom the system trusts.
    ///
    /// # Errors
    /// The system names nobody.
    pub fn system() -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        let (added, _) = roots.add_parsable_certificates(found.certs);
        if added == 0 {
            return Err(TlsError::NobodyTrusted);
        }
        Self::of(roots)
    }

    /// Trusts whom these certificates, in PEM, are of, and nobody else.
    ///
    /// # Errors
    /// There is none in the text.
    pub fn trusting(pem: &[u8]) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            roots.add(certificate.map_err(|_| TlsError::NoCertificate)?)?;
        }
        if roots.is_empty() {
            return Err(TlsError::NoCertificate);
        }
        Self::of(roots)
    }

    fn of(roots: RootCertStore) -> Result<Self, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    /// Brings TLS up on a connection to this host; fails in words.
    pub(crate) async fn connect(
        &self,
        host: &str,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, String> {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host.to_owned());
        let name = name.map_err(|_| "no name that a certificate could be for".to_owned())?;
        let secured = self.0.connect(name, stream).await;
        secured.map_err(|error| format!("TLS: {error}"))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whom_to_trust_must_be_named() {
        let nobody = Tls::trusting(b"").unwrap_err();
        assert!(matches!(nobody, TlsError::NoCertificate));
        let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(Tls::trusting(broken).is_err());
    }
}
