//! What clients of InfluxDB ask for: its routes for writes, under their own names for a namespace, and the little around
//! them that agents need before they send anything.

use std::borrow::Cow;

use axum::body::Body;
use hyper::{
    Method, Response, StatusCode,
    header::{HeaderName, HeaderValue},
};
use manifold_engine::Kind;

use super::{
    line::Precision,
    write::{self, Manner},
};
use crate::{
    dialects::flo::{
        Reply,
        call::Call,
        error::{Error, Spelling},
        names,
    },
    http::{query::Query, reply},
    net::Incoming,
};

#[cfg(test)]
mod tests;

/// InfluxDB 1: a database.
pub(in crate::dialects::flo) const WRITE: &str = "/write";
/// InfluxDB 2: a bucket.
pub(in crate::dialects::flo) const WRITE_V2: &str = "/api/v2/write";
/// InfluxDB 3: a database.
pub(in crate::dialects::flo) const WRITE_V3: &str = "/api/v3/write_lp";
/// InfluxDB 1: statements.
pub(in crate::dialects::flo) const QUERY: &str = "/query";
/// All of them: is anybody there?
pub(in crate::dialects::flo) const PING: &str = "/ping";

const VERSION: HeaderName = HeaderName::from_static("x-influxdb-version");
const BUILD: HeaderName = HeaderName::from_static("x-influxdb-build");
/// Longest form with a statement.
const FORM_BYTES: usize = 64 << 10;
/// A statement was done.
const DONE: &[u8] = br#"{"results":[{"statement_id":0}]}"#;

/// Whether a route is one of InfluxDB's that only those may use who have a token.
pub(in crate::dialects::flo) fn is_guarded(route: &str) -> bool {
    matches!(route, WRITE | WRITE_V2 | WRITE_V3 | QUERY)
}

/// How clients of a route expect an error to look.
pub(in crate::dialects::flo) fn spelling(route: &str) -> Spelling {
    match route {
        WRITE | WRITE_V3 | QUERY => Spelling::Influx1,
        WRITE_V2 => Spelling::Influx2,
        _ => Spelling::Flo,
    }
}

/// POST /write.
pub(in crate::dialects::flo) async fn write(call: Call<'_>, incoming: Incoming) -> Reply {
    let query = call.query()?;
    let database = query.text("db").ok_or(Error::invalid("Parameter 'db' is required"))?;
    store(&call, &query, database, Precision::NANOSECOND, incoming).await
}

/// POST /api/v2/write. What follows a slash in a bucket's name is a retention policy.
pub(in crate::dialects::flo) async fn write_v2(call: Call<'_>, incoming: Incoming) -> Reply {
    let query = call.query()?;
    let bucket = query.text("bucket").ok_or(Error::invalid("Parameter 'bucket' is required"))?;
    let database = bucket.split('/').next().unwrap_or_default();
    store(&call, &query, database, Precision::NANOSECOND, incoming).await
}

/// POST /api/v3/write_lp.
pub(in crate::dialects::flo) async fn write_v3(call: Call<'_>, incoming: Incoming) -> Reply {
    let query = call.query()?;
    let database = query.text("db").ok_or(Error::invalid("Parameter 'db' is required"))?;
    store(&call, &query, database, Precision::Auto, incoming).await
}

async fn store(call: &Call<'_>, query: &Query<'_>, database: &str, precision: Precision, incoming: Incoming) -> Reply {
    let namespace = names::namespace_named(database)?;
    let manner = Manner::asked(query, precision)?;
    write::write(call, &namespace, manner, incoming).await?;
    Ok(nothing())
}

/// GET /ping.
pub(in crate::dialects::flo) fn ping() -> Reply {
    let mut response = nothing();
    response.headers_mut().insert(VERSION, HeaderValue::from_static("1.8.10"));
    response.headers_mut().insert(BUILD, HeaderValue::from_static("manifold"));
    Ok(response)
}

/// GET and POST /query: the statement is a parameter of the address or of a form. HEAD learns what GET would answer,
/// and nothing is done.
pub(in crate::dialects::flo) async fn query(call: Call<'_>, incoming: Incoming) -> Reply {
    let query = call.query()?;
    let form = call.bytes(incoming, FORM_BYTES).await?;
    let form = std::str::from_utf8(&form).map_err(|_| Error::invalid("Request body is not a form"))?;
    let form = Query::parse(Some(form))?;
    let statement = query.text("q").or(form.text("q")).ok_or(Error::invalid("Parameter 'q' is required"))?;
    let name = new_database(statement).ok_or(Error::invalid("Only CREATE DATABASE is supported"))?;
    let namespace = names::namespace_named(&name)?;
    if call.parts.method == Method::HEAD {
        return Ok(reply::json(DONE));
    }
    match call.engine().create_namespace(&namespace).await {
        // One that is there already is as good.
        Err(error) if !matches!(error.kind(), Kind::Conflict { .. }) => Err(error.into()),
        _ => Ok(reply::json(DONE)),
    }
}

fn nothing() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// The name in `CREATE DATABASE name`, if the statement is one.
fn new_database(statement: &str) -> Option<Cow<'_, str>> {
    let statement = statement.trim().trim_end_matches(';').trim_end();
    let name = keyword(keyword(statement, "CREATE")?, "DATABASE")?;
    let Some(quoted) = name.strip_prefix('"') else {
        let bare = !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ';'));
        return bare.then_some(Cow::Borrowed(name));
    };
    let mut text = String::with_capacity(quoted.len());
    let mut characters = quoted.chars();
    loop {
        match characters.next()? {
            '"' => return characters.as_str().is_empty().then_some(Cow::Owned(text)),
            '\\' => text.push(characters.next().filter(|escaped| matches!(escaped, '"' | '\\'))?),
            character => text.push(character),
        }
    }
}

/// What follows a keyword and white space.
fn keyword<'a>(text: &'a str, keyword: &str) -> Option<&'a str> {
    let (word, rest) = text.split_at_checked(keyword.len())?;
    let spaced = rest.trim_start();
    (word.eq_ignore_ascii_case(keyword) && spaced.len() < rest.len()).then_some(spaced)
}
