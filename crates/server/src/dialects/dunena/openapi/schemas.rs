//! The shapes of requests and answers. A member without a type is any JSON.

use serde_json::{Value, json};

use crate::http::openapi::{array, boolean, integer, milliseconds, nullable, number, object, reference, string};

/// Every schema by its name.
pub(super) fn all() -> Value {
    let mut schemas = serde_json::Map::new();
    for part in [general(), figures(), cache(), durable(), query_cache(), proxy(), locks()] {
        let Value::Object(part) = part else { continue };
        schemas.extend(part);
    }
    schemas.into()
}

fn general() -> Value {
    json!({
        "Error": object(json!({ "error": string() }), &["error"]),
        "Ok": object(json!({ "ok": boolean() }), &["ok"]),
        "Deleted": object(json!({ "deleted": boolean() }), &["deleted"]),
        "DeletedCount": object(json!({ "deleted": integer() }), &["deleted"]),
        "Cleared": object(json!({ "cleared": boolean() }), &["cleared"]),
        "Document": object(json!({ "openapi": string() }), &["openapi"]),
        "NamespaceRequest": object(json!({ "ns": namespace() }), &[]),
        "KeysRequest": object(
            json!({ "action": one_of(&["mget", "mdelete"]), "keys": array(string()), "ns": namespace() }),
            &["action", "keys"],
        ),
        "EntriesRequest": object(
            json!({ "action": one_of(&["mset"]), "entries": array(reference("BatchEntry")), "ns": namespace() }),
            &["action", "entries"],
        ),
        "BatchEntry": object(
            json!({ "key": key(), "value": value(), "ttl": ttl(), "tags": tags() }),
            &["key", "value"],
        ),
    })
}

fn figures() -> Value {
    let check = object(json!({ "status": string(), "latencyMs": number() }), &["status"]);
    let checks = json!({
        "core": check,
        "sqlite": check,
        "memory": object(json!({ "status": string(), "rssMB": number() }), &["status"]),
        "cache": object(
            json!({
                "status": string(), "entries": integer(), "maxEntries": integer(), "hitRate": number(),
                "memoryBytes": integer(),
            }),
            &["status"],
        ),
    });
    json!({
        "Health": object(
            json!({
                "status": one_of(&["ok", "degraded", "starting"]), "uptime": number(), "version": string(),
                "timestamp": { "type": "string", "format": "date-time" }, "checks": object(checks, &[]),
            }),
            &["status", "uptime"],
        ),
        "Alive": object(json!({ "status": one_of(&["alive"]) }), &["status"]),
        "Readiness": object(
            json!({ "status": one_of(&["ready", "not_ready"]), "reason": string() }),
            &["status"],
        ),
        "CacheStats": object(
            json!({
                "hits": integer(), "misses": integer(), "evictions": integer(), "puts": integer(),
                "deletes": integer(), "currentSize": integer(), "maxSize": integer(), "hitRate": number(),
                "memoryBytes": integer(), "casHits": integer(), "casMisses": integer(),
            }),
            &["hits", "misses", "evictions", "puts", "deletes", "currentSize", "maxSize", "hitRate"],
        ),
        "Latency": object(
            json!({
                "mean": number(), "p50": number(), "p95": number(), "p99": number(), "min": number(), "max": number(),
                "stdDev": number(), "count": integer(),
            }),
            &["mean", "p50", "p95", "p99", "min", "max", "stdDev"],
        ),
        "Stats": object(
            json!({ "cache": reference("CacheStats"), "latency": reference("Latency") }),
            &["cache", "latency"],
        ),
        "StatsSnapshot": object(
            json!({
                "timestamp": milliseconds(), "stats": reference("CacheStats"), "requestsPerSecond": number(),
                "avgLatencyMs": number(), "p99LatencyMs": number(),
            }),
            &["timestamp", "stats", "requestsPerSecond", "avgLatencyMs", "p99LatencyMs"],
        ),
        "StatsHistory": object(
            json!({ "snapshots": array(reference("StatsSnapshot")) }),
            &["snapshots"],
        ),
        "Info": object(
            json!({
                "name": string(), "version": string(), "entries": integer(), "uptime": number(),
                "database": boolean(), "serverVersion": string(),
            }),
            &["name", "version", "entries", "uptime"],
        ),
        "Saved": object(json!({ "saved": boolean() }), &["saved"]),
        "Flushed": object(json!({ "flushed": boolean() }), &["flushed"]),
    })
}

