//! The JSON-RPC 2.0 envelope: what is a request, and how answers, errors and notifications are written.

use std::borrow::Cow;

use super::super::error::Error;
use crate::http::json::{self, Malformed, RawValue};

/// Most requests in one array.
const MAX_REQUESTS: usize = 10_000;

/// A message from the client.
#[derive(Debug)]
pub(super) enum Message<'a> {
    One(&'a str),
    /// A JSON-RPC batch: each element is judged on its own.
    Many(Vec<&'a RawValue>),
    /// Nothing that can be answered one by one.
    Refused(Failure),
}

impl<'a> Message<'a> {
    pub(super) fn parse(text: &'a str) -> Self {
        match json::elements(text, MAX_REQUESTS) {
            Ok(found) if found.total == 0 || found.total > MAX_REQUESTS => Message::Refused(Failure::INVALID_REQUEST),
            Ok(found) => Message::Many(found.kept),
            Err(Malformed::OtherType) => Message::One(text),
            Err(Malformed::Syntax) => Message::Refused(Failure::PARSE_ERROR),
        }
    }
}

/// A request that is one.
#[derive(Debug)]
pub(super) struct Request<'a> {
    /// The text of `id`; without one nothing is answered.
    pub(super) id: Option<&'a str>,
    pub(super) method: Cow<'a, str>,
    /// The text of `params`, an object.
    pub(super) params: Result<&'a str, Failure>,
}

/// A request that is none, and the `id` to answer it with.
#[derive(Debug)]
pub(super) struct InvalidRequest<'a>(pub(super) &'a str);

impl<'a> Request<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, InvalidRequest<'a>> {
        let found = json::members(text, &["jsonrpc", "id", "method", "params"]);
        let [version, id, method, params] = found.map_err(|_| InvalidRequest("null"))?;
        let id = id.map(RawValue::get);
        if id.is_some_and(|id| id.starts_with(['{', '[', 't', 'f'])) {
            return Err(InvalidRequest("null"));
        }
        let invalid = || InvalidRequest(id.unwrap_or("null"));
        if version.map(RawValue::get) != Some("\"2.0\"") {
            return Err(invalid());
        }
        let method = method.ok_or_else(invalid)?;
        let method = json::string(method).map_err(|_| invalid())?;
        let params = params.map_or(Ok("{}"), object);
        Ok(Request { id, method, params })
    }
}

fn object(params: &RawValue) -> Result<&str, Failure> {
    if params.get().starts_with('{') { Ok(params.get()) } else { Err(Failure::invalid("params must be an object")) }
}

/// A JSON-RPC error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    code: i32,
    message: Cow<'static, str>,
    /// The live version after a failed condition, and the operation of a batch it belongs to.
    conflict: Option<(u64, Option<usize>)>,
}

impl Failure {
    pub(super) const PARSE_ERROR: Failure = Failure::new(-32700, "Parse error");
    pub(super) const INVALID_REQUEST: Failure = Failure::new(-32600, "Invalid Request");
    pub(super) const METHOD_NOT_FOUND: Failure = Failure::new(-32601, "Method not found");
    pub(super) const OVERLOADED: Failure = Failure::new(-32603, "Overloaded");

    pub(super) const fn invalid(text: &'static str) -> Self {
        Failure::new(-32602, text)
    }

    const fn new(code: i32, message: &'static str) -> Self {
        Failure { code, message: Cow::Borrowed(message), conflict: None }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let message = |code, error: &Error| Failure { code, message: error.text().to_owned().into(), conflict: None };
        match error {
            Error::Invalid(message) => Failure { code: -32602, message, conflict: None },
            Error::TooLarge => message(-32602, &error),
            Error::Conflict { current, operation } => {
                Failure { conflict: Some((current, operation)), ..message(-32002, &error) }
            }
            Error::WrongType => message(-32002, &error),
            Error::Unauthorized => message(-32003, &error),
            Error::NoEntry { .. } => message(-32004, &error),
            Error::ReadOnly => Failure::new(-32005, "Read Only"),
            Error::Unavailable | Error::NotReached | Error::Overloaded => message(-32603, &error),
            Error::NoRoute
            | Error::MethodNotAllowed { .. }
            | Error::BodyTooSlow
            | Error::Membership
            | Error::Compacted { .. }
            | Error::TargetTooLong
            | Error::UpgradeFailed
            | Error::ForeignOrigin
            | Error::ForeignHost
            | Error::Internal => Failure::new(-32603, "Internal error"),
        }
    }
}

/// Appends an answer. `id` is JSON text.
pub(super) fn write_answer(out: &mut Vec<u8>, id: &str, result: Result<&[u8], &Failure>) {
    out.extend_from_slice(b"{\"jsonrpc\":\"2.0\",\"id\":");
    out.extend_from_slice(id.as_bytes());
    match result {
        Ok(result) => {
            out.extend_from_slice(b",\"result\":");
            out.extend_from_slice(result);
        }
        Err(failure) => {
            out.extend_from_slice(b",\"error\":");
            write_failure(out, failure);
        }
    }
    out.push(b'}');
}

/// A notification whose `params` are written by `params`.
pub(super) fn notification(method: &str, params: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    out.extend_from_slice(b"{\"jsonrpc\":\"2.0\",\"method\":\"");
    out.extend_from_slice(method.as_bytes());
    out.extend_from_slice(b"\",\"params\":");
    params(&mut out);
    out.push(b'}');
    out
}

fn write_failure(out: &mut Vec<u8>, failure: &Failure) {
    out.extend_from_slice(format!("{{\"code\":{},\"message\":", failure.code).as_bytes());
    json::write_str(out, &failure.message);
    if let Some((current, operation)) = failure.conflict {
        out.extend_from_slice(b",\"data\":{\"currentVersion\":");
        json::write_u64(out, current);
        if let Some(index) = operation {
            out.extend_from_slice(b",\"index\":");
            json::write_u64(out, index as u64);
        }
        out.push(b'}');
    }
    out.push(b'}');
}

#[cfg(test)]
mod tests;
