//! Cursors of lists of records. A page is cut from what `SCAN` gives, and that gives as many keys as it likes, each time
//! others: what did not fit on a page stands in the cursor, because asking again would not find the same.

use std::fmt::Write as _;

use manifold_engine::recache::{DimensionId, HostId, PageKey};

use super::{HomeError, Result};

#[cfg(test)]
mod tests;

/// Most pages that a cursor carries: it has to fit into a request.
pub(super) const MOST_CARRIED: usize = 200;

/// Where a list goes on: first the pages that were found and not given, then where `SCAN` was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Cursor {
    /// None when it is through.
    pub(super) scan: Option<u64>,
    pub(super) carried: Vec<PageKey>,
}

impl Cursor {
    /// The beginning of a list.
    pub(super) fn start() -> Cursor {
        Cursor { scan: Some(0), carried: Vec::new() }
    }

    /// What `scan` or `end` says, then pages as `dimension-hash`, with dots between.
    pub(super) fn parse(host: HostId, text: &str) -> Result<Cursor> {
        let mut parts = text.split('.');
        let scan = match parts.next() {
            Some("end") => None,
            Some(number) => Some(decimal(number)?),
            None => return Err(HomeError::BadCursor),
        };
        let carried: Vec<PageKey> = parts.map(|part| page(host, part)).collect::<Result<_>>()?;
        if carried.len() > MOST_CARRIED || (scan.is_none() && carried.is_empty()) {
            return Err(HomeError::BadCursor);
        }
        Ok(Cursor { scan, carried })
    }

    /// Its text; none at the end of the list.
    pub(super) fn text(&self) -> Option<String> {
        if self.scan.is_none() && self.carried.is_empty() {
            return None;
        }
        let mut text = self.scan.map_or("end".to_owned(), |scan| scan.to_string());
        for page in &self.carried {
            write!(text, ".{}-{:016x}", page.dimension, page.hash).expect("writing to memory cannot fail");
        }
        Some(text)
    }
}

fn page(host: HostId, text: &str) -> Result<PageKey> {
    let (dimension, hash) = text.split_once('-').ok_or(HomeError::BadCursor)?;
    let digits = hash.len() == 16 && hash.bytes().all(|digit| digit.is_ascii_hexdigit());
    let hash = u64::from_str_radix(hash, 16).ok().filter(|_| digits).ok_or(HomeError::BadCursor)?;
    Ok(PageKey { host, dimension: DimensionId(decimal(dimension)?), hash })
}

fn decimal(text: &str) -> Result<u64> {
    let digits = text.bytes().all(|digit| digit.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or(HomeError::BadCursor)
}