fn cache() -> Value {
    json!({
        "Value": object(json!({ "key": key(), "value": value() }), &["key", "value"]),
        "SetRequest": object(json!({ "value": value(), "ttl": ttl(), "ns": namespace() }), &["value"]),
        "BatchReply": object(
            json!({
                "result": { "type": "object", "additionalProperties": nullable(string()) },
                "stored": integer(),
                "deleted": integer(),
            }),
            &[],
        ),
        "WarmUpRequest": object(
            json!({
                "entries": { "type": "array", "minItems": 1, "items": reference("WarmUpEntry") }, "ns": namespace(),
            }),
            &["entries"],
        ),
        "WarmUpEntry": object(
            json!({ "key": key(), "value": value(), "ttl": ttl(), "ns": namespace() }),
            &["key", "value"],
        ),
        "WarmedUp": object(
            json!({ "loaded": integer(), "failed": integer(), "total": integer() }),
            &["loaded", "failed", "total"],
        ),
        "KeyPage": object(json!({ "cursor": integer(), "keys": array(string()) }), &["cursor", "keys"]),
        "DeltaRequest": object(
            json!({ "delta": { "type": "integer", "format": "int64", "default": 1 }, "ns": namespace() }),
            &[],
        ),
        "Number": object(json!({ "value": integer() }), &["value"]),
        "Version": object(json!({ "key": key(), "version": integer() }), &["key", "version"]),
        "CasRequest": object(
            json!({ "value": value(), "expectedVersion": integer(), "ns": namespace() }),
            &["value", "expectedVersion"],
        ),
        "CasReply": object(json!({ "ok": boolean(), "newVersion": integer(), "error": string() }), &["ok"]),
        "Ttl": object(
            json!({ "key": key(), "ttl": integer(), "hasExpiry": boolean() }),
            &["key", "ttl", "hasExpiry"],
        ),
        "TouchRequest": object(json!({ "ttl": ttl(), "ns": namespace() }), &["ttl"]),
        "Touched": object(json!({ "ok": boolean(), "ttl": integer() }), &["ok", "ttl"]),
        "NamespaceCount": object(json!({ "name": string(), "entries": integer() }), &["name", "entries"]),
        "Namespaces": object(json!({ "namespaces": array(reference("NamespaceCount")) }), &["namespaces"]),
    })
}

