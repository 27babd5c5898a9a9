//! What a server on a private address owes its users' browsers: a page of another site must neither write to it nor
//! read from it, whatever name it reaches it by.

use http::request::Parts;
use hyper::{
    HeaderMap, Method,
    header::{HOST, HeaderName, HeaderValue, ORIGIN, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS},
    http::uri::Scheme,
};

#[cfg(test)]
mod tests;

/// Names that always mean this machine.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Headers that every answer carries.
pub const HARDENING: [(HeaderName, HeaderValue); 2] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
];

/// Whom a listener trusts besides itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    /// Origins whose pages may read and write: `https://console.example.com`.
    pub origins: Vec<String>,
    /// Names a request may be for; empty = any.
    pub hosts: Vec<String>,
}

impl Trust {
    /// Whether the request may be for the host it names.
    pub fn host_allowed(&self, headers: &HeaderMap) -> bool {
        if self.hosts.is_empty() {
            return true;
        }
        let Some(host) = text(headers, &HOST) else { return false };
        let name = without_port(host);
        let known = self.hosts.iter().map(String::as_str).chain(LOOPBACK);
        known.into_iter().any(|known| known.eq_ignore_ascii_case(name) || known.eq_ignore_ascii_case(host))
    }

    /// The origin of the request, if it is a listed one.
    pub fn listed_origin<'a>(&self, headers: &'a HeaderMap) -> Option<&'a HeaderValue> {
        if self.origins.is_empty() {
            return None;
        }
        let origin = headers.get(ORIGIN)?;
        let listed = |listed: &String| listed.trim_end_matches('/').as_bytes().eq_ignore_ascii_case(origin.as_bytes());
        self.origins.iter().any(listed).then_some(origin)
    }

    /// Whether a page of the request's origin may do this: a page of this server, or of a listed one, or none at all
    /// because the client is no browser; any page may ask what only reads.
    pub fn origin_allowed(&self, request: &Parts) -> bool {
        matches!(request.method, Method::GET | Method::HEAD | Method::OPTIONS) || self.origin_trusted(request)
    }

    /// The same whatever the request does. A page that came over plain HTTP is none of a server that speaks TLS: somebody
    /// on the way may have written it. The other way round TLS may end before this server.
    pub fn origin_trusted(&self, request: &Parts) -> bool {
        let headers = &request.headers;
        let encrypted = request.extensions.get() == Some(&Scheme::HTTPS);
        let Some(origin) = headers.get(ORIGIN) else { return true };
        let own = || {
            let origin = origin.to_str().ok()?;
            let (scheme, authority) = origin.split_once("://")?;
            let from_encrypted = scheme.eq_ignore_ascii_case("https");
            let port = if from_encrypted { ":443" } else { ":80" };
            let bare = |authority: &str| authority.strip_suffix(port).unwrap_or(authority).to_ascii_lowercase();
            Some((from_encrypted || !encrypted) && bare(authority) == bare(text(headers, &HOST)?))
        };
        own() == Some(true) || self.listed_origin(headers).is_some()
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// `[::1]:9002` and `localhost:9002` without the port.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    }
}
