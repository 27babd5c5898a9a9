//! The cache.

use serde_json::json;

use super::operation::{Operation, Tag};

const NOT_FOUND: &str = "There is no such key.";
const BAD_KEY: &str = "The key or the namespace is not valid.";
const BAD_REQUEST: &str = "The key, the body or one of its members is not valid.";

fn operation(id: &'static str, summary: &'static str) -> Operation {
    Operation::new(Tag::Cache, id, summary)
}

pub(super) fn get() -> Operation {
    operation("getValue", "Get a Value")
        .namespace()
        .answers(200, "The value.", "Value", json!({ "key": "mykey", "value": "hello world" }))
        .refuses(400, BAD_KEY, "Key contains invalid characters")
        .refuses(404, NOT_FOUND, "Key not found")
}

pub(super) fn set() -> Operation {
    operation("setValue", "Set a Value")
        .about("Creates or overwrites the key. A namespace in the query counts more than one in the body.")
        .namespace()
        .body("SetRequest", json!({ "value": "hello world", "ttl": 60_000 }))
        .answers(201, "The value is stored.", "Ok", json!({ "ok": true }))
        .refuses(400, BAD_REQUEST, "Value must be a string")
}

pub(super) fn delete() -> Operation {
    operation("deleteValue", "Delete a Value")
        .namespace()
        .answers(200, "Whether there was such a key.", "Deleted", json!({ "deleted": true }))
        .refuses(400, BAD_KEY, "Key contains invalid characters")
}

pub(super) fn batch() -> Operation {
    let entries = json!([{ "key": "k1", "value": "v1" }, { "key": "k2", "value": "v2", "ttl": 30_000 }]);
    operation("batch", "Batch Operations")
        .about("Several keys in one step: `mget`, `mset` or `mdelete`.")
        .namespace()
        .body_one_of(&[
            ("mget", "KeysRequest", json!({ "action": "mget", "keys": ["k1", "k2", "k3"] })),
            ("mset", "EntriesRequest", json!({ "action": "mset", "entries": entries, "ns": "myapp" })),
            ("mdelete", "KeysRequest", json!({ "action": "mdelete", "keys": ["k1", "k2"] })),
        ])
        .answers(
            200,
            "What was found, or how many were stored or deleted.",
            "BatchReply",
            json!({ "result": { "k1": "val1", "k2": "val2", "k3": null } }),
        )
        .refuses(400, "The action, its list or an element is not valid; nothing was done.", UNKNOWN_ACTION)
}

const UNKNOWN_ACTION: &str = r#"Unknown action. Use "mget" or "mset"."#;

pub(super) fn warm_up() -> Operation {
    let entries = json!([{ "key": "k1", "value": "v1" }, { "key": "k2", "value": "v2", "ns": "myapp", "ttl": 30_000 }]);
    operation("warmUp", "Warm Up")
        .about(
            "Stores entries of many namespaces in one step. A namespace in the query counts more than that of an \
             entry, and that more than the one in the body. With a `value` it is a key like any other, called `warmup`.",
        )
        .namespace()
        .body("WarmUpRequest", json!({ "entries": entries }))
        .answers(200, "All are stored.", "WarmedUp", json!({ "loaded": 2, "failed": 0, "total": 2 }))
        .answers(201, "The value is stored.", "Ok", json!({ "ok": true }))
        .refuses(400, "The list or an element is not valid; nothing was done.", "entries (non-empty array) is required")
}

pub(super) fn keys() -> Operation {
    operation("scanKeys", "Key Scanning")
        .about("A page of the keys of one namespace. Pass the returned cursor to get the next one; 0 means no more.")
        .query("pattern", "Glob with `*` and `?`.", json!({ "type": "string", "default": "*", "maxLength": 1024 }))
        .namespace()
        .query("cursor", "Where the page before ended.", json!({ "type": "integer", "default": 0, "minimum": 0 }))
        .query(
            "count",
            "Most keys of the page; more than 1000 acts as 1000.",
            json!({ "type": "integer", "default": 100, "minimum": 1 }),
        )
        .answers(200, "A page of keys.", "KeyPage", json!({ "cursor": 0, "keys": ["user-1", "user-2", "user-3"] }))
        .refuses(400, "A parameter is not valid.", "count must be a positive integer")
}

