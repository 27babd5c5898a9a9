//! Values by key where REST asks for more than the commands take.

use std::time::Duration;

use manifold_engine::{Key, Timestamp, kv::Expires};

use crate::{
    dialects::synap::{
        access::Role,
        commands::{Command, Context, Done, Line, line},
        error::{Error, absent},
        kv,
        object::{self, Object},
        payload::{self, Member, Payload},
    },
    http::json::{self, RawValue},
};

/// The last instant that a key may live to: the end of the year 9999.
const LAST_MS: i64 = 253_402_300_799_999;

/// POST `/kv/set`: the command, with more ways to say when the key expires, and the old value only on request.
pub(super) static SET: Line = line::<Set>();
/// GET `/kv/get/{key}`: the value alone.
pub(super) static GET: Line = line::<Get>();

#[derive(Debug)]
struct Set {
    set: kv::Set,
    /// Whether the old value is answered.
    get: bool,
}

impl Command for Set {
    const NAME: &'static str = kv::Set::NAME;
    const ROLE: Role = kv::Set::ROLE;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let mut set = kv::Set::read(payload)?;
        let [ttl, expiry, keepttl, get] = payload.members(&["ttl", "expiry", "keepttl", "get"])?;
        let expires = json::given(expiry).map(expiry_of).transpose()?;
        let keeps = payload::flag(keepttl, "keepttl", false)?;
        let get = payload::flag(get, "get", false)?;
        if usize::from(json::given(ttl).is_some()) + usize::from(expires.is_some()) + usize::from(keeps) > 1 {
            return Err(Error::field("ttl", "ttl, expiry and keepttl are mutually exclusive"));
        }
        if let Some(expires) = expires.or(keeps.then_some(Expires::Keep)) {
            set.put.expires = expires;
        }
        Ok(Set { set, get })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let key = self.set.put.key.clone();
        let done = self.set.swap(context).await?;
        let object = Object::new(out).flag("success", true).name("key", key.as_bytes());
        let object = object.flag("written", done.written.is_some());
        let object = match self.get {
            true => object.value("old_value", done.previous.as_ref()),
            false => object,
        };
        object.close();
        Ok(Done::Ok)
    }
}

/// What `{"type":…,"value":…}` says.
fn expiry_of(raw: &RawValue) -> Result<Expires, Error> {
    let members = json::members(raw.get(), &["type", "value"]);
    let [kind, value] = members.map_err(|_| Error::field("expiry", "must be an object"))?;
    let kind = payload::text(payload::required(kind, "expiry.type")?, "expiry.type")?;
    let within = |most| Ok(whole(value, most)?.unsigned_abs());
    match kind.as_ref() {
        "seconds" => within(kv::MOST_TTL).map(|s| Expires::In(Duration::from_secs(s))),
        "milliseconds" => within(kv::MOST_TTL * 1000).map(|ms| Expires::In(Duration::from_millis(ms))),
        "unix_seconds" => within(LAST_MS / 1000).map(|s| Expires::At(Timestamp(s * 1000))),
        "unix_milliseconds" => within(LAST_MS).map(|ms| Expires::At(Timestamp(ms))),
        _ => Err(Error::field("expiry.type", "must be seconds, milliseconds, unix_seconds or unix_milliseconds")),
    }
}

fn whole(value: Member<'_>, most: i64) -> Result<i64, Error> {
    const FIELD: &str = "expiry.value";
    let value = payload::required(value, FIELD)?;
    payload::integer(Some(value), FIELD, 1, most)?.ok_or(Error::Missing(FIELD.into()))
}

#[derive(Debug)]
struct Get {
    key: Key,
    /// Asked for as an array of bytes.
    as_bytes: bool,
}

impl Command for Get {
    const NAME: &'static str = kv::Get::NAME;
    const ROLE: Role = kv::Get::ROLE;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [key, kind] = payload.members(&["key", "type"])?;
        let key = payload::key(key, "key")?;
        let as_bytes = match payload::optional_text(kind, "type")?.as_deref() {
            None | Some("string") => false,
            Some("bytes") => true,
            Some(_) => return Err(Error::field("type", "must be string or bytes")),
        };
        Ok(Get { key, as_bytes })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let value = kv::find(context, &self.key)?.ok_or_else(|| absent(&self.key))?.value;
        match self.as_bytes {
            true => object::write_text_bytes(out, &value),
            false => kv::write_sdk_text(out, &value),
        }
        Ok(Done::Ok)
    }
}
