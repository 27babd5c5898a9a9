//! Where a page's file is below the directory of pages: `{host}/{YYYY}/{MM}/{DD}/{HH}/{mm}/{hash}_{dimension}.html`, by the
//! minute of its expiry in UTC, with a suffix that tells how it is packed.

use std::{
    io,
    path::{Component, Path, PathBuf},
};

use manifold_engine::recache::{DimensionId, HostId, PageKey};

use super::Packing;

#[cfg(test)]
mod tests;

/// What files have in their names while they are written.
pub(super) const UNFINISHED: &str = ".tmp";

/// A path of our own layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::dialects::edgecomet) struct PagePath(String);

impl PagePath {
    /// That of a page that expires at a Unix second.
    pub(in crate::dialects::edgecomet) fn new(key: PageKey, expires_at: i64, packing: Packing) -> io::Result<Self> {
        let expiry = jiff::Timestamp::from_second(expires_at).map_err(|error| invalid(&error.to_string()))?;
        let PageKey { host, dimension, hash } = key;
        let (minute, suffix) = (expiry.strftime("%Y/%m/%d/%H/%M"), packing.suffix());
        Ok(PagePath(format!("{host}/{minute}/{hash:016x}_{dimension}.html{suffix}")))
    }

    pub(in crate::dialects::edgecomet) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

/// The page that a path of our layout belongs to; none for any other path.
pub(in crate::dialects::edgecomet) fn page_of(path: &str) -> Option<PageKey> {
    let mut parts = path.split('/');
    let host = HostId(plain_number(parts.next()?)?);
    for digits in [4, 2, 2, 2, 2] {
        numbered(parts.next()?, digits)?;
    }
    let (hash, dimension) = file_name(parts.next()?)?;
    parts.next().is_none().then_some(PageKey { host, dimension, hash })
}

/// The parts of a name that a finished file has.
fn file_name(name: &str) -> Option<(u64, DimensionId)> {
    let bare = name.strip_suffix(Packing::of(name).suffix())?.strip_suffix(".html")?;
    let (hash, dimension) = bare.split_once('_')?;
    let is_hash = hash.len() == 16 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let hash = is_hash.then(|| u64::from_str_radix(hash, 16).ok())??;
    Some((hash, DimensionId(plain_number(dimension)?)))
}

/// Whether a file of this name is ours, finished or not.
pub(in crate::dialects::edgecomet) fn is_page_file(name: &str) -> bool {
    file_name(name.strip_suffix(UNFINISHED).unwrap_or(name)).is_some()
}

/// Whether a directory of this name is a host's.
pub(super) fn is_host(name: &str) -> bool {
    plain_number(name).is_some()
}

/// A number of exactly so many digits.
pub(super) fn numbered(name: &str, digits: usize) -> Option<i16> {
    let fits = name.len() == digits && name.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| name.parse().ok())?
}

/// A number as it is written without need: no sign, no zero in front.
fn plain_number(text: &str) -> Option<u64> {
    let number: u64 = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())??;
    (number.to_string() == text).then_some(number)
}

/// The place of a file that a record names: somewhere below the directory, or nowhere. Others write records too.
pub(in crate::dialects::edgecomet) fn below(base: &Path, relative: &str) -> io::Result<PathBuf> {
    let relative = Path::new(relative);
    let stays = relative.components().all(|part| matches!(part, Component::Normal(_)));
    if stays { Ok(base.join(relative)) } else { Err(invalid("the file is outside the directory of pages")) }
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}