pub(super) fn flush() -> Operation {
    operation("flush", "Flush")
        .about("Empties the cache: all namespaces. The database, the query cache and locks stay.")
        .answers(200, "The cache is empty.", "Flushed", json!({ "flushed": true }))
}

pub(super) fn increment() -> Operation {
    add("incrementValue", "Increment a Value")
}

pub(super) fn decrement() -> Operation {
    add("decrementValue", "Decrement a Value")
}

fn add(id: &'static str, summary: &'static str) -> Operation {
    operation(id, summary)
        .about("The value must be an integer. Its TTL stays.")
        .namespace()
        .body("DeltaRequest", json!({ "delta": 1 }))
        .body_is_optional()
        .answers(200, "The new value.", "Number", json!({ "value": 6 }))
        .refuses(400, "There is no such key, its value is no number, or the sum is out of range.", "Key not found")
}

pub(super) fn version() -> Operation {
    operation("valueVersion", "Version of a Value")
        .about("1 for a new entry, one more with each set, increment and compare-and-set.")
        .namespace()
        .answers(200, "The version.", "Version", json!({ "key": "mykey", "version": 3 }))
        .refuses(400, BAD_KEY, "Key contains invalid characters")
        .refuses(404, NOT_FOUND, "Key not found")
}

pub(super) fn compare_and_set() -> Operation {
    operation("compareAndSet", "Compare and Set")
        .about("Stores the value when the entry still has this version. Its TTL stays.")
        .namespace()
        .body("CasRequest", json!({ "value": "new value", "expectedVersion": 3 }))
        .answers(200, "The value is stored.", "CasReply", json!({ "ok": true, "newVersion": 4 }))
        .refuses(400, BAD_REQUEST, "expectedVersion is required and must be a number")
        .answers(
            409,
            "The entry has another version, or there is none.",
            "CasReply",
            json!({ "ok": false, "error": "Version mismatch" }),
        )
}

pub(super) fn ttl() -> Operation {
    operation("valueTtl", "TTL of a Value")
        .about("Milliseconds until the value expires; -1 when it never does.")
        .namespace()
        .answers(200, "The time that is left.", "Ttl", json!({ "key": "mykey", "ttl": 59_400, "hasExpiry": true }))
        .refuses(400, BAD_KEY, "Key contains invalid characters")
        .refuses(404, NOT_FOUND, "Key not found")
}

pub(super) fn touch() -> Operation {
    operation("touchValue", "Set the TTL")
        .about("Gives the value another deadline; 0 means that it never expires.")
        .namespace()
        .body("TouchRequest", json!({ "ttl": 60_000 }))
        .answers(200, "The deadline is set.", "Touched", json!({ "ok": true, "ttl": 60_000 }))
        .refuses(400, BAD_REQUEST, "ttl is required and must be a non-negative number")
        .refuses(404, NOT_FOUND, "Key not found")
}

pub(super) fn namespaces() -> Operation {
    operation("listNamespaces", "List Namespaces").answers(
        200,
        "The namespaces with live entries, by name; the default one is the empty name.",
        "Namespaces",
        json!({ "namespaces": [{ "name": "", "entries": 40 }, { "name": "sessions", "entries": 2 }] }),
    )
}

pub(super) fn delete_namespace() -> Operation {
    operation("emptyNamespace", "Empty a Namespace")
        .answers(200, "How many entries were deleted.", "DeletedCount", json!({ "deleted": 2 }))
        .refuses(400, "The namespace is not valid.", "Namespace contains invalid characters")
}
