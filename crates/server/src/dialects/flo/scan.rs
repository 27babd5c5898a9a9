//! GET of a namespace: its keys in byte order, page by page.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use manifold_engine::{
    Key, Namespace,
    kv::{List, Page},
};

use super::{Reply, call::Call, error::Error, kv, members::COUNT, names};
use crate::http::{json, query::Query, reply};

const DEFAULT_LIMIT: i64 = 100;
/// Bytes of values at which a page ends early; the cursor leads on.
pub(super) const PAGE_BYTES: usize = 32 << 20;

/// GET of a namespace.
pub(super) fn get(call: Call<'_>) -> Reply {
    let namespace = names::namespace(&call)?;
    let query = call.query()?;
    let prefix = query.text("prefix").unwrap_or_default();
    let limit = COUNT.parameter(&query, "limit")?.unwrap_or(DEFAULT_LIMIT) as usize;
    let after = after(&query)?;
    let keys_only = query.flag("keys_only")?;
    let list =
        List { prefix: Bytes::copy_from_slice(prefix.as_bytes()), after, limit, max_bytes: PAGE_BYTES, keys_only };
    let page = call.engine().list(&namespace, list)?.it;
    call.flo.metrics.kv_get(namespace.as_bytes());
    let now = call.engine().now();
    Ok(reply::json(page_json(&namespace, prefix, &page, |out, entry| kv::write_entry(out, entry, now, keys_only))))
}

/// The key the page before ended with.
fn after(query: &Query<'_>) -> Result<Option<Bytes>, Error> {
    let Some(text) = query.text("cursor") else { return Ok(None) };
    let key = URL_SAFE_NO_PAD.decode(text).ok().filter(|key| Key::new(key.clone()).is_ok());
    key.map(|key| Some(key.into())).ok_or(Error::Parameter { parameter: "cursor", rule: "a cursor of a page before" })
}

fn page_json(
    namespace: &Namespace,
    prefix: &str,
    page: &Page,
    write: impl Fn(&mut Vec<u8>, &manifold_engine::kv::Entry),
) -> Vec<u8> {
    let mut out = Vec::with_capacity(256 + page.entries.iter().map(kv::entry_bytes).sum::<usize>());
    out.extend_from_slice(b"{\"namespace\":");
    json::write_bytes_as_str(&mut out, namespace.as_bytes());
    out.extend_from_slice(b",\"prefix\":");
    json::write_str(&mut out, prefix);
    out.extend_from_slice(b",\"entries\":");
    json::write_array(&mut out, &page.entries, &write);
    out.extend_from_slice(b",\"count\":");
    json::write_u64(&mut out, page.entries.len() as u64);
    write_more(&mut out, page.entries.last().filter(|_| page.more).map(|last| last.key.as_bytes()));
    out.push(b'}');
    out
}

/// Appends `has_more` and the `cursor` that leads on behind `last`, if anything follows it.
pub(super) fn write_more(out: &mut Vec<u8>, last: Option<&[u8]>) {
    match last {
        Some(last) => {
            out.extend_from_slice(b",\"has_more\":true,\"cursor\":");
            json::write_str(out, &URL_SAFE_NO_PAD.encode(last));
        }
        None => out.extend_from_slice(b",\"has_more\":false,\"cursor\":null"),
    }
}
