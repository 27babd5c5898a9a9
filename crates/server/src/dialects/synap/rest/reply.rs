//! From the payload of an answer to the body that a route answers.

use super::{call::Reply, request::Target};
use crate::{
    dialects::synap::{
        error::{Error, Thing},
        object::Object,
    },
    http::json::{self, RawValue},
};

impl Reply {
    /// The body.
    pub(super) fn body(self, payload: Vec<u8>, target: &Target<'_>) -> Result<Vec<u8>, Error> {
        match self {
            Reply::Whole => Ok(payload),
            Reply::Only(names) => only(&payload, names),
            Reply::WithKey => with_key(&payload, target.parameter("key").unwrap_or_default()),
            Reply::Bare(name) => Ok(value(&payload, name)?.get().as_bytes().to_vec()),
            Reply::IfFound if said(&payload, "found") => Ok(value(&payload, "value")?.get().as_bytes().to_vec()),
            Reply::IfFound => only(&payload, &["found"]),
            Reply::UnlessZero(name) if value(&payload, name)?.get() == "0" => {
                let key = target.parameter("key").unwrap_or_default();
                Err(Error::Absent(Thing::Key, key.as_bytes().to_vec()))
            }
            Reply::UnlessZero(_) => Ok(payload),
            Reply::Message => message(&payload),
        }
    }
}

/// Whether a member of a payload is true.
pub(super) fn said(payload: &[u8], name: &str) -> bool {
    value(payload, name).is_ok_and(|raw| raw.get() == "true")
}

/// What a member of a payload is. All payloads are ours, so what is missing is a defect.
fn value<'a>(payload: &'a [u8], name: &str) -> Result<&'a RawValue, Error> {
    let text = std::str::from_utf8(payload).map_err(|_| Error::Internal)?;
    let [found] = json::members(text, &[name]).map_err(|_| Error::Internal)?;
    found.ok_or(Error::Internal)
}

fn only(payload: &[u8], names: &[&str]) -> Result<Vec<u8>, Error> {
    let mut out = Vec::with_capacity(payload.len());
    let mut object = Object::new(&mut out);
    for name in names {
        object = object.raw(name, value(payload, name)?);
    }
    object.close();
    Ok(out)
}

fn with_key(payload: &[u8], key: &str) -> Result<Vec<u8>, Error> {
    let text = std::str::from_utf8(payload).map_err(|_| Error::Internal)?;
    let mut out = Vec::with_capacity(payload.len() + key.len() + 16);
    Object::continuing(&mut out, text).text("key", key).close();
    Ok(out)
}

/// A message lies on its own here, and its id has the name that producers know.
fn message(payload: &[u8]) -> Result<Vec<u8>, Error> {
    const NAMES: [&str; 6] = ["id", "payload", "priority", "retry_count", "max_retries", "headers"];
    let found = match value(payload, "message")?.get() {
        "null" => [None; NAMES.len()],
        taken => json::members(taken, &NAMES).map_err(|_| Error::Internal)?,
    };
    let mut out = Vec::with_capacity(payload.len() + 16);
    let mut object = Object::new(&mut out);
    for (name, value) in NAMES.into_iter().zip(found) {
        let name = if name == "id" { "message_id" } else { name };
        object = match value {
            Some(value) => object.raw(name, value),
            None => object.null(name),
        };
    }
    object.close();
    Ok(out)
}
