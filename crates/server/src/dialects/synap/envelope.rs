//! What every request and every answer is wrapped in.

use std::borrow::Cow;

use manifold_engine::Timestamp;

use super::{error::Error, object::Object, payload::Payload};
use crate::http::{
    json::{self, Malformed, RawValue},
    uuid,
};

#[cfg(test)]
mod tests;

/// Most containers inside each other.
const NESTING: usize = 128;
/// Longest id of a request in bytes.
const ID_BYTES: usize = 256;
/// Most commands of a batch.
const BATCH: usize = 1000;
/// The type of a message that only asks whether somebody is there.
const PING: &str = "ping";

/// A request whose envelope is sound.
#[derive(Debug)]
pub(super) enum Request<'a> {
    /// One command.
    One(Item<'a>),
    /// Several; each is judged when its turn comes.
    Batch(Vec<&'a RawValue>),
    /// Whether somebody is there, which can be asked where a connection stays.
    Ping,
}

/// A command that nobody has looked up yet, and its payload.
#[derive(Debug)]
pub(super) struct Item<'a> {
    pub(super) command: Cow<'a, str>,
    pub(super) payload: Member<'a>,
}

type Member<'a> = Option<&'a RawValue>;

/// The id that an answer carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Id(String);

impl Id {
    /// One that nobody has had: a UUID of version 4.
    pub(super) fn fresh() -> Id {
        Id(uuid::random())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Reads the envelope of a body: its id, none if that cannot be read, and what it asks for or why that is refused.
pub(super) fn read(body: &[u8]) -> (Option<Id>, Result<Request<'_>, Error>) {
    match members(body) {
        Err(error) => (None, Err(error)),
        Ok((members, text)) => match id(members[1]) {
            Ok(id) => (Some(id), request(members, None, text)),
            Err(error) => (None, request(members, Some(error), text)),
        },
    }
}

fn members(body: &[u8]) -> Result<([Member<'_>; 5], &str), Error> {
    let text = json::text(body).map_err(|_| not_utf8())?;
    let members = json::members(text, &["type", "request_id", "command", "payload", "commands"]);
    match members {
        Ok(members) => Ok((members, text)),
        Err(Malformed::OtherType) => Err(Error::Request("Request body must be a JSON object".into())),
        Err(Malformed::Syntax) => Err(Error::Malformed(reason(text))),
    }
}

/// The JSON of a body that has no envelope.
pub(super) fn document(body: &[u8]) -> Result<&RawValue, Error> {
    let text = json::text(body).map_err(|_| not_utf8())?;
    let raw: &RawValue = serde_json::from_str(text).map_err(|error| Error::Malformed(error.to_string()))?;
    check_nesting(raw.get())?;
    Ok(raw)
}

fn not_utf8() -> Error {
    Error::Malformed("the text is not UTF-8".to_owned())
}

fn check_nesting(text: &str) -> Result<(), Error> {
    if json::nested_deeper_than(NESTING, text) {
        return Err(Error::Malformed(format!("more than {NESTING} containers inside each other")));
    }
    Ok(())
}

/// What a parser says about a text that is no JSON.
fn reason(text: &str) -> String {
    match serde_json::from_str::<&RawValue>(text) {
        Err(error) => error.to_string(),
        Ok(_) => "a member's name is no text".to_owned(),
    }
}

fn id(member: Member<'_>) -> Result<Id, Error> {
    let Some(raw) = json::given(member) else { return Ok(Id::fresh()) };
    let text = json::string(raw).map_err(|_| Error::Envelope { field: "request_id", kind: "a string" })?;
    if !(1..=ID_BYTES).contains(&text.len()) {
        return Err(Error::Envelope { field: "request_id", kind: "a string of 1 to 256 bytes" });
    }
    Ok(Id(text.into_owned()))
}

fn request<'a>(
    [kind, _, command, payload, commands]: [Member<'a>; 5],
    bad_id: Option<Error>,
    text: &str,
) -> Result<Request<'a>, Error> {
    check_nesting(text)?;
    let kind = json::given(kind).map(json::string).transpose();
    let kind = kind.map_err(|_| Error::Envelope { field: "type", kind: "a string" })?;
    let batch = match kind.as_deref() {
        None | Some("request") => false,
        Some("batch") => true,
        Some(PING) => return Ok(Request::Ping),
        Some(other) => return Err(unknown_type(other)),
    };
    if let Some(error) = bad_id {
        return Err(error);
    }
    if !batch {
        return item(command, payload).map(Request::One);
    }
    let raw = json::given(commands).ok_or(Error::Missing("commands".into()))?;
    let found =
        json::elements(raw.get(), BATCH).map_err(|_| Error::Envelope { field: "commands", kind: "an array" })?;
    if found.total > BATCH {
        return Err(super::payload::too_many("commands", BATCH));
    }
    Ok(Request::Batch(found.kept))
}

fn item<'a>(command: Member<'a>, payload: Member<'a>) -> Result<Item<'a>, Error> {
    let command = json::given(command).ok_or(Error::Missing("command".into()))?;
    let command = json::string(command).map_err(|_| Error::Envelope { field: "command", kind: "a string" })?;
    Ok(Item { command, payload })
}

fn unknown_type(kind: &str) -> Error {
    Error::Request(format!("Unknown message type: {kind}").into())
}

/// Why a ping is refused where no connection stays.
pub(super) fn no_ping() -> Error {
    unknown_type(PING)
}

/// One element of a batch.
pub(super) fn batch_item(raw: &RawValue) -> Result<Item<'_>, Error> {
    let members = json::members(raw.get(), &["type", "command", "payload"]);
    let [kind, command, payload] = members.map_err(|_| Error::Request("A command must be a JSON object".into()))?;
    let kind = json::given(kind).and_then(|raw| json::string(raw).ok());
    if kind.as_deref() == Some("batch") {
        return Err(Error::NestedBatch);
    }
    let item = item(command, payload)?;
    if item.command == "batch" {
        return Err(Error::NestedBatch);
    }
    Ok(item)
}

impl<'a> Item<'a> {
    /// The payload, which must be an object when there is one. Judged after the command.
    pub(super) fn payload(&self) -> Result<Payload<'a>, Error> {
        match json::given(self.payload) {
            Some(raw) if !raw.get().starts_with('{') => Err(Error::Envelope { field: "payload", kind: "an object" }),
            payload => Ok(Payload(payload)),
        }
    }
}

