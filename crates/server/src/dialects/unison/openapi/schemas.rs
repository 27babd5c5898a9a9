//! The shapes of requests and answers. `value` has no type: it is any JSON.

use serde_json::{Value, json};

use crate::http::openapi::{array, boolean, integer, milliseconds, nullable, object, reference, string};

/// Every schema by its name.
pub(super) fn all() -> Value {
    json!({
        "Ok": object(json!({ "ok": boolean() }), &["ok"]),
        "Error": error(),
        "Entry": object(entry(), &["namespace", "key", "version", "updatedBy", "updatedAt", "expiresAt"]),
        "EntryList": object(
            json!({
                "items": array(reference("Entry")),
                "nextCursor": { "type": "string", "nullable": true, "x-extension": true },
            }),
            &["items"],
        ),
        "PutRequest": object(put_request(), &["value"]),
        "Deleted": object(json!({ "deleted": boolean() }), &["deleted"]),
        "BatchOperation": object(batch_operation(), &["op", "namespace", "key"]),
        "BatchRequest": object(
            json!({
                "operations": { "type": "array", "maxItems": 10000, "items": reference("BatchOperation") },
                "actor": actor(),
            }),
            &["operations"],
        ),
        "BatchResult": object(
            json!({ "ok": boolean(), "results": extension(array(reference("BatchOutcome"))) }),
            &["ok"],
        ),
        "BatchOutcome": object(
            json!({ "deleted": boolean(), "version": nullable(integer()), "seq": nullable(integer()) }),
            &["version", "seq"],
        ),
        "Change": object(
            change(),
            &["seq", "op", "namespace", "key", "version", "actor", "timestamp", "tenantId"],
        ),
        "ChangePage": object(
            json!({
                "changes": array(reference("Change")),
                "lastSeq": integer(),
                "reset": boolean(),
                "truncated": boolean(),
                "oldestSeq": integer(),
            }),
            &["changes", "lastSeq"],
        ),
        "ClusterStatus": object(
            json!({ "ok": boolean(), "mode": string(), "engine": string() }),
            &["ok", "mode", "engine"],
        ),
        "ClusterLeader": object(
            json!({
                "leader": nullable(string()),
                "address": nullable(string()),
                "mode": string(),
                "engine": string(),
            }),
            &["leader", "address", "mode", "engine"],
        ),
        "JoinRequest": object(json!({ "nodeId": string(), "address": string() }), &[]),
        "RemoveRequest": object(json!({ "nodeId": string() }), &[]),
    })
}

fn error() -> Value {
    let members = json!({
        "error": string(),
        "currentVersion": extension(integer()),
        "index": extension(integer()),
        "oldestSeq": extension(integer()),
        "lastSeq": extension(integer()),
    });
    object(members, &["error"])
}

fn entry() -> Value {
    json!({
        "namespace": string(),
        "key": string(),
        "value": { "description": "Any JSON, as it was written." },
        "version": integer(),
        "updatedBy": string(),
        "updatedAt": milliseconds(),
        "expiresAt": nullable(milliseconds()),
    })
}

fn put_request() -> Value {
    json!({
        "value": { "description": "Any JSON; null is a value too." },
        "actor": actor(),
        "expiresAt": extension(nullable(milliseconds())),
        "ttlMs": extension(nullable(integer())),
        "keepTtl": extension(boolean()),
        "cas": extension(nullable(integer())),
    })
}

fn batch_operation() -> Value {
    let mut members = put_request();
    if let Some(members) = members.as_object_mut() {
        members.remove("actor");
        members.insert("op".to_owned(), json!({ "type": "string", "enum": ["set", "delete"] }));
        members.insert("namespace".to_owned(), string());
        members.insert("key".to_owned(), string());
    }
    members
}

fn change() -> Value {
    json!({
        "seq": integer(),
        "op": { "type": "string", "enum": ["set", "delete"] },
        "namespace": string(),
        "key": string(),
        "value": { "description": "The value written; null for a deletion." },
        "version": integer(),
        "actor": string(),
        "timestamp": milliseconds(),
        "tenantId": string(),
        "reason": { "type": "string", "enum": ["expired"] },
        "expiresAt": extension(nullable(milliseconds())),
        "encoding": extension(json!({ "type": "string", "nullable": true })),
        "txn": extension(object(json!({ "first": integer(), "last": integer() }), &["first", "last"])),
    })
}

fn actor() -> Value {
    json!({ "type": "string", "default": "api", "nullable": true, "maxLength": 256 })
}

fn extension(mut schema: Value) -> Value {
    schema["x-extension"] = true.into();
    schema
}
