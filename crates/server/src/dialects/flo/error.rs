//! Every error of the dialect: status, code, text and what else its body or headers say.

use std::borrow::Cow;

use axum::body::Body;
use hyper::{
    Response, StatusCode,
    header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE},
};
use manifold_engine::{self as engine, Kind, State};

use super::ts::{Rejection, floql::Mistake};
use crate::{
    http::{
        body::BodyError,
        gzip::{BadCoding, Undecoded},
        json::{self, Malformed},
        path::BadEncoding,
        query::BadQuery,
        reply::JSON,
    },
    net::Refusal,
};

#[cfg(test)]
mod tests;

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Error {
    /// 400: this request can never succeed.
    Invalid(Cow<'static, str>),
    /// 400: a member of the body that must be there is not.
    Missing(&'static str),
    /// 400: a member of the body is not what it must be.
    Field { field: &'static str, rule: &'static str },
    /// 400: a parameter of the query is not what it must be.
    Parameter { parameter: &'static str, rule: &'static str },
    /// 400: a query makes no sense.
    Query(Mistake),
    /// 400: lines of a write make no sense; others may have been written.
    Lines(Box<Rejection>),
    /// 401.
    Unauthorized,
    /// 403: a page of another site wants to write.
    ForeignOrigin,
    /// 404: no such route.
    NoRoute,
    /// 404: no such thing; `Queue`, `Stream`, `Group`.
    Absent(&'static str),
    /// 404: no such key.
    NoKey { key: Vec<u8> },
    /// 405.
    MethodNotAllowed { allow: String },
    /// 400: the body ended before its end, or its chunks are none.
    BodyCutOff,
    /// 408: the body came too slowly.
    BodyTooSlow,
    /// 409: the key is at another version; 0 = absent.
    Version { key: Vec<u8>, current: u64 },
    /// 409: the key should be absent.
    KeyExists { key: Vec<u8>, current: u64 },
    /// 409: the key holds a collection of another dialect.
    WrongType { key: Vec<u8> },
    /// 409.
    NamespaceExists,
    /// 413: the body.
    BodyTooLarge { limit: usize },
    /// 413: what a member holds.
    FieldTooLarge { field: &'static str, limit: usize },
    /// 413: what the request asks for as a whole; the engine's sentence.
    TooLarge(String),
    /// 415.
    UnsupportedCoding,
    /// 421: the request is for another host.
    ForeignHost,
    /// 431.
    HeadTooLarge,
    /// 429: a request, memory or queue limit.
    Overloaded,
    /// 500: a write failed, or a defect.
    Internal,
    /// 503.
    Unavailable(Condition),
    /// Growth was refused: 429 at a limit, 503 on a full disk. [`Error::settle`] says which.
    Full,
    /// The log failed: 500 for whoever met it first, 503 afterwards. [`Error::settle`] says which.
    Storage,
}

/// Why the node does not do what it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    Starting,
    Stopping,
    Degraded,
}

/// Whose errors an error looks like. All of them have `error`, `message` and `details`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    /// `error` is a code.
    Flo,
    /// `error` is a sentence.
    Influx1,
    /// There is a `code` of its own besides.
    Influx2,
}

impl Condition {
    /// The condition in which no request is answered, if the engine is in one.
    pub(super) fn not_serving(state: &State) -> Option<Condition> {
        match state {
            State::Starting => Some(Condition::Starting),
            State::Stopping => Some(Condition::Stopping),
            State::Ready | State::DiskFull | State::Failed(_) => None,
        }
    }
}

impl Error {
    /// A 400 with a text known when it was compiled.
    pub(super) const fn invalid(text: &'static str) -> Self {
        Error::Invalid(Cow::Borrowed(text))
    }

    /// Decides what only the engine's state tells: `before` the request and `now`.
    pub(super) fn settle(self, before: &State, now: &State) -> Error {
        match self {
            Error::Full if matches!(now, State::DiskFull | State::Failed(_)) => Error::Unavailable(Condition::Degraded),
            Error::Full => Error::Overloaded,
            Error::Storage if matches!(before, State::Failed(_)) => Error::Unavailable(Condition::Degraded),
            Error::Storage => Error::Internal,
            Error::Unavailable(_) => Error::Unavailable(Condition::not_serving(now).unwrap_or(Condition::Degraded)),
            other => other,
        }
    }

    pub(super) fn status(&self) -> StatusCode {
        match self {
            Error::Invalid(_)
            | Error::Missing(_)
            | Error::Field { .. }
            | Error::Parameter { .. }
            | Error::Query(_)
            | Error::Lines(_)
            | Error::BodyCutOff => StatusCode::BAD_REQUEST,
            Error::Unauthorized => StatusCode::UNAUTHORIZED,
            Error::ForeignOrigin => StatusCode::FORBIDDEN,
            Error::NoRoute | Error::Absent(_) | Error::NoKey { .. } => StatusCode::NOT_FOUND,
            Error::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Error::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
            Error::Version { .. } | Error::KeyExists { .. } | Error::WrongType { .. } | Error::NamespaceExists => {
                StatusCode::CONFLICT
            }
            Error::BodyTooLarge { .. } | Error::FieldTooLarge { .. } | Error::TooLarge(_) => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            Error::UnsupportedCoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Error::ForeignHost => StatusCode::MISDIRECTED_REQUEST,
            Error::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Error::Overloaded | Error::Full => StatusCode::TOO_MANY_REQUESTS,
            Error::Internal | Error::Storage => StatusCode::INTERNAL_SERVER_ERROR,
            Error::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The document has seven codes; every other status borrows the one of its class.
    fn code(&self) -> &'static str {
        match self.status() {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => "unauthorized",
            StatusCode::NOT_FOUND => "not_found",
            StatusCode::CONFLICT => "conflict",
            StatusCode::TOO_MANY_REQUESTS => "overloaded",
            StatusCode::SERVICE_UNAVAILABLE => "unavailable",
            status if status.is_client_error() => "bad_request",
            _ => "internal",
        }
    }

    fn message(&self) -> Cow<'_, str> {
        Cow::Borrowed(match self {
            Error::Invalid(text) => text,
            Error::TooLarge(text) => text,
            Error::Lines(rejection) => &rejection.message,
            Error::Missing(field) => return format!("Field '{field}' is required").into(),
            Error::Field { field, rule } => return format!("Field '{field}' must be {rule}").into(),
            Error::Parameter { parameter, rule } => return format!("Parameter '{parameter}' must be {rule}").into(),
            Error::Query(mistake) => return mistake.to_string().into(),
            Error::Unauthorized => "Missing or invalid auth token",
            Error::ForeignOrigin => "Origin not allowed",
            Error::NoRoute => "Route not found",
            Error::Absent(what) => return format!("{what} not found").into(),
            Error::NoKey { .. } => "Key not found",
            Error::MethodNotAllowed { .. } => "Method not allowed",
            Error::BodyCutOff => "Request body was cut off or its framing is broken",
            Error::BodyTooSlow => "Request body came too slowly",
            Error::Version { current, .. } => return format!("Version conflict: current version is {current}").into(),
            Error::KeyExists { current, .. } => return format!("Key already exists at version {current}").into(),
            Error::WrongType { .. } => "Key holds another type",
            Error::NamespaceExists => "Namespace already exists",
            Error::BodyTooLarge { limit } => return format!("Request body is larger than {limit} bytes").into(),
            Error::FieldTooLarge { field, limit } => {
                return format!("Field '{field}' is larger than {limit} bytes").into();
            }
            Error::UnsupportedCoding => "Unsupported content encoding",
            Error::ForeignHost => "Host not allowed",
            Error::HeadTooLarge => "Request head is too large",
            Error::Overloaded | Error::Full => "Server at capacity, retry later",
            Error::Internal | Error::Storage => "Internal server error",
            Error::Unavailable(_) => "Node not ready or shutting down",
        })
    }

    /// The code that clients of InfluxDB 2 look at.
    fn influx_code(&self) -> &'static str {
        match self.status() {
            StatusCode::UNAUTHORIZED => "unauthorized",
            StatusCode::FORBIDDEN => "forbidden",
            StatusCode::NOT_FOUND => "not found",
            StatusCode::METHOD_NOT_ALLOWED => "method not allowed",
            StatusCode::PAYLOAD_TOO_LARGE => "request too large",
            StatusCode::TOO_MANY_REQUESTS => "too many requests",
            StatusCode::SERVICE_UNAVAILABLE => "unavailable",
            status if status.is_client_error() => "invalid",
            _ => "internal error",
        }
    }

    /// The sentence that clients of InfluxDB 1 look at.
    fn influx_text(&self) -> Cow<'_, str> {
        match self {
            Error::Lines(rejection) => format!("{} dropped={}", rejection.message, rejection.rejected).into(),
            other => other.message(),
        }
    }

    /// The answer over HTTP.
    pub(super) fn into_response(self, spelling: Spelling) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body(spelling)));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, JSON);
        if let Some((name, value)) = self.header() {
            headers.insert(name, value);
        }
        response
    }

    fn body(&self, spelling: Spelling) -> Vec<u8> {
        let mut out = Vec::with_capacity(160);
        out.push(b'{');
        if spelling == Spelling::Influx2 {
            out.extend_from_slice(b"\"code\":");
            json::write_str(&mut out, self.influx_code());
            out.push(b',');
        }
        out.extend_from_slice(b"\"error\":");
        match spelling {
            Spelling::Flo | Spelling::Influx2 => json::write_str(&mut out, self.code()),
            Spelling::Influx1 => json::write_str(&mut out, &self.influx_text()),
        }
        out.extend_from_slice(b",\"message\":");
        json::write_str(&mut out, &self.message());
        out.extend_from_slice(b",\"details\":{");
        self.write_details(&mut out);
        out.push(b'}');
        // The document shows these two beside the code, where its clients look for them.
        match self {
            Error::NoKey { key } => {
                out.extend_from_slice(b",\"key\":");
                json::write_bytes_as_str(&mut out, key);
            }
            Error::Version { current, .. } | Error::KeyExists { current, .. } => {
                out.extend_from_slice(b",\"current_version\":");
                json::write_u64(&mut out, *current);
            }
            Error::WrongType { .. } => out.extend_from_slice(b",\"current_version\":0"),
            _ => {}
        }
        out.push(b'}');
        out
    }

    fn write_details(&self, out: &mut Vec<u8>) {
        let versioned = |out: &mut Vec<u8>, key: &[u8], current: u64| {
            out.extend_from_slice(b"\"key\":");
            json::write_bytes_as_str(out, key);
            out.extend_from_slice(b",\"current_version\":");
            json::write_u64(out, current);
        };
        match self {
            Error::Missing(field) | Error::Field { field, .. } | Error::Parameter { parameter: field, .. } => {
                out.extend_from_slice(b"\"field\":");
                json::write_str(out, field);
            }
            Error::NoKey { key } => {
                out.extend_from_slice(b"\"key\":");
                json::write_bytes_as_str(out, key);
            }
            Error::Query(mistake) => {
                out.extend_from_slice(b"\"position\":");
                json::write_u64(out, mistake.at as u64);
                out.extend_from_slice(b",\"expected\":");
                json::write_str(out, &mistake.expected);
            }
            Error::Lines(rejection) => rejection.write(out),
            Error::Version { key, current } | Error::KeyExists { key, current } => versioned(out, key, *current),
            Error::WrongType { key } => versioned(out, key, 0),
            Error::Unavailable(condition) => out.extend_from_slice(match condition {
                Condition::Starting => b"\"status\":\"starting\"",
                Condition::Stopping => b"\"status\":\"stopping\"",
                Condition::Degraded => b"\"status\":\"degraded\"",
            }),
            _ => {}
        }
    }

    fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        match self {
            Error::Unauthorized => Some((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
            Error::MethodNotAllowed { allow } => HeaderValue::from_str(allow).ok().map(|allow| (ALLOW, allow)),
            // What is left of the body must not be taken for the next request.
            Error::BodyCutOff | Error::BodyTooSlow => Some((CONNECTION, HeaderValue::from_static("close"))),
            Error::Overloaded | Error::Full | Error::Unavailable(_) => {
                Some((RETRY_AFTER, HeaderValue::from_static("1")))
            }
            _ => None,
        }
    }
}

