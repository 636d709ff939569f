//! Certificates and their keys: read from files, or made on demand for trying.
//!
//! Owns what a directory of development certificates holds. Must not know who
//! shows a certificate to whom.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use thiserror::Error;

/// What a daemon shows, and by whom others must be signed; all in PEM.
#[derive(Clone)]
pub struct Certificates {
    /// Who signs.
    pub ca: Vec<u8>,
    /// The own certificate, with what leads to the signer.
    pub chain: Vec<u8>,
    /// Its private key.
    pub key: Vec<u8>,
}

impl std::fmt::Debug for Certificates {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificates").finish_non_exhaustive()
    }
}

/// Why there is no certificate. The operator must act.
#[derive(Debug, Error)]
pub enum CertificateError {
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file has no certificate or key in PEM.
    #[error("{0} has no {1} in PEM")]
    Content(PathBuf, &'static str),
    /// The key is not that of the certificate, or neither can be used.
    #[error("certificate and key cannot be used together: {0}")]
    Unfit(#[from] rustls::Error),
    /// None could be made.
    #[error("no certificate can be made: {0}")]
    Unmade(#[from] rcgen::Error),
}

/// The files of a directory of development certificates.
const CA_FILE: &str = "ca.pem";
const CHAIN_FILE: &str = "cert.pem";
const KEY_FILE: &str = "key.pem";

/// Reads a chain of certificates in PEM.
///
/// # Errors
/// The file is not readable, or has none.
pub fn read_chain(path: &Path) -> Result<Vec<u8>, CertificateError> {
    let pem = read(path)?;
    let first = CertificateDer::pem_slice_iter(&pem).next();
    match first {
        Some(Ok(_)) => Ok(pem),
        _ => Err(CertificateError::Content(path.to_owned(), "certificate")),
    }
}

/// Reads a private key in PEM.
///
/// # Errors
/// The file is not readable, or has none.
pub fn read_key(path: &Path) -> Result<Vec<u8>, CertificateError> {
    let pem = read(path)?;
    match PrivateKeyDer::from_pem_slice(&pem) {
        Ok(_) => Ok(pem),
        Err(_) => Err(CertificateError::Content(path.to_owned(), "private key")),
    }
}

/// A chain and its key, as rustls takes them.
pub type Pair = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// Takes a chain and its key out of PEM.
///
/// # Errors
/// One of them is none.
pub fn pair(chain: &[u8], key: &[u8]) -> Result<Pair, rustls::Error> {
    let none = |error| rustls::Error::General(format!("{error}"));
    let chain = CertificateDer::pem_slice_iter(chain);
    let chain = chain.collect::<Result<_, _>>().map_err(none)?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(none)?;
    Ok((chain, key))
}

/// Whether a key in PEM is that of the first certificate of a chain.
///
/// # Errors
/// It is not.
pub fn fits(chain: &[u8], key: &[u8]) -> Result<(), CertificateError> {
    let (chain, key) = pair(chain, key)?;
    let provider = rustls::crypto::ring::default_provider();
    CertifiedKey::from_der(chain, key, &provider)?;
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, CertificateError> {
    fs::read(path).map_err(|source| CertificateError::File {
        path: path.to_owned(),
        source,
    })
}

/// The certificates of a directory, which are made if there are none: a signer
/// of this directory, and a certificate for the loopback addresses, good for
/// both ends of a connection. The signer's own key is not kept. Several
/// processes may ask at once: all get the same.
///
/// # Errors
/// The directory cannot be written or read.
pub fn development(directory: &Path) -> Result<Certificates, CertificateError> {
    if !directory.join(KEY_FILE).exists() {
        make(directory)?;
    }
    Ok(Certificates {
        ca: read_chain(&directory.join(CA_FILE))?,
        chain: read_chain(&directory.join(CHAIN_FILE))?,
        key: read_key(&directory.join(KEY_FILE))?,
    })
}

/// Where clients find whom to trust.
pub fn development_ca(directory: &Path) -> PathBuf {
    directory.join(CA_FILE)
}

/// Writes them beside the directory, which then appears as a whole.
fn make(directory: &Path) -> Result<(), CertificateError> {
    let made = made()?;
    let failed = |source| CertificateError::File {
        path: directory.to_owned(),
        source,
    };
    let mut beside = directory.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    let beside = PathBuf::from(beside);
    fs::create_dir_all(&beside).map_err(failed)?;
    for (name, pem) in [
        (CA_FILE, &made.ca),
        (CHAIN_FILE, &made.chain),
        (KEY_FILE, &made.key),
    ] {
        let mode = if name == KEY_FILE { 0o600 } else { 0o644 };
        write(&beside.join(name), pem, mode).map_err(failed)?;
    }
    let renamed = fs::rename(&beside, directory);
    if renamed.is_err() {
        fs::remove_dir_all(&beside).map_err(failed)?;
    }
    match renamed {
        // Another process was first, and its are as good.
        Err(_) if directory.join(KEY_FILE).exists() => Ok(()),
        renamed => renamed.map_err(failed),
    }
}

fn write(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    options.open(path)?.write_all(bytes)
}

fn made() -> Result<Certificates, rcgen::Error> {
    let signer_key = KeyPair::generate()?;
    let mut signer = CertificateParams::default();
    let name = "development certificates, for loopback only";
    signer.distinguished_name.push(DnType::CommonName, name);
    signer.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    signer.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let ca = signer.self_signed(&signer_key)?.pem();
    let issuer = Issuer::new(signer, signer_key);

    let key = KeyPair::generate()?;
    let mut own = CertificateParams::new(vec!["localhost".to_owned()])?;
    own.distinguished_name.push(DnType::CommonName, "localhost");
    // A cluster for trying has a second gateway on the second of these.
    let loopback = (1..=4).map(|last| IpAddr::V4(Ipv4Addr::new(127, 0, 0, last)));
    let loopback = loopback.chain([IpAddr::V6(Ipv6Addr::LOCALHOST)]);
    own.subject_alt_names
        .extend(loopback.map(SanType::IpAddress));
    own.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    let chain = own.signed_by(&key, &issuer)?.pem();
    Ok(Certificates {
        ca: ca.into_bytes(),
        chain: chain.into_bytes(),
        key: key.serialize_pem().into_bytes(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn development_certificates_are_made_once_and_found_again() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("tls");
        let first = development(&directory).unwrap();
        let again = development(&directory).unwrap();
        assert_eq!((&first.chain, &first.key), (&again.chain, &again.key));
        let names = fs::read_dir(home.path()).unwrap().count();
        assert_eq!(names, 1, "nothing is left beside it");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let key = directory.join(KEY_FILE);
            let mode = key.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "nobody else reads the key");
        }
    }

    #[test]
    fn processes_that_ask_at_once_get_the_same() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("tls");
        // Who comes second finds the place taken when it has made its own.
        development(&directory).unwrap();
        make(&directory).unwrap();
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_certificate_is_named() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("cert.pem");
        fs::write(&file, "nothing").unwrap();
        let error = read_chain(&file).unwrap_err().to_string();
        assert!(error.contains("cert.pem has no certificate"), "{error}");
        let error = read_key(&file).unwrap_err().to_string();
        assert!(error.contains("no private key"), "{error}");
        let error = read_key(&home.path().join("none")).unwrap_err();
        assert!(matches!(error, CertificateError::File { .. }));
    }
}
