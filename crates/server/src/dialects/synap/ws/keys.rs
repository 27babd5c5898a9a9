//! GET `/kv/ws`: what happens to some keys, whoever does it. It is read from the change feed.

use manifold_engine::{
    Glob, Key, Namespace, Timestamp,
    feed::{Change, ChangeOp, Filter, Follower, How, Start, Step},
    kv::Value,
};

use super::{
    super::{Synap, envelope::Id, error::Error, kv, object::Object, payload},
    watch::{Source, connected, listed},
};
use crate::http::{query::Query, ws::Close};

#[cfg(test)]
mod tests;

/// What the topics of watched keys begin with.
const TOPIC: &[u8] = b"__watch@0__:";
/// Most globs of one connection.
const MOST_GLOBS: usize = 100;
/// Changes that are read at once, and their bytes.
const STEP_CHANGES: usize = 64;
const STEP_BYTES: usize = 64 << 10;

/// The keys of a connection.
pub(super) struct Keys {
    id: Id,
    namespace: Namespace,
    globs: Vec<(String, Glob)>,
    feed: Follower,
    /// Longer values are left out.
    most_value_bytes: usize,
}

impl Keys {
    /// Watches what the parameter `keys` lists, from now on.
    pub(super) fn open(synap: &Synap, query: &Query<'_>) -> Result<Self, Error> {
        let listed = listed(query, "keys", MOST_GLOBS)?;
        let globs = listed.iter().enumerate().map(|(at, text)| glob(text, at)).collect::<Result<Vec<_>, _>>()?;
        let prefix = match &globs[..] {
            [(_, only)] => Some(only.prefix().to_vec().into()),
            _ => None,
        };
        let tree = Some(payload::bytes(super::super::NAMESPACE));
        let feed = synap.engine.follow(Start::Head, Filter { tree, prefix, ..Filter::default() })?;
        let most_value_bytes = synap.watched_value_bytes;
        Ok(Keys { id: Id::fresh(), namespace: synap.namespace.clone(), globs, feed, most_value_bytes })
    }

    fn wants(&self, change: &Change) -> bool {
        // The feed's filter lets namespaces below ours through.
        change.namespace == self.namespace && self.globs.iter().any(|(_, glob)| glob.matches(change.key.as_bytes()))
    }

    fn message(&self, change: &Change) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        let Timestamp(at_ms) = change.at;
        Object::new(&mut out)
            .text("type", "message")
            .text("message_id", &format!("msg_{:x}", change.seq))
            .name("topic", &topic(change.key.as_bytes()))
            .with("payload", |out| self.write_event(out, change))
            .with("metadata", |out| out.extend_from_slice(b"{}"))
            .number("timestamp", at_ms / 1000)
            .close();
        out
    }

    fn write_event(&self, out: &mut Vec<u8>, change: &Change) {
        let object = Object::new(out)
            .name("key", change.key.as_bytes())
            .text("event", event(change))
            .number("version", change.version);
        let object = match &change.value {
            Some(value) if fits(value, self.most_value_bytes) => {
                object.with("value", |out| kv::write_sdk_text(out, value))
            }
            Some(_) => object.flag("truncated", true),
            None => object,
        };
        object.close();
    }
}

impl Source for Keys {
    fn greeting(&self) -> Vec<u8> {
        let topics: Vec<_> = self.globs.iter().map(|(text, _)| topic(text.as_bytes())).collect();
        connected(self.id.as_str(), &topics)
    }

    async fn next(&mut self) -> Result<Vec<Vec<u8>>, Close> {
        loop {
            let step = self.feed.next(STEP_CHANGES, STEP_BYTES).await.map_err(|_| Close::Failed)?;
            let Step::Changes { changes, .. } = step else {
                // What is gone from the feed cannot be told, and must not look like silence.
                return Err(Close::Slow);
            };
            let wanted = changes.iter().filter(|change| self.wants(change));
            let texts: Vec<_> = wanted.map(|change| self.message(change)).collect();
            if !texts.is_empty() {
                return Ok(texts);
            }
        }
    }

    async fn fell_behind(&self) {
        // Nothing waits for it: the feed is read when it takes what it was told before.
        std::future::pending().await
    }
}

fn glob(text: &str, at: usize) -> Result<(String, Glob), Error> {
    let field = || format!("keys[{at}]");
    if text.len() > Key::MAX {
        return Err(payload::too_long(field(), Key::MAX));
    }
    let glob = Glob::new(text).map_err(|_| Error::field(field(), "is too large"))?;
    Ok((text.to_owned(), glob))
}

fn topic(key: &[u8]) -> Vec<u8> {
    [TOPIC, key].concat()
}

fn event(change: &Change) -> &'static str {
    match (change.op, change.expires_at) {
        (ChangeOp::Set(How::Put), _) => "set",
        (ChangeOp::Set(How::Append), _) => "append",
        (ChangeOp::Set(How::Overwrite), _) => "setrange",
        (ChangeOp::Set(How::Increment), _) => "incr",
        (ChangeOp::Set(How::Retime), Some(_)) => "expire",
        (ChangeOp::Set(How::Retime), None) => "persist",
        (ChangeOp::Delete, _) => "del",
        (ChangeOp::Expire, _) => "expired",
    }
}

/// Whether a value's text has at most so many bytes; quotes are not part of it.
fn fits(value: &Value, most: usize) -> bool {
    // Nothing is spelled in more than six bytes for each of its text: a long value is not read to find that it is long.
    let may_fit = value.bytes.len() <= most.saturating_mul(6).saturating_add(2);
    value.bytes.len() <= most || may_fit && value.text().is_ok_and(|text| text.len() <= most)
}
