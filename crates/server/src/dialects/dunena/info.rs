//! GET `/info`: what server this is.

use axum::body::Body;
use hyper::Response;
use serde::Serialize;

use super::{
    answer,
    asked::Asked,
    routes::{Endpoint, route},
};
use crate::http::{
    json::Number,
    route::{Route, Verb},
};

/// The version of the API, which clients compare.
const VERSION: &str = "0.2.0";

pub(super) static ROUTES: &[Route<Endpoint>] = &[route("/info", &[(Verb::Get, Endpoint::Info)])];

pub(super) fn answer(asked: &Asked<'_>) -> Response<Body> {
    let dunena = asked.dunena;
    answer::value(&Info {
        name: "dunena",
        version: VERSION,
        entries: dunena.cache.stats().entries,
        uptime: Number(dunena.began.elapsed().as_secs_f64()),
        database: dunena.documents.is_some(),
        server_version: env!("CARGO_PKG_VERSION"),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Info {
    name: &'static str,
    version: &'static str,
    entries: u64,
    uptime: Number,
    database: bool,
    server_version: &'static str,
}
