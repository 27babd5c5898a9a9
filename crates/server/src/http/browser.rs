//! What a server on a private address owes its users' browsers: a page of another site must neither write to it nor
//! read from it, whatever name it reaches it by.

use http::request::Parts;
use hyper::{
    HeaderMap, Method,
    header::{HOST, HeaderName, HeaderValue, ORIGIN, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS},
    http::uri::Scheme,
};

use crate::net::{is_local, without_port};

#[cfg(test)]
mod tests;

/// What a browser says of the page that makes it ask, also where it names no origin.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

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
        let is_known = |known: &String| known.eq_ignore_ascii_case(name) || known.eq_ignore_ascii_case(host);
        is_local(name) || self.hosts.iter().any(is_known)
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
    pub fn origin_allowed(&self, method: &Method, request: &Parts) -> bool {
        matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) || self.origin_trusted(request)
    }

    /// The same whatever the request does. A page that came over plain HTTP is none of a server that speaks TLS: somebody
    /// on the way may have written it; the other way round TLS may end before this server. An address in a page, of a
    /// picture say, is asked for without an origin; but browsers tell whether that page is of another site.
    pub fn origin_trusted(&self, request: &Parts) -> bool {
        let headers = &request.headers;
        let encrypted = request.extensions.get() == Some(&Scheme::HTTPS);
        let Some(origin) = headers.get(ORIGIN) else { return !is_of_another_site(headers) };
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

/// Whether a browser says that a page of another server made it ask. One that shares the name and not the port is another
/// server too.
fn is_of_another_site(headers: &HeaderMap) -> bool {
    headers.get(FETCH_SITE).is_some_and(|site| matches!(site.as_bytes(), b"cross-site" | b"same-site"))
}
