//! What an operator shows to daemons that speak TLS.
//!
//! Owns the flags and the files. Must not know who is asked.

use std::path::PathBuf;

use clap::Args;
use node::certificates::{CertificateError, fits, read_chain, read_key};
use service::tls::LinkTls;

/// TLS towards daemons on the command line.
#[derive(Debug, Args)]
pub struct CertificateFlags {
    /// By whom certificates of daemons must be signed (PEM): towards those with
    /// https:// before their admin address.
    #[arg(long, global = true, value_name = "FILE", env = "IM_IMCTL_CA")]
    ca: Option<PathBuf>,
    /// The certificate that is shown to them (PEM).
    #[arg(long, global = true, value_name = "FILE", env = "IM_IMCTL_CERT")]
    cert: Option<PathBuf>,
    /// Its private key (PEM).
    #[arg(long, global = true, value_name = "FILE", env = "IM_IMCTL_KEY")]
    key: Option<PathBuf>,
}

impl CertificateFlags {
    /// Reads the files; none: daemons that want a certificate are not asked.
    ///
    /// # Errors
    /// One of them is missing or cannot be read, or they do not fit.
    pub fn tls(&self) -> anyhow::Result<Option<LinkTls>> {
        match (&self.ca, &self.cert, &self.key) {
            (None, None, None) => Ok(None),
            (Some(ca), Some(cert), Some(key)) => {
                let read = || -> Result<LinkTls, CertificateError> {
                    let (chain, key) = (read_chain(cert)?, read_key(key)?);
                    fits(&chain, &key)?;
                    Ok(LinkTls::new(&read_chain(ca)?, &chain, &key))
                };
                Ok(Some(read()?))
            }
            _ => anyhow::bail!("--ca, --cert and --key are given together, or none"),
        }
    }
}
