//! Locks, and limits on the requests for one namespace.

use serde_json::{Value, json};

use super::operation::{Operation, Tag};

fn operation(id: &'static str, summary: &'static str) -> Operation {
    Operation::new(Tag::Locks, id, summary)
}

fn lock() -> Value {
    json!({
        "key": "report", "owner": "worker-1", "acquiredAt": 1_795_213_658_075_u64,
        "expiresAt": 1_795_213_688_075_u64, "ttl": 30_000,
    })
}

pub(super) fn acquire() -> Operation {
    operation("acquireLock", "Acquire a Lock")
        .about("Held until it is released or its TTL is over, 300000 ms at most.")
        .body("AcquireRequest", json!({ "owner": "worker-1", "ttl": 30_000 }))
        .answers(201, "The lock is yours.", "AcquireReply", json!({ "acquired": true, "lock": lock() }))
        .refuses(400, "The key, the owner or the TTL is not valid.", "owner is required")
        .answers(
            409,
            "The lock is held, perhaps by the same owner.",
            "AcquireReply",
            json!({ "acquired": false, "error": "Lock is already held" }),
        )
}

pub(super) fn release() -> Operation {
    operation("releaseLock", "Release a Lock")
        .body("OwnerRequest", json!({ "owner": "worker-1" }))
        .answers(200, "Whether the owner held it.", "Released", json!({ "released": true }))
        .refuses(400, "The key or the owner is not valid.", "owner is required")
}

pub(super) fn extend() -> Operation {
    operation("extendLock", "Extend a Lock")
        .about("The lock ends this long from now.")
        .body("ExtendRequest", json!({ "owner": "worker-1", "ttl": 30_000 }))
        .answers(200, "The lock has its new deadline.", "ExtendReply", json!({ "extended": true, "lock": lock() }))
        .refuses(400, "The key, the owner or the TTL is not valid.", "ttl must be a positive number")
        .answers(
            404,
            "The owner does not hold this lock.",
            "ExtendReply",
            json!({ "extended": false, "error": "Lock not found or owner mismatch" }),
        )
}

pub(super) fn get() -> Operation {
    operation("getLock", "Get a Lock")
        .answers(200, "Whether the lock is held, and by whom.", "LockState", json!({ "locked": true, "lock": lock() }))
        .refuses(400, "The key is not valid.", "Key contains invalid characters")
}

pub(super) fn force_release() -> Operation {
    operation("forceReleaseLock", "Force the Release of a Lock")
        .answers(200, "Whether the lock was held.", "ForceReleased", json!({ "forceReleased": true }))
        .refuses(400, "The key is not valid.", "Key contains invalid characters")
}

pub(super) fn list() -> Operation {
    operation("listLocks", "List Locks").answers(
        200,
        "The locks that are held, by key.",
        "Locks",
        json!({ "locks": [lock()], "count": 1 }),
    )
}

fn limit(id: &'static str, summary: &'static str) -> Operation {
    Operation::new(Tag::RateLimits, id, summary)
}

fn configured() -> Value {
    json!({ "namespace": "myapp", "maxRequests": 100, "windowMs": 60_000 })
}

pub(super) fn set_limit() -> Operation {
    limit("setNamespaceLimit", "Limit a Namespace")
        .about("Each client may send so many requests for the namespace in each window.")
        .body("NamespaceLimit", configured())
        .answers(201, "The limit holds.", "LimitSet", json!({ "configured": true, "namespace": "myapp" }))
        .refuses(400, "The body or one of its members is not valid.", "maxRequests must be a positive number")
}

pub(super) fn limits() -> Operation {
    limit("listNamespaceLimits", "List Namespace Limits").answers(
        200,
        "All limits.",
        "NamespaceLimits",
        json!({ "limits": [configured()] }),
    )
}

pub(super) fn get_limit() -> Operation {
    limit("getNamespaceLimit", "Get the Limit of a Namespace")
        .answers(200, "The limit and its clients.", "LimitState", json!({ "activeClients": 3, "config": configured() }))
        .refuses(404, "The namespace has no limit.", "No rate limit configured for this namespace")
}

pub(super) fn remove_limit() -> Operation {
    limit("removeNamespaceLimit", "Remove the Limit of a Namespace").answers(
        200,
        "Whether there was one.",
        "Removed",
        json!({ "removed": true }),
    )
}
