//! Every error of the dialect: status, code, text, details, and what the headers say.

use std::borrow::Cow;

use hyper::{
    StatusCode,
    header::{ALLOW, CONNECTION, HeaderMap, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE},
};
use manifold_engine::{self as engine, Key, Kind, State, types::KeyType};

use crate::{
    http::{
        body::BodyError,
        gzip::{BadCoding, Undecoded},
        json,
        path::BadEncoding,
    },
    net::Refusal,
};

#[cfg(test)]
mod tests;

/// A text known when it was compiled, or made of names.
type Text = Cow<'static, str>;

/// Why a request, or one command of it, was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Error {
    /// 400: not JSON; why.
    Malformed(String),
    /// 400: what is wrong with the request as such.
    Request(Text),
    /// 400: a member that must be there is not.
    Missing(Text),
    /// 400: an object in an array lacks a member.
    MissingInItem(&'static str),
    /// 400: a list has no element there.
    IndexOutOfRange,
    /// 400: a member of the envelope is of the wrong kind; `a string`.
    Envelope { field: &'static str, kind: &'static str },
    /// 400.
    UnknownCommand(String),
    /// 400.
    NeedsSocket(&'static str),
    /// 400.
    NestedBatch,
    /// 400: an event that is no longer kept, by the offsets of clients.
    OffsetGone { room: Vec<u8>, requested: u64, oldest: u64 },
    /// 414.
    TargetTooLong,
    /// 401.
    Unauthorized(&'static str),
    /// 403.
    Forbidden(&'static str),
    /// 403: the configuration does not allow it.
    FlushDisabled(&'static str),
    /// 403: a page of another site.
    ForeignOrigin,
    /// 403: a name that this server does not go by.
    ForeignHost,
    /// 404.
    NoRoute { method: String, path: String },
    /// 404.
    Absent(Thing, Vec<u8>),
    /// 404.
    NoMessage { queue: Vec<u8>, id: String },
    /// 405.
    MethodNotAllowed { method: String, path: String, allow: String },
    /// 408: the body came too slowly.
    BodyTooSlow,
    /// 409.
    KeyExists(Vec<u8>),
    /// 409: the queue was made with other settings.
    QueueExists(Vec<u8>),
    /// 409.
    RoomExists(Vec<u8>),
    /// 409: the key holds something else.
    WrongType { key: Vec<u8>, actual: KeyType, expected: KeyType },
    /// 409.
    Replication(&'static str),
    /// 413: the body, or what would be stored, has more bytes than this.
    TooLarge(usize),
    /// 422: a member of the payload is not what it must be.
    Field { field: Text, rule: Text },
    /// 422: what the payload asks for cannot be done.
    Payload(String),
    /// 429: seconds until the window ends, and what was allowed in it.
    RateLimited { retry_after: u64 },
    /// 500: a defect.
    Internal,
    /// 503.
    Overloaded,
    /// 503: stopping, or starting. [`Error::settle`] says which.
    Closed,
    /// 503: the log cannot be written.
    Unavailable,
    /// 507.
    QueueFull(Vec<u8>),
    /// Growth was refused: 507 at a limit, 503 on a full disk. [`Error::settle`] says which.
    Full,
}

/// What was not found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thing {
    Key,
    Queue,
    Room,
    Topic,
}

impl Thing {
    fn code(self) -> &'static str {
        match self {
            Thing::Key => "KEY_NOT_FOUND",
            Thing::Queue => "QUEUE_NOT_FOUND",
            Thing::Room => "ROOM_NOT_FOUND",
            Thing::Topic => "TOPIC_NOT_FOUND",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Thing::Key => "Key",
            Thing::Queue => "Queue",
            Thing::Room => "Room",
            Thing::Topic => "Topic",
        }
    }

    fn member(self) -> &'static str {
        match self {
            Thing::Key => "key",
            Thing::Queue => "queue",
            Thing::Room => "room",
            Thing::Topic => "topic",
        }
    }
}

impl Error {
    /// Bytes came where texts are understood.
    pub(super) const BINARY_FRAME: Error = Error::Request(Text::Borrowed("Binary frames are not supported"));
    /// A target that is no text.
    pub(super) const BAD_ENCODING: Error = Error::Request(Text::Borrowed("Invalid path encoding"));

    /// A member that breaks a rule known when this was compiled.
    pub(super) fn field(field: impl Into<Text>, rule: &'static str) -> Self {
        Error::Field { field: field.into(), rule: rule.into() }
    }

    /// JSON, but nothing that is understood here.
    pub(super) fn no_form() -> Self {
        Error::Payload("Body matches no accepted form".to_owned())
    }

    /// A sum beyond all numbers of its kind.
    pub(super) fn overflow() -> Self {
        Error::Payload("Increment would overflow".to_owned())
    }

    /// An answer with more than `limit` bytes, in the words of the engine.
    pub(super) fn answer_too_large(limit: usize) -> Self {
        Error::Payload(format!("the answer would have more than {limit} bytes: ask for less"))
    }

    /// Decides what only the engine's state tells.
    pub(super) fn settle(self, now: &State) -> Error {
        match self {
            Error::Full if matches!(now, State::DiskFull | State::Failed(_)) => Error::Unavailable,
            Error::Closed if matches!(now, State::Starting) => Error::Unavailable,
            other => other,
        }
    }

    pub(super) fn status(&self) -> StatusCode {
        match self {
            Error::Malformed(_)
            | Error::Request(_)
            | Error::Missing(_)
            | Error::MissingInItem(_)
            | Error::IndexOutOfRange
            | Error::Envelope { .. }
            | Error::UnknownCommand(_)
            | Error::NeedsSocket(_)
            | Error::NestedBatch
            | Error::OffsetGone { .. } => StatusCode::BAD_REQUEST,
            Error::TargetTooLong => StatusCode::URI_TOO_LONG,
            Error::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Error::Forbidden(_) | Error::FlushDisabled(_) | Error::ForeignOrigin | Error::ForeignHost => {
                StatusCode::FORBIDDEN
            }
            Error::NoRoute { .. } | Error::Absent(..) | Error::NoMessage { .. } => StatusCode::NOT_FOUND,
            Error::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Error::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
            Error::KeyExists(_)
            | Error::QueueExists(_)
            | Error::RoomExists(_)
            | Error::WrongType { .. }
            | Error::Replication(_) => StatusCode::CONFLICT,
            Error::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Error::Field { .. } | Error::Payload(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Error::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
            Error::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Error::Overloaded | Error::Closed | Error::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Error::QueueFull(_) | Error::Full => StatusCode::INSUFFICIENT_STORAGE,
        }
    }

    pub(super) fn code(&self) -> &'static str {
        match self {
            Error::Malformed(_)
            | Error::Request(_)
            | Error::Missing(_)
            | Error::MissingInItem(_)
            | Error::Envelope { .. }
            | Error::TargetTooLong
            | Error::BodyTooSlow => "INVALID_REQUEST",
            Error::IndexOutOfRange => "INDEX_OUT_OF_RANGE",
            Error::UnknownCommand(_) | Error::NeedsSocket(_) | Error::NestedBatch => "INVALID_COMMAND",
            Error::OffsetGone { .. } => "OFFSET_OUT_OF_RANGE",
            Error::Unauthorized(_) => "UNAUTHORIZED",
            Error::Forbidden(_) | Error::FlushDisabled(_) | Error::ForeignOrigin | Error::ForeignHost => "FORBIDDEN",
            Error::NoRoute { .. } => "NOT_FOUND",
            Error::Absent(thing, _) => thing.code(),
            Error::NoMessage { .. } => "MESSAGE_NOT_FOUND",
            Error::MethodNotAllowed { .. } => "METHOD_NOT_ALLOWED",
            Error::KeyExists(_) => "KEY_EXISTS",
            Error::QueueExists(_) => "QUEUE_EXISTS",
            Error::RoomExists(_) => "ROOM_EXISTS",
            Error::WrongType { .. } => "WRONG_TYPE",
            Error::Replication(_) => "REPLICATION_ERROR",
            Error::TooLarge(_) => "PAYLOAD_TOO_LARGE",
            Error::Field { .. } | Error::Payload(_) => "INVALID_PAYLOAD",
            Error::RateLimited { .. } => "RATE_LIMIT_EXCEEDED",
            Error::Internal => "INTERNAL_ERROR",
            Error::Overloaded | Error::Closed | Error::Unavailable => "SERVICE_UNAVAILABLE",
            Error::QueueFull(_) => "QUEUE_FULL",
            Error::Full => "MEMORY_LIMIT_EXCEEDED",
        }
    }

    pub(super) fn message(&self) -> Cow<'_, str> {
        let shown = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
        Cow::Owned(match self {
            Error::Malformed(why) => format!("Malformed JSON: {why}"),
            Error::Request(text) => return Cow::Borrowed(text),
            Error::Payload(text) => return Cow::Borrowed(text),
            Error::Missing(field) => format!("Missing required field: {field}"),
            Error::MissingInItem(member) => format!("Missing '{member}' in array item"),
            Error::IndexOutOfRange => return "Index out of range".into(),
            Error::Envelope { field, kind } => format!("Field '{field}' must be {kind}"),
            Error::UnknownCommand(command) => format!("Unknown command: {command}"),
            Error::NeedsSocket(command) => format!("Command requires a WebSocket connection: {command}"),
            Error::Forbidden(command) => format!("Insufficient permissions for command: {command}"),
            Error::OffsetGone { requested, oldest, .. } => {
                format!("Offset {requested} is out of range; earliest retained offset is {oldest}")
            }
            Error::FlushDisabled(command) => {
                let name = command.rsplit('.').next().unwrap_or_default().to_uppercase();
                format!(
                    "{name} is disabled. Set 'allow_flush_commands: true' in config to enable this dangerous command"
                )
            }
            Error::NoRoute { method, path } => format!("Route not found: {method} {path}"),
            Error::Absent(thing, name) => format!("{} not found: {}", thing.name(), shown(name)),
            Error::NoMessage { id, .. } => format!("Message not found: {id}"),
            Error::MethodNotAllowed { method, path, .. } => format!("Method {method} not allowed for {path}"),
            Error::KeyExists(key) => format!("Key already exists: {}", shown(key)),
            Error::QueueExists(queue) => {
                format!("Queue already exists with a different configuration: {}", shown(queue))
            }
            Error::RoomExists(room) => format!("Room already exists: {}", shown(room)),
            Error::WrongType { key, actual, expected } => {
                format!("Key '{}' holds a {}, not a {}", shown(key), type_name(*actual), type_name(*expected))
            }
            Error::TooLarge(limit) => format!("Request body exceeds {limit} bytes"),
            Error::Field { field, rule } => format!("Invalid field '{field}': {rule}"),
            Error::RateLimited { retry_after } => {
                format!("Rate limit exceeded. Try again in {retry_after} seconds.")
            }
            Error::QueueFull(queue) => format!("Queue is full: {}", shown(queue)),
            Error::NestedBatch => return "Nested batch is not allowed".into(),
            Error::Unauthorized(text) | Error::Replication(text) => return (*text).into(),
            Error::ForeignOrigin => return "Origin not allowed".into(),
            Error::ForeignHost => return "Host not allowed".into(),
            Error::TargetTooLong => return "Request target is too long".into(),
            Error::BodyTooSlow => return "Request body came too slowly".into(),
            Error::Internal => return "Internal server error".into(),
            Error::Overloaded => return "Server overloaded".into(),
            Error::Closed => return "Server is shutting down".into(),
            Error::Unavailable => return "Storage unavailable".into(),
            Error::Full => return "Memory limit exceeded".into(),
        })
    }

    /// Appends `{"code":…,"message":…,"details":{…}}`.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"code\":");
        json::write_str(out, self.code());
        out.extend_from_slice(b",\"message\":");
        json::write_str(out, &self.message());
        out.extend_from_slice(b",\"details\":{");
        self.write_details(out);
        out.extend_from_slice(b"}}");
    }

    fn write_details(&self, out: &mut Vec<u8>) {
        let named = |out: &mut Vec<u8>, member: &str, value: &[u8]| {
            json::write_str(out, member);
            out.push(b':');
            json::write_bytes_as_str(out, value);
        };
        match self {
            Error::Missing(field) | Error::Field { field, .. } => named(out, "field", field.as_bytes()),
            Error::MissingInItem(field) | Error::Envelope { field, .. } => named(out, "field", field.as_bytes()),
            Error::UnknownCommand(command) => named(out, "command", command.as_bytes()),
            Error::NeedsSocket(command) | Error::Forbidden(command) | Error::FlushDisabled(command) => {
                named(out, "command", command.as_bytes());
            }
            Error::NestedBatch => named(out, "command", b"batch"),
            Error::Absent(thing, name) => named(out, thing.member(), name),
            Error::KeyExists(key) => named(out, "key", key),
            Error::QueueExists(queue) | Error::QueueFull(queue) => named(out, "queue", queue),
            Error::RoomExists(room) => named(out, "room", room),
            Error::NoMessage { queue, id } => {
                named(out, "queue", queue);
                out.push(b',');
                named(out, "message_id", id.as_bytes());
            }
            Error::WrongType { key, actual, expected } => {
                for (at, (member, value)) in [
                    ("key", key.as_slice()),
                    ("actual", type_name(*actual).as_bytes()),
                    ("expected", type_name(*expected).as_bytes()),
                ]
                .into_iter()
                .enumerate()
                {
                    if at > 0 {
                        out.push(b',');
                    }
                    named(out, member, value);
                }
            }
            Error::OffsetGone { room, requested, oldest } => {
                named(out, "room", room);
                out.extend_from_slice(b",\"requested\":");
                json::write_u64(out, *requested);
                out.extend_from_slice(b",\"oldest\":");
                json::write_u64(out, *oldest);
            }
            Error::TooLarge(limit) => {
                out.extend_from_slice(b"\"limit\":");
                json::write_u64(out, *limit as u64);
            }
            Error::RateLimited { retry_after } => {
                out.extend_from_slice(b"\"retry_after\":");
                json::write_u64(out, *retry_after);
            }
            _ => {}
        }
    }

    /// Adds the headers that belong to this error.
    pub(super) fn add_headers(&self, headers: &mut HeaderMap) {
        match self {
            Error::Unauthorized(_) => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Error::MethodNotAllowed { allow, .. } => {
                if let Ok(allow) = HeaderValue::from_str(allow) {
                    headers.insert(ALLOW, allow);
                }
            }
            Error::RateLimited { retry_after } => {
                headers.insert(RETRY_AFTER, HeaderValue::from(*retry_after));
            }
            Error::Overloaded => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            // What is left of the body must not be taken for the next request.
            Error::BodyTooSlow => {
                headers.insert(CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
    }

    /// A body that was not read: `limit` is how long it may be.
    pub(super) fn of_body(error: BodyError, limit: usize) -> Error {
        match error {
            BodyError::TooLarge => Error::TooLarge(limit),
            // Nobody listens any more when the client went away.
            BodyError::TooSlow | BodyError::Aborted => Error::BodyTooSlow,
            BodyError::NoRoom => Error::Overloaded,
        }
    }

    /// A body that was not decoded.
    pub(super) fn of_coding(error: Undecoded, limit: usize) -> Error {
        match error {
            Undecoded::Unknown => Error::Request("Unsupported content encoding".into()),
            Undecoded::Bad(BadCoding::TooLarge) => Error::TooLarge(limit),
            Undecoded::Bad(BadCoding::Damaged) => Error::Request("Request body is not valid gzip".into()),
            Undecoded::NoRoom => Error::Overloaded,
            Undecoded::Failed => Error::Internal,
        }
    }

    /// The refusal of a verb about something with a name.
    pub(super) fn of(thing: Thing, name: &[u8]) -> impl Fn(engine::Error) -> Error {
        move |error| match (error.kind(), thing) {
            (Kind::NotFound, _) => Error::Absent(thing, name.to_vec()),
            (Kind::WrongType { actual, expected }, Thing::Key) => {
                Error::WrongType { key: name.to_vec(), actual: *actual, expected: *expected }
            }
            (Kind::Conflict { .. }, Thing::Queue) => Error::QueueExists(name.to_vec()),
            (Kind::Busy, Thing::Queue) => Error::QueueFull(name.to_vec()),
            _ => error.into(),
        }
    }

    /// The same of a verb about several keys, for the one that it is about.
    pub(super) fn of_keys(keys: &[Key]) -> impl Fn(engine::Error) -> Error {
        move |error| match error.operation().and_then(|at| keys.get(at)) {
            Some(key) => refused(key)(error),
            None => error.into(),
        }
    }
}

/// The refusal of a verb about a key.
pub(super) fn refused(key: &Key) -> impl Fn(engine::Error) -> Error {
    Error::of(Thing::Key, key.as_bytes())
}

/// There is no such key.
pub(super) fn absent(key: &Key) -> Error {
    Error::Absent(Thing::Key, key.as_bytes().to_vec())
}

/// What clients call a type.
pub(super) fn type_name(of: KeyType) -> &'static str {
    match of {
        KeyType::String => "string",
        KeyType::Hash => "hash",
        KeyType::List => "list",
        KeyType::Set => "set",
        KeyType::SortedSet => "zset",
    }
}

/// For verbs whose refusals need no name beside them; those about one key, queue or room say more.
impl From<engine::Error> for Error {
    fn from(error: engine::Error) -> Self {
        match error.kind() {
            Kind::Invalid | Kind::TooLarge => Error::Payload(error.to_string()),
            Kind::Full => Error::Full,
            Kind::Busy => Error::Overloaded,
            Kind::Closed => Error::Closed,
            Kind::Storage => Error::Unavailable,
            // A verb that can meet these is asked with `of`.
            Kind::NotFound | Kind::Conflict { .. } | Kind::WrongType { .. } | Kind::Bug => {
                tracing::error!(%error, "a request met a defect");
                Error::Internal
            }
        }
    }
}

impl From<BadEncoding> for Error {
    fn from(_: BadEncoding) -> Self {
        Error::BAD_ENCODING
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::TargetTooLong => Error::TargetTooLong,
            Refusal::BadHost => Error::Request("Invalid Host header".into()),
            Refusal::ForeignHost => Error::ForeignHost,
            Refusal::AmbiguousLength => Error::Request("Ambiguous body length".into()),
            Refusal::Overloaded => Error::Overloaded,
            Refusal::Panicked => Error::Internal,
        }
    }
}
