//! Tokens: whatever a client shows as one, and whatever a good key signed.
//!
//! Owns the keys that the target checks with. Must not know sessions.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use connd::token::{Key, Tokens};
use connd_core::Claims;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use proto::ids::UserId;

const SECRET: &[u8] = b"a secret of forty-two bytes, for fuzzing only";

const PUBLIC: &[u8] = b"-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
";

static TOKENS: LazyLock<Tokens> = LazyLock::new(|| {
    let secret = Key::hs256(SECRET).expect("a good secret");
    let public = Key::ed25519(PUBLIC).expect("a good key");
    let keys = [("s".to_owned(), secret), ("p".to_owned(), public)];
    Tokens::Signed(HashMap::from(keys))
});

/// The first byte says what the rest is: a token as it stands; a header and a
/// payload, a zero byte between them, signed with the secret; or the same
/// signed with the bytes of the public key as if they were a secret.
pub fn token(bytes: &[u8]) {
    let Some((which, rest)) = bytes.split_first() else {
        return;
    };
    let user = (which & 4 != 0).then(|| UserId::new("ann").expect("an id"));
    match which % 3 {
        0 => {
            let text = String::from_utf8_lossy(rest);
            let found = TOKENS.check(&text, user);
            assert!(found.is_err(), "nobody signed {text}: {found:?}");
        }
        1 => signed(rest, user),
        _ => {
            let (token, _) = sign(rest, PUBLIC);
            let found = TOKENS.check(&token, user);
            assert!(found.is_err(), "a public key is no secret: {found:?}");
        }
    }
}

/// A token of the bytes up to the first zero and those behind it, and the
/// latter.
fn sign<'a>(rest: &'a [u8], secret: &[u8]) -> (String, &'a [u8]) {
    let at = rest.iter().position(|byte| *byte == 0);
    let at = at.unwrap_or(rest.len());
    let payload = rest.get(at + 1..).unwrap_or_default();
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(&rest[..at]),
        URL_SAFE_NO_PAD.encode(payload)
    );
    let key = EncodingKey::from_secret(secret);
    let signature = crypto::sign(signed.as_bytes(), &key, Algorithm::HS256);
    let signature = signature.expect("HS256 signs anything");
    (format!("{signed}.{signature}"), payload)
}

/// What is taken says what was signed: nobody else, and nothing that is over.
fn signed(rest: &[u8], user: Option<UserId>) {
    let (token, payload) = sign(rest, SECRET);
    let Ok(Claims {
        user: found,
        device,
        expires,
    }) = TOKENS.check(&token, user.clone())
    else {
        return;
    };
    assert!(user.is_none_or(|user| user == found));
    // What is not asked for is not read closely: it may be no JSON at all.
    let Ok(said) = serde_json::from_slice::<serde_json::Value>(payload) else {
        return;
    };
    assert_eq!(said["sub"].as_str(), Some(found.as_str()));
    let named = device.as_ref().map(|device| device.as_str());
    assert_eq!(said["device"].as_str(), named);
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.expect("a clock after 1970").as_secs();
    let end = said["exp"].as_u64().expect("an end");
    assert!(end + 10 >= now);
    let expires = expires.expect("an end").0;
    assert_eq!(expires, end.saturating_mul(1_000_000));
}
