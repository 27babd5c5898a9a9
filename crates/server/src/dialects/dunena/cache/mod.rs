//! The cache: values one at a time and many at once, what else is known of an entry, and what there is.

use axum::body::Body;
use hyper::Response;

mod batch;
mod counter;
mod deadline;
mod keys;
mod spaces;
mod value;
mod version;
mod warmup;

use super::{
    asked::Asked,
    error::Error,
    routes::{Endpoint, route},
};
use crate::http::route::{Route, Verb};

/// What is asked of the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Get,
    Set,
    Delete,
    Batch,
    WarmUp,
    Increment,
    Decrement,
    Version,
    Exchange,
    TimeLeft,
    Touch,
    Keys,
    Flush,
    Spaces,
    ClearSpace,
}

/// A table of its own, before the other: what else is done with this path is done with a key.
pub(super) static WARM_UP: &[Route<Endpoint>] =
    &[route("/cache/warmup", &[(Verb::Post, Endpoint::Cache(Call::WarmUp))])];
pub(super) static ROUTES: &[Route<Endpoint>] = &[
    route(
        "/cache/{key}",
        &[
            (Verb::Get, Endpoint::Cache(Call::Get)),
            (Verb::Post, Endpoint::Cache(Call::Set)),
            (Verb::Delete, Endpoint::Cache(Call::Delete)),
        ],
    ),
    route("/cache", &[(Verb::Post, Endpoint::Cache(Call::Batch))]),
    route("/cache/{key}/incr", &[(Verb::Post, Endpoint::Cache(Call::Increment))]),
    route("/cache/{key}/decr", &[(Verb::Post, Endpoint::Cache(Call::Decrement))]),
    route("/cache/{key}/version", &[(Verb::Get, Endpoint::Cache(Call::Version))]),
    route("/cache/{key}/cas", &[(Verb::Put, Endpoint::Cache(Call::Exchange))]),
    route("/cache/{key}/ttl", &[(Verb::Get, Endpoint::Cache(Call::TimeLeft))]),
    route("/cache/{key}/touch", &[(Verb::Post, Endpoint::Cache(Call::Touch))]),
    route("/keys", &[(Verb::Get, Endpoint::Cache(Call::Keys))]),
    route("/flush", &[(Verb::Post, Endpoint::Cache(Call::Flush))]),
    route("/namespaces", &[(Verb::Get, Endpoint::Cache(Call::Spaces))]),
    route("/namespaces/{ns}", &[(Verb::Delete, Endpoint::Cache(Call::ClearSpace))]),
];

pub(super) async fn answer(call: Call, asked: &mut Asked<'_>) -> Result<Response<Body>, Error> {
    match call {
        Call::Get => value::get(asked),
        Call::Set => value::set(asked).await,
        Call::Delete => value::delete(asked),
        Call::Batch => batch::run(asked).await,
        Call::WarmUp => Box::pin(warmup::run(asked)).await,
        Call::Increment => counter::increment(asked).await,
        Call::Decrement => counter::decrement(asked).await,
        Call::Version => version::version(asked),
        Call::Exchange => version::exchange(asked).await,
        Call::TimeLeft => deadline::time_left(asked),
        Call::Touch => deadline::touch(asked).await,
        Call::Keys => Box::pin(keys::page(asked)).await,
        Call::Flush => Box::pin(spaces::flush(asked)).await,
        Call::Spaces => Ok(spaces::list(asked)),
        Call::ClearSpace => spaces::clear(asked),
    }
}
