//! Tokens in the compact form of RFC 7519, signed by HMAC-SHA256.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use serde::Deserialize;
use sha2::Sha256;

/// The parts of a token's header that decide.
#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow)]
    alg: std::borrow::Cow<'a, str>,
    /// Extensions that the reader must understand: we understand none.
    crit: Option<serde::de::IgnoredAny>,
}

/// The claims of a token that was signed with `secret`, as JSON text; whether they hold now is for the caller to say. The
/// algorithm is never chosen by the token: one that names another is refused before anything is computed.
pub fn verified(token: &[u8], secret: &[u8]) -> Option<Vec<u8>> {
    let token = std::str::from_utf8(token).ok()?;
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let header = URL_SAFE_NO_PAD.decode(header).ok()?;
    let header: Header<'_> = serde_json::from_slice(&header).ok()?;
    if header.alg != "HS256" || header.crit.is_some() {
        return None;
    }
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    mac.update(signed.as_bytes());
    // Compares in constant time.
    mac.verify_slice(&signature).ok()?;
    URL_SAFE_NO_PAD.decode(claims).ok()
}

/// A token with this header and these claims.
#[cfg(test)]
pub fn signed(header: &str, claims: &str, secret: &str) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}
