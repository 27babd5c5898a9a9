//! The change feed as its readers see it: every change of a value whoever made it, in order, once.

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
};

use super::{
    model::{Change, Op, World},
    want::{elements, members},
};
use crate::harness::{Connection, Request, now_ms};

/// A sequence number may leap by this much, once, where a weaker level ended without a goodbye.
const LEAP: u64 = 1_000_000;

/// One record as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub seq: u64,
    pub space: String,
    pub key: String,
    pub op: String,
    /// JSON text.
    pub value: String,
    pub version: u64,
    pub actor: String,
    pub expired: bool,
}

/// A reader that goes on where it was.
#[derive(Debug, Default)]
pub struct Feed {
    pub seen: Vec<Seen>,
    after: u64,
    last_timestamp: u64,
    versions: HashMap<(String, String), u64>,
    /// Unclean ends at a weaker level that no leap was seen for yet.
    leaps: u64,
}

impl Feed {
    /// From here on a number may be skipped over, once more.
    pub fn may_leap(&mut self) {
        self.leaps += 1;
    }

    /// Reads to the end of the feed; false when the server went away before that.
    pub fn read(&mut self, address: SocketAddr) -> Result<bool, String> {
        let Ok(mut connection) = Connection::try_open(address) else { return Ok(false) };
        loop {
            let target = format!("/api/v1/changes?after={}&limit=1000", self.after);
            let Ok(page) = connection.send(&Request::get(target)) else { return Ok(false) };
            if page.status == 503 {
                return Ok(false);
            }
            let text = page.text();
            let page = members(&text)?;
            let Some(changes) = page.get("changes") else { return Err(text) };
            let changes = elements(changes.get())?;
            for change in &changes {
                self.take(change.get())?;
            }
            let last: u64 = page["lastSeq"].get().parse().map_err(|_| text.clone())?;
            if last < self.after {
                return Err(format!("the head {last} is below a record that was shown, {}", self.after));
            }
            if changes.len() < 1000 {
                return Ok(true);
            }
        }
    }

    fn take(&mut self, text: &str) -> Result<(), String> {
        let seen = Seen::read(text)?;
        if seen.seq != self.after + 1 {
            if self.leaps == 0 || seen.seq < self.after + LEAP {
                return Err(format!("the feed goes from {} to {text}", self.after));
            }
            self.leaps -= 1;
        }
        self.after = seen.seq;
        let version = self.versions.entry((seen.space.clone(), seen.key.clone())).or_default();
        if seen.version != *version + 1 {
            return Err(format!("version {version} is followed by {text}"));
        }
        *version = seen.version;
        let timestamp: u64 = members(text)?["timestamp"].get().parse().map_err(|_| text.to_owned())?;
        if timestamp < self.last_timestamp {
            return Err(format!("time goes back to {text}"));
        }
        self.last_timestamp = timestamp;
        self.seen.push(seen);
        Ok(())
    }

    /// Why this is not the story of a world whose names begin with `prefix`.
    pub fn tells(&self, prefix: &str, world: &World) -> Result<(), String> {
        let mut left: BTreeMap<(&str, &str, u64), &Change> = world
            .changes
            .iter()
            .map(|change| ((change.name.space, change.name.name.as_str(), change.version), change))
            .collect();
        let now = now_ms();
        let mut order = (0, 0);
        for seen in self.seen.iter().filter(|seen| seen.key.starts_with(prefix)) {
            if seen.expired {
                let known = world.expiries.iter().any(|(name, version)| {
                    name.space == seen.space && name.name == seen.key && *version == seen.version
                });
                if !known && !world.may_expire(&seen.space, &seen.key, seen.version, now) {
                    return Err(format!("the feed shows what did not expire: {seen:?}"));
                }
                if (seen.op.as_str(), seen.value.as_str(), seen.actor.as_str()) != ("delete", "null", "system:ttl") {
                    return Err(format!("no expiry is told like this: {seen:?}"));
                }
                continue;
            }
            let change = left.remove(&(seen.space.as_str(), seen.key.as_str(), seen.version));
            let change = change.ok_or_else(|| format!("the feed shows what was not done: {seen:?}"))?;
            let (op, value) = match &change.op {
                Op::Set(value) => ("set", value.json()),
                Op::Delete => ("delete", "null".to_owned()),
            };
            if (seen.op.as_str(), &seen.value, &seen.actor) != (op, &value, &change.actor) {
                return Err(format!("the feed shows {seen:?} for {change:?}"));
            }
            if change.order < order {
                return Err(format!("the feed shows {change:?} too late"));
            }
            order = change.order;
        }
        match left.values().next() {
            Some(change) => Err(format!("the feed does not show {change:?}")),
            None => Ok(()),
        }
    }
}

impl Seen {
    pub fn read(text: &str) -> Result<Seen, String> {
        let change = members(text)?;
        let raw = |name: &str| change.get(name).map_or("", |raw| raw.get());
        let string =
            |name: &str| serde_json::from_str::<String>(raw(name)).map_err(|error| format!("{error} in {text}"));
        let number = |name: &str| raw(name).parse::<u64>().map_err(|error| format!("{error} in {text}"));
        Ok(Seen {
            seq: number("seq")?,
            space: string("namespace")?,
            key: string("key")?,
            op: string("op")?,
            value: raw("value").to_owned(),
            version: number("version")?,
            actor: string("actor")?,
            expired: raw("reason") == r#""expired""#,
        })
    }
}
