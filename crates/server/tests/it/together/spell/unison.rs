//! Unison: keys over REST and over its socket.

use std::io::Result;

use super::{Lines, part};
use crate::{
    harness::Request,
    together::{
        model::{Expires, Held, Name, Refused, Slot, Span, Value, When, World},
        want::{Answer, Pattern, Want, members, quoted},
    },
};

#[derive(Debug, Clone)]
pub struct Ask {
    pub way: Way,
    pub verb: Verb,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Rest,
    /// REST with conditions as headers.
    Headers,
    Socket,
}

#[derive(Debug, Clone)]
pub enum Verb {
    Get(Name),
    Put(Put),
    Delete { name: Name, when: When, actor: Option<String> },
    Batch { operations: Vec<Operation>, actor: Option<String> },
}

#[derive(Debug, Clone)]
pub struct Put {
    pub name: Name,
    /// JSON text.
    pub value: String,
    pub when: When,
    pub expires: Expires,
    pub actor: Option<String>,
}

#[derive(Debug, Clone)]
pub enum Operation {
    Set(Put),
    Delete { name: Name, when: When },
}

impl Ask {
    pub(super) fn send(&self, lines: &mut Lines) -> Result<Answer> {
        match self.way {
            Way::Rest | Way::Headers => lines.unison(&self.request()),
            Way::Socket => lines.unison_socket(&self.call()).map(|text| read_result(&text)),
        }
    }

