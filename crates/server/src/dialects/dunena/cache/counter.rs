//! Values that are integers.

use axum::body::Body;
use hyper::Response;
use manifold_engine::cache::Counted;

use super::super::{answer, asked::Asked, check, error::Error};
use crate::http::json::{self, RawValue};

const OUT_OF_RANGE: &str = "Value out of range";

pub(super) async fn increment(asked: &mut Asked<'_>) -> Result<Response<Body>, Error> {
    count(asked, Some).await
}

pub(super) async fn decrement(asked: &mut Asked<'_>) -> Result<Response<Body>, Error> {
    count(asked, i64::checked_neg).await
}

async fn count(asked: &mut Asked<'_>, by: impl FnOnce(i64) -> Option<i64>) -> Result<Response<Body>, Error> {
    asked.key()?;
    let body = asked.body().await?;
    let [delta, space] = if body.is_empty() { [None; 2] } else { body.members(&["delta", "ns"])? };
    let delta = json::given(delta).map_or(Ok(1), delta_of)?;
    let by = by(delta).ok_or_else(|| Error::invalid(OUT_OF_RANGE))?;
    let space = asked.namespace(space)?;
    let key = asked.key()?;
    match asked.dunena.cache.increment(space.as_bytes(), key.as_bytes(), by) {
        Counted::To(value) => Ok(answer::ok(format!(r#"{{"value":{value}}}"#))),
        Counted::Absent => Err(Error::invalid("Key not found")),
        Counted::NotANumber => Err(Error::invalid("Value is not a number")),
        Counted::Overflow => Err(Error::invalid(OUT_OF_RANGE)),
    }
}

/// An integer, however it is spelled; exact where it is spelled in digits.
fn delta_of(member: &RawValue) -> Result<i64, Error> {
    if let Ok(exact) = member.get().parse() {
        return Ok(exact);
    }
    let number = check::integral(member).ok_or_else(|| Error::invalid("delta must be an integer"))?;
    let fits = (-(2_f64.powi(63))..2_f64.powi(63)).contains(&number);
    if fits { Ok(number as i64) } else { Err(Error::invalid(OUT_OF_RANGE)) }
}
