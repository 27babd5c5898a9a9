//! What a client may ask on a connection: one JSON object per frame, told apart by its `type`.

use bytes::Bytes;
use manifold_engine::{
    Timestamp,
    cache::{Cache, CacheSet},
};

use super::{
    following::Following,
    write::{error, message, object, pong},
};
use crate::{
    dialects::dunena::{
        asked::Text,
        check::{self, Broken},
        many,
    },
    http::{
        json::{self, RawValue},
        ws::MAX_OUTGOING_BYTES,
    },
};

#[cfg(test)]
mod tests;

type Member<'a> = Option<&'a RawValue>;

/// The answer to a frame, unless it gets none.
pub(super) fn answer(cache: &Cache, following: &mut Following, frame: &[u8], now: Timestamp) -> Option<Vec<u8>> {
    let text = Text::of(frame);
    let Ok([kind, channel, rest @ ..]) =
        text.members(&["type", "channel", "key", "value", "ttl", "ns", "keys", "entries"])
    else {
        return Some(error("Invalid JSON", now));
    };
    let request = Request::new(cache, rest, now);
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
        Some("get") => request.get(),
        Some("set") => request.set(),
        Some("del") => request.delete(),
        Some("mget") => request.get_many(),
        Some("mset") => request.set_many(),
        Some(other) => Err(format!("Unknown message type: {other}").into()),
        None => Err(format!("Unknown message type: {}", kind.map_or("undefined", RawValue::get)).into()),
    };
    done.unwrap_or_else(|broken| Some(error(&broken, now)))
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

/// Something that is asked of the cache. Without the key it needs it gets no answer.
struct Request<'a> {
    cache: &'a Cache,
    key: Member<'a>,
    value: Member<'a>,
    ttl: Member<'a>,
    space: Member<'a>,
    keys: Member<'a>,
    entries: Member<'a>,
    now: Timestamp,
}

type Done = Result<Option<Vec<u8>>, Broken>;

impl<'a> Request<'a> {
    fn new(cache: &'a Cache, [key, value, ttl, space, keys, entries]: [Member<'a>; 6], now: Timestamp) -> Self {
        Request { cache, key: key.and_then(|key| json::given(Some(key))), value, ttl, space, keys, entries, now }
    }

    fn get(&self) -> Done {
        if self.key.is_none() {
            return Ok(None);
        }
        let key = check::key_member(self.key)?;
        let space = check::namespace_member(self.space)?;
        let value = self.cache.get(space.as_bytes(), key.as_bytes());
        Ok(self
            .result(&[("key", &|out| json::write_str(out, &key)), ("value", &|out| write_value(out, value.as_ref()))]))
    }

    fn set(&self) -> Done {
        if self.key.is_none() {
            return Ok(None);
        }
        let key = check::key_member(self.key)?;
        let value = check::value(self.value)?;
        let ttl = check::time_to_live(self.ttl)?;
        let space = check::namespace_member(self.space)?;
        let value = Bytes::copy_from_slice(value.as_bytes());
        self.cache.set([CacheSet { space: space.as_bytes(), key: key.as_bytes(), value, ttl }]);
        Ok(self.result(&[("key", &|out| json::write_str(out, &key)), ("ok", &|out| write_bool(out, true))]))
    }

    fn delete(&self) -> Done {
        if self.key.is_none() {
            return Ok(None);
        }
        let key = check::key_member(self.key)?;
        let space = check::namespace_member(self.space)?;
        let deleted = self.cache.delete(space.as_bytes(), &[key.as_bytes()]) > 0;
        Ok(self.result(&[("key", &|out| json::write_str(out, &key)), ("deleted", &|out| write_bool(out, deleted))]))
    }

    fn get_many(&self) -> Done {
        let keys = many::keys(self.keys)?;
        let space = check::namespace_member(self.space)?;
        let values = self.cache.get_many(space.as_bytes(), &keys);
        // Values share their bytes with the cache; only the text of the answer costs memory.
        let bytes: usize = values.iter().flatten().map(Bytes::len).sum();
        let answer = (bytes <= MAX_OUTGOING_BYTES)
            .then(|| self.result(&[("result", &|out| many::write_values(out, &keys, &values))]))
            .flatten()
            .filter(|answer| answer.len() <= MAX_OUTGOING_BYTES);
        answer.map(Some).ok_or_else(|| format!("Result exceeds max size ({MAX_OUTGOING_BYTES} bytes)").into())
    }

    fn set_many(&self) -> Done {
        let entries = many::entries("mset", self.entries)?;
        let space = check::namespace_member(self.space)?;
        self.cache.set(entries.iter().map(|entry| entry.within(&space)));
        Ok(self.result(&[("stored", &|out| json::write_u64(out, entries.len() as u64))]))
    }

    #[expect(clippy::unnecessary_wraps, reason = "this is what all requests end with")]
    fn result(&self, members: &[(&str, &dyn Fn(&mut Vec<u8>))]) -> Option<Vec<u8>> {
        Some(message("result", self.now, |out| object(out, members)))
    }
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
