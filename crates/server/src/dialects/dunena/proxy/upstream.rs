//! What is at the other end of a connector, and how a query is put to it.

use bytes::Bytes;
use hyper::{
    HeaderMap, Method,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use url::Url;

use super::{
    Failure, Kind,
    failure::MAX_REFUSAL_BYTES,
    native::{self, Native},
    secrets::Secrets,
    statement,
};
use crate::{
    http::json::{self, RawValue},
    outbound::{Client, Guard, Request, take_credentials},
};

#[cfg(test)]
mod tests;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// What the parser of addresses would drop from a path, or take for a slash.
const MENDED: &AsciiSet = &CONTROLS.add(b'\\');

/// What all upstreams are reached with.
#[derive(Debug)]
pub(super) struct Reach {
    pub(super) client: Client,
    pub(super) guard: Guard,
    pub(super) limits: native::Limits,
}

/// The other end of a connector.
pub(super) struct Upstream {
    kind: Kind,
    end: End,
}

enum End {
    Web(Web),
    Native(Native),
}

/// An address that is called over HTTP.
struct Web {
    /// Without user and password.
    url: Url,
    headers: HeaderMap,
    /// What an upstream may repeat when it refuses.
    secrets: Secrets,
}

/// The connection string has not the form that its kind asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct InvalidConnectionString;

/// How an upstream is reached, as it was registered.
#[derive(Clone, Copy)]
pub(super) struct Source<'s> {
    pub(super) kind: Kind,
    pub(super) connection_string: &'s str,
    pub(super) read_only: bool,
    /// Sent along, over HTTP.
    pub(super) headers: &'s HeaderMap,
}

impl Upstream {
    /// Reads where a connector leads; nothing is contacted.
    pub(super) fn open(source: Source<'_>, reach: &Reach) -> Result<Upstream, InvalidConnectionString> {
        let Source { kind, connection_string, read_only, headers } = source;
        let end = match (web_address(connection_string), kind) {
            (Some(url), _) => End::Web(Web::new(connection_string, &url, headers.clone())),
            (None, Kind::Http | Kind::Elasticsearch) => return Err(InvalidConnectionString),
            (None, Kind::PostgreSql | Kind::MySql | Kind::Sqlite) => {
                let (guard, limits) = (reach.guard.clone(), reach.limits.clone());
                let native = Native::open(kind, connection_string, read_only, guard, limits);
                End::Native(native.map_err(|_| InvalidConnectionString)?)
            }
        };
        Ok(Upstream { kind, end })
    }

    /// What a query gives, as a JSON text.
    pub(super) async fn query(&self, reach: &Reach, query: &str, params: Option<&RawValue>) -> Result<Bytes, Failure> {
        match &self.end {
            End::Web(web) => web.query(self.kind, &reach.client, query, params).await,
            End::Native(native) => {
                let params = params.map_or(Ok(Vec::new()), |params| serde_json::from_str(params.get()));
                // What is no array was refused with the request.
                let params: Vec<&RawValue> = params.unwrap_or_default();
                native.query(query, &params).await.map(Bytes::from)
            }
        }
    }

    /// Ends the connections that are kept.
    pub(super) async fn close(&self) {
        match &self.end {
            End::Web(_) => {}
            End::Native(native) => native.close().await,
        }
    }
}

impl Web {
    fn new(connection_string: &str, given: &Url, mut headers: HeaderMap) -> Web {
        let mut url = given.clone();
        url.set_fragment(None);
        let credentials = take_credentials(&mut url);
        let secrets = secrets(connection_string, given, &url, credentials.as_ref());
        if let Some(credentials) = credentials {
            // What a registration says outright counts for more than what its address brings along.
            headers.entry(AUTHORIZATION).or_insert(credentials);
        }
        headers.entry(CONTENT_TYPE).or_insert(JSON);
        headers.entry(ACCEPT).or_insert(JSON);
        Web { url, headers, secrets }
    }

