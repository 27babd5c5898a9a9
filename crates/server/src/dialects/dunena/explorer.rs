//! The interactive explorer below `/docs/`: Swagger UI over the OpenAPI document. Every file is part of the binary, and
//! the page may load nothing from anywhere else.

use axum::body::Body;
use bytes::Bytes;
use hyper::{
    HeaderMap, Response, StatusCode,
    header::{CONTENT_SECURITY_POLICY, HeaderValue, LOCATION},
};

use super::{
    asked::Asked,
    error::Error,
    openapi,
    routes::{Endpoint, route},
};
use crate::http::{
    browser::HARDENING,
    embedded::Embedded,
    route::{Route, Verb},
};

/// What is asked of the explorer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    /// The way to the page.
    Root,
    /// The file of this name.
    Known(&'static str),
    /// The file that the path names.
    Named,
}

pub(super) static ROUTES: &[Route<Endpoint>] = &[
    route("/docs", &[(Verb::Get, Endpoint::Explorer(Call::Known(PAGE)))]),
    route("/docs/openapi.json", &[(Verb::Get, Endpoint::Explorer(Call::Known("openapi.json")))]),
    route("/docs/openapi.yaml", &[(Verb::Get, Endpoint::Explorer(Call::Known("openapi.yaml")))]),
    Route { template: "/docs/{file}", rest: true, operations: &[(Verb::Get, Endpoint::Explorer(Call::Named))] },
    route("/", &[(Verb::Get, Endpoint::Explorer(Call::Root))]),
];

/// The page has no name of its own.
const PAGE: &str = "";

/// Swagger UI sets styles of elements and has pictures in its style sheet.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'",
);

const HTML: &str = "text/html;charset=utf-8";
const CSS: &str = "text/css;charset=utf-8";
const SCRIPT: &str = "text/javascript;charset=utf-8";

macro_rules! ours {
    ($name:literal) => {
        || Bytes::from_static(include_bytes!(concat!("explorer/", $name)))
    };
}

/// A file of Swagger UI; the build script packs it.
macro_rules! vendored {
    ($name:literal) => {
        include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".gz"))
    };
}

/// Every file by its name below `/docs/`.
static FILES: [(&str, Embedded); 7] = [
    (PAGE, Embedded::text(HTML, ours!("index.html"))),
    ("explorer.css", Embedded::text(CSS, ours!("explorer.css"))),
    ("explorer.js", Embedded::text(SCRIPT, ours!("explorer.js"))),
    ("swagger-ui.css", Embedded::gzip(CSS, vendored!("swagger-ui.css"))),
    ("swagger-ui-bundle.js", Embedded::gzip(SCRIPT, vendored!("swagger-ui-bundle.js"))),
    ("openapi.json", Embedded::text("application/json;charset=utf-8", openapi::json)),
    ("openapi.yaml", Embedded::text("application/yaml;charset=utf-8", openapi::yaml)),
];

pub(super) fn answer(call: Call, asked: &Asked<'_>) -> Result<Response<Body>, Error> {
    match call {
        Call::Root => Ok(to_the_page()),
        Call::Known(name) => file(name, &asked.parts.headers),
        Call::Named => file(asked.parameters[0], &asked.parts.headers),
    }
}

fn to_the_page() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
    response.headers_mut().insert(LOCATION, HeaderValue::from_static("/docs/"));
    response
}

fn file(name: &str, headers: &HeaderMap) -> Result<Response<Body>, Error> {
    let (_, file) = FILES.iter().find(|(found, _)| *found == name).ok_or(Error::NoRoute)?;
    let mut response = file.answer(headers);
    response.headers_mut().extend(HARDENING);
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, POLICY);
    Ok(response)
}