/// Appends what comes before the payload of a success. No id is null.
pub(super) fn open_success(out: &mut Vec<u8>, id: Option<&Id>) {
    open(out, id);
    out.extend_from_slice(b",\"status\":\"success\",\"success\":true,\"payload\":");
}

/// The same where the answer is the beginning of something.
pub(super) fn open_subscribed(out: &mut Vec<u8>, id: Option<&Id>) {
    open(out, id);
    out.extend_from_slice(b",\"status\":\"success\",\"success\":true,\"subscribed\":true,\"payload\":");
}

/// Appends an error.
pub(super) fn write_error(out: &mut Vec<u8>, id: Option<&Id>, error: &Error) {
    open(out, id);
    out.extend_from_slice(b",\"status\":\"error\",\"success\":false,\"error\":");
    error.write(out);
    out.push(b'}');
}

/// Appends the answer to a ping.
pub(super) fn write_pong(out: &mut Vec<u8>, Timestamp(now_ms): Timestamp) {
    Object::new(out).text("type", "pong").number("timestamp", now_ms / 1000).close();
}

/// Appends an id, or null.
pub(super) fn write_id(out: &mut Vec<u8>, id: Option<&Id>) {
    match id {
        Some(id) => json::write_str(out, id.as_str()),
        None => out.extend_from_slice(b"null"),
    }
}

fn open(out: &mut Vec<u8>, id: Option<&Id>) {
    out.extend_from_slice(b"{\"type\":\"response\",\"request_id\":");
    write_id(out, id);
}

/// The body of an error for clients that know no codes and read its text.
pub(super) fn flat_error(error: &Error) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    Object::new(&mut out).text("error", &error.message()).text("code", error.code()).close();
    out
}

/// The body of an error of a route that has no envelope.
pub(super) fn bare_error(error: &Error) -> Vec<u8> {
    let mut out = b"{\"status\":\"error\",\"success\":false,\"error\":".to_vec();
    error.write(&mut out);
    out.extend_from_slice(b",\"code\":");
    json::write_u64(&mut out, error.status().as_u16().into());
    out.push(b'}');
    out
}
