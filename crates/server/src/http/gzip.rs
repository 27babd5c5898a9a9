//! Bodies that come compressed, and those that go so.

use std::io::{Read, Write};

use bytes::Bytes;
use flate2::{Compression, read::MultiGzDecoder, write::GzEncoder};
use hyper::{
    HeaderMap,
    header::{ACCEPT_ENCODING, CONTENT_ENCODING},
};
use tokio::task::spawn_blocking;

use crate::net::{Account, NoRoom};

#[cfg(test)]
mod tests;

/// What is decoded before it is counted.
const PIECE: u64 = 256 << 10;

/// How a body is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// As it is.
    Identity,
    /// With gzip.
    Gzip,
}

/// Why a body was not decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadCoding {
    /// It is longer than the limit once decoded.
    TooLarge,
    /// It is no complete gzip stream.
    Damaged,
}

/// Why a request's body was not decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undecoded {
    /// Its coding is not one we read.
    Unknown,
    /// It is not what it says, or too long.
    Bad(BadCoding),
    /// The bodies of all requests together are as large as they may be.
    NoRoom,
    /// Decoding it met a defect.
    Failed,
}

impl From<BadCoding> for Undecoded {
    fn from(bad: BadCoding) -> Self {
        Undecoded::Bad(bad)
    }
}

/// A request's body as its sender meant it, at most `max_bytes` of it, counted with `account`.
pub async fn decoded(
    headers: &HeaderMap,
    received: Bytes,
    max_bytes: usize,
    account: Account,
) -> Result<Bytes, Undecoded> {
    match coding(headers).ok_or(Undecoded::Unknown)? {
        Coding::Identity => Ok(received),
        Coding::Gzip => {
            // A few bytes may become as many as the limit allows, which takes time.
            let count = move |bytes| account.charge(bytes).map_err(|NoRoom| Undecoded::NoRoom);
            spawn_blocking(move || inflate(&received, max_bytes, count)).await.map_err(|_| Undecoded::Failed)?
        }
    }
}

/// The coding that `Content-Encoding` names; none when it is one we do not read.
pub fn coding(headers: &HeaderMap) -> Option<Coding> {
    let mut values = headers.get_all(CONTENT_ENCODING).iter();
    let Some(value) = values.next() else { return Some(Coding::Identity) };
    let name = value.as_bytes().trim_ascii();
    if values.next().is_some() {
        return None;
    }
    if name.is_empty() || name.eq_ignore_ascii_case(b"identity") {
        return Some(Coding::Identity);
    }
    (name.eq_ignore_ascii_case(b"gzip") || name.eq_ignore_ascii_case(b"x-gzip")).then_some(Coding::Gzip)
}

/// The body that `compressed` stands for, at most `max_bytes` of it: a small bomb is noticed when it reaches the limit,
/// and memory follows what was decoded.
pub fn decode(compressed: &[u8], max_bytes: usize) -> Result<Bytes, BadCoding> {
    inflate(compressed, max_bytes, |_| Ok(()))
}

/// The same; `count` is told the bytes of each piece.
fn inflate<E: From<BadCoding>>(
    compressed: &[u8],
    max_bytes: usize,
    mut count: impl FnMut(usize) -> Result<(), E>,
) -> Result<Bytes, E> {
    let mut decoded = Vec::with_capacity(compressed.len().saturating_mul(3).min(max_bytes));
    let limit = (max_bytes as u64).saturating_add(1);
    let mut decoder = MultiGzDecoder::new(compressed).take(limit);
    loop {
        let before = decoded.len();
        let read = decoder.by_ref().take(PIECE).read_to_end(&mut decoded);
        let bytes = decoded.len() - before;
        count(bytes)?;
        if decoded.len() > max_bytes {
            return Err(BadCoding::TooLarge.into());
        }
        read.map_err(|_| BadCoding::Damaged)?;
        if bytes == 0 {
            return Ok(decoded.into());
        }
    }
}

/// Whether a client says that it takes gzip.
pub fn accepted(headers: &HeaderMap) -> bool {
    let codings =
        headers.get_all(ACCEPT_ENCODING).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    codings.into_iter().any(|coding| {
        let mut parts = coding.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(b"gzip"));
        // A weight of zero means: not this one.
        let refused = |part: &[u8]| {
            part.strip_prefix(b"q=").is_some_and(|weight| weight.iter().all(|byte| matches!(byte, b'0' | b'.')))
        };
        named && !parts.any(refused)
    })
}

/// A body compressed.
pub fn encode(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 2), Compression::fast());
    encoder.write_all(body).expect("writing to memory cannot fail");
    encoder.finish().expect("writing to memory cannot fail")
}