fn durable() -> Value {
    json!({
        "Entry": object(
            json!({
                "key": key(), "value": value(), "namespace": string(), "createdAt": milliseconds(),
                "updatedAt": milliseconds(), "expiresAt": nullable(milliseconds()), "tags": array(string()),
            }),
            &["key", "value", "namespace", "createdAt", "updatedAt", "expiresAt", "tags"],
        ),
        "EntryRequest": object(
            json!({ "value": value(), "ttl": ttl(), "ns": namespace(), "tags": tags() }),
            &["value"],
        ),
        "EntryQuery": object(
            json!({
                "action": one_of(&["query"]),
                "pattern": { "type": "string", "nullable": true, "description": "What keys start with, literally." },
                "tags": tags(),
                "ns": { "type": "string", "nullable": true, "description": "All namespaces when absent." },
                "limit": {
                    "type": "integer", "nullable": true, "minimum": 0, "default": 100,
                    "description": "More than 10000 acts as 10000.",
                },
                "offset": { "type": "integer", "nullable": true, "minimum": 0, "default": 0 },
                "orderBy": {
                    "type": "string", "nullable": true, "enum": ["key", "createdAt", "updatedAt", null],
                    "default": "createdAt",
                },
                "order": { "type": "string", "nullable": true, "enum": ["asc", "desc", null], "default": "asc" },
            }),
            &["action"],
        ),
        "TagsRequest": object(
            json!({
                "action": one_of(&["deleteByTags"]),
                "tags": array(string()),
                "ns": { "type": "string", "nullable": true, "description": "All namespaces when absent." },
            }),
            &["action", "tags"],
        ),
        "EntryBatchReply": object(
            json!({
                "result": {
                    "type": "object",
                    "additionalProperties": { "nullable": true, "allOf": [reference("Entry")] },
                },
                "stored": integer(),
                "deleted": integer(),
                "entries": array(reference("Entry")),
                "count": integer(),
            }),
            &[],
        ),
        "DbStats": object(
            json!({
                "backend": string(), "totalEntries": integer(), "totalNamespaces": integer(),
                "dbSizeBytes": integer(),
            }),
            &["backend", "totalEntries", "totalNamespaces", "dbSizeBytes"],
        ),
        "KeyList": object(json!({ "keys": array(string()), "count": integer() }), &["keys", "count"]),
        "Purged": object(json!({ "purged": integer() }), &["purged"]),
    })
}

fn query_cache() -> Value {
    json!({
        "CachedResult": object(
            json!({
                "key": string(), "data": anything(), "cached": boolean(), "age": integer(), "tags": array(string()),
            }),
            &["key", "data", "cached", "age", "tags"],
        ),
        "CacheRequest": object(
            json!({
                "key": cache_key(), "data": anything(),
                "result": { "description": "Another name of `data`, read when that is absent." },
                "ttl": ttl(), "tags": tags(),
            }),
            &["key", "data"],
        ),
        "Cached": object(json!({ "cached": boolean(), "key": string() }), &["cached", "key"]),
        "InvalidateRequest": object(json!({ "tags": tags(), "key": nullable(string()) }), &[]),
        "Invalidated": object(json!({ "invalidated": integer() }), &["invalidated"]),
        "QueryCacheStats": object(
            json!({
                "totalCached": integer(), "hits": integer(), "misses": integer(), "invalidations": integer(),
                "hitRate": number(),
            }),
            &["totalCached", "hits", "misses", "invalidations", "hitRate"],
        ),
    })
}

fn proxy() -> Value {
    let kind = one_of(&["http", "postgresql", "mysql", "sqlite", "elasticsearch"]);
    json!({
        "Connector": object(
            json!({ "name": string(), "type": kind, "readOnly": boolean() }),
            &["name", "type", "readOnly"],
        ),
        "Connectors": object(json!({ "connectors": array(reference("Connector")) }), &["connectors"]),
        "RegisterRequest": object(
            json!({
                "name": { "type": "string", "minLength": 1, "maxLength": 128 },
                "type": kind,
                "connectionString": { "type": "string", "minLength": 1 },
                "readOnly": { "type": "boolean", "nullable": true, "default": false },
                "maxCacheTTL": {
                    "type": "integer", "nullable": true, "minimum": 0,
                    "description": "Most milliseconds that a result is kept; the TTL of queries that name none.",
                },
                "defaultTags": tags(),
                "headers": {
                    "type": "object", "nullable": true, "additionalProperties": string(),
                    "description": "Sent with every request to an http(s) URL.",
                },
            }),
            &["name", "type", "connectionString"],
        ),
        "Registered": object(json!({ "registered": boolean(), "name": string() }), &["registered", "name"]),
        "UnregisterRequest": object(json!({ "name": { "type": "string", "minLength": 1 } }), &["name"]),
        "Unregistered": object(json!({ "unregistered": boolean() }), &["unregistered"]),
        "ProxyRequest": object(
            json!({
                "connector": { "type": "string", "minLength": 1 },
                "query": { "type": "string", "minLength": 1 },
                "params": { "type": "array", "nullable": true, "items": {} },
                "cacheKey": nullable(cache_key()),
                "ttl": ttl(),
                "tags": tags(),
                "skipCache": { "type": "boolean", "nullable": true, "default": false },
            }),
            &["connector", "query"],
        ),
        "ProxyReply": object(
            json!({
                "data": anything(), "cached": boolean(), "connector": string(), "durationMs": number(),
                "cacheKey": string(),
            }),
            &["data", "cached", "connector", "durationMs", "cacheKey"],
        ),
        "ProxyInvalidateRequest": object(
            json!({ "tags": { "type": "array", "minItems": 1, "items": string() } }),
            &["tags"],
        ),
    })
}

