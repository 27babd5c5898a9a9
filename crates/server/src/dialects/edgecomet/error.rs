//! Every error of the dialect: status and message.

use std::borrow::Cow;

use axum::body::Body;
use hyper::{
    Response, StatusCode,
    header::{CONNECTION, HeaderValue},
};
use manifold_engine::recache::HostId;

use super::{config::ResponseFormat, home::HomeError};
use crate::{
    http::body::BodyError,
    net::{Cut, Refusal},
};

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Error {
    /// 400: its message.
    Invalid(Cow<'static, str>),
    /// 401.
    Unauthorized,
    /// 403.
    ControlDisabled,
    /// 404: no such route.
    NoRoute,
    /// 404: its message.
    Absent(Cow<'static, str>),
    /// 408.
    TooSlow,
    /// 413.
    TooLarge,
    /// 421.
    ForeignHost,
    /// 431.
    HeaderTooLarge,
    /// 500: its message.
    Internal(&'static str),
    /// 503: its message.
    Unavailable(Cow<'static, str>),
}

impl Error {
    /// A defect.
    pub(super) const DEFECT: Error = Error::Internal("internal error");

    /// 400.
    pub(super) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Error::Invalid(message.into())
    }

    /// 503.
    pub(super) fn unavailable(message: impl Into<Cow<'static, str>>) -> Self {
        Error::Unavailable(message.into())
    }

    /// 503: a queue would be longer than allowed.
    pub(super) fn queue_full(host: HostId) -> Self {
        Error::unavailable(format!("queue limit reached for host {host}"))
    }

    /// What the home said of a record.
    pub(super) fn of_records(error: HomeError) -> Self {
        match error {
            HomeError::Busy => Error::unavailable("redis busy, try again later"),
            HomeError::BadCursor => Error::invalid("invalid cursor"),
            HomeError::Unavailable(_) | HomeError::Full => Error::unavailable("cache store unavailable"),
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Error::Invalid(_) => StatusCode::BAD_REQUEST,
            Error::Unauthorized => StatusCode::UNAUTHORIZED,
            Error::ControlDisabled => StatusCode::FORBIDDEN,
            Error::NoRoute | Error::Absent(_) => StatusCode::NOT_FOUND,
            Error::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Error::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Error::ForeignHost => StatusCode::MISDIRECTED_REQUEST,
            Error::HeaderTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Error::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn message(&self) -> &str {
        match self {
            Error::Invalid(message) | Error::Absent(message) | Error::Unavailable(message) => message,
            Error::Internal(message) => message,
            Error::Unauthorized => "unauthorized",
            Error::ControlDisabled => "Scheduler control API not enabled",
            Error::NoRoute => "not found",
            Error::TooSlow => "request timeout",
            Error::TooLarge => "request body too large",
            Error::ForeignHost => "host not allowed",
            Error::HeaderTooLarge => "request header too large",
        }
    }

    /// The answer.
    pub(super) fn into_response(self, format: ResponseFormat) -> Response<Body> {
        let mut response = format.error(self.status(), self.message());
        if matches!(self, Error::TooSlow | Error::TooLarge) {
            // What is left of the body is not waited for.
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

impl From<BodyError> for Error {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge => Error::TooLarge,
            BodyError::TooSlow => Error::TooSlow,
            BodyError::Aborted => Error::invalid("invalid json: the body was cut off"),
            BodyError::NoRoom => Error::unavailable("too many request bodies"),
        }
    }
}

impl From<Cut> for Error {
    fn from(cut: Cut) -> Self {
        match cut {
            Cut::TooLong => Error::HeaderTooLarge,
            Cut::TooSlow => Error::TooSlow,
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::TargetTooLong => Error::HeaderTooLarge,
            Refusal::BadHost => Error::invalid("invalid Host header"),
            Refusal::ForeignHost => Error::ForeignHost,
            Refusal::AmbiguousLength => Error::invalid("both Content-Length and Transfer-Encoding"),
            Refusal::Overloaded => Error::unavailable("too many connections"),
            Refusal::Panicked => Error::DEFECT,
        }
    }
}
