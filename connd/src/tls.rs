//! TLS for clients, as an operator sets it: by flags, or in the section `tls`
//! of a settings file.
//!
//! Owns how certificates are named and what is allowed without any. Must not
//! know a connection.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use node::certificates::{self, CertificateError};
use node::layers::Given;
use node::settings::sheet::{Reload, Sheet};
use node::settings::value::Count;
use rustls::ServerConfig;
use serde::Deserialize;

/// TLS on the command line.
#[derive(Debug, Clone, Args)]
pub struct TlsFlags {
    /// The certificate that clients are shown (PEM, with what leads to a
    /// signer whom they trust). Needs --tls-key.
    #[arg(long, value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// Its private key (PEM).
    #[arg(long, value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// Certificates for trying, on a loopback address only; made in this
    /// directory if it is not there. Clients trust its ca.pem.
    #[arg(long, value_name = "DIRECTORY")]
    pub tls_development: Option<PathBuf>,
}

/// TLS in a settings file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsSection {
    cert: Option<PathBuf>,
    key: Option<PathBuf>,
    development: Option<PathBuf>,
    plain: bool,
    handshakes_per_second: Count,
}

impl Default for TlsSection {
    fn default() -> Self {
        Self {
            cert: None,
            key: None,
            development: None,
            plain: false,
            handshakes_per_second: Count::of(1_000),
        }
    }
}

/// How a gateway takes connections.
#[derive(Debug, Clone)]
pub struct Tls {
    /// None: plain.
    pub config: Option<Arc<ServerConfig>>,
    /// Of one gateway; as many may come at once.
    pub handshakes_per_second: u32,
    /// It is of files that an operator keeps fresh.
    is_of_files: bool,
}

impl Tls {
    /// What holds after this was read: other certificates, but neither TLS
    /// where there was none nor the other way round.
    pub fn replaced_by(&self, new: Self) -> Self {
        let handshakes_per_second = new.handshakes_per_second;
        if self.is_of_files && new.is_of_files {
            return new;
        }
        Self {
            handshakes_per_second,
            ..self.clone()
        }
    }
}

/// Why there is no TLS. The operator must act.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// No certificate or key.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// They do not fit each other, or cannot be used.
    #[error("the certificate and its key cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
}

/// What a file may be.
const CERT_ALLOWED: &str = "a file of certificates in PEM; needs key";
const KEY_ALLOWED: &str = "a file of a private key in PEM; needs cert";
const DEVELOPMENT_ALLOWED: &str = "a directory; only with a loopback address, and without cert";

impl TlsSection {
    /// Puts over it what the command line and the environment say.
    pub fn put_over(&mut self, flags: TlsFlags, given: &mut Given<'_>) {
        let TlsFlags {
            tls_cert,
            tls_key,
            tls_development,
        } = flags;
        given.put("tls_cert", "tls.cert", &mut self.cert, tls_cert.map(Some));
        given.put("tls_key", "tls.key", &mut self.key, tls_key.map(Some));
        let development = tls_development.map(Some);
        given.put(
            "tls_development",
            "tls.development",
            &mut self.development,
            development,
        );
    }

    /// Puts its keys on the sheet.
    pub fn describe(&self, listen: SocketAddr, sheet: &mut Sheet) {
        sheet.section("tls");
        sheet.file("cert", self.cert.as_ref(), CERT_ALLOWED, Reload::Yes);
        sheet.file("key", self.key.as_ref(), KEY_ALLOWED, Reload::Yes);
        let development = self.development.as_ref();
        sheet.file("development", development, DEVELOPMENT_ALLOWED, Reload::No);
        sheet.bool("plain", self.plain, "true or false", Reload::No);
        let range = [Count::of(1), Count::of(1_000_000)];
        let rate = self.handshakes_per_second;
        sheet.ranged("handshakes_per_second", rate, range, Reload::Yes);
        if self.cert.is_some() != self.key.is_some() {
            let (key, allowed) = match self.cert {
                Some(_) => ("key", KEY_ALLOWED),
                None => ("cert", CERT_ALLOWED),
            };
            sheet.wrong(key, "not set", allowed);
        }
        let Some(development) = development else {
            return;
        };
        if self.cert.is_some() || !listen.ip().is_loopback() {
            sheet.wrong("development", development.display(), DEVELOPMENT_ALLOWED);
        }
    }

    /// Whether clients are served without it where that was not asked for.
    fn is_missing(&self, listen: SocketAddr) -> bool {
        !self.is_on() && !self.plain && !listen.ip().is_loopback()
    }

    /// Reads the certificates; the sheet is told of those that are none.
    pub fn open(&self, listen: SocketAddr, sheet: &mut Sheet) -> Tls {
        sheet.section("tls");
        if self.is_missing(listen) {
            let allowed = "cert and key, since others reach this address; or plain = true, \
                           and everybody on the way can read along";
            sheet.wrong("cert", "not set", allowed);
        }
        let config = match self.config() {
            Ok(config) => config,
            Err(error) => {
                let (key, allowed) = match self.cert {
                    Some(_) => ("cert", CERT_ALLOWED),
                    None => ("development", DEVELOPMENT_ALLOWED),
                };
                sheet.wrong(key, error, allowed);
                None
            }
        };
        Tls {
            config,
            handshakes_per_second: self.handshakes_per_second.into(),
            is_of_files: self.cert.is_some(),
        }
    }

    fn config(&self) -> Result<Option<Arc<ServerConfig>>, TlsError> {
        if let (Some(cert), Some(key)) = (&self.cert, &self.key) {
            let chain = certificates::read_chain(cert)?;
            let key = certificates::read_key(key)?;
            return Ok(Some(server(&chain, &key)?));
        }
        let Some(directory) = &self.development else {
            return Ok(None);
        };
        let made = certificates::development(directory)?;
        Ok(Some(server(&made.chain, &made.key)?))
    }

    /// Whether clients speak TLS.
    pub fn is_on(&self) -> bool {
        self.cert.is_some() || self.development.is_some()
    }

    /// Where clients find whom to trust, if it is for trying.
    pub fn development_ca(&self) -> Option<PathBuf> {
        let directory = self.development.as_ref()?;
        Some(certificates::development_ca(directory))
    }

    /// Takes what SIGHUP may change: other certificates, but neither TLS where
    /// there was none nor the other way round.
    pub fn take_over(&mut self, new: &Self) {
        self.handshakes_per_second = new.handshakes_per_second;
        if self.cert.is_some() && new.cert.is_some() {
            self.cert.clone_from(&new.cert);
            self.key.clone_from(&new.key);
        }
    }
}

/// What a gateway needs to show this chain, both in PEM.
pub fn server(chain: &[u8], key: &[u8]) -> Result<Arc<ServerConfig>, rustls::Error> {
    let (chain, key) = certificates::pair(chain, key)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    // Clients that come back are spared the costly part, and no state of them
    // is kept here.
    config.ticketer = rustls::crypto::ring::Ticketer::new()?;
    config.send_tls13_tickets = 1;
    Ok(Arc::new(config))
}