    async fn query(
        &self,
        kind: Kind,
        client: &Client,
        query: &str,
        params: Option<&RawValue>,
    ) -> Result<Bytes, Failure> {
        let (method, url, body) = match kind {
            Kind::Http => (Method::POST, self.url.clone(), question(None, query, params.map(RawValue::get))),
            Kind::PostgreSql | Kind::MySql | Kind::Sqlite => {
                let params = Some(params.map_or("[]", RawValue::get));
                (Method::POST, self.url.clone(), question(Some(kind), query, params))
            }
            Kind::Elasticsearch if is_object(query) => {
                (Method::POST, below(&self.url, "/_search")?, query.as_bytes().to_vec())
            }
            Kind::Elasticsearch => (Method::GET, below(&self.url, query)?, Vec::new()),
        };
        let (headers, body) = (self.headers.clone(), Bytes::from(body));
        let repeatable = !statement::is_mutation(kind, query);
        let refusal_bytes = MAX_REFUSAL_BYTES + 4 + self.secrets.longest();
        let reply = client.send(Request { method, url, headers, body, refusal_bytes, repeatable }).await?;
        if !reply.status.is_success() {
            let said = self.secrets.hide_in_beginning(&String::from_utf8_lossy(&reply.body));
            return Err(Failure::status(kind, reply.status.as_u16(), said.as_bytes()));
        }
        json_text(&reply.body).ok_or(Failure::NotJson)
    }
}

/// An address of http or https, written out in full.
fn web_address(text: &str) -> Option<Url> {
    // The parser would mend what browsers mend, and nobody could tell where that leads.
    if text.bytes().any(|byte| byte.is_ascii_control() || byte == b' ' || byte == b'\\') || !text.contains("://") {
        return None;
    }
    Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// What no text may show of an address as it was given and as it is called: all of it, and each part that lets somebody in;
/// as they stand there, and decoded.
fn secrets(connection_string: &str, given: &Url, called: &Url, credentials: Option<&HeaderValue>) -> Secrets {
    let query = called.query().unwrap_or_default();
    let values = query.split('&').map(|pair| pair.split_once('=').map_or(pair, |(_, value)| value));
    let basic = credentials.and_then(|value| value.to_str().ok()?.strip_prefix("Basic "));
    let parts: Vec<&str> = [connection_string, called.as_str(), query, given.username()]
        .into_iter()
        .chain(given.password())
        .chain(basic)
        .chain(values)
        .collect();
    // In a query a plus is a space to most, and a plus to some.
    let decoded: Vec<String> =
        parts.iter().flat_map(|part| [decoded(part), decoded(&part.replace('+', " "))]).collect();
    Secrets::new(parts.into_iter().chain(decoded.iter().map(String::as_str)))
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// What is asked over HTTP; a bridge is also told which database is meant.
fn question(kind: Option<Kind>, query: &str, params: Option<&str>) -> Vec<u8> {
    let mut body = Vec::with_capacity(query.len() + 64);
    body.push(b'{');
    if let Some(kind) = kind {
        body.extend_from_slice(br#""type":"#);
        json::write_str(&mut body, kind.as_str());
        body.push(b',');
    }
    body.extend_from_slice(br#""query":"#);
    json::write_str(&mut body, query);
    if let Some(params) = params {
        body.extend_from_slice(br#","params":"#);
        body.extend_from_slice(params.as_bytes());
    }
    body.push(b'}');
    body
}

fn is_object(query: &str) -> bool {
    json::members(query, &[]).is_ok()
}

/// The address of `query`, a path with or without parameters, below a base. One that may lead out of it is refused.
fn below(base: &Url, query: &str) -> Result<Url, Failure> {
    let mut url = base.clone();
    let (path, parameters) = query.split_once('?').map_or((query, None), |(path, rest)| (path, Some(rest)));
    if has_dot_segment(path) {
        return Err(Failure::NotAllowed);
    }
    let slash = if path.starts_with('/') { "" } else { "/" };
    let prefix = base.path().strip_suffix('/').unwrap_or(base.path());
    url.set_path(&format!("{prefix}{slash}{}", utf8_percent_encode(path, MENDED)));
    let parameters = parameters.map(|parameters| utf8_percent_encode(parameters, CONTROLS).to_string());
    match (base.query(), parameters) {
        (Some(always), Some(now)) => url.set_query(Some(&format!("{always}&{now}"))),
        (None, Some(now)) => url.set_query(Some(&now)),
        (_, None) => {}
    }
    Ok(url)
}

/// Whether a segment of a path is `.` or `..`, for whoever splits it before it is decoded or after that.
fn has_dot_segment(path: &str) -> bool {
    decoded(path).split(['/', '\\']).any(|segment| matches!(segment, "." | ".."))
}

/// The one JSON text that a body is, without a byte order mark and what stands around it. No tree is built.
fn json_text(body: &Bytes) -> Option<Bytes> {
    let text = json::text(body).ok()?;
    let value: &RawValue = serde_json::from_str(text).ok()?;
    Some(body.slice_ref(value.get().as_bytes()))
}
