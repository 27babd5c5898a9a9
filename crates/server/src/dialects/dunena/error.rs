//! Every error of the dialect: status, text, and what the headers say.

use std::borrow::Cow;

use axum::body::Body;
use hyper::{
    Response, StatusCode,
    header::{CONNECTION, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE},
};
use manifold_engine::Kind;

use super::{answer, check::Broken};
use crate::{
    http::{body::BodyError, json},
    net::Refusal,
};

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Error {
    /// 400: a rule was broken; its text.
    Invalid(Broken),
    /// 401.
    Unauthorized,
    /// 403: a page of another site.
    ForeignOrigin,
    /// 404: no such route.
    NoRoute,
    /// 404: no such thing; the text.
    Absent(&'static str),
    /// 408: the body came too slowly.
    BodyTooSlow,
    /// 409: the text.
    Conflict(Cow<'static, str>),
    /// 413: the body.
    TooLarge,
    /// 414: the target.
    TargetTooLong,
    /// 421: a name that this server does not go by.
    ForeignHost,
    /// 429: seconds until the window ends.
    RateLimited { retry_after: u64 },
    /// 429: the same of the requests for one namespace.
    NamespaceLimited { namespace: String, retry_after: u64 },
    /// 500: a failed write, or a defect.
    Internal,
    /// 502: what became of the request to a database.
    Upstream(String),
    /// 503: `DUNENA_DB=false`.
    DatabaseDisabled,
    /// 503: the log is replayed.
    Starting,
    /// 503: the database is closed, or a read of it was ended.
    Stopping,
    /// 503: too many of something; the text.
    Overloaded(&'static str),
}

impl Error {
    /// What is said of a body that is no JSON object.
    pub(super) const NOT_JSON: Error = Error::Invalid(Cow::Borrowed("Invalid JSON body"));
    /// What is said of a key that is not there.
    pub(super) const NO_KEY: Error = Error::Absent("Key not found");

    /// A rule that was broken.
    pub(super) fn invalid(text: impl Into<Broken>) -> Self {
        Error::Invalid(text.into())
    }

    pub(super) fn status(&self) -> StatusCode {
        match self {
            Error::Invalid(_) => StatusCode::BAD_REQUEST,
            Error::Unauthorized => StatusCode::UNAUTHORIZED,
            Error::ForeignOrigin => StatusCode::FORBIDDEN,
            Error::NoRoute | Error::Absent(_) => StatusCode::NOT_FOUND,
            Error::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
            Error::Conflict(_) => StatusCode::CONFLICT,
            Error::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Error::TargetTooLong => StatusCode::URI_TOO_LONG,
            Error::ForeignHost => StatusCode::MISDIRECTED_REQUEST,
            Error::RateLimited { .. } | Error::NamespaceLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
            Error::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Error::Upstream(_) => StatusCode::BAD_GATEWAY,
            Error::DatabaseDisabled | Error::Starting | Error::Stopping | Error::Overloaded(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    pub(super) fn text(&self) -> &str {
        match self {
            Error::Invalid(text) | Error::Conflict(text) => text,
            Error::Absent(text) => text,
            Error::Upstream(text) => text,
            Error::Unauthorized => "Unauthorized",
            Error::ForeignOrigin => "Origin not allowed",
            Error::NoRoute => "Not found",
            Error::BodyTooSlow => "Request body came too slowly",
            Error::TooLarge => "Request body too large",
            Error::TargetTooLong => "Request target too long",
            Error::ForeignHost => "Host not allowed",
            Error::RateLimited { .. } => "Rate limit exceeded",
            Error::NamespaceLimited { .. } => "Namespace rate limit exceeded",
            Error::Internal => "Internal server error",
            Error::DatabaseDisabled => "Database disabled",
            Error::Starting => "Server starting",
            Error::Stopping => "Server stopping",
            Error::Overloaded(text) => text,
        }
    }

    /// The answer.
    pub(super) fn into_response(self) -> Response<Body> {
        let mut body = br#"{"error":"#.to_vec();
        json::write_str(&mut body, self.text());
        if let Error::NamespaceLimited { namespace, .. } = &self {
            body.extend_from_slice(br#","namespace":"#);
            json::write_str(&mut body, namespace);
        }
        body.push(b'}');
        let mut response = answer::json(self.status(), body);
        let headers = response.headers_mut();
        match self {
            Error::Unauthorized => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Error::RateLimited { retry_after } | Error::NamespaceLimited { retry_after, .. } => {
                headers.insert(RETRY_AFTER, HeaderValue::from(retry_after));
            }
            Error::Starting | Error::Stopping => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            Error::Overloaded(_) => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
                headers.insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Error::TooLarge | Error::BodyTooSlow => {
                // What is left of the body is not waited for.
                headers.insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Error::Invalid(_)
            | Error::ForeignOrigin
            | Error::NoRoute
            | Error::Absent(_)
            | Error::Conflict(_)
            | Error::TargetTooLong
            | Error::ForeignHost
            | Error::Internal
            | Error::Upstream(_)
            | Error::DatabaseDisabled => {}
        }
        response
    }
}

impl From<manifold_engine::Error> for Error {
    fn from(error: manifold_engine::Error) -> Self {
        match error.kind() {
            Kind::Closed => Error::Stopping,
            Kind::Busy => Error::Overloaded("Too many writes"),
            // Nothing here asks for what the engine could refuse with a reason.
            Kind::NotFound
            | Kind::Conflict { .. }
            | Kind::Invalid
            | Kind::WrongType { .. }
            | Kind::TooLarge
            | Kind::Full
            | Kind::Storage
            | Kind::Bug => {
                tracing::error!(%error, "a request failed");
                Error::Internal
            }
        }
    }
}

impl From<Broken> for Error {
    fn from(text: Broken) -> Self {
        Error::Invalid(text)
    }
}

impl From<BodyError> for Error {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge => Error::TooLarge,
            BodyError::TooSlow => Error::BodyTooSlow,
            BodyError::Aborted => Error::NOT_JSON,
            BodyError::NoRoom => Error::Overloaded("Too many request bodies"),
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::TargetTooLong => Error::TargetTooLong,
            Refusal::BadHost => Error::invalid("Invalid Host header"),
            Refusal::ForeignHost => Error::ForeignHost,
            Refusal::AmbiguousLength => Error::invalid("Both Content-Length and Transfer-Encoding"),
            Refusal::Overloaded => Error::Overloaded("Too many connections"),
            Refusal::Panicked => Error::Internal,
        }
    }
}
