//! Tokens and keys for trying. A business signs its tokens itself.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{EncodePrivateKey, EncodePublicKey};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;

use crate::arguments::{Signature, Token};

/// The shortest secret for HS256 (RFC 7518, 3.2); servers take no shorter one.
const SECRET_BYTES_MIN: usize = 32;

/// What a token says.
#[derive(Debug, Serialize)]
struct Claims {
    /// The user.
    sub: String,
    /// When it ends, in seconds since 1970.
    exp: u64,
    /// When it was made, likewise.
    iat: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

/// Why there is no token. Whoever typed the command must act.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error("{}: {error}", path.display())]
    File { path: PathBuf, error: io::Error },
    #[error("{}: not a key for this algorithm (see --alg): {error}", path.display())]
    Key {
        path: PathBuf,
        error: jsonwebtoken::errors::Error,
    },
    #[error("{}: a secret for hs256 has at least {SECRET_BYTES_MIN} bytes", .0.display())]
    Short(PathBuf),
    #[error("a token cannot be signed: {0}")]
    Sign(jsonwebtoken::errors::Error),
    #[error("the system gives no random bytes: {0}")]
    Random(getrandom::Error),
    #[error("a key cannot be written as PEM: {0}")]
    Pem(String),
    #[error("--user and --key-file are needed, or --new-key")]
    Incomplete,
}

/// Does what the command line says; returns what to print.
pub fn run(arguments: &Token) -> Result<String, TokenError> {
    if let Some(path) = &arguments.new_key {
        let public = new_key(path)?;
        return Ok(format!(
            "{}: keep it secret\n{}: give it to the server",
            path.display(),
            public.display()
        ));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    make(arguments, now.map_or(0, |since| since.as_secs()))
}

fn make(arguments: &Token, now: u64) -> Result<String, TokenError> {
    let (Some(user), Some(path)) = (&arguments.user, &arguments.key_file) else {
        return Err(TokenError::Incomplete);
    };
    let bytes = fs::read(path).map_err(|error| file(path, error))?;
    let (algorithm, key) = match arguments.alg {
        Signature::Eddsa => (Algorithm::EdDSA, EncodingKey::from_ed_pem(&bytes)),
        Signature::Hs256 => (Algorithm::HS256, Ok(secret(path, &bytes)?)),
    };
    let key = key.map_err(|error| TokenError::Key {
        path: path.clone(),
        error,
    })?;
    let mut header = Header::new(algorithm);
    header.kid = arguments.kid.clone();
    let claims = Claims {
        sub: user.to_string(),
        exp: now.saturating_add(arguments.ttl),
        iat: now,
        device: arguments.device.as_ref().map(ToString::to_string),
        name: arguments.name.clone(),
    };
    jsonwebtoken::encode(&header, &claims, &key).map_err(TokenError::Sign)
}

/// A secret is the file's bytes without the space around them that editors
/// leave; servers read it likewise.
fn secret(path: &Path, bytes: &[u8]) -> Result<EncodingKey, TokenError> {
    let secret = bytes.trim_ascii();
    if secret.len() < SECRET_BYTES_MIN {
        return Err(TokenError::Short(path.to_owned()));
    }
    Ok(EncodingKey::from_secret(secret))
}

/// Writes a key pair; an existing file is left alone. Returns the public
/// half's path.
fn new_key(path: &Path) -> Result<PathBuf, TokenError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(TokenError::Random)?;
    let key = SigningKey::from_bytes(&seed);
    let private = key
        .to_pkcs8_pem(LineEnding::LF)
        .map_err(|error| TokenError::Pem(error.to_string()))?;
    let public = key
        .verifying_key()
        .to_public_key_pem(LineEnding::LF)
        .map_err(|error| TokenError::Pem(error.to_string()))?;
    let mut public_path = path.as_os_str().to_owned();
    public_path.push(".pub");
    let public_path = PathBuf::from(public_path);
    write_new(path, private.as_bytes(), 0o600)?;
    write_new(&public_path, public.as_bytes(), 0o644)?;
    Ok(public_path)
}

fn write_new(path: &Path, content: &[u8], mode: u32) -> Result<(), TokenError> {
    let mut file = create_new(path, mode).map_err(|error| self::file(path, error))?;
    file.write_all(content)
        .map_err(|error| self::file(path, error))
}

#[cfg(unix)]
fn create_new(path: &Path, mode: u32) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(mode).open(path)
}

#[cfg(not(unix))]
fn create_new(path: &Path, _mode: u32) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

fn file(path: &Path, error: io::Error) -> TokenError {
    let path = path.to_owned();
    TokenError::File { path, error }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
    use serde::Deserialize;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Read {
        sub: String,
        exp: u64,
        device: Option<String>,
        name: Option<String>,
    }

    fn arguments(key_file: &Path, alg: Signature) -> Token {
        Token {
            new_key: None,
            user: Some("alice".parse().unwrap()),
            key_file: Some(key_file.to_owned()),
            kid: Some("k1".into()),
            alg,
            ttl: 60,
            device: Some("desk".parse().unwrap()),
            name: Some("Alice A.".into()),
        }
    }

    fn check(token: &str, key: &DecodingKey, algorithm: Algorithm) {
        assert_eq!(decode_header(token).unwrap().kid.as_deref(), Some("k1"));
        let mut validation = Validation::new(algorithm);
        validation.validate_exp = false;
        let read = decode::<Read>(token, key, &validation).unwrap().claims;
        let expected = Read {
            sub: "alice".into(),
            exp: 1_060,
            device: Some("desk".into()),
            name: Some("Alice A.".into()),
        };
        assert_eq!(read, expected);
    }

    #[test]
    fn a_new_key_signs_what_its_public_half_checks() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key.pem");
        let public = new_key(&path).unwrap();
        assert!(public.ends_with("key.pem.pub"));
        let token = make(&arguments(&path, Signature::Eddsa), 1_000).unwrap();
        let key = DecodingKey::from_ed_pem(&fs::read(public).unwrap()).unwrap();
        check(&token, &key, Algorithm::EdDSA);
        let again = new_key(&path);
        assert!(matches!(again, Err(TokenError::File { .. })));
        let wrong = make(&arguments(directory.path(), Signature::Eddsa), 1_000);
        assert!(matches!(wrong, Err(TokenError::File { .. })));
    }

    #[test]
    fn a_secret_is_the_file_without_its_newline() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        fs::write(&path, "  correct horse battery staple, long enough\n").unwrap();
        let token = make(&arguments(&path, Signature::Hs256), 1_000).unwrap();
        let key = DecodingKey::from_secret(b"correct horse battery staple, long enough");
        check(&token, &key, Algorithm::HS256);
        let wrong = make(&arguments(&path, Signature::Eddsa), 1_000);
        assert!(matches!(wrong, Err(TokenError::Key { .. })));
        fs::write(&path, "correct horse\n").unwrap();
        let short = make(&arguments(&path, Signature::Hs256), 1_000);
        assert!(matches!(short, Err(TokenError::Short(_))));
    }
}
