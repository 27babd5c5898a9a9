//! Synap: commands, and the four ways to send them.

mod collections;
mod keys;
mod queues;
mod rooms;

use std::io::Result;

pub use collections::Collection;
pub use keys::{Key, nothing_or};
pub use queues::{Queues, Target};
pub use rooms::{Room, events, oldest_and_newest};

use super::Lines;
use crate::{
    harness::Request,
    together::{
        model::{Name, Refused, Span, World},
        want::{Answer, Want, elements, members, quoted},
    },
};

/// The namespace of this dialect.
pub const SPACE: &str = "default";
/// Who writes through it.
const ACTOR: &str = "synap";

#[derive(Debug, Clone)]
pub struct Ask {
    pub way: Way,
    /// One, unless the way is a batch.
    pub commands: Vec<Command>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Envelope,
    Batch,
    Socket,
    /// As a route, where there is one; else in an envelope.
    Rest,
}

#[derive(Debug, Clone)]
pub enum Command {
    Key(Key),
    Collection(Collection),
    Queue(Queues),
    Room(Room),
}

/// A command spelled as a route.
pub struct Route {
    pub method: &'static str,
    pub target: String,
    pub body: Option<String>,
}

impl Ask {
    pub(super) fn send(&self, lines: &mut Lines) -> Result<Vec<Answer>> {
        let post = |body: String| Request::post("/api/v1/command", body).key(None);
        match self.way {
            Way::Batch => {
                let answer = lines.synap(&post(self.batch()))?;
                let body = members(&answer.body).expect("a batch is answered with an object");
                let results = elements(body["results"].get()).expect("results");
                Ok(results.iter().map(|result| read_result(None, result.get())).collect())
            }
            Way::Socket => lines.synap_socket(&self.commands[0].envelope()).map(|text| vec![read_result(None, &text)]),
            Way::Envelope | Way::Rest => {
                let route = if self.way == Way::Rest { self.commands[0].route() } else { None };
                let Some(Route { method, target, body }) = route else {
                    let answer = lines.synap(&post(self.commands[0].envelope()))?;
                    return Ok(vec![read_result(answer.status, &answer.body)]);
                };
                let request = Request::new(method, target).key(None);
                let answer = lines.synap(&if let Some(body) = body { request.body(body) } else { request })?;
                Ok(vec![if answer.success { as_object(answer) } else { read_result(answer.status, &answer.body) }])
            }
        }
    }

    pub(super) fn apply(&self, world: &mut World, now: Span) -> Vec<Want> {
        let apply = |command: &Command| {
            world.begin();
            command.apply(world, now)
        };
        self.commands.iter().map(apply).collect()
    }

    pub(super) fn beginnings(&self) -> Vec<Ask> {
        let first = |count: usize| Ask { way: self.way, commands: self.commands[..count].to_vec() };
        (1..=self.commands.len()).map(first).collect()
    }

    fn batch(&self) -> String {
        let commands: Vec<String> = self.commands.iter().map(|command| format!("{{{}}}", command.text())).collect();
        format!(r#"{{"type":"batch","request_id":"r","commands":[{}]}}"#, commands.join(","))
    }
}

impl Command {
    fn envelope(&self) -> String {
        format!(r#"{{"request_id":"r",{}}}"#, self.text())
    }

    fn text(&self) -> String {
        let (command, payload) = match self {
            Command::Key(command) => command.text(),
            Command::Collection(command) => command.text(),
            Command::Queue(command) => command.text(),
            Command::Room(command) => command.text(),
        };
        format!(r#""command":"{command}","payload":{{{payload}}}"#)
    }

    fn route(&self) -> Option<Route> {
        match self {
            Command::Key(command) => command.route(),
            Command::Collection(command) => Some(command.route()),
            Command::Queue(command) => command.route(),
            Command::Room(command) => command.route(),
        }
    }

    fn apply(&self, world: &mut World, now: Span) -> Want {
        match self {
            Command::Key(command) => command.apply(world, now),
            Command::Collection(command) => command.apply(world),
            Command::Queue(command) => command.apply(world, now),
            Command::Room(command) => command.apply(world, now),
        }
    }
}

/// An error of this dialect.
pub fn error(status: u16, code: &str) -> Want {
    Want::new(status).member("code", quoted(code))
}

pub fn wrong_type(name: &Name, actual: &str, expected: &str) -> Want {
    let message = format!("Key '{}' holds a {actual}, not a {expected}", name.name);
    error(409, "WRONG_TYPE").member("message", quoted(&message))
}

/// The refusal of a command on a value.
fn refused(name: &Name, why: Refused) -> Want {
    match why {
        Refused::Type(actual) => wrong_type(name, actual, "string"),
        Refused::Conflict(_) => unreachable!("no command of this dialect answers that"),
    }
}

pub fn key_not_found() -> Want {
    error(404, "KEY_NOT_FOUND")
}

pub fn list(texts: &[String]) -> String {
    format!("[{}]", texts.join(","))
}

pub fn read_result(status: Option<u16>, text: &str) -> Answer {
    let result = members(text).expect("an answer is an object");
    let success = result.get("success").is_some_and(|success| success.get() == "true");
    let body = |name: &str| result.get(name).map_or("null", |raw| raw.get()).to_owned();
    let body = if success { body("payload") } else { body("error") };
    as_object(Answer { status, success, body })
}

/// An answer that is no object becomes a member of one.
fn as_object(answer: Answer) -> Answer {
    if answer.body.starts_with('{') {
        return answer;
    }
    Answer { body: format!(r#"{{"bare":{}}}"#, answer.body), ..answer }
}
