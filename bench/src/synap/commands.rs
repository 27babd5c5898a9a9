//! Commands over HTTP. The bare server reads requests of the same bytes and answers with as many.

use std::rc::Rc;

use memchr::memmem;

use super::{
    Args,
    request::{command, expect},
};
use crate::{
    Result,
    load::{
        case::Case,
        client::{Connection, Protocol},
        script::{Step, Steps},
        server::Server,
    },
    sheet::{Sheet, Wanted},
};

/// Keys that are read and written, round and round.
const KEYS: usize = 1000;
/// Bytes of a value, a message or an event, quotes included.
const VALUE_BYTES: usize = 128;
/// Events in the room before they are read.
const EVENTS: usize = 1000;

/// At the level `interval`, of the bare server's rate.
const GOALS: [(&str, f64); 2] = [("kv.get", 0.75), ("kv.set", 0.7)];

/// Measures a line for each command; those that only read with the first level alone.
pub async fn run(args: &Args, level: &str, first: bool, manifold: &Server, sheet: &mut Sheet) -> Result<()> {
    let Args { connections, turns, turn_ms, .. } = args;
    let mut connection = Connection::open(manifold.address, Protocol::Http).await?;
    prepare(&mut connection).await?;
    sheet.section(&format!("Synap at {level}, {connections} connections, {turns} turns of {turn_ms} ms each"));
    Case::head(sheet, "command");
    for case in cases().into_iter().filter(|case| (case.writes || first) && case.title.contains(&args.command)) {
        let ratio = case.run(args.turns(), args.connections, manifold, sheet).await?;
        let goal = GOALS.iter().find(|(title, _)| *title == case.title && level == "interval");
        if let Some((_, least)) = goal {
            sheet.goal(format!("Synap {} at {level}, of bare", case.title), Wanted::AtLeast(*least), ratio);
        }
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
        Case { title: "queue.publish, consume, ack", writes: true, scripts: Steps::scripts(cycle("tasks")) },
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
pub fn cycle(queue: &'static str) -> Vec<Step> {
    let message = format!("{{\"queue\":\"{queue}\",\"message\":\"{}\"}}", "v".repeat(VALUE_BYTES - 2));
    let publish = command("queue.publish", &message);
    let consume = command("queue.consume", &format!("{{\"queue\":\"{queue}\"}}"));
    let ack = move |answer: &[u8]| {
        let id = message_id(answer).ok_or("a queue with a message in it gave none")?;
        Ok(command("queue.ack", &format!("{{\"queue\":\"{queue}\",\"message_id\":\"{id}\"}}")))
    };
    vec![Rc::new(move |_| Ok(publish.clone())), Rc::new(move |_| Ok(consume.clone())), Rc::new(ack)]
}

fn message_id(answer: &[u8]) -> Option<&str> {
    const MEMBER: &str = "\"message_id\":\"";
    let start = memmem::find(answer, MEMBER.as_bytes())? + MEMBER.len();
    let length = answer[start..].iter().position(|byte| *byte == b'"')?;
    std::str::from_utf8(&answer[start..start + length]).ok()
}
