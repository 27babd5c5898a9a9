//! Keys page by page.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use manifold_engine::{Key, kv::List};

use super::{
    access::Role,
    commands::{Command, Context, Done, Line, line},
    error::Error,
    object::Object,
    payload::{self, Payload},
};

const DEFAULT_COUNT: i64 = 100;
const MOST: i64 = 10_000;

/// The commands of this file.
pub(super) const COMMANDS: &[Line] = &[line::<Scan>()];

/// `kv.scan`
#[derive(Debug)]
pub(super) struct Scan {
    prefix: Bytes,
    after: Option<Bytes>,
    limit: usize,
    /// Asked for as published clients do, who want to be told how many there are.
    counted: bool,
}

impl Command for Scan {
    const NAME: &'static str = "kv.scan";
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [prefix, cursor, count, limit] = payload.members(&["prefix", "cursor", "count", "limit"])?;
        let prefix = payload::optional_text(prefix, "prefix")?.map_or_else(Bytes::new, |text| payload::bytes(&text));
        let after = match payload::optional_text(cursor, "cursor")? {
            Some(text) if !text.is_empty() => Some(decode(&text)?),
            _ => None,
        };
        let count = payload::integer(count, "count", 1, MOST)?;
        let sdk = payload::integer(limit, "limit", 1, MOST)?;
        let limit = count.or(sdk).unwrap_or(DEFAULT_COUNT);
        Ok(Scan { prefix, after, limit: limit.unsigned_abs() as usize, counted: sdk.is_some() })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Scan { prefix, after, limit, counted } = self;
        let list = List { prefix, after, limit, max_bytes: usize::MAX, keys_only: true };
        let page = context.engine().list(context.namespace(), list)?.it;
        let last = page.entries.last().filter(|_| page.more);
        let object = Object::new(out).names("keys", page.entries.iter().map(|entry| entry.key.as_bytes()));
        let object = match last {
            Some(entry) => object.text("cursor", &URL_SAFE_NO_PAD.encode(entry.key.as_bytes())),
            None => object.null("cursor"),
        };
        let object = object.flag("has_more", page.more);
        let object = if counted { object.number("count", page.entries.len() as u64) } else { object };
        object.close();
        Ok(Done::Ok)
    }
}

/// The key that a page ended with.
fn decode(cursor: &str) -> Result<Bytes, Error> {
    let key = URL_SAFE_NO_PAD.decode(cursor).ok().filter(|key| Key::new(key.clone()).is_ok());
    key.map(Bytes::from).ok_or(Error::field("cursor", "malformed cursor"))
}
