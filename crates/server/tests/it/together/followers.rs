//! Sockets that were open all the time: each told of every change, in order, once.

use std::{
    sync::mpsc::{self, Receiver},
    time::Duration,
};

use serde_json::Value;

use super::{
    feed::{Feed, Seen},
    script::Names,
    spell::synap::SPACE,
    want::{members, quoted},
};
use crate::harness::{EventStream, Frame, Request, Server, Socket};

/// Everything was told long before this, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(20);
/// Once so long nothing came from a server that runs, there was nothing to come.
const SILENCE: Duration = Duration::from_secs(600);

/// What each of them was told, as it comes: somebody reads all the time, and so answers pings.
pub struct Followers {
    events: Receiver<String>,
    socket: Receiver<String>,
    watch: Receiver<String>,
}

impl Followers {
    /// Follows the whole feed, and on the socket for keys those of these names.
    pub fn start(server: &Server, names: &Names) -> Followers {
        let mut events = EventStream::start(server.unison(), &Request::get("/api/v1/changes/stream?after=0"));
        events.patience(SILENCE);
        let mut socket = Socket::start(server.unison());
        let subscribe = r#"{"jsonrpc":"2.0","id":1,"method":"watch/subscribe","params":{"namespace":""}}"#;
        assert_eq!(socket.call(subscribe)["result"]["ok"], true);
        let mut watch = Socket::at(server.synap(), &format!("/kv/ws?keys={}*", names.prefix));
        assert_eq!(watch.expect_json()["type"], "connected");
        let event = move || loop {
            let event = events.next().ok()??;
            if event.event == "change" {
                return Some(event.data);
            }
        };
        Followers {
            events: told(event),
            socket: told(move || text(&mut socket)),
            watch: told(move || text(&mut watch)),
        }
    }

    /// Each heard what the feed has.
    pub fn heard(self, feed: &Feed) -> Result<(), String> {
        for seen in &feed.seen {
            same("the event stream", &Seen::read(&next("the event stream", &self.events)?)?, seen)?;
            let call = members(&next("the socket of Unison", &self.socket)?)?;
            same("the socket of Unison", &Seen::read(call["params"].get())?, seen)?;
        }
        for seen in feed.seen.iter().filter(|seen| seen.space == SPACE) {
            watched(&next("the watch", &self.watch)?, seen)?;
        }
        Ok(())
    }
}

/// Hands over what is told until there is no more, or nobody who wants it.
fn told(mut next: impl FnMut() -> Option<String> + Send + 'static) -> Receiver<String> {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        while let Some(text) = next()
            && tell.send(text).is_ok()
        {}
    });
    told
}

fn text(socket: &mut Socket) -> Option<String> {
    match socket.receive(SILENCE) {
        Frame::Text(text) => Some(text),
        Frame::Closed(_) | Frame::Gone | Frame::Nothing => None,
    }
}

fn next(who: &str, told: &Receiver<String>) -> Result<String, String> {
    told.recv_timeout(PATIENCE).map_err(|_| format!("{who} says no more"))
}

fn same(who: &str, told: &Seen, seen: &Seen) -> Result<(), String> {
    if told == seen { Ok(()) } else { Err(format!("{who} told {told:?}, the feed has {seen:?}")) }
}

/// A message about a key says what the record of the feed says.
fn watched(text: &str, seen: &Seen) -> Result<(), String> {
    let wrong = |what: &str| Err(format!("the watch told {text}, the feed has {seen:?}: {what}"));
    let message: Value = serde_json::from_str(text).map_err(|error| format!("{error} in {text}"))?;
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
