//! POST /batch: several sets and deletes as one change of state.

use manifold_engine::{
    Actor, Engine, Key, Namespace, Timestamp,
    kv::{Delete, Op, Outcome, Put, When},
};

use super::{
    call::{BODY_TIME, Call},
    error::Error,
    members::{self, Place},
    names,
    reply::{self, Reply},
};
use crate::{
    http::{
        body,
        json::{self, Malformed, RawValue},
    },
    net::Incoming,
};

/// Most operations of one batch.
pub(super) const MAX_OPERATIONS: usize = 10_000;

/// The members of a batch.
pub(super) const MEMBERS: [&str; 2] = ["operations", "actor"];

/// Containers of the request around a value: the body, the array and the operation.
pub(super) const AROUND_VALUES: usize = 3;

/// POST /batch.
pub(super) async fn post(call: Call<'_>, incoming: Incoming) -> Reply {
    let query = call.query()?;
    let results = wants_results(query.text("return"))?;
    let body = body::collect(incoming, call.max_body_bytes, BODY_TIME).await?;
    let text = json::text(&body)?;
    let found = json::members(text, &MEMBERS)?;
    members::check_depth(text, AROUND_VALUES)?;
    let done = apply(call.engine, operations(found, call.engine.now())?).await?;
    Ok(reply::json_at(done.head, answer(&done, results)))
}

/// Whether `return` asks for the outcome of each operation.
pub(super) fn wants_results(text: Option<&str>) -> Result<bool, Error> {
    match text {
        None => Ok(false),
        Some("results") => Ok(true),
        Some(_) => Err(Error::invalid("return must be results")),
    }
}

/// Checks a whole batch: the array, the actor, then each operation from the first.
pub(super) fn operations([operations, actor]: [Option<&RawValue>; 2], now: Timestamp) -> Result<Vec<Op>, Error> {
    let operations = operations.ok_or_else(|| Place::Request.missing("operations"))?;
    let elements = json::elements(operations.get(), MAX_OPERATIONS).map_err(|error| match error {
        Malformed::OtherType => Error::invalid("operations must be an array"),
        Malformed::Syntax => error.into(),
    })?;
    if elements.total > MAX_OPERATIONS {
        return Err(Error::invalid("Too many operations (max 10000)"));
    }
    let actor = names::actor_from_member(actor)?;
    let checked = elements.kept.into_iter().enumerate().map(|(index, raw)| operation(index, raw, &actor, now));
    checked.collect()
}

/// The answer: `{"ok":true}`, or the outcome of each operation with it.
pub(super) fn answer(operations: &Outcomes, results: bool) -> Vec<u8> {
    if !results {
        return b"{\"ok\":true}".to_vec();
    }
    let mut out = Vec::with_capacity(32 + operations.outcomes.len() * 48);
    out.extend_from_slice(b"{\"ok\":true,\"results\":[");
    for (index, (is_delete, outcome)) in operations.is_delete.iter().zip(&operations.outcomes).enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_outcome(&mut out, *is_delete, outcome);
    }
    out.extend_from_slice(b"]}");
    out
}

/// Applies a batch.
pub(super) async fn apply(engine: &Engine, operations: Vec<Op>) -> Result<Outcomes, Error> {
    let is_delete = operations.iter().map(|op| matches!(op, Op::Delete(..))).collect();
    let done = engine.batch(operations).await?;
    Ok(Outcomes { head: done.head, is_delete, outcomes: done.it })
}

/// What a batch did, operation by operation.
pub(super) struct Outcomes {
    pub(super) head: u64,
    is_delete: Vec<bool>,
    outcomes: Vec<Outcome>,
}

fn operation(index: usize, raw: &RawValue, actor: &Actor, now: Timestamp) -> Result<Op, Error> {
    let place = Place::Operation(index);
    let names = &["op", "namespace", "key", "value", "expiresAt", "ttlMs", "keepTtl", "cas"];
    let [op, namespace, key, value, expires_at, ttl_ms, keep_ttl, cas] =
        json::members(raw.get(), names).map_err(|error| match error {
            Malformed::OtherType => Error::Invalid(format!("operations[{index}] must be an object").into()),
            Malformed::Syntax => error.into(),
        })?;

    let is_set = is_set(op, place)?;
    let namespace = names::name_from_member(namespace, format_args!("operations[{index}].namespace"), Namespace::new)?;
    let key = names::name_from_member(key, format_args!("operations[{index}].key"), Key::new)?;
    if !is_set {
        let when = members::cas(cas, place)?.unwrap_or(When::Always);
        return Ok(Op::Delete(namespace, Delete { key, when, actor: actor.clone() }));
    }
    let value = value.ok_or_else(|| place.missing("value"))?;
    let expires = members::expires([expires_at, ttl_ms, keep_ttl], now, place)?;
    let when = members::cas(cas, place)?.unwrap_or(When::Always);
    // Never a slice of the body: one small value would keep all the others alive.
    let put = Put { key, value: members::value(value, None), expires, when, actor: actor.clone() };
    Ok(Op::Put(namespace, put))
}

fn is_set(op: Option<&RawValue>, place: Place) -> Result<bool, Error> {
    match op.map(json::string) {
        Some(Ok(op)) if op == "set" => Ok(true),
        Some(Ok(op)) if op == "delete" => Ok(false),
        _ => Err(place.invalid("op must be set or delete")),
    }
}

fn write_outcome(out: &mut Vec<u8>, is_delete: bool, outcome: &Outcome) {
    out.extend_from_slice(match (is_delete, outcome) {
        (false, _) => b"{\"version\":".as_slice(),
        (true, Some(_)) => b"{\"deleted\":true,\"version\":",
        (true, None) => b"{\"deleted\":false,\"version\":",
    });
    match outcome {
        Some(changed) => {
            json::write_u64(out, changed.version);
            out.extend_from_slice(b",\"seq\":");
            json::write_u64(out, changed.seq);
        }
        None => out.extend_from_slice(b"null,\"seq\":null"),
    }
    out.push(b'}');
}

#[cfg(test)]
mod tests;
