//! The endpoint `summary`: what is stored of a host, in numbers.

use std::collections::BTreeMap;

use manifold_engine::recache::Record;
use serde::Serialize;

use super::{
    super::{
        asked::{Answer, Asked},
        error::Error,
    },
    item::Freshness,
};

/// Records that are read at a time.
const RECORDS_AT_ONCE: usize = 1000;
/// What is counted where a record says nothing.
const UNKNOWN: &str = "unknown";

#[derive(Default, Serialize)]
struct Summary {
    total_urls: u64,
    active_count: u64,
    stale_count: u64,
    expired_count: u64,
    total_size: u64,
    by_dimension: BTreeMap<String, u64>,
    by_source: BTreeMap<String, u64>,
}

pub(in super::super) async fn answer(asked: Asked<'_>) -> Answer {
    let dialect = asked.dialect;
    let host = asked.parameters().host(&dialect.hosts.get())?;
    let (now, stale_ttl) = (dialect.now(), host.treatment.stale_ttl.as_secs());
    let mut summary = Summary::default();
    let mut cursor = None;
    loop {
        let read = dialect.home.records(host.id, cursor.as_deref(), RECORDS_AT_ONCE).await;
        let (records, next) = read.map_err(Error::of_records)?;
        for (_, record) in &records {
            summary.add(record, Freshness::of(record, now, stale_ttl));
        }
        match next {
            Some(next) => cursor = Some(next),
            None => return Ok(dialect.format().data(&summary)),
        }
    }
}

impl Summary {
    fn add(&mut self, record: &Record, freshness: Freshness) {
        self.total_urls += 1;
        match freshness {
            Freshness::Active => self.active_count += 1,
            Freshness::Stale => self.stale_count += 1,
            Freshness::Expired => self.expired_count += 1,
        }
        self.total_size = self.total_size.saturating_add(record.size.unwrap_or(0));
        count(&mut self.by_dimension, &record.dimension);
        count(&mut self.by_source, &record.source);
    }
}

fn count(counts: &mut BTreeMap<String, u64>, name: &str) {
    let name = if name.is_empty() { UNKNOWN } else { name };
    match counts.get_mut(name) {
        Some(counted) => *counted += 1,
        None => {
            counts.insert(name.to_owned(), 1);
        }
    }
}
