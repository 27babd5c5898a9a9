//! Every error of the dialect: status, text and what else its body or headers say.

use std::borrow::Cow;

use axum::body::Body;
use hyper::{
    Response, StatusCode,
    header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE},
};
use manifold_engine::{self as engine, Kind, NameError};

use super::reply::{JSON, SEQ, number};
use crate::{
    http::{
        body::BodyError,
        json::{self, Malformed, NotText},
        path::BadEncoding,
        query::BadQuery,
    },
    net::Refusal,
};

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Error {
    /// 400: this path, query, header or body can never succeed.
    Invalid(Cow<'static, str>),
    /// 401.
    Unauthorized,
    /// 403: the agent key on a write.
    ReadOnly,
    /// 403: a page of another site, where everybody knows the key.
    ForeignOrigin,
    /// 404: no such route.
    NoRoute,
    /// 404: no such key, in the state at this head.
    NoEntry { head: u64 },
    /// 405.
    MethodNotAllowed { allow: String },
    /// 408: the body came too slowly.
    BodyTooSlow,
    /// 409: the condition of a write did not hold; `current` is the live version or 0.
    Conflict { current: u64, operation: Option<usize> },
    /// 409: the key holds a collection of another dialect.
    WrongType,
    /// 410: cluster membership.
    Membership,
    /// 410: records after the cursor are gone and the client asked to be told so.
    Compacted { oldest_seq: u64, last_seq: u64 },
    /// 413.
    TooLarge,
    /// 414.
    TargetTooLong,
    /// 421: a name that this server does not go by.
    ForeignHost,
    /// 500: a request for the WebSocket that is no upgrade.
    UpgradeFailed,
    /// 500: a defect.
    Internal,
    /// 503.
    Unavailable,
    /// 503: `minSeq` was not reached in time.
    NotReached,
    /// 503: too many connections, or bytes of bodies.
    Overloaded,
}

impl Error {
    /// A 400 with a text known when it was compiled.
    pub(super) const fn invalid(text: &'static str) -> Self {
        Error::Invalid(Cow::Borrowed(text))
    }

    /// A 400 about a name: `what` is how the request calls it.
    pub(super) fn name(what: &str, error: NameError) -> Self {
        Error::Invalid(Cow::Owned(format!("{what} {error}")))
    }

    pub(super) fn status(&self) -> StatusCode {
        match self {
            Error::Invalid(_) => StatusCode::BAD_REQUEST,
            Error::Unauthorized => StatusCode::UNAUTHORIZED,
            Error::ReadOnly | Error::ForeignOrigin => StatusCode::FORBIDDEN,
            Error::NoRoute | Error::NoEntry { .. } => StatusCode::NOT_FOUND,
            Error::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Error::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
            Error::Conflict { .. } | Error::WrongType => StatusCode::CONFLICT,
            Error::Membership | Error::Compacted { .. } => StatusCode::GONE,
            Error::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Error::TargetTooLong => StatusCode::URI_TOO_LONG,
            Error::ForeignHost => StatusCode::MISDIRECTED_REQUEST,
            Error::UpgradeFailed | Error::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Error::Unavailable | Error::NotReached | Error::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    pub(super) fn text(&self) -> &str {
        match self {
            Error::Invalid(text) => text,
            Error::Unauthorized => "Unauthorized",
            Error::ReadOnly => "Read-only API key",
            Error::ForeignOrigin => "Origin not allowed",
            Error::NoRoute | Error::NoEntry { .. } => "Not found",
            Error::MethodNotAllowed { .. } => "Method not allowed",
            Error::BodyTooSlow => "Request timeout",
            Error::Conflict { .. } => "CAS conflict",
            Error::WrongType => "Key holds another type",
            Error::Membership => "Cluster membership is managed by Valkey, not Unison",
            Error::Compacted { .. } => "Compacted",
            Error::TooLarge => "Payload too large",
            Error::TargetTooLong => "URI too long",
            Error::ForeignHost => "Host not allowed",
            Error::UpgradeFailed => "WebSocket upgrade failed",
            Error::Internal => "Internal server error",
            Error::Unavailable => "Store unavailable",
            Error::NotReached => "Sequence not reached",
            Error::Overloaded => "Overloaded",
        }
    }

    /// The answer over HTTP.
    pub(super) fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body()));
        *response.status_mut() = self.status();
        response.headers_mut().insert(CONTENT_TYPE, JSON);
        if let Some((name, value)) = self.header() {
            response.headers_mut().insert(name, value);
        }
        response
    }

    fn body(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64);
        out.extend_from_slice(b"{\"error\":");
        json::write_str(&mut out, self.text());
        let mut member = |name: &str, value: u64| {
            out.extend_from_slice(name.as_bytes());
            json::write_u64(&mut out, value);
        };
        match self {
            Error::Conflict { current, operation } => {
                member(",\"currentVersion\":", *current);
                if let Some(index) = operation {
                    member(",\"index\":", *index as u64);
                }
            }
            Error::Compacted { oldest_seq, last_seq } => {
                member(",\"oldestSeq\":", *oldest_seq);
                member(",\"lastSeq\":", *last_seq);
            }
            _ => {}
        }
        out.push(b'}');
        out
    }

    fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        match self {
            Error::Unauthorized => Some((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
            Error::MethodNotAllowed { allow } => HeaderValue::from_str(allow).ok().map(|allow| (ALLOW, allow)),
            Error::NoEntry { head } | Error::Compacted { last_seq: head, .. } => Some((SEQ, number(*head))),
            // What is left of the body must not be taken for the next request.
            Error::BodyTooSlow => Some((CONNECTION, HeaderValue::from_static("close"))),
            Error::Overloaded => Some((RETRY_AFTER, HeaderValue::from_static("1"))),
            _ => None,
        }
    }
}

