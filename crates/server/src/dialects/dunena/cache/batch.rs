//! `POST /cache`: many keys in one step.

use axum::body::Body;
use bytes::Bytes;
use hyper::Response;

use super::{
    super::{answer, asked::Asked, check, error::Error},
    entries,
};
use crate::http::json::{self, RawValue};

pub(super) async fn run(asked: &mut Asked<'_>) -> Result<Response<Body>, Error> {
    let body = asked.body().await?;
    let [action, keys, entries, space] = body.members(&["action", "keys", "entries", "ns"])?;
    match check::string(action).as_deref() {
        Some("mget") => get(asked, keys, space),
        Some("mset") => set(asked, entries, space),
        Some("mdelete") => delete(asked, keys, space),
        _ => Err(unknown()),
    }
}

fn get(asked: &Asked<'_>, keys: Option<&RawValue>, space: Option<&RawValue>) -> Result<Response<Body>, Error> {
    let keys = wanted(keys)?;
    let space = asked.namespace(space)?;
    let values = asked.dunena.cache.get_many(space.as_bytes(), &keys);
    Ok(answer::ok(result(&keys, &values)))
}

fn set(asked: &Asked<'_>, entries: Option<&RawValue>, space: Option<&RawValue>) -> Result<Response<Body>, Error> {
    let entries = entries.and_then(|entries| entries::checked(entries, "mset")).ok_or_else(unknown)??;
    let space = asked.namespace(space)?;
    let sets: Vec<_> = entries.iter().map(|entry| entry.set(&space)).collect();
    asked.dunena.cache.set(sets);
    Ok(answer::count("stored", entries.len() as u64))
}

fn delete(asked: &Asked<'_>, keys: Option<&RawValue>, space: Option<&RawValue>) -> Result<Response<Body>, Error> {
    let keys = wanted(keys)?;
    let space = asked.namespace(space)?;
    Ok(answer::count("deleted", asked.dunena.cache.delete(space.as_bytes(), &keys)))
}

/// The keys of an array, each once. One that could not be stored is merely not there.
fn wanted(keys: Option<&RawValue>) -> Result<Vec<String>, Error> {
    let keys = keys.filter(|keys| keys.get().starts_with('[')).ok_or_else(unknown)?;
    let keys = check::strings(keys).ok_or_else(|| Error::invalid("keys must be an array of strings"))?;
    Ok(check::distinct(keys))
}

/// Keys with their values, in their order.
fn result(keys: &[String], values: &[Option<Bytes>]) -> Vec<u8> {
    let mut body = br#"{"result":{"#.to_vec();
    for (index, (key, value)) in keys.iter().zip(values).enumerate() {
        if index > 0 {
            body.push(b',');
        }
        json::write_str(&mut body, key);
        body.push(b':');
        match value {
            Some(value) => json::write_bytes_as_str(&mut body, value),
            None => body.extend_from_slice(b"null"),
        }
    }
    body.extend_from_slice(b"}}");
    body
}

fn unknown() -> Error {
    Error::invalid("Unknown action. Use \"mget\" or \"mset\".")
}
