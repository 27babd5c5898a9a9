//! The checks of a request's head that hyper does not make.

use std::net::Ipv6Addr;

use hyper::{
    HeaderMap, Request, Version,
    header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING},
};

use super::{Hosts, Refusal};

#[cfg(test)]
mod tests;

/// Longest request target in bytes.
pub(super) const TARGET_MAX: usize = 32 << 10;
/// Method and spaces around the target.
const METHOD_MAX: usize = 64;
/// Bytes of a raw head that are kept. Longer ones exist, but then nobody can say what was in them.
const KEPT_MAX: usize = 8 << 10;
/// Kept between two requests; most heads are shorter.
const KEPT_IDLE: usize = 1 << 10;

/// Checks a head against its raw bytes, and whom it is for.
pub(super) fn check<B>(request: &Request<B>, raw: &RawHead, hosts: &Hosts) -> Result<(), Refusal> {
    let target = request.uri();
    let target_bytes = target.path_and_query().map_or(0, |path| path.as_str().len())
        + target.authority().map_or(0, |authority| authority.as_str().len());
    if target_bytes > TARGET_MAX {
        return Err(Refusal::TargetTooLong);
    }
    let host = check_host(request.headers(), request.version())?;
    if !hosts.admit(host) {
        return Err(Refusal::ForeignHost);
    }
    if request.headers().contains_key(TRANSFER_ENCODING) && raw.declares_length(request) {
        return Err(Refusal::AmbiguousLength);
    }
    Ok(())
}

/// RFC 9112 3.2: exactly one `Host` in HTTP/1.1, at most one before; ours must also name a host.
fn check_host(headers: &HeaderMap, version: Version) -> Result<Option<&str>, Refusal> {
    let mut hosts = headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        // What is a host is ASCII.
        (Some(host), None) if is_host(host.as_bytes()) => Ok(host.to_str().ok()),
        (None, None) if version < Version::HTTP_11 => Ok(None),
        _ => Err(Refusal::BadHost),
    }
}

/// `name`, `name:port`, `[v6]` or `[v6]:port` (RFC 3986 3.2.2, without the empty name).
fn is_host(text: &[u8]) -> bool {
    let (host_is_valid, rest) = match text.strip_prefix(b"[") {
        Some(v6) => {
            let Some(end) = memchr::memchr(b']', v6) else { return false };
            (str::from_utf8(&v6[..end]).is_ok_and(|v6| v6.parse::<Ipv6Addr>().is_ok()), &v6[end + 1..])
        }
        None => {
            let (name, rest) = text.split_at(memchr::memchr(b':', text).unwrap_or(text.len()));
            (!name.is_empty() && name.iter().all(|byte| is_name_byte(*byte)), rest)
        }
    };
    let port_is_valid = match rest {
        [] => true,
        [b':', port @ ..] => port.len() <= 5 && port.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    host_is_valid && port_is_valid
}

/// Unreserved characters, sub-delimiters and the sign of an escape.
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=%".contains(&byte)
}

/// The first bytes that came after the previous request, as they were sent. hyper drops the Content-Length of a request
/// that also has a Transfer-Encoding, so only the raw head can tell such a request from an honest one. Where it cannot
/// (see below), hyper's own rule stands: the chunks count, and the connection closes after the answer.
#[derive(Debug, Default)]
pub(super) struct RawHead {
    bytes: Vec<u8>,
    seen: usize,
    line_ended: bool,
    last: Option<u8>,
}

impl RawHead {
    /// More bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.line_ended = self.line_ended || memchr::memchr(b'\n', bytes).is_some();
        self.seen += bytes.len();
        self.last = bytes.last().copied().or(self.last);
        let room = KEPT_MAX - self.bytes.len();
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// Ready for the next head.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(KEPT_IDLE);
        self.seen = 0;
        self.line_ended = false;
        self.last = None;
    }

    /// Whether the request line is still open after more bytes than any acceptable one has.
    pub(super) fn target_too_long(&self) -> bool {
        !self.line_ended && self.seen > TARGET_MAX + METHOD_MAX
    }

    /// Whether a head whose end has not come is longer than any with so many bytes of headers.
    pub(super) fn longer_than(&self, header_bytes: usize) -> bool {
        self.seen > TARGET_MAX + METHOD_MAX + header_bytes
    }

    /// What ends a head wherever it stands behind the request line: a header of its own, or more of the one before.
    pub(super) fn ending(&self) -> Option<&'static [u8]> {
        match self.last {
            Some(b'\r') if self.line_ended => Some(b"\ncut:\r\n\r\n"),
            Some(_) if self.line_ended => Some(b"cut:\r\n\r\n"),
            _ => None,
        }
    }

    /// Whether the bytes kept are the head of `request` and have a Content-Length in it.
    ///
    /// They are not its head when the client pipelined (the head, or its beginning, came before the previous answer) or
    /// when it is longer than what is kept. A head that began earlier would have at least one header more than the bytes
    /// kept show, so equal request lines and equal numbers of headers mean equal heads.
    fn declares_length<B>(&self, request: &Request<B>) -> bool {
        // As many as fit: what is not parsed declares nothing.
        let lines = memchr::memchr_iter(b'\n', &self.bytes).count();
        let mut headers = vec![httparse::EMPTY_HEADER; lines];
        let mut parsed = httparse::Request::new(&mut headers);
        if !parsed.parse(&self.bytes).is_ok_and(|status| status.is_complete()) {
            return false;
        }
        let is_length = |header: &&httparse::Header<'_>| header.name.eq_ignore_ascii_case(CONTENT_LENGTH.as_str());
        let lengths = parsed.headers.iter().filter(is_length).count();
        let same = parsed.method == Some(request.method().as_str())
            && parsed.path.is_some_and(|target| is_target_of(target, request.uri()))
            && parsed.headers.len() - lengths == request.headers().len();
        same && lengths > 0
    }
}

fn is_target_of(raw: &str, target: &hyper::Uri) -> bool {
    raw.parse::<hyper::Uri>().is_ok_and(|parsed| parsed == *target)
}
