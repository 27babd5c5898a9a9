//! Content codings of answers that were fetched from others: what they say and what it stands for.

use std::io::{BufRead, Read};

use brotli_decompressor::Decompressor;
use bytes::Bytes;
use flate2::read::{DeflateDecoder, ZlibDecoder};
use hyper::{HeaderMap, header::CONTENT_ENCODING};
use ruzstd::decoding::{
    StreamingDecoder,
    errors::{FrameDecoderError, ReadFrameHeaderError},
};

use super::gzip::{self, BadCoding};

#[cfg(test)]
mod tests;

/// Codings one over the other. Nobody does it, and each costs time and memory.
const MOST: usize = 2;
/// What is told of a name that means nothing here, in bytes.
const NAME_SHOWN: usize = 32;
/// What a brotli stream of windows up to a gigabyte begins with. RFC 7932 knows no such stream, and the decoder would take
/// memory for the whole window before it gives anything out.
const BROTLI_LARGE_WINDOW: u8 = 0x11;
/// Window that every decoder of Zstandard has to have (RFC 9659).
const ZSTD_WINDOW: u64 = 8 << 20;
const BUFFER: usize = 4096;

/// One coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// `gzip`, also as `x-gzip`.
    Gzip,
    /// `deflate`: zlib's format, or what stands in it, which some send instead.
    Deflate,
    /// `br`.
    Brotli,
    /// `zstd`.
    Zstd,
}

/// Codings that are not undone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    /// This one is not known.
    #[error("content encoding {0:?} is not supported")]
    Name(String),
    /// There are too many of them.
    #[error("more than {MOST} content encodings")]
    TooMany,
}

/// The codings that `Content-Encoding` names, in the order they were applied.
pub fn codings(headers: &HeaderMap) -> Result<Vec<Coding>, Unknown> {
    let values = headers.get_all(CONTENT_ENCODING).iter();
    let names = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    let mut found = Vec::new();
    for name in names.map(<[u8]>::trim_ascii) {
        let coding = match name.to_ascii_lowercase().as_slice() {
            b"" | b"identity" => continue,
            b"gzip" | b"x-gzip" => Coding::Gzip,
            b"deflate" => Coding::Deflate,
            b"br" => Coding::Brotli,
            b"zstd" => Coding::Zstd,
            _ => return Err(Unknown::Name(String::from_utf8_lossy(&name[..name.len().min(NAME_SHOWN)]).into_owned())),
        };
        found.push(coding);
    }
    if found.len() > MOST { Err(Unknown::TooMany) } else { Ok(found) }
}

/// What a body stands for, at most `max_bytes` of it, also in between: memory follows what was decoded, and a bomb is
/// noticed when it reaches the limit. An empty body is empty in every coding. Takes time.
pub fn decode(codings: &[Coding], mut body: Bytes, max_bytes: usize) -> Result<Bytes, BadCoding> {
    for coding in codings.iter().rev() {
        if body.is_empty() {
            break;
        }
        body = match coding {
            Coding::Gzip => gzip::decode(&body, max_bytes),
            Coding::Deflate if is_zlib(&body) => read(ZlibDecoder::new(&*body), max_bytes),
            Coding::Deflate => read(DeflateDecoder::new(&*body), max_bytes),
            Coding::Brotli if body[0] == BROTLI_LARGE_WINDOW => Err(BadCoding::Damaged),
            Coding::Brotli => read(Decompressor::new(&*body, BUFFER), max_bytes),
            Coding::Zstd => zstd(&body, max_bytes),
        }?;
    }
    Ok(body)
}

/// Whether zlib's two bytes stand in front (RFC 1950).
fn is_zlib(body: &[u8]) -> bool {
    matches!(body, [first, second, ..] if first & 0x0f == 8 && u16::from_be_bytes([*first, *second]) % 31 == 0)
}

fn read(decoder: impl Read, max_bytes: usize) -> Result<Bytes, BadCoding> {
    let mut decoded = Vec::new();
    append(decoder, &mut decoded, max_bytes)?;
    Ok(decoded.into())
}

fn append(decoder: impl Read, decoded: &mut Vec<u8>, max_bytes: usize) -> Result<(), BadCoding> {
    let left = (max_bytes - decoded.len()) as u64;
    let read = decoder.take(left.saturating_add(1)).read_to_end(decoded);
    if decoded.len() > max_bytes {
        return Err(BadCoding::TooLarge);
    }
    read.map(drop).map_err(|_| BadCoding::Damaged)
}

/// Frames one after the other, those that are to be skipped left out.
fn zstd(mut body: &[u8], max_bytes: usize) -> Result<Bytes, BadCoding> {
    let mut decoded = Vec::new();
    while !body.is_empty() {
        // A frame without a window of its own needs one of its whole length.
        let window = ZSTD_WINDOW.max(max_bytes as u64);
        match StreamingDecoder::new_with_max_window_size(&mut body, window) {
            Ok(frame) => append(frame, &mut decoded, max_bytes)?,
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                let length = usize::try_from(length).ok().filter(|length| *length <= body.len());
                body.consume(length.ok_or(BadCoding::Damaged)?);
            }
            Err(FrameDecoderError::WindowSizeTooBig { .. }) => return Err(BadCoding::TooLarge),
            Err(_) => return Err(BadCoding::Damaged),
        }
    }
    Ok(decoded.into())
}
