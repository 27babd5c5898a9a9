//! Documents: durable texts with tags and a deadline, by namespace and key.

use axum::body::Body;
use hyper::Response;

use super::{
    asked::Asked,
    error::Error,
    routes::{Endpoint, route},
};
use crate::http::route::{Route, Verb};

mod batch;
mod entry;
mod one;
mod query;
mod space;
mod stream;
mod whole;

/// What is asked of the documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Get,
    Set,
    Delete,
    Batch,
    Stats,
    Keys,
    Clear,
    Purge,
}

pub(super) static ROUTES: &[Route<Endpoint>] = &[
    route(
        "/db/{key}",
        &[
            (Verb::Get, Endpoint::Db(Call::Get)),
            (Verb::Post, Endpoint::Db(Call::Set)),
            (Verb::Delete, Endpoint::Db(Call::Delete)),
        ],
    ),
    route("/db", &[(Verb::Post, Endpoint::Db(Call::Batch))]),
    route("/db-stats", &[(Verb::Get, Endpoint::Db(Call::Stats))]),
    route("/db-keys", &[(Verb::Get, Endpoint::Db(Call::Keys))]),
    route("/db-clear", &[(Verb::Post, Endpoint::Db(Call::Clear))]),
    route("/db-purge", &[(Verb::Post, Endpoint::Db(Call::Purge))]),
];

pub(super) async fn answer(call: Call, asked: &mut Asked<'_>) -> Result<Response<Body>, Error> {
    match call {
        Call::Get => one::get(asked).await,
        Call::Set => one::set(asked).await,
        Call::Delete => one::delete(asked).await,
        Call::Batch => batch::answer(asked).await,
        Call::Stats => whole::stats(asked).await,
        Call::Keys => whole::keys(asked).await,
        Call::Clear => whole::clear(asked).await,
        Call::Purge => whole::purge(asked).await,
    }
}
