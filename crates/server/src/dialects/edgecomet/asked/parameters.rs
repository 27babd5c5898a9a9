//! Parameters of a query: of a repeated one the first counts, an empty one is absent, unknown ones are ignored.

use std::{borrow::Cow, ops::RangeInclusive, sync::Arc};

use manifold_engine::recache::{HostId, Priority};
use percent_encoding::percent_decode_str;
use smallvec::SmallVec;

use super::super::{
    error::Error,
    hosts::{Host, Hosts},
};

#[cfg(test)]
mod tests;

/// Items of a page.
const LIMIT: RangeInclusive<i64> = 1..=100;
/// Items of a page whose size was not asked for.
const LIMIT_DEFAULT: i64 = 25;
/// Beyond the end of any list, and a number that every home can count to.
const OFFSET_MAX: usize = 1 << 40;

/// The parameters of one request, decoded. What does not decode stays as it is: nobody but the parameter itself says
/// what is wrong with it.
#[derive(Debug)]
pub(in super::super) struct Parameters<'a>(SmallVec<[(Cow<'a, str>, Cow<'a, str>); 4]>);

/// A part of a list that is counted from its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Page {
    pub(in super::super) offset: usize,
    pub(in super::super) limit: usize,
}

impl<'a> Parameters<'a> {
    pub(in super::super) fn parse(raw: &'a str) -> Self {
        let pairs = raw.split('&').filter(|pair| !pair.is_empty());
        Parameters(
            pairs
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decode(name), decode(value))
                })
                .collect(),
        )
    }

    /// A text, when present and not empty.
    pub(in super::super) fn text(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(found, _)| found == name)?;
        (!value.is_empty()).then_some(value)
    }

    /// An integer, when present.
    pub(in super::super) fn integer(&self, name: &str) -> Result<Option<i64>, Error> {
        let invalid = |_| Error::invalid(format!("{name} must be a valid integer"));
        self.text(name).map(|text| text.parse().map_err(invalid)).transpose()
    }

    /// The items of a list.
    pub(in super::super) fn list(&self, name: &str) -> impl Iterator<Item = &str> {
        items(self.text(name).unwrap_or_default())
    }

    /// The host that `host_id` names.
    pub(in super::super) fn host(&self, hosts: &Hosts) -> Result<Arc<Host>, Error> {
        let id = self.integer("host_id")?.unwrap_or(0);
        match u64::try_from(id) {
            Ok(id) if id > 0 => hosts.get(HostId(id)).cloned().ok_or_else(|| unknown_host(id)),
            _ => Err(Error::invalid("host_id is required")),
        }
    }

    /// How many items a page may have.
    pub(in super::super) fn limit(&self) -> Result<usize, Error> {
        let limit = self.integer("limit")?.unwrap_or(LIMIT_DEFAULT);
        let limit = Some(limit).filter(|limit| LIMIT.contains(limit)).and_then(|limit| usize::try_from(limit).ok());
        limit.ok_or_else(|| Error::invalid(format!("limit must be between {} and {}", LIMIT.start(), LIMIT.end())))
    }

    /// A page of a list whose cursor is an offset.
    pub(in super::super) fn page(&self) -> Result<Page, Error> {
        Ok(Page { offset: self.text("cursor").map_or(0, offset), limit: self.limit()? })
    }

    /// The queues that `priority` lists, each once; all of them without it.
    pub(in super::super) fn priorities(&self) -> Result<Vec<Priority>, Error> {
        priorities(self.list("priority"))
    }
}

/// The items of a list, which are separated by commas. An empty one is none.
pub(in super::super) fn items(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|item| !item.is_empty())
}

impl Page {
    /// The cursor of what follows, `0` at the end.
    pub(in super::super) fn next(self, has_more: bool) -> String {
        let next = if has_more { self.offset.saturating_add(self.limit) } else { 0 };
        next.to_string()
    }
}

/// The queues of these names, each once in the order of its first mention; all of them without a name.
pub(in super::super) fn priorities<'t>(names: impl IntoIterator<Item = &'t str>) -> Result<Vec<Priority>, Error> {
    let mut chosen = Vec::with_capacity(Priority::ALL.len());
    for name in names {
        let named = Priority::ALL.into_iter().find(|priority| priority.as_str() == name);
        let named = named.ok_or_else(|| Error::invalid(format!("invalid priority filter: {name}")))?;
        if !chosen.contains(&named) {
            chosen.push(named);
        }
    }
    Ok(if chosen.is_empty() { Priority::ALL.to_vec() } else { chosen })
}

/// Whatever is no offset is the beginning; one that is too large to be counted is beyond the end.
fn offset(cursor: &str) -> usize {
    let is_number = cursor.bytes().all(|byte| byte.is_ascii_digit());
    let otherwise = if is_number { OFFSET_MAX } else { 0 };
    cursor.parse().unwrap_or(otherwise).min(OFFSET_MAX)
}

fn unknown_host(id: u64) -> Error {
    Error::Absent(format!("host_id {id} not found").into())
}

fn decode(text: &str) -> Cow<'_, str> {
    if memchr::memchr(b'+', text.as_bytes()).is_none() {
        return percent_decode_str(text).decode_utf8_lossy();
    }
    let spaced = text.replace('+', " ");
    Cow::Owned(percent_decode_str(&spaced).decode_utf8_lossy().into_owned())
}