impl From<engine::Error> for Error {
    fn from(error: engine::Error) -> Self {
        match error.kind() {
            Kind::NotFound => Error::NoRoute,
            Kind::Conflict { current } => Error::Conflict { current: *current, operation: error.operation() },
            Kind::Invalid => Error::Invalid(Cow::Owned(error.to_string())),
            Kind::WrongType { .. } => Error::WrongType,
            Kind::TooLarge => Error::TooLarge,
            Kind::Full | Kind::Busy | Kind::Closed | Kind::Storage => Error::Unavailable,
            Kind::Bug => {
                tracing::error!(%error, "a request met a defect");
                Error::Internal
            }
        }
    }
}

impl From<BodyError> for Error {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge => Error::TooLarge,
            BodyError::TooSlow => Error::BodyTooSlow,
            // Broken chunks; or the client went away, and nobody listens.
            BodyError::Aborted => Error::invalid("Invalid request body"),
            BodyError::NoRoom => Error::Overloaded,
        }
    }
}

impl From<Malformed> for Error {
    fn from(error: Malformed) -> Self {
        match error {
            Malformed::Syntax => Error::invalid("Invalid JSON body"),
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
            BadQuery::NotAnInteger(name) => Error::Invalid(Cow::Owned(format!("{name} must be an integer"))),
            BadQuery::NotABoolean(name) => Error::Invalid(Cow::Owned(format!("{name} must be a boolean"))),
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::TargetTooLong => Error::TargetTooLong,
            Refusal::BadHost => Error::invalid("Invalid Host header"),
            Refusal::ForeignHost => Error::ForeignHost,
            Refusal::AmbiguousLength => Error::invalid("Ambiguous body length"),
            Refusal::Overloaded => Error::Overloaded,
            Refusal::Panicked => Error::Internal,
        }
    }
}

/// What a string member that is no string means: `otherwise` unless its escapes are broken.
pub(super) fn not_text(error: NotText, otherwise: impl FnOnce() -> Error) -> Error {
    match error {
        NotText::LoneSurrogate => Malformed::Syntax.into(),
        NotText::OtherType => otherwise(),
    }
}

#[cfg(test)]
mod tests;
