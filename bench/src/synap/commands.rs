//! Commands over HTTP. The bare server reads requests of the same bytes and answers with as many.

use memchr::memmem;

use super::{
    Args,
    request::{command, expect},
};
use crate::{
    Result,
    http::{
        case::Case,
        client::{Connection, Script},
        compare,
        server::Server,
    },
    measure::section,
};

/// Keys that are read and written, round and round.
const KEYS: usize = 1000;
/// Bytes of a value, a message or an event, quotes included.
const VALUE_BYTES: usize = 128;
/// Events in the room before they are read.
const EVENTS: usize = 1000;

/// Prints a line for each side of each command; those that only read with the first level alone.
pub async fn run(args: &Args, level: &str, first: bool, manifold: &Server) -> Result<()> {
    let Args { connections, turns, turn_ms, .. } = args;
    let mut connection = Connection::open(manifold.address).await?;
    prepare(&mut connection).await?;
    section(&format!("synap: level {level}, {connections} connections, {turns} turns of {turn_ms} ms each"));
    compare::print_head("command", "bare");
    for case in cases().into_iter().filter(|case| (case.writes || first) && case.title.contains(&args.command)) {
        case.print(args.turns(), args.connections, manifold).await?;
    }
    Ok(())
}

/// A command with another payload each time.
fn of(title: &'static str, writes: bool, name: &str, payload: impl Fn(usize) -> String) -> Case {
    Case::of(title, writes, (0..KEYS).map(|n| command(name, &payload(n))).collect())
}

fn cases() -> Vec<Case> {
    let value = format!("\"{}\"", "v".repeat(VALUE_BYTES - 2));
    vec![
        of("kv.get", false, "kv.get", |n| format!("{{\"key\":\"key-{n:04}\"}}")),
        of("kv.set", true, "kv.set", |n| format!("{{\"key\":\"key-{n:04}\",\"value\":{value}}}")),
        of("kv.set with ttl", true, "kv.set", |n| format!("{{\"key\":\"key-{n:04}\",\"value\":{value},\"ttl\":3600}}")),
        of("queue.publish", true, "queue.publish", |_| format!("{{\"queue\":\"deep\",\"message\":{value}}}")),
        Case {
            title: "queue.publish, consume, ack",
            writes: true,
            script: Box::new(move |_| Box::new(Cycle::default())),
        },
        of("stream.publish", true, "stream.publish", |_| event()),
        of("stream.history of 10", false, "stream.history", |n| {
            format!("{{\"room\":\"room\",\"from_offset\":-{},\"limit\":10}}", 10 + n % (EVENTS - 10))
        }),
    ]
}

fn event() -> String {
    format!("{{\"room\":\"room\",\"event_type\":\"bench\",\"data\":\"{}\"}}", "v".repeat(VALUE_BYTES - 2))
}

async fn prepare(connection: &mut Connection) -> Result<()> {
    for n in 0..KEYS {
        let payload = format!("{{\"key\":\"key-{n:04}\",\"value\":\"{}\"}}", "v".repeat(VALUE_BYTES - 2));
        expect(connection, &command("kv.set", &payload), "\"success\":true,\"previous\"").await?;
    }
    for _ in 0..EVENTS {
        expect(connection, &command("stream.publish", &event()), "\"offset\":").await?;
    }
    // Nobody takes from it: it has to hold what a whole run publishes.
    let deep = command("queue.create", "{\"queue\":\"deep\",\"config\":{\"max_depth\":10000000}}");
    expect(connection, &deep, "\"created\":true").await
}

/// Publishes a message, takes one and acknowledges it; each of them is a request.
struct Cycle {
    publish: Vec<u8>,
    consume: Vec<u8>,
    ack: Vec<u8>,
    done: Done,
}

/// What the last request was.
#[derive(Debug, Clone, Copy)]
enum Done {
    Publish,
    Consume,
    Ack,
}

impl Default for Cycle {
    fn default() -> Self {
        let message = format!("{{\"queue\":\"tasks\",\"message\":\"{}\"}}", "v".repeat(VALUE_BYTES - 2));
        Cycle {
            publish: command("queue.publish", &message),
            consume: command("queue.consume", "{\"queue\":\"tasks\"}"),
            ack: Vec::new(),
            done: Done::Ack,
        }
    }
}

impl Script for Cycle {
    fn next(&mut self, answer: &[u8]) -> Result<&[u8]> {
        match self.done {
            Done::Ack => {
                self.done = Done::Publish;
                Ok(&self.publish)
            }
            Done::Publish => {
                self.done = Done::Consume;
                Ok(&self.consume)
            }
            Done::Consume => {
                self.done = Done::Ack;
                let id = message_id(answer).ok_or("a queue with a message in it gave none")?;
                self.ack = command("queue.ack", &format!("{{\"queue\":\"tasks\",\"message_id\":\"{id}\"}}"));
                Ok(&self.ack)
            }
        }
    }
}

fn message_id(answer: &[u8]) -> Option<&str> {
    const MEMBER: &str = "\"message_id\":\"";
    let start = memmem::find(answer, MEMBER.as_bytes())? + MEMBER.len();
    let length = answer[start..].iter().position(|byte| *byte == b'"')?;
    std::str::from_utf8(&answer[start..start + length]).ok()
}