/// For verbs whose refusals need no name beside them; those about one key, queue or stream say more.
impl From<engine::Error> for Error {
    fn from(error: engine::Error) -> Self {
        match error.kind() {
            Kind::NotFound => Error::NoRoute,
            Kind::Conflict { current } => Error::Version { key: Vec::new(), current: *current },
            Kind::Invalid => Error::Invalid(Cow::Owned(error.to_string())),
            Kind::WrongType { .. } => Error::WrongType { key: Vec::new() },
            Kind::TooLarge => Error::TooLarge(error.to_string()),
            Kind::Full => Error::Full,
            Kind::Busy => Error::Overloaded,
            Kind::Closed => Error::Unavailable(Condition::Stopping),
            Kind::Storage => Error::Storage,
            Kind::Bug => {
                tracing::error!(%error, "a request met a defect");
                Error::Internal
            }
        }
    }
}

impl Error {
    /// The refusal of a verb about one key.
    pub(super) fn of_key(key: &[u8], error: engine::Error) -> Error {
        match error.kind() {
            Kind::NotFound => Error::NoKey { key: key.to_vec() },
            Kind::Conflict { current } => Error::Version { key: key.to_vec(), current: *current },
            Kind::WrongType { .. } => Error::WrongType { key: key.to_vec() },
            _ => error.into(),
        }
    }

