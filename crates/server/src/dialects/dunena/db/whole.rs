//! All documents, or those of a namespace.

use axum::body::Body;
use hyper::Response;
use manifold_engine::documents::{DocumentKeys, DocumentStats};

use super::{
    super::{answer, asked::Asked, check, error::Error},
    space,
    stream::{self, Spell},
};
use crate::http::json;

pub(super) async fn stats(asked: &Asked<'_>) -> Result<Response<Body>, Error> {
    let DocumentStats { documents, spaces, size_bytes } = asked.dunena.documents()?.stats().await?;
    Ok(answer::ok(format!(
        r#"{{"backend":"sqlite","totalEntries":{documents},"totalNamespaces":{spaces},"dbSizeBytes":{size_bytes}}}"#
    )))
}

pub(super) async fn keys(asked: &Asked<'_>) -> Result<Response<Body>, Error> {
    let pattern = check::pattern(asked.given("pattern").as_deref())?;
    let limit = check::positive(asked.given("limit").as_deref(), "limit must be a positive integer")?;
    let within = space::within(asked, None)?;
    let limit = limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let keys = asked.dunena.documents()?.keys(DocumentKeys { within, pattern, limit }).await?;
    stream::answer(keys, Keys).await
}

/// A body is not needed, but one that is there must be right.
pub(super) async fn clear(asked: &mut Asked<'_>) -> Result<Response<Body>, Error> {
    let body = asked.body().await?;
    let [space] = if body.is_empty() { [None] } else { body.members(&["ns"])? };
    let within = space::within(asked, space)?;
    asked.dunena.documents()?.clear(within).await?;
    Ok(answer::said(r#"{"cleared":true}"#))
}

pub(super) async fn purge(asked: &Asked<'_>) -> Result<Response<Body>, Error> {
    Ok(answer::count("purged", asked.dunena.documents()?.purge().await?))
}

struct Keys;

impl Spell<String> for Keys {
    const OPEN: &'static [u8] = br#"{"keys":["#;

    fn item(&mut self, out: &mut Vec<u8>, key: String) {
        json::write_str(out, &key);
    }

    fn close(&mut self, out: &mut Vec<u8>, count: u64) {
        out.extend_from_slice(br#"],"count":"#);
        json::write_u64(out, count);
        out.push(b'}');
    }
}
