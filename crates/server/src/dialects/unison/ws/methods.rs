//! The `kv/…` methods: params, one call of the engine, result.

use manifold_engine::{
    Engine, Key, Namespace,
    kv::{Delete, Put, When},
};

use super::{
    super::{
        Unison,
        access::{Access, Role},
        batch,
        error::{Error, not_text},
        kv, list,
        members::{self, Place},
        model, names,
    },
    options,
    rpc::Failure,
};
use crate::{
    http::json::{self, Malformed, RawValue},
    telemetry::AuthFailure,
};

/// Most keys of one `kv/mget`.
const MAX_KEYS: usize = 1_000;
/// Longest result. A list that is longer has to be paged.
pub(super) const MAX_RESULT_BYTES: usize = 32 << 20;

/// Runs a method that does not wait for others, which only `kv/get` may; the result is JSON text.
pub(super) async fn run(
    unison: &Unison,
    role: Role,
    method: &str,
    params: Result<&str, Failure>,
) -> Result<Vec<u8>, Failure> {
    let access = match method {
        "kv/list" | "kv/mget" => Access::Read,
        "kv/set" | "kv/delete" | "kv/batch" => Access::Write,
        _ => return Err(Failure::METHOD_NOT_FOUND),
    };
    if !role.may(access) {
        unison.metrics.auth_failed(AuthFailure::ReadOnly);
        return Err(Error::ReadOnly.into());
    }
    let (engine, params) = (&unison.engine, params?);
    let result = match method {
        "kv/list" => whole_list_or_page(engine, params),
        "kv/mget" => get_many(engine, params),
        "kv/set" => set(engine, params).await,
        "kv/delete" => delete(engine, params).await,
        _ => apply_batch(engine, params).await,
    };
    Ok(result?)
}

/// What `kv/get` asks for.
pub(super) struct Get {
    namespace: Namespace,
    key: Key,
    /// To be read when the feed's head is at least this.
    pub(super) min_seq: u64,
}

impl Get {
    pub(super) fn parse(params: &str) -> Result<Self, Error> {
        let [namespace, key, min_seq] = json::members(params, &["namespace", "key", "minSeq"])?;
        let (namespace, key) = target(namespace, key)?;
        let min_seq = options::seq(min_seq, "minSeq must be an integer")?.unwrap_or(0);
        Ok(Get { namespace, key, min_seq })
    }

    pub(super) fn run(&self, engine: &Engine) -> Result<Vec<u8>, Error> {
        let found = engine.get(&self.namespace, &self.key)?;
        let entry = found.it.ok_or(Error::NoEntry { head: found.head })?;
        Ok(kv::entry_json(&self.namespace, &entry))
    }
}

fn whole_list_or_page(engine: &Engine, params: &str) -> Result<Vec<u8>, Error> {
    let names = &["namespace", "prefix", "limit", "cursor", "keysOnly"];
    let [namespace, prefix, limit, cursor, keys_only] = json::members(params, names)?;
    let namespace = namespace_of(namespace)?;
    let prefix = options::text(prefix, "prefix must be a string")?.unwrap_or_default();
    let limit = json::given(limit).map(|raw| json::integer(raw).ok_or(Error::invalid("limit must be an integer")));
    let limit = list::limit(limit.transpose()?)?;
    let cursor = options::text(cursor, "Invalid cursor")?;
    let cursor = cursor.as_deref().map(|cursor| std::str::from_utf8(cursor).unwrap_or_default());
    let (cursor, limit) = list::continued(cursor.filter(|text| !text.is_empty()), limit, &namespace, &prefix)?;
    let keys_only = options::flag(keys_only, "keysOnly must be a boolean")?;
    let request = list::Request { prefix, limit, cursor, keys_only };
    if request.limit.is_some() {
        return Ok(list::page(engine, &namespace, request)?.json);
    }
    let mut pieces = list::Pieces::new(engine, namespace, &request)?;
    let mut whole = Vec::new();
    while let Some(mut piece) = pieces.next()? {
        bounded(whole.len() + piece.len())?;
        whole.append(&mut piece);
    }
    Ok(whole)
}

