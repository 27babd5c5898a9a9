//! GET `/dashboard`: one page that loads nothing and talks to this server alone.

use std::sync::LazyLock;

use axum::body::Body;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hyper::{
    Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue, REFERRER_POLICY},
};
use sha2::{Digest, Sha256};

use super::{
    answer,
    asked::Asked,
    error::Error,
    routes::{Endpoint, route},
};
use crate::http::{
    browser::HARDENING,
    route::{Route, Verb},
};

#[cfg(test)]
mod tests;

const PAGE: &str = include_str!("dashboard.html");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

pub(super) static ROUTES: &[Route<Endpoint>] = &[route("/dashboard", &[(Verb::Get, Endpoint::Dashboard)])];

pub(super) fn answer(asked: &Asked<'_>) -> Result<Response<Body>, Error> {
    if !asked.dunena.dashboard {
        return Err(Error::NoRoute);
    }
    let mut response = answer::typed(StatusCode::OK, HTML, PAGE);
    let headers = response.headers_mut();
    headers.extend(HARDENING);
    headers.insert(CONTENT_SECURITY_POLICY, POLICY.clone());
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}

/// What the page may do: its own style and its own script, known by their hashes, and requests to this server. The empty
/// icon is there so that browsers do not ask for one.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let (style, script) = (hash("style"), hash("script"));
    let policy = format!(
        "default-src 'none'; style-src {style}; script-src {script}; connect-src 'self'; img-src data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).expect("hashes in base64 are visible ASCII")
});

/// The hash of what is between the tags of the page's only element of this kind, as a policy spells it.
fn hash(element: &str) -> String {
    let inner = inner(element).expect("the page is known when this is compiled, and a test reads it");
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(inner)))
}

fn inner(element: &str) -> Option<&'static str> {
    let (_, rest) = PAGE.split_once(&format!("<{element}>"))?;
    rest.split_once(&format!("</{element}>")).map(|(inner, _)| inner)
}
