//! `POST /cache`: many keys in one step.

use std::{convert::Infallible, iter, mem};

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use hyper::Response;

use super::super::{answer, asked::Asked, check, error::Error, many};
use crate::http::json::RawValue;

#[cfg(test)]
mod tests;

/// Values of so many bytes in all become one text, with a length; more are sent as they are written. They share their bytes
/// with the cache, but their text does not, and few keys can name all of the cache.
const MAX_WHOLE_BYTES: usize = 1 << 20;
/// A piece of a text that is sent as it is written ends with the value that makes it so long.
const PIECE_BYTES: usize = 64 << 10;

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
    let bytes: usize = values.iter().flatten().map(Bytes::len).sum();
    if bytes <= MAX_WHOLE_BYTES {
        return Ok(answer::ok(whole(&keys, &values)));
    }
    let mut response = answer::ok(Bytes::new());
    *response.body_mut() = Body::from_stream(stream::iter(pieces(keys, values).map(Ok::<_, Infallible>)));
    Ok(response)
}

fn whole(keys: &[String], values: &[Option<Bytes>]) -> Vec<u8> {
    let mut text = br#"{"result":"#.to_vec();
    many::write_values(&mut text, keys, values);
    text.push(b'}');
    text
}

/// The same text in pieces, each written when it is asked for.
fn pieces(keys: Vec<String>, values: Vec<Option<Bytes>>) -> impl Iterator<Item = Bytes> {
    let mut members = keys.into_iter().zip(values).enumerate();
    let mut piece = br#"{"result":{"#.to_vec();
    let mut ended = false;
    iter::from_fn(move || {
        while !ended && piece.len() < PIECE_BYTES {
            match members.next() {
                Some((at, (key, value))) => many::write_member(&mut piece, at, &key, value.as_ref()),
                None => {
                    piece.extend_from_slice(b"}}");
                    ended = true;
                }
            }
        }
        (!piece.is_empty()).then(|| Bytes::from(mem::take(&mut piece)))
    })
}

fn set(asked: &Asked<'_>, entries: Option<&RawValue>, space: Option<&RawValue>) -> Result<Response<Body>, Error> {
    let mut entries = many::entries("mset", entries)?;
    let space = asked.namespace(space)?;
    asked.dunena.cache.set(entries.iter_mut().map(|entry| entry.within(&space)));
    Ok(answer::count("stored", entries.len() as u64))
}

fn delete(asked: &Asked<'_>, keys: Option<&RawValue>, space: Option<&RawValue>) -> Result<Response<Body>, Error> {
    let keys = many::keys(keys)?;
    let space = asked.namespace(space)?;
    Ok(answer::count("deleted", asked.dunena.cache.delete(space.as_bytes(), &keys)))
}
