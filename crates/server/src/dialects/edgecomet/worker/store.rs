//! What is kept of a page beside its body.

use hyper::HeaderMap;
use manifold_engine::recache::Record;

use super::{fetched::Fetched, html::Html, plan::Plan};
use crate::dialects::edgecomet::job::Job;

#[cfg(test)]
mod tests;

/// Headers that are not kept, whatever is configured: they belong to one visitor, or to bytes that are not stored.
const NEVER: [&str; 12] = [
    "set-cookie",
    "set-cookie2",
    "authorization",
    "proxy-authorization",
    "www-authenticate",
    "proxy-authenticate",
    "authentication-info",
    "proxy-authentication-info",
    "x-internal-auth",
    "content-encoding",
    "content-length",
    "transfer-encoding",
];

/// The record of a page that was made at a Unix second; its file and what the page says of itself are still to be filled
/// in.
pub(super) fn record(job: &Job, plan: &Plan, page: &Fetched, source: &str, now: i64) -> Record {
    let ttl = i64::try_from(plan.caching.ttl.as_secs()).unwrap_or(i64::MAX);
    Record {
        url: job.url.to_string(),
        dimension: plan.dimension.clone(),
        request_id: format!("recache-{}-{}-{now}", job.host, job.dimension),
        created_at: Some(now),
        expires_at: Some(now.saturating_add(ttl)),
        last_access: Some(now),
        size: Some(page.body.len() as u64),
        disk_size: Some(0),
        source: source.to_owned(),
        status_code: Some(page.status.as_u16()),
        headers: kept(&page.headers, &plan.treatment.safe_headers),
        ..Record::default()
    }
}

impl Html {
    /// Fills in what a page says of itself.
    pub(super) fn fill(self, record: &mut Record) {
        record.title = self.title;
        record.index_status = Some(self.index_status);
    }
}

/// The headers that are kept, in the order of the configuration.
fn kept(headers: &HeaderMap, safe: &[String]) -> Vec<(String, Vec<String>)> {
    let mut kept = Vec::new();
    for name in safe.iter().filter(|name| !NEVER.contains(&name.as_str())) {
        let values = headers.get_all(name).iter();
        let values: Vec<String> = values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect();
        if !values.is_empty() {
            kept.push((spelled(name), values));
        }
    }
    kept
}

/// A header's name as it is written where people read it.
fn spelled(name: &str) -> String {
    if name == "etag" {
        return "ETag".to_owned();
    }
    let mut begins = true;
    let spell = |letter: char| {
        let spelled = if begins { letter.to_ascii_uppercase() } else { letter };
        begins = letter == '-';
        spelled
    };
    name.chars().map(spell).collect()
}
