//! Tokens as a business's own server signs them.
//!
//! Owns the key. Must not know who asks for what.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use anyhow::Result;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{EncodePrivateKey, EncodePublicKey};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use proto::ids::UserId;
use serde::Serialize;

/// The key's name in tokens.
const KID: &str = "bench";
/// How long a token is good for: longer than any run.
const TTL_SECS: u64 = 24 * 3_600;

#[derive(Serialize)]
struct Claims<'a> {
    sub: &'a str,
    exp: u64,
}

/// Who signs tokens, with Ed25519.
pub struct Issuer {
    header: Header,
    key: EncodingKey,
}

impl Issuer {
    /// Makes a key; returns with it the flag's value that lets a daemon check
    /// it, which names a file in `directory`.
    pub fn new(directory: &Path) -> Result<(Self, String)> {
        let mut seed = [0; 32];
        fastrand::fill(&mut seed);
        let key = SigningKey::from_bytes(&seed);
        let path = directory.join("key.pem.pub");
        let public = key.verifying_key().to_public_key_pem(LineEnding::LF);
        fs::write(&path, public.map_err(anyhow::Error::msg)?)?;
        let private = key.to_pkcs8_pem(LineEnding::LF)?;
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(KID.to_owned());
        let issuer = Self {
            header,
            key: EncodingKey::from_ed_pem(private.as_bytes())?,
        };
        Ok((issuer, format!("{KID}={}", path.display())))
    }

    /// A token of a user.
    pub fn issue(&self, user: &UserId) -> Result<String> {
        let claims = Claims {
            sub: user.as_str(),
            exp: SystemTime::UNIX_EPOCH.elapsed()?.as_secs() + TTL_SECS,
        };
        Ok(jsonwebtoken::encode(&self.header, &claims, &self.key)?)
    }
}
