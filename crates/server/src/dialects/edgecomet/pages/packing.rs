//! How bodies are compressed in their files. The suffix of a file's name tells.

use std::{
    borrow::Cow,
    io::{self, Read, Write},
};

use bytes::Bytes;
use lz4_flex::frame::{FrameDecoder, FrameEncoder};

use super::Compression;

#[cfg(test)]
mod tests;

/// Shorter bodies are not compressed.
const SHORTEST: usize = 1024;

/// How a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dialects::edgecomet) enum Packing {
    /// As it is.
    Plain,
    /// A raw block of Snappy.
    Snappy,
    /// A frame of LZ4.
    Lz4,
}

impl Packing {
    /// That of a file of this name.
    pub(in crate::dialects::edgecomet) fn of(name: &str) -> Self {
        let packed = [Packing::Snappy, Packing::Lz4].into_iter();
        packed.into_iter().find(|packing| name.ends_with(packing.suffix())).unwrap_or(Packing::Plain)
    }

    /// What the names of such files end with.
    pub(in crate::dialects::edgecomet) fn suffix(self) -> &'static str {
        match self {
            Packing::Plain => "",
            Packing::Snappy => ".snappy",
            Packing::Lz4 => ".lz4",
        }
    }
}

/// A body as it is written.
pub(in crate::dialects::edgecomet) fn pack(compression: Compression, body: &[u8]) -> (Packing, Cow<'_, [u8]>) {
    match compression {
        Compression::Snappy if body.len() >= SHORTEST => {
            let packed = snap::raw::Encoder::new().compress_vec(body).expect("a body has less than 4 GiB");
            (Packing::Snappy, Cow::Owned(packed))
        }
        Compression::Lz4 if body.len() >= SHORTEST => {
            let mut encoder = FrameEncoder::new(Vec::new());
            encoder.write_all(body).expect("writing to memory cannot fail");
            (Packing::Lz4, Cow::Owned(encoder.finish().expect("writing to memory cannot fail")))
        }
        Compression::None | Compression::Snappy | Compression::Lz4 => (Packing::Plain, Cow::Borrowed(body)),
    }
}

/// The body that was written, of at most so many bytes.
pub(in crate::dialects::edgecomet) fn unpack(packing: Packing, packed: Vec<u8>, longest: u64) -> io::Result<Bytes> {
    match packing {
        Packing::Plain => Ok(packed.into()),
        Packing::Snappy => {
            let length = snap::raw::decompress_len(&packed).map_err(damaged)?;
            if length as u64 > longest {
                return Err(too_long());
            }
            Ok(snap::raw::Decoder::new().decompress_vec(&packed).map_err(damaged)?.into())
        }
        Packing::Lz4 => {
            let mut body = Vec::new();
            FrameDecoder::new(packed.as_slice()).take(longest + 1).read_to_end(&mut body)?;
            if body.len() as u64 > longest { Err(too_long()) } else { Ok(body.into()) }
        }
    }
}

fn damaged(error: snap::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

pub(super) fn too_long() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the page is too long")
}
