//! TLS between daemons: both ends show a certificate of the same signer.
//!
//! Owns what the transport needs of it. Must not know where certificates come
//! from.

use std::time::Duration;

use tonic::transport::{Certificate, ClientTlsConfig, Identity, ServerTlsConfig};

/// How long a handshake may take; who says nothing is closed then.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(5);

/// What a daemon shows to others, and by whom they must be signed.
#[derive(Debug, Clone)]
pub struct LinkTls {
    ca: Certificate,
    identity: Identity,
}

impl LinkTls {
    /// Of certificates and a key in PEM.
    pub fn new(ca: &[u8], chain: &[u8], key: &[u8]) -> Self {
        Self {
            ca: Certificate::from_pem(ca),
            identity: Identity::from_pem(chain, key),
        }
    }

    /// Towards a daemon; the host of its address must be in its certificate.
    pub fn client(&self) -> ClientTlsConfig {
        ClientTlsConfig::new()
            .ca_certificate(self.ca.clone())
            .identity(self.identity.clone())
    }

    /// For daemons that connect; who shows no certificate is refused.
    pub fn server(&self) -> ServerTlsConfig {
        ServerTlsConfig::new()
            .timeout(HANDSHAKE_PATIENCE)
            .client_ca_root(self.ca.clone())
            .identity(self.identity.clone())
    }

    /// How an address is written, by whether there is TLS.
    pub fn uri(tls: Option<&Self>, address: &str) -> String {
        match tls {
            Some(_) => format!("https://{address}"),
            None => format!("http://{address}"),
        }
    }
}
