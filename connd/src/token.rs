//! Who a client is: signed tokens, or their word in open mode.
//!
//! Tokens are signed by the business's own server and checked without a
//! look-up (RFC 7519; EdDSA by RFC 8037, HS256). Owns the keys. Must not know
//! sessions.

use std::collections::HashMap;
use std::sync::Arc;

use connd_core::Claims;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use proto::codes::Code;
use proto::ids::{DeviceId, Stamp, UserId};
use serde::Deserialize;

/// Clocks of servers may differ by this much.
const LEEWAY_SECONDS: u64 = 5;

/// How clients prove who they are.
pub enum Tokens {
    /// They need not: for trying, on loopback only.
    Open,
    /// By a token of one of these keys, by their `kid`.
    Signed(HashMap<String, Key>),
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Open => f.write_str("Open"),
            Self::Signed(keys) => f.debug_set().entries(keys.keys()).finish(),
        }
    }
}

/// A key that tokens are checked with.
pub struct Key {
    algorithm: Algorithm,
    key: DecodingKey,
}

/// Why bytes are no key. The operator must act.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Not a public Ed25519 key in PEM.
    #[error("not a public Ed25519 key in PEM: {0}")]
    Ed25519(jsonwebtoken::errors::Error),
    /// A secret below 32 bytes (RFC 7518, 3.2).
    #[error("a secret for HS256 has at least 32 bytes, this one has {0}")]
    Short(usize),
}

impl Key {
    /// A public Ed25519 key in PEM, for EdDSA.
    pub fn ed25519(pem: &[u8]) -> Result<Self, KeyError> {
        let key = DecodingKey::from_ed_pem(pem).map_err(KeyError::Ed25519)?;
        let algorithm = Algorithm::EdDSA;
        Ok(Self { algorithm, key })
    }

    /// A shared secret, for HS256.
    pub fn hs256(secret: &[u8]) -> Result<Self, KeyError> {
        if secret.len() < 32 {
            return Err(KeyError::Short(secret.len()));
        }
        let key = DecodingKey::from_secret(secret);
        let algorithm = Algorithm::HS256;
        Ok(Self { algorithm, key })
    }
}

/// What a token says. Unknown claims are the business's own.
#[derive(Debug, Deserialize)]
struct Payload {
    sub: String,
    exp: u64,
    device: Option<String>,
}

impl Tokens {
    /// These, or the newer ones: a gateway goes neither into open mode nor out
    /// of it while it runs.
    pub fn replaced_by(self: &Arc<Self>, newer: Self) -> Arc<Self> {
        match (&**self, &newer) {
            (Self::Signed(_), Self::Signed(_)) => Arc::new(newer),
            _ => self.clone(),
        }
    }

    /// Checks a token, or in open mode takes the client's word.
    pub fn check(&self, token: &str, user: Option<UserId>) -> Result<Claims, Code> {
        let keys = match self {
            Self::Open => {
                return Ok(Claims {
                    user: user.ok_or(Code::Malformed)?,
                    device: None,
                    expires: None,
                });
            }
            Self::Signed(keys) => keys,
        };
        let header = decode_header(token).map_err(|_| Code::TokenInvalid)?;
        let kid = header.kid.unwrap_or_default();
        let key = keys.get(&kid).ok_or(Code::TokenInvalid)?;
        // The key names the algorithm; the token's word for it is not taken.
        let mut validation = Validation::new(key.algorithm);
        validation.leeway = LEEWAY_SECONDS;
        validation.set_required_spec_claims(&["exp", "sub"]);
        validation.validate_aud = false;
        let payload = match decode::<Payload>(token, &key.key, &validation) {
            Ok(data) => data.claims,
            Err(error) if *error.kind() == ErrorKind::ExpiredSignature => {
                return Err(Code::TokenExpired);
            }
            Err(_) => return Err(Code::TokenInvalid),
        };
        claims(payload, user)
    }
}

fn claims(payload: Payload, user: Option<UserId>) -> Result<Claims, Code> {
    let invalid = |_| Code::TokenInvalid;
    let subject = UserId::new(&payload.sub).map_err(invalid)?;
    if user.is_some_and(|user| user != subject) {
        return Err(Code::TokenInvalid);
    }
    let device = payload
        .device
        .map(DeviceId::new)
        .transpose()
        .map_err(invalid)?;
    let expires_us = payload.exp.saturating_mul(1_000_000);
    Ok(Claims {
        user: subject,
        device,
        expires: Some(Stamp(expires_us)),
    })
}

#[cfg(test)]
mod tests {
    use std::time::{SystemTime, UNIX_EPOCH};

    use jsonwebtoken::{EncodingKey, Header, encode};
    use serde::Serialize;

    use super::*;

    const SECRET: &[u8] = b"a secret of forty-two bytes, for a test only";

    #[derive(Serialize)]
    struct Signed {
        sub: &'static str,
        exp: u64,
        device: Option<&'static str>,
    }

    fn in_seconds(seconds: i64) -> u64 {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs();
        now.saturating_add_signed(seconds)
    }

    fn token(kid: &str, secret: &[u8], sub: &'static str, exp: u64) -> String {
        let header = Header {
            kid: Some(kid.to_owned()),
            ..Header::new(Algorithm::HS256)
        };
        let payload = Signed {
            sub,
            exp,
            device: Some("phone"),
        };
        encode(&header, &payload, &EncodingKey::from_secret(secret)).unwrap()
    }

    fn tokens() -> Tokens {
        let key = Key::hs256(SECRET).unwrap();
        Tokens::Signed(HashMap::from([("main".to_owned(), key)]))
    }

    #[test]
    fn a_good_token_names_user_device_and_end() {
        let good = token("main", SECRET, "ann", in_seconds(60));
        let claims = tokens().check(&good, None).unwrap();
        assert_eq!(claims.user.as_str(), "ann");
        assert_eq!(claims.device.unwrap().as_str(), "phone");
        let end = claims.expires.unwrap();
        assert_eq!(end, Stamp(in_seconds(60) * 1_000_000));
    }

    #[test]
    fn wrong_tokens_are_refused() {
        let tokens = tokens();
        let old = token("main", SECRET, "ann", in_seconds(-60));
        assert_eq!(tokens.check(&old, None), Err(Code::TokenExpired));
        let forged = token("main", &[7; 40], "ann", in_seconds(60));
        assert_eq!(tokens.check(&forged, None), Err(Code::TokenInvalid));
        let other = token("other", SECRET, "ann", in_seconds(60));
        assert_eq!(tokens.check(&other, None), Err(Code::TokenInvalid));
        let nobody = token("main", SECRET, "a b", in_seconds(60));
        assert_eq!(tokens.check(&nobody, None), Err(Code::TokenInvalid));
        let ben = UserId::new("ben").ok();
        let good = token("main", SECRET, "ann", in_seconds(60));
        assert_eq!(tokens.check(&good, ben), Err(Code::TokenInvalid));
        assert_eq!(tokens.check("", None), Err(Code::TokenInvalid));
        // {"alg":"none","kid":"main"}
        let none = "eyJhbGciOiJub25lIiwia2lkIjoibWFpbiJ9.eyJzdWIiOiJhbm4ifQ.";
        assert_eq!(tokens.check(none, None), Err(Code::TokenInvalid));
    }

    #[test]
    fn short_secrets_are_no_keys() {
        assert!(matches!(Key::hs256(b"short"), Err(KeyError::Short(5))));
        assert!(matches!(Key::ed25519(b"no pem"), Err(KeyError::Ed25519(_))));
    }
}
