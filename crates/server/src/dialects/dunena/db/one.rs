//! One document.

use axum::body::Body;
use bytes::Bytes;
use hyper::{Response, StatusCode};
use manifold_engine::documents::DocumentSet;

use super::{
    super::{answer, asked::Asked, check, error::Error},
    entry, space,
};

pub(super) async fn get(asked: &Asked<'_>) -> Result<Response<Body>, Error> {
    let key = asked.key()?.into_owned();
    let space = space::of(asked, None)?;
    let document = asked.dunena.documents()?.get(space, key).await?.ok_or(Error::NO_KEY)?;
    let mut body = Vec::with_capacity(entry::bytes(&document));
    entry::write(&mut body, &document);
    Ok(answer::ok(body))
}

/// Replaces everything that was there.
pub(super) async fn set(asked: &mut Asked<'_>) -> Result<Response<Body>, Error> {
    asked.key()?;
    let body = asked.body().await?;
    let [value, ttl, tags, space] = body.members(&["value", "ttl", "tags", "ns"])?;
    let value = check::value(value)?.into_owned();
    let ttl_ms = check::ttl(ttl)?.unwrap_or(0);
    let tags = check::tags(tags)?.unwrap_or_default();
    let space = space::of(asked, space)?;
    let key = asked.key()?.into_owned();
    asked.dunena.documents()?.set(space, vec![DocumentSet { key, value, ttl_ms, tags }]).await?;
    Ok(answer::json(StatusCode::CREATED, Bytes::from_static(br#"{"ok":true}"#)))
}

pub(super) async fn delete(asked: &Asked<'_>) -> Result<Response<Body>, Error> {
    let key = asked.key()?.into_owned();
    let space = space::of(asked, None)?;
    let deleted = asked.dunena.documents()?.delete(space, vec![key]).await?;
    Ok(answer::whether("deleted", deleted > 0))
}
