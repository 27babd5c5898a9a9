//! Values that are integers.

use axum::body::Body;
use hyper::Response;
use manifold_engine::cache::Counted;

use super::super::{answer, asked::Asked, check, error::Error};
use crate::http::json::{self, RawValue};

/// More than parts any two values: no sum with it is one, and it can be negated.
const FURTHEST: i128 = 1 << 64;

pub(super) async fn increment(asked: &mut Asked<'_>) -> Result<Response<Body>, Error> {
    count(asked, std::convert::identity).await
}

pub(super) async fn decrement(asked: &mut Asked<'_>) -> Result<Response<Body>, Error> {
    count(asked, std::ops::Neg::neg).await
}

async fn count(asked: &mut Asked<'_>, by: impl FnOnce(i128) -> i128) -> Result<Response<Body>, Error> {
    asked.key()?;
    let body = asked.body().await?;
    let [delta, space] = if body.is_empty() { [None; 2] } else { body.members(&["delta", "ns"])? };
    let delta = json::given(delta).map_or(Ok(1), delta_of)?;
    let space = asked.namespace(space)?;
    let key = asked.key()?;
    match asked.dunena.cache.increment(space.as_bytes(), key.as_bytes(), by(delta)) {
        Counted::To(value) => Ok(answer::ok(format!(r#"{{"value":{value}}}"#))),
        Counted::Absent => Err(Error::invalid("Key not found")),
        Counted::NotANumber => Err(Error::invalid("Value is not a number")),
        Counted::Overflow => Err(Error::invalid("Value out of range")),
    }
}

/// An integer, however it is spelled; exact where it is spelled in digits. None is further away than could be added.
fn delta_of(member: &RawValue) -> Result<i128, Error> {
    let delta = match member.get().parse::<i128>() {
        Ok(exact) => exact,
        Err(_) => check::integral(member).ok_or_else(|| Error::invalid("delta must be an integer"))? as i128,
    };
    Ok(delta.clamp(-FURTHEST, FURTHEST))
}
