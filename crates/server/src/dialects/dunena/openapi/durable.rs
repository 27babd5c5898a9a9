//! The durable key-value store.

use serde_json::{Value, json};

use super::operation::{Operation, Tag};

const BAD_KEY: &str = "The key or the namespace is not valid.";

fn operation(id: &'static str, summary: &'static str) -> Operation {
    Operation::new(Tag::DurableKv, id, summary)
}

fn entry() -> Value {
    json!({
        "key": "user:42", "value": r#"{"name":"Alice"}"#, "namespace": "", "createdAt": 1_795_213_658_075_u64,
        "updatedAt": 1_795_213_658_075_u64, "expiresAt": 1_795_217_258_075_u64, "tags": ["active", "users"],
    })
}

pub(super) fn get() -> Operation {
    operation("getEntry", "Get a Stored Entry")
        .about("With its metadata and tags.")
        .namespace()
        .answers(200, "The entry.", "Entry", entry())
        .refuses(400, BAD_KEY, "Key contains invalid characters")
        .refuses(404, "There is no such key.", "Key not found")
}

pub(super) fn put() -> Operation {
    let example = json!({ "value": r#"{"name":"Alice"}"#, "tags": ["users", "active"], "ttl": 3_600_000 });
    operation("putEntry", "Store or Update an Entry")
        .about("Replaces all of the entry: tags and TTL that are not given are gone. A namespace in the query counts more than one in the body.")
        .namespace()
        .body("EntryRequest", example)
        .answers(201, "The entry is stored and survives a crash.", "Ok", json!({ "ok": true }))
        .refuses(400, "The key, the body or one of its members is not valid.", "tags must be an array of strings")
}

pub(super) fn delete() -> Operation {
    operation("deleteEntry", "Delete a Stored Entry")
        .namespace()
        .answers(200, "Whether there was such a key.", "Deleted", json!({ "deleted": true }))
        .refuses(400, BAD_KEY, "Key contains invalid characters")
}

pub(super) fn batch() -> Operation {
    let entries = json!([{ "key": "user:1", "value": "Ann", "tags": ["users"] }, { "key": "user:2", "value": "Bob" }]);
    let query = json!({
        "action": "query", "pattern": "user:", "tags": ["users"], "limit": 100, "orderBy": "createdAt", "order": "desc",
    });
    operation("batchEntries", "Batch Operations on Entries")
        .about("`mget`, `mset`, `mdelete`, `query` by key prefix and tags, or `deleteByTags`.")
        .namespace()
        .body_one_of(&[
            ("mget", "KeysRequest", json!({ "action": "mget", "keys": ["user:1", "user:42"] })),
            ("mset", "EntriesRequest", json!({ "action": "mset", "entries": entries })),
            ("mdelete", "KeysRequest", json!({ "action": "mdelete", "keys": ["user:1"] })),
            ("query", "EntryQuery", query),
            ("deleteByTags", "TagsRequest", json!({ "action": "deleteByTags", "tags": ["users"] })),
        ])
        .answers(
            200,
            "What was found, or how many entries were stored or deleted.",
            "EntryBatchReply",
            json!({ "result": { "user:1": null, "user:42": entry() } }),
        )
        .refuses(
            400,
            "The action or one of its members is not valid; nothing was done.",
            r#"Unknown action. Use "mget", "mset", "mdelete", "query", or "deleteByTags"."#,
        )
}

pub(super) fn stats() -> Operation {
    let example = json!({ "backend": "sqlite", "totalEntries": 42, "totalNamespaces": 2, "dbSizeBytes": 81_920 });
    operation("dbStats", "Database Statistics").answers(
        200,
        "Counts of live entries, and the size.",
        "DbStats",
        example,
    )
}

pub(super) fn keys() -> Operation {
    operation("dbKeys", "List Stored Keys")
        .about("Sorted, and not in pages.")
        .query("pattern", "Glob with `*` and `?`.", json!({ "type": "string", "default": "*", "maxLength": 1024 }))
        .query(
            "ns",
            "Only this namespace; all of them when absent, the default one when empty.",
            json!({ "type": "string", "maxLength": 512 }),
        )
        .query("limit", "Cuts the list.", json!({ "type": "integer", "minimum": 1 }))
        .answers(200, "The keys.", "KeyList", json!({ "keys": ["user:1", "user:42"], "count": 2 }))
        .refuses(400, "A parameter is not valid.", "limit must be a positive integer")
}

pub(super) fn clear() -> Operation {
    operation("dbClear", "Clear Stored Entries")
        .about("All namespaces, unless one is named; the query cache stays.")
        .query("ns", "Only this namespace; the default one when empty.", json!({ "type": "string", "maxLength": 512 }))
        .body("NamespaceRequest", json!({ "ns": "sessions" }))
        .body_is_optional()
        .answers(200, "The entries are gone.", "Cleared", json!({ "cleared": true }))
        .refuses(400, "The body or the namespace is not valid.", "Invalid JSON body")
}

pub(super) fn purge() -> Operation {
    operation("dbPurge", "Purge Expired Entries").answers(
        200,
        "How many expired entries were removed.",
        "Purged",
        json!({ "purged": 2 }),
    )
}
