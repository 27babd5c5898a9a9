//! Names of keys. Those of queues, records and registries belong to the original; what begins with `manifold:` is ours.

use manifold_engine::recache::{DimensionId, HostId, PageKey, Priority};

use crate::dialects::edgecomet::url::cache_key;

#[cfg(test)]
mod tests;

pub(super) const RENDER_SERVICES: &str = "service:render:";
pub(super) const GATEWAYS: &str = "registry:eg:";
pub(super) const HEARTBEATS: &str = "manifold:ec:daemon:";
pub(super) const LEASES: &str = "manifold:ec:lease:";
/// Fits every key that begins with one of the four above, so that one pass over all keys finds them, and hardly another:
/// none of queues, records and locks.
pub(super) const PRESENCE_PATTERN: &str = "[srm][ea][rgn]*";

const RECORDS: &str = "meta:cache:";

/// ZSET: members by due time.
pub(super) fn queue(host: HostId, priority: Priority) -> String {
    format!("recache:{host}:{}", priority.as_str())
}

/// HASH: attempts of entries that were put back into a queue, by [`attempts_field`].
pub(super) fn attempts(host: HostId) -> String {
    format!("manifold:ec:attempts:{host}")
}

/// Which entry of a host's queues.
pub(super) fn attempts_field(priority: Priority, member: &[u8]) -> Vec<u8> {
    [priority.as_str().as_bytes(), b":", member].concat()
}

/// LIST: dead letters, the newest first.
pub(super) fn letters(host: HostId) -> String {
    format!("manifold:ec:failed:{host}")
}

/// HASH: what a daemon has taken from queues.
pub(super) fn leases(daemon_id: &str) -> String {
    format!("{LEASES}{daemon_id}")
}

/// String that lives as long as a daemon says so.
pub(super) fn heartbeat(daemon_id: &str) -> String {
    format!("{HEARTBEATS}{daemon_id}")
}

/// HASH: the record of a page.
pub(super) fn record(key: PageKey) -> String {
    format!("meta:{}", cache_key(key))
}

/// Fits the records of a host, and no other's: `1` is followed by a colon.
pub(super) fn records_pattern(host: HostId) -> String {
    format!("{RECORDS}{host}:*")
}

/// Whose record this is; none for keys that only look like one.
pub(super) fn page_of(key: &str) -> Option<PageKey> {
    let mut parts = key.strip_prefix(RECORDS)?.split(':');
    let (host, dimension, hash) = (parts.next()?, parts.next()?, parts.next()?);
    let page = PageKey {
        host: HostId(host.parse().ok()?),
        dimension: DimensionId(dimension.parse().ok()?),
        hash: u64::from_str_radix(hash, 16).ok()?,
    };
    // What does not read back the same is another key.
    (record(page) == key).then_some(page)
}