    /// The refusal of a verb about a queue, a stream or a group: `what` is absent when it was not found.
    pub(super) fn of(what: &'static str) -> impl Fn(engine::Error) -> Error {
        move |error| match error.kind() {
            Kind::NotFound => Error::Absent(what),
            _ => error.into(),
        }
    }

    /// A body that was not read: `limit` is how long it may be.
    pub(super) fn of_body(error: BodyError, limit: usize) -> Error {
        match error {
            BodyError::TooLarge => Error::BodyTooLarge { limit },
            BodyError::TooSlow => Error::BodyTooSlow,
            // Nobody listens any more when the client went away; who sent broken chunks does.
            BodyError::Aborted => Error::BodyCutOff,
            BodyError::NoRoom => Error::Overloaded,
        }
    }

    /// A body that was not decoded.
    pub(super) fn of_coding(error: Undecoded, limit: usize) -> Error {
        match error {
            Undecoded::Unknown => Error::UnsupportedCoding,
            Undecoded::Bad(BadCoding::TooLarge) => Error::BodyTooLarge { limit },
            Undecoded::Bad(BadCoding::Damaged) => Error::invalid("Request body is not valid gzip"),
            Undecoded::NoRoom => Error::Overloaded,
            Undecoded::Failed => Error::Internal,
        }
    }
}