fn get_many(engine: &Engine, params: &str) -> Result<Vec<u8>, Error> {
    let [keys] = json::members(params, &["keys"])?;
    let keys = keys.ok_or_else(|| Place::Request.missing("keys"))?;
    let elements = json::elements(keys.get(), MAX_KEYS).map_err(|error| match error {
        Malformed::OtherType => Error::invalid("keys must be an array"),
        Malformed::Syntax => error.into(),
    })?;
    if elements.total > MAX_KEYS {
        return Err(Error::invalid("Too many keys (max 1000)"));
    }
    let targets = elements.kept.into_iter().enumerate().map(|(index, raw)| listed_target(index, raw));
    let targets = targets.collect::<Result<Vec<_>, _>>()?;
    let found = engine.get_many(&targets)?;

    let mut out = b"{\"items\":[".to_vec();
    for (index, ((namespace, _), entry)) in targets.iter().zip(&found.it).enumerate() {
        if index > 0 {
            out.push(b',');
        }
        match entry {
            Some(entry) => model::write_entry(&mut out, namespace.as_bytes(), entry, false),
            None => out.extend_from_slice(b"null"),
        }
        bounded(out.len())?;
    }
    out.extend_from_slice(b"]}");
    Ok(out)
}

async fn set(engine: &Engine, params: &str) -> Result<Vec<u8>, Error> {
    let names = &["namespace", "key", "value", "actor", "expiresAt", "ttlMs", "keepTtl", "cas"];
    let [namespace, key, value, actor, expires_at, ttl_ms, keep_ttl, cas] = json::members(params, names)?;
    members::check_depth(params, 1)?;
    let (namespace, key) = target(namespace, key)?;
    let value = value.ok_or_else(|| Place::Request.missing("value"))?;
    let actor = names::actor_from_member(actor)?;
    let expires = members::expires([expires_at, ttl_ms, keep_ttl], engine.now(), Place::Request)?;
    let when = members::cas(cas, Place::Request)?.unwrap_or(When::Always);
    let put = Put { key, value: members::value(value, None), expires, when, actor };
    let entry = engine.put(&namespace, put).await?;
    Ok(kv::entry_json(&namespace, &entry))
}

async fn delete(engine: &Engine, params: &str) -> Result<Vec<u8>, Error> {
    let [namespace, key, actor, cas] = json::members(params, &["namespace", "key", "actor", "cas"])?;
    let (namespace, key) = target(namespace, key)?;
    let actor = names::actor_from_member(actor)?;
    let when = members::cas(cas, Place::Request)?.unwrap_or(When::Always);
    let done = engine.delete(&namespace, Delete { key, when, actor }).await?;
    Ok(kv::deleted_json(done.it.is_some()).as_bytes().to_vec())
}

async fn apply_batch(engine: &Engine, params: &str) -> Result<Vec<u8>, Error> {
    let [returned] = json::members(params, &["return"])?;
    let returned = options::text(returned, "return must be results")?;
    let results = batch::wants_results(returned.as_deref().map(|text| std::str::from_utf8(text).unwrap_or_default()))?;
    let found = json::members(params, &batch::MEMBERS)?;
    members::check_depth(params, batch::AROUND_VALUES)?;
    let done = batch::apply(engine, batch::operations(found, engine.now())?).await?;
    Ok(batch::answer(&done, results))
}

fn target(namespace: Option<&RawValue>, key: Option<&RawValue>) -> Result<(Namespace, Key), Error> {
    let namespace = namespace_of(namespace)?;
    let raw = key.ok_or_else(|| Place::Request.missing("key"))?;
    let key = json::string(raw).map_err(|e| not_text(e, || Error::invalid("key must be a non-empty string")))?;
    Ok((namespace, names::key(key)?))
}

fn namespace_of(member: Option<&RawValue>) -> Result<Namespace, Error> {
    let raw = member.ok_or_else(|| Place::Request.missing("namespace"))?;
    let text = json::string(raw).map_err(|e| not_text(e, || Error::invalid("namespace must be a non-empty string")))?;
    names::namespace(text)
}

fn listed_target(index: usize, raw: &RawValue) -> Result<(Namespace, Key), Error> {
    let [namespace, key] = json::members(raw.get(), &["namespace", "key"]).map_err(|error| match error {
        Malformed::OtherType => Error::Invalid(format!("keys[{index}] must be an object").into()),
        Malformed::Syntax => error.into(),
    })?;
    let namespace = names::name_from_member(namespace, format_args!("keys[{index}].namespace"), Namespace::new)?;
    Ok((namespace, names::name_from_member(key, format_args!("keys[{index}].key"), Key::new)?))
}

fn bounded(bytes: usize) -> Result<(), Error> {
    if bytes > MAX_RESULT_BYTES { Err(Error::TooLarge) } else { Ok(()) }
}