fn locks() -> Value {
    let owner = json!({ "type": "string", "minLength": 1 });
    let duration = json!({ "type": "integer", "minimum": 1, "description": "Milliseconds, 300000 at most." });
    let mut lock_duration = nullable(duration.clone());
    lock_duration["default"] = 30_000.into();
    json!({
        "Lock": object(
            json!({
                "key": key(), "owner": string(), "acquiredAt": milliseconds(), "expiresAt": milliseconds(),
                "ttl": integer(),
            }),
            &["key", "owner", "acquiredAt", "expiresAt", "ttl"],
        ),
        "AcquireRequest": object(json!({ "owner": owner, "ttl": lock_duration }), &["owner"]),
        "AcquireReply": object(
            json!({ "acquired": boolean(), "lock": reference("Lock"), "error": string() }),
            &["acquired"],
        ),
        "OwnerRequest": object(json!({ "owner": owner }), &["owner"]),
        "Released": object(json!({ "released": boolean() }), &["released"]),
        "ExtendRequest": object(json!({ "owner": owner, "ttl": duration }), &["owner", "ttl"]),
        "ExtendReply": object(
            json!({ "extended": boolean(), "lock": reference("Lock"), "error": string() }),
            &["extended"],
        ),
        "LockState": object(json!({ "locked": boolean(), "lock": reference("Lock") }), &["locked"]),
        "ForceReleased": object(json!({ "forceReleased": boolean() }), &["forceReleased"]),
        "Locks": object(json!({ "locks": array(reference("Lock")), "count": integer() }), &["locks", "count"]),
        "NamespaceLimit": object(
            json!({
                "namespace": { "type": "string", "minLength": 1 },
                "maxRequests": { "type": "integer", "minimum": 1 },
                "windowMs": { "type": "integer", "minimum": 1 },
            }),
            &["namespace", "maxRequests", "windowMs"],
        ),
        "NamespaceLimits": object(json!({ "limits": array(reference("NamespaceLimit")) }), &["limits"]),
        "LimitSet": object(json!({ "configured": boolean(), "namespace": string() }), &["configured", "namespace"]),
        "LimitState": object(
            json!({ "activeClients": integer(), "config": reference("NamespaceLimit") }),
            &["activeClients", "config"],
        ),
        "Removed": object(json!({ "removed": boolean() }), &["removed"]),
    })
}

/// A key, in the path too.
pub(super) fn key() -> Value {
    json!({
        "type": "string", "minLength": 1, "maxLength": 512, "pattern": "^[ -~]+$",
        "description": "Printable ASCII.",
    })
}

/// A key of the query cache, in the path too.
pub(super) fn cache_key() -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": 2048 })
}

fn namespace() -> Value {
    json!({ "type": "string", "nullable": true, "maxLength": 512, "description": "The default one when absent." })
}

fn value() -> Value {
    json!({ "type": "string", "maxLength": 4_194_304, "description": "At most 4194304 bytes of UTF-8." })
}

fn ttl() -> Value {
    json!({
        "type": "integer", "format": "int64", "nullable": true, "minimum": 0,
        "description": "Time to live in milliseconds; 0 = it never expires.",
    })
}

fn tags() -> Value {
    nullable(array(string()))
}

fn one_of(words: &[&str]) -> Value {
    json!({ "type": "string", "enum": words })
}

fn anything() -> Value {
    json!({ "description": "Any JSON." })
}