    fn request(&self) -> Request {
        let headers = self.way == Way::Headers;
        let target = |name: &Name| format!("/api/v1/kv/{}/{}", part(name.space), part(&name.name));
        match &self.verb {
            Verb::Get(name) => Request::get(target(name)),
            Verb::Put(put) => {
                let mut members = vec![format!(r#""value":{}"#, put.value)];
                members.extend(actor(&put.actor));
                members.extend(expires(put.expires));
                members.extend(cas(put.when).filter(|_| !headers).map(|cas| format!(r#""cas":{cas}"#)));
                let request = Request::put(target(&put.name), format!("{{{}}}", members.join(",")));
                if headers { conditional(request, put.when) } else { request }
            }
            Verb::Delete { name, when, actor } => {
                let mut query = Vec::new();
                query.extend(actor.as_ref().map(|actor| format!("actor={}", part(actor))));
                // No header of a DELETE says that the key must be absent.
                let headers = headers && *when != When::Absent;
                query.extend(cas(*when).filter(|_| !headers).map(|cas| format!("cas={cas}")));
                let request = Request::delete(format!("{}?{}", target(name), query.join("&")));
                if headers { conditional(request, *when) } else { request }
            }
            Verb::Batch { .. } => Request::post("/api/v1/batch?return=results", self.params()),
        }
    }

    /// The same as a frame.
    fn call(&self) -> String {
        let method = match &self.verb {
            Verb::Get(_) => "kv/get",
            Verb::Put(_) => "kv/set",
            Verb::Delete { .. } => "kv/delete",
            Verb::Batch { .. } => "kv/batch",
        };
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{}}}"#, self.params())
    }

    fn params(&self) -> String {
        let mut members = Vec::new();
        match &self.verb {
            Verb::Get(name) => members.push(named(name)),
            Verb::Put(put) => {
                members.push(set(put));
                members.extend(actor(&put.actor));
            }
            Verb::Delete { name, when, actor: by } => {
                members.push(named(name));
                members.extend(cas(*when).map(|cas| format!(r#""cas":{cas}"#)));
                members.extend(actor(by));
            }
            Verb::Batch { operations, actor: by } => {
                let operations: Vec<String> = operations.iter().map(Operation::text).collect();
                members.push(format!(r#""operations":[{}]"#, operations.join(",")));
                members.extend(actor(by));
                members.push(r#""return":"results""#.to_owned());
            }
        }
        format!("{{{}}}", members.join(","))
    }

    pub(super) fn apply(&self, world: &mut World, now: Span) -> Want {
        match &self.verb {
            Verb::Get(name) => match world.slot(name) {
                slot @ Slot { held: Some(Held::Value { .. }), .. } => entry(name, &slot),
                _ => Want::new(404).member("error", r#""Not found""#),
            },
            Verb::Put(put) => {
                let done = put.apply(world, by(&put.actor), now);
                done.map_or_else(refusal, |slot| entry(&put.name, &slot))
            }
            Verb::Delete { name, when, actor } => {
                let done = world.delete(name, *when, by(actor));
                done.map_or_else(refusal, |version| Want::new(200).member("deleted", version.is_some()))
            }
            Verb::Batch { operations, actor } => batch(world, operations, by(actor), now),
        }
    }
}

impl Put {
    fn apply(&self, world: &mut World, actor: &str, now: Span) -> std::result::Result<Slot, Refused> {
        world.put(&self.name, Value::Json(self.value.clone()), self.when, self.expires, actor, now)
    }
}

impl Operation {
    fn text(&self) -> String {
        match self {
            Operation::Set(put) => format!(r#"{{"op":"set",{}}}"#, set(put)),
            Operation::Delete { name, when } => {
                let cas = cas(*when).map(|cas| format!(r#","cas":{cas}"#)).unwrap_or_default();
                format!(r#"{{"op":"delete",{}{cas}}}"#, named(name))
            }
        }
    }
}

fn batch(world: &mut World, operations: &[Operation], actor: &str, now: Span) -> Want {
    let mut tried = world.clone();
    let mut results = Vec::new();
    for (index, operation) in operations.iter().enumerate() {
        let done = match operation {
            Operation::Set(put) => put.apply(&mut tried, actor, now).map(|slot| Some(slot.version)),
            Operation::Delete { name, when } => tried.delete(name, *when, actor),
        };
        let pattern = Pattern::default();
        match (done, operation) {
            (Err(Refused::Type(kind)), _) => return refusal(Refused::Type(kind)),
            (Err(conflict), _) => return refusal(conflict).member("index", index as u64),
            (Ok(Some(version)), Operation::Set(_)) => {
                results.push(pattern.text(format!(r#"{{"version":{version},"seq":"#)).number(1..=u64::MAX).text("}"));
            }
            (Ok(Some(version)), Operation::Delete { .. }) => {
                let deleted = pattern.text(format!(r#"{{"deleted":true,"version":{version},"seq":"#));
                results.push(deleted.number(1..=u64::MAX).text("}"));
            }
            (Ok(None), _) => results.push(pattern.text(r#"{"deleted":false,"version":null,"seq":null}"#)),
        }
    }
    *world = tried;
    Want::new(200).member("ok", true).member("results", Pattern::array(results))
}

fn entry(name: &Name, slot: &Slot) -> Want {
    let Some(Held::Value { value, actor, at }) = &slot.held else { unreachable!("only a value is an entry") };
    let expires = slot.deadline.map_or(Pattern::from("null"), |deadline| Pattern::from(deadline.range()));
    Want::new(200)
        .member("namespace", quoted(name.space))
        .member("key", quoted(&name.name))
        .member("value", value.json())
        .member("version", slot.version)
        .member("updatedBy", quoted(actor))
        .member("updatedAt", at.range())
        .member("expiresAt", expires)
}

fn refusal(why: Refused) -> Want {
    match why {
        Refused::Type(_) => Want::new(409).member("error", r#""Key holds another type""#),
        Refused::Conflict(current) => {
            Want::new(409).member("error", r#""CAS conflict""#).member("currentVersion", current)
        }
    }
}

/// The answer of a socket as if it were one of REST.
pub fn read_result(text: &str) -> Answer {
    let members_of = |text: &str| members(text).expect("an answer of JSON-RPC is an object");
    let answer = members_of(text);
    if let Some(result) = answer.get("result") {
        return Answer { status: None, success: true, body: result.get().to_owned() };
    }
    let error = members_of(answer["error"].get());
    let mut body = vec![format!(r#""error":{}"#, error["message"].get())];
    if let Some(details) = error.get("data") {
        body.extend(members_of(details.get()).iter().map(|(name, value)| format!("{}:{}", quoted(name), value.get())));
    }
    Answer { status: None, success: false, body: format!("{{{}}}", body.join(",")) }
}

fn by(actor: &Option<String>) -> &str {
    actor.as_deref().unwrap_or("api")
}

fn named(name: &Name) -> String {
    format!(r#""namespace":{},"key":{}"#, quoted(name.space), quoted(&name.name))
}

fn set(put: &Put) -> String {
    let mut members = vec![named(&put.name), format!(r#""value":{}"#, put.value)];
    members.extend(expires(put.expires));
    members.extend(cas(put.when).map(|cas| format!(r#""cas":{cas}"#)));
    members.join(",")
}

fn actor(actor: &Option<String>) -> Option<String> {
    actor.as_ref().map(|actor| format!(r#""actor":{}"#, quoted(actor)))
}

fn expires(expires: Expires) -> Option<String> {
    match expires {
        Expires::Never => None,
        Expires::InMs(millis) => Some(format!(r#""ttlMs":{millis}"#)),
        Expires::At(at) => Some(format!(r#""expiresAt":{at}"#)),
        Expires::Keep => Some(r#""keepTtl":true"#.to_owned()),
    }
}

/// The condition as a number; that a key must be there at any version is only said by a header.
fn cas(when: When) -> Option<u64> {
    match when {
        When::Always | When::Present => None,
        When::Absent => Some(0),
        When::Version(version) => Some(version),
    }
}

fn conditional(request: Request, when: When) -> Request {
    match when {
        When::Always => request,
        When::Absent => request.header("If-None-Match", "*"),
        When::Present => request.header("If-Match", "*"),
        When::Version(version) => request.header("If-Match", format!("\"{version}\"")),
    }
}
