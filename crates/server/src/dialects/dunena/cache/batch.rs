//! `POST /cache`: many keys in one step.

use axum::body::Body;
use hyper::Response;

use super::super::{answer, asked::Asked, check, error::Error, many};
use crate::http::json::RawValue;

pub(super) async fn run(asked: &mut Asked<'_>) -> Result<Response<Body>, Error> {
    let body = asked.body().await?;
    let [action, keys, entries, space] = body.members(&["action", "keys", "entries", "ns"])?;
    match check::string(action).as_deref() {
        Some("mget") => get(asked, keys, space),
        Some("mset") => set(asked, entries, space),
        Some("mdelete") => delete(asked, keys, space),
        _ => Err(Error::invalid(many::NO_ACTION)),
    }
}

fn get(asked: &Asked<'_>, keys: Option<&RawValue>, space: Option<&RawValue>) -> Result<Response<Body>, Error> {
    let keys = many::keys(keys)?;
    let space = asked.namespace(space)?;
    let values = asked.dunena.cache.get_many(space.as_bytes(), &keys);
    let mut body = br#"{"result":"#.to_vec();
    many::write_values(&mut body, &keys, &values);
    body.push(b'}');
    Ok(answer::ok(body))
}

fn set(asked: &Asked<'_>, entries: Option<&RawValue>, space: Option<&RawValue>) -> Result<Response<Body>, Error> {
    let entries = many::entries("mset", entries)?;
    let space = asked.namespace(space)?;
    asked.dunena.cache.set(entries.iter().map(|entry| entry.within(&space)));
    Ok(answer::count("stored", entries.len() as u64))
}

fn delete(asked: &Asked<'_>, keys: Option<&RawValue>, space: Option<&RawValue>) -> Result<Response<Body>, Error> {
    let keys = many::keys(keys)?;
    let space = asked.namespace(space)?;
    Ok(answer::count("deleted", asked.dunena.cache.delete(space.as_bytes(), &keys)))
}
