//! A stored page as lists show it.

use manifold_engine::recache::{PageKey, Record};
use serde::Serialize;

use super::super::url::cache_key;

#[cfg(test)]
mod tests;

/// One stored page. What its record does not say is empty or 0.
#[derive(Debug, Serialize)]
pub(in super::super) struct Item<'a> {
    url: &'a str,
    title: &'a str,
    dimension: &'a str,
    status: Freshness,
    cache_age: i64,
    size: u64,
    disk_size: u64,
    last_access: i64,
    cache_key: String,
    created_at: i64,
    expires_at: i64,
    status_code: u16,
    source: &'a str,
    index_status: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_bot_hit: Option<i64>,
}

impl<'a> Item<'a> {
    /// A page as it is at `now`, on a host that serves stale pages so many seconds long.
    pub(in super::super) fn new(key: PageKey, record: &'a Record, now: u64, stale_ttl: u64) -> Self {
        let created_at = record.created_at.unwrap_or(0);
        let age = record.created_at.map_or(0, |created| i64::try_from(now).unwrap_or(i64::MAX).saturating_sub(created));
        Item {
            url: &record.url,
            title: &record.title,
            dimension: &record.dimension,
            status: Freshness::of(record, now, stale_ttl),
            cache_age: age.max(0),
            size: record.size.unwrap_or(0),
            disk_size: record.disk_size.unwrap_or(0),
            last_access: record.last_access.unwrap_or(0),
            cache_key: cache_key(key),
            created_at,
            expires_at: record.expires_at.unwrap_or(0),
            status_code: record.status_code.unwrap_or(0),
            source: &record.source,
            index_status: record.index_status.unwrap_or(0),
            last_bot_hit: record.last_bot_hit,
        }
    }

    /// Its age in seconds.
    pub(in super::super) fn cache_age(&self) -> i64 {
        self.cache_age
    }
}

/// Whether a page may still be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub(in super::super) enum Freshness {
    /// It may.
    Active,
    /// Only while there is no better one.
    Stale,
    /// No longer.
    Expired,
}

impl Freshness {
    /// What a page is at `now`, on a host that serves stale pages so many seconds long.
    pub(in super::super) fn of(record: &Record, now: u64, stale_ttl: u64) -> Self {
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        let expires_at = record.expires_at.unwrap_or(0);
        let stale_until = expires_at.saturating_add(i64::try_from(stale_ttl).unwrap_or(i64::MAX));
        match () {
            () if now < expires_at => Freshness::Active,
            () if now < stale_until => Freshness::Stale,
            () => Freshness::Expired,
        }
    }

    /// Its name.
    pub(in super::super) fn as_str(self) -> &'static str {
        match self {
            Freshness::Active => "active",
            Freshness::Stale => "stale",
            Freshness::Expired => "expired",
        }
    }
}
