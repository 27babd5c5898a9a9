//! Sockets that were open all the time: each told of every change, in order, once.

use std::time::Duration;

use serde_json::Value;

use super::{
    feed::{Feed, Seen},
    script::Names,
    spell::synap::SPACE,
    want::quoted,
};
use crate::harness::{EventStream, Frame, Request, Server, Socket};

const PATIENCE: Duration = Duration::from_secs(20);

pub struct Followers {
    events: EventStream,
    socket: Socket,
    watch: Socket,
}

impl Followers {
    /// Follows the whole feed, and on the socket for keys those of these names.
    pub fn start(server: &Server, names: &Names) -> Followers {
        let mut events = EventStream::start(server.unison(), &Request::get("/api/v1/changes/stream?after=0"));
        events.patience(PATIENCE);
        let mut socket = Socket::start(server.unison());
        let subscribe = r#"{"jsonrpc":"2.0","id":1,"method":"watch/subscribe","params":{"namespace":""}}"#;
        assert_eq!(socket.call(subscribe)["result"]["ok"], true);
        let mut watch = Socket::at(server.synap(), &format!("/kv/ws?keys={}*", names.prefix));
        assert_eq!(watch.expect_json()["type"], "connected");
        Followers { events, socket, watch }
    }

    /// Each heard what the feed has.
    pub fn heard(mut self, feed: &Feed) -> Result<(), String> {
        for seen in &feed.seen {
            let told = self.event()?;
            same("the event stream", &told, seen)?;
            let Frame::Text(text) = self.socket.receive(PATIENCE) else { return Err("the socket is silent".into()) };
            let call: std::collections::HashMap<String, Box<serde_json::value::RawValue>> =
                serde_json::from_str(&text).map_err(|error| error.to_string())?;
            same("the socket of Unison", &Seen::read(call["params"].get())?, seen)?;
        }
        for seen in feed.seen.iter().filter(|seen| seen.space == SPACE) {
            let Frame::Text(text) = self.watch.receive(PATIENCE) else { return Err("the watch is silent".into()) };
            watched(&text, seen)?;
        }
        Ok(())
    }

    fn event(&mut self) -> Result<Seen, String> {
        loop {
            let event = self.events.next().map_err(|error| error.to_string())?;
            let event = event.ok_or("the event stream ended")?;
            if event.event == "change" {
                return Seen::read(&event.data);
            }
        }
    }
}

fn same(who: &str, told: &Seen, seen: &Seen) -> Result<(), String> {
    if told == seen { Ok(()) } else { Err(format!("{who} told {told:?}, the feed has {seen:?}")) }
}

/// A message about a key says what the record of the feed says.
fn watched(text: &str, seen: &Seen) -> Result<(), String> {
    let wrong = |what: &str| Err(format!("the watch told {text}, the feed has {seen:?}: {what}"));
    let message: Value = serde_json::from_str(&text).map_err(|error| format!("{error} in {text}"))?;
    let payload = &message["payload"];
    if payload["key"] != seen.key.as_str() || message["topic"] != format!("__watch@0__:{}", seen.key) {
        return wrong("key");
    }
    // A string as it is, anything else as a string of its text.
    let value = if seen.value.starts_with('"') { seen.value.clone() } else { quoted(&seen.value) };
    if seen.op == "set" && payload["value"] != serde_json::from_str::<Value>(&value).expect("a string") {
        return wrong("value");
    }
    if payload["version"] != seen.version {
        return wrong("version");
    }
    let event = payload["event"].as_str().unwrap_or_default();
    let fits = match (seen.op.as_str(), seen.expired) {
        ("set", _) => ["set", "append", "setrange", "incr", "expire", "persist"].contains(&event),
        (_, true) => event == "expired",
        (_, false) => event == "del",
    };
    if fits { Ok(()) } else { wrong("event") }
}