impl From<Mistake> for Error {
    fn from(mistake: Mistake) -> Self {
        Error::Query(mistake)
    }
}

impl From<Malformed> for Error {
    fn from(error: Malformed) -> Self {
        match error {
            Malformed::Syntax => Error::invalid("Request body is not valid JSON"),
            Malformed::OtherType => Error::invalid("Request body must be a JSON object"),
        }
    }
}

impl From<BadEncoding> for Error {
    fn from(BadEncoding: BadEncoding) -> Self {
        Error::invalid("Invalid path encoding")
    }
}

impl From<BadQuery> for Error {
    fn from(error: BadQuery) -> Self {
        match error {
            BadQuery::Encoding => Error::invalid("Invalid query encoding"),
            BadQuery::NotAnInteger(parameter) => Error::Parameter { parameter, rule: "an integer" },
            BadQuery::NotABoolean(parameter) => Error::Parameter { parameter, rule: "a boolean" },
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::TargetTooLong => Error::HeadTooLarge,
            Refusal::BadHost => Error::invalid("Invalid Host header"),
            Refusal::ForeignHost => Error::ForeignHost,
            Refusal::AmbiguousLength => Error::invalid("Ambiguous body length"),
            Refusal::Overloaded => Error::Overloaded,
            Refusal::Panicked => Error::Internal,
        }
    }
}
