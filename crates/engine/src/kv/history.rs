//! What a key held before: a walk back along the feed, from each change to the one before it of the same key. It goes
//! as far as the feed is kept; removals are steps of it, but no values.

use crate::{
    Key, Namespace, Result,
    feed::Change,
    kv::{Entry, Revision, read},
    live::Live,
};

#[cfg(test)]
mod tests;

/// The values of a live key, newest first. A removal is always of a value, so there are at most two steps to each.
pub(crate) fn history(
    live: &Live,
    namespace: &Namespace,
    key: &Key,
    limit: usize,
    max_bytes: usize,
) -> Result<Vec<Revision>> {
    let Some(entry) = read::get(live, namespace, key)?.it else { return Ok(Vec::new()) };
    let mut bytes = entry.value.bytes.len();
    let mut change = live.feed.recorded(&live.store, entry.seq)?;
    let Entry { value, version, updated_at, .. } = entry;
    let mut revisions = vec![Revision { version, value, updated_at }];
    while revisions.len() < limit
        && let Some(previous) = change.and_then(|change| change.previous)
    {
        change = live.feed.recorded(&live.store, previous)?;
        let Some(Change { value: Some(value), version, at, .. }) = &change else { continue };
        bytes = bytes.saturating_add(value.bytes.len());
        if bytes > max_bytes {
            break;
        }
        revisions.push(Revision { version: *version, value: value.clone(), updated_at: *at });
    }
    Ok(revisions)
}
