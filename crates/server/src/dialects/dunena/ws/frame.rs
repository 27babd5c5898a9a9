//! What a client may ask on a connection: one JSON object per frame, told apart by its `type`.

use std::borrow::Cow;

use bytes::Bytes;
use manifold_engine::{
    Timestamp,
    cache::{Cache, CacheSet},
};

use super::{
    following::Following,
    write::{Written, error, message, object, pong},
};
use crate::{
    dialects::dunena::{asked::Text, check, error::Error, many},
    http::{
        json::{self, RawValue},
        ws::MAX_OUTGOING_BYTES,
    },
};

#[cfg(test)]
mod tests;

type Member<'a> = Option<&'a RawValue>;
type Done = Result<Vec<u8>, Error>;

/// What frames are about.
#[derive(Clone, Copy)]
pub(super) struct Ground<'a> {
    pub(super) cache: &'a Cache,
    /// Counts a frame against the limit of the namespace it names.
    pub(super) count_for: &'a dyn Fn(&str) -> Result<(), Error>,
    pub(super) now: Timestamp,
}

/// The answer to a frame, unless it gets none.
pub(super) fn answer(ground: Ground<'_>, following: &mut Following, frame: &[u8]) -> Option<Vec<u8>> {
    let Ground { cache, now, .. } = ground;
    let text = Text::of(frame);
    let Ok([kind, channel, rest @ ..]) =
        text.members(&["type", "channel", "key", "value", "ttl", "ns", "keys", "entries"])
    else {
        return Some(error("Invalid JSON", now));
    };
    let request = Request::new(ground, rest);
    let name = check::string(kind);
    let done = match name.as_deref() {
        Some("ping") => return Some(pong(now)),
        Some("subscribe") => return subscribe(cache, following, channel, now),
        Some("unsubscribe") => {
            if is_cache(channel) {
                following.stop();
            }
            return None;
        }
        // Without the key that it is about a frame gets no answer.
        Some("get" | "set" | "del") if request.key.is_none() => return None,
        Some("get") => request.get(),
        Some("set") => request.set(),
        Some("del") => request.delete(),
        Some("mget") => request.get_many(),
        Some("mset") => request.set_many(),
        Some(other) => Err(unknown(other)),
        None => Err(unknown(kind.map_or("undefined", RawValue::get))),
    };
    Some(done.unwrap_or_else(|refused| error(refused.text(), now)))
}

fn unknown(kind: &str) -> Error {
    Error::invalid(format!("Unknown message type: {kind}"))
}

/// Any channel may be subscribed to; only that of the cache ever has something to tell.
fn subscribe(cache: &Cache, following: &mut Following, channel: Member<'_>, now: Timestamp) -> Option<Vec<u8>> {
    let name = check::string(channel)?;
    if is_cache(channel) {
        following.start(cache);
    }
    Some(message("subscribed", now, |out| object(out, &[("channel", &|out| json::write_str(out, &name))])))
}

fn is_cache(channel: Member<'_>) -> bool {
    check::string(channel).is_some_and(|channel| matches!(&*channel, "cache-events" | "cache"))
}

/// Something that is asked of the cache.
struct Request<'a> {
    ground: Ground<'a>,
    key: Member<'a>,
    value: Member<'a>,
    ttl: Member<'a>,
    space: Member<'a>,
    keys: Member<'a>,
    entries: Member<'a>,
}

impl<'a> Request<'a> {
    fn new(ground: Ground<'a>, [key, value, ttl, space, keys, entries]: [Member<'a>; 6]) -> Self {
        Request { ground, key: json::given(key), value, ttl, space, keys, entries }
    }

    /// The namespace, with this frame counted against its limit: the last thing that is checked.
    fn namespace(&self) -> Result<Cow<'a, str>, Error> {
        let space = check::namespace_member(self.space)?;
        (self.ground.count_for)(&space)?;
        Ok(space)
    }

    fn get(&self) -> Done {
        let key = check::key_member(self.key)?;
        let space = self.namespace()?;
        let value = self.ground.cache.get(space.as_bytes(), key.as_bytes());
        Ok(self
            .result(&[("key", &|out| json::write_str(out, &key)), ("value", &|out| write_value(out, value.as_ref()))]))
    }

    fn set(&self) -> Done {
        let key = check::key_member(self.key)?;
        let value = check::value(self.value)?;
        let ttl = check::time_to_live(self.ttl)?;
        let space = self.namespace()?;
        let value = Bytes::copy_from_slice(value.as_bytes());
        self.ground.cache.set([CacheSet { space: space.as_bytes(), key: key.as_bytes(), value, ttl }]);
        Ok(self.result(&[("key", &|out| json::write_str(out, &key)), ("ok", &|out| write_bool(out, true))]))
    }

    fn delete(&self) -> Done {
        let key = check::key_member(self.key)?;
        let space = self.namespace()?;
        let deleted = self.ground.cache.delete(space.as_bytes(), &[key.as_bytes()]) > 0;
        Ok(self.result(&[("key", &|out| json::write_str(out, &key)), ("deleted", &|out| write_bool(out, deleted))]))
    }

    fn get_many(&self) -> Done {
        let keys = many::keys(self.keys)?;
        let space = self.namespace()?;
        let values = self.ground.cache.get_many(space.as_bytes(), &keys);
        // Values share their bytes with the cache; only the text of the answer costs memory.
        let bytes: usize = values.iter().flatten().map(Bytes::len).sum();
        if bytes > MAX_OUTGOING_BYTES {
            return Err(too_long());
        }
        let answer = self.result(&[("result", &|out| many::write_values(out, &keys, &values))]);
        if answer.len() > MAX_OUTGOING_BYTES { Err(too_long()) } else { Ok(answer) }
    }

    fn set_many(&self) -> Done {
        let mut entries = many::entries("mset", self.entries)?;
        let space = self.namespace()?;
        self.ground.cache.set(entries.iter_mut().map(|entry| entry.within(&space)));
        Ok(self.result(&[("stored", &|out| json::write_u64(out, entries.len() as u64))]))
    }

    fn result(&self, members: &[Written<'_>]) -> Vec<u8> {
        message("result", self.ground.now, |out| object(out, members))
    }
}

fn too_long() -> Error {
    Error::invalid(format!("Result exceeds max size ({MAX_OUTGOING_BYTES} bytes)"))
}

fn write_value(out: &mut Vec<u8>, value: Option<&Bytes>) {
    match value {
        Some(value) => json::write_bytes_as_str(out, value),
        None => out.extend_from_slice(b"null"),
    }
}

fn write_bool(out: &mut Vec<u8>, is: bool) {
    out.extend_from_slice(if is { b"true" } else { b"false" });
}
