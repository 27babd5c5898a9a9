//! One key: GET, PUT, DELETE.

use manifold_engine::{
    Key, Namespace,
    kv::{Delete, Entry, Put, When},
};

use super::{
    call::{BODY_TIME, Call},
    conditions,
    error::Error,
    list,
    members::{self, Place},
    model::{self, ENVELOPE_BYTES},
    names,
    reply::{self, Reply},
};
use crate::{
    http::{body, json, query::Query},
    net::Incoming,
};

/// GET of a key; of an empty one, the list of its namespace.
pub(super) async fn get(call: Call<'_>) -> Reply {
    if call.parameters[1].is_empty() {
        return list::get(call).await;
    }
    let (namespace, key) = target(&call)?;
    let query = call.query()?;
    call.reach(&query).await?;
    let found = call.engine.get(&namespace, &key)?;
    let entry = found.it.ok_or(Error::NoEntry { head: found.head })?;
    if conditions::has_version(&call.parts.headers, entry.version) {
        return Ok(reply::not_modified(found.head, entry.version));
    }
    Ok(reply::entry(found.head, entry.version, entry_json(&namespace, &entry)))
}

/// PUT of a key.
pub(super) async fn put(call: Call<'_>, incoming: Incoming) -> Reply {
    let (namespace, key) = target(&call)?;
    call.query()?;
    let condition = conditions::of_put(&call.parts.headers)?;
    let body = body::collect(incoming, call.max_body_bytes, BODY_TIME).await?;
    let text = json::text(&body)?;
    let [value, actor, expires_at, ttl_ms, keep_ttl, cas] =
        json::members(text, &["value", "actor", "expiresAt", "ttlMs", "keepTtl", "cas"])?;
    members::check_depth(text, 1)?;

    let value = value.ok_or_else(|| Place::Request.missing("value"))?;
    let actor = names::actor_from_member(actor)?;
    let expires = members::expires([expires_at, ttl_ms, keep_ttl], call.engine.now(), Place::Request)?;
    let when = conditions::either(condition, members::cas(cas, Place::Request)?)?.unwrap_or(When::Always);

    let put = Put { key, value: members::value(value, Some(&body)), expires, when, actor };
    let entry = call.engine.put(&namespace, put).await?;
    Ok(reply::entry(entry.seq, entry.version, entry_json(&namespace, &entry)))
}

/// DELETE of a key.
pub(super) async fn delete(call: Call<'_>) -> Reply {
    let (namespace, key) = target(&call)?;
    let query = call.query()?;
    let actor = names::actor(query.text("actor").unwrap_or_default())?;
    let condition = conditions::either(conditions::of_delete(&call.parts.headers)?, cas_parameter(&query)?)?;
    let delete = Delete { key, when: condition.unwrap_or(When::Always), actor };
    let done = call.engine.delete(&namespace, delete).await?;
    Ok(reply::json_at(done.head, deleted_json(done.it.is_some())))
}

/// `{"deleted":…}`
pub(super) fn deleted_json(deleted: bool) -> &'static str {
    if deleted { r#"{"deleted":true}"# } else { r#"{"deleted":false}"# }
}

/// An entry alone in its buffer.
pub(super) fn entry_json(namespace: &Namespace, entry: &Entry) -> Vec<u8> {
    let names = namespace.as_bytes().len() + entry.key.as_bytes().len() + entry.actor.as_bytes().len();
    let mut out = Vec::with_capacity(names + entry.value.bytes.len() + ENVELOPE_BYTES);
    model::write_entry(&mut out, namespace.as_bytes(), entry, false);
    out
}

fn target(call: &Call<'_>) -> Result<(Namespace, Key), Error> {
    let [namespace, key, _] = call.parameters;
    Ok((names::namespace_from_path(namespace)?, names::key_from_path(key)?))
}

fn cas_parameter(query: &Query<'_>) -> Result<Option<When>, Error> {
    let version = query.integer("cas").ok().flatten().map(u64::try_from);
    match (query.text("cas"), version) {
        (None, _) => Ok(None),
        (Some(_), Some(Ok(version))) => Ok(Some(members::when_version(version))),
        (Some(_), _) => Err(Error::invalid(members::CAS_TEXT)),
    }
}
