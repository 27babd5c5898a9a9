//! The query cache.

use serde_json::json;

use super::operation::{Operation, Tag};

fn operation(id: &'static str, summary: &'static str) -> Operation {
    Operation::new(Tag::QueryCache, id, summary)
}

pub(super) fn get() -> Operation {
    let example = json!({ "key": "q1", "data": [{ "id": 1 }], "cached": true, "age": 1250, "tags": ["users"] });
    operation("getQueryResult", "Get a Cached Query Result")
        .answers(200, "The result, and the milliseconds since it was stored.", "CachedResult", example)
        .refuses(404, "There is no such result.", "Cache miss")
}

pub(super) fn put() -> Operation {
    operation("putQueryResult", "Store a Query Result")
        .body("CacheRequest", json!({ "key": "q1", "data": [{ "id": 1 }], "ttl": 60_000, "tags": ["users"] }))
        .answers(201, "The result is stored.", "Cached", json!({ "cached": true, "key": "q1" }))
        .refuses(400, "The body or one of its members is not valid.", "key is required")
}

pub(super) fn invalidate() -> Operation {
    operation("invalidateQueryResults", "Invalidate by Tags or Key")
        .about("Results that have any of the tags, or the one of this key; both when both are given.")
        .body("InvalidateRequest", json!({ "tags": ["users"] }))
        .answers(200, "How many results are gone.", "Invalidated", json!({ "invalidated": 1 }))
        .refuses(400, "Neither tags nor key are given.", "Provide either tags (array) or key (string)")
}

pub(super) fn stats() -> Operation {
    let example = json!({ "totalCached": 12, "hits": 40, "misses": 10, "invalidations": 3, "hitRate": 0.8 });
    operation("queryCacheStats", "Query Cache Statistics").answers(200, "Counters.", "QueryCacheStats", example)
}

pub(super) fn clear() -> Operation {
    operation("clearQueryCache", "Clear the Query Cache").answers(
        200,
        "The query cache is empty.",
        "Cleared",
        json!({ "cleared": true }),
    )
}
