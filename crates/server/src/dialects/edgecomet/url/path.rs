//! Paths.

use std::borrow::Cow;

use super::{
    BadUrl,
    escape::{self, Plain},
};

/// What a path that needs no change may have as it is; percent signs are checked when it is decoded.
static GIVEN: Plain = Plain::and(b"%!$&'()*+,;=:@[]/");
/// What a path that was changed has as it is.
static WRITTEN: Plain = Plain::and(b"$&+,/:;=@");

/// A path, empty or with a slash at its beginning.
#[derive(Debug)]
pub(super) struct Path<'a> {
    pub(super) raw: &'a str,
    pub(super) decoded: Cow<'a, [u8]>,
}

impl<'a> Path<'a> {
    pub(super) fn parse(raw: &'a str) -> Result<Self, BadUrl> {
        Ok(Path { raw, decoded: escape::decode(raw)? })
    }

    /// Appends its normal form: as it was given, if there is nothing to change.
    pub(super) fn write(&self, out: &mut String) {
        let normal = normal(&self.decoded);
        if normal == *self.decoded && self.raw.bytes().all(|byte| GIVEN.has(byte)) {
            out.push_str(self.raw);
        } else {
            WRITTEN.write(&normal, out);
        }
    }
}

/// Without empty segments, `.` and `..`. A slash at the end stays.
fn normal(path: &[u8]) -> Vec<u8> {
    let mut normal = Vec::with_capacity(path.len() + 1);
    for segment in path.split(|byte| *byte == b'/') {
        match segment {
            b"" | b"." => {}
            b".." => normal.truncate(memchr::memrchr(b'/', &normal).unwrap_or(0)),
            _ => {
                normal.push(b'/');
                normal.extend_from_slice(segment);
            }
        }
    }
    if normal.is_empty() || path.ends_with(b"/") {
        normal.push(b'/');
    }
    normal
}
