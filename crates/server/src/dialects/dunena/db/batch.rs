//! Several documents in one step.

use axum::body::Body;
use hyper::Response;
use manifold_engine::documents::{DocumentSet, Sought};

use super::{
    super::{
        answer,
        asked::{Asked, Text},
        check::{self, Broken},
        entries,
        error::Error,
    },
    entry, query, space,
    stream::{self, Spell},
};
use crate::http::json::{self, RawValue};

const UNKNOWN: &str = r#"Unknown action. Use "mget", "mset", "mdelete", "query", or "deleteByTags"."#;

pub(super) async fn answer(asked: &mut Asked<'_>) -> Result<Response<Body>, Error> {
    let body = asked.body().await?;
    let [action] = body.members(&["action"])?;
    match check::string(action).as_deref() {
        Some("mget") => get(asked, &body).await,
        Some("mset") => set(asked, &body).await,
        Some("mdelete") => delete(asked, &body).await,
        Some("query") => query::answer(asked, &body).await,
        Some("deleteByTags") => delete_by_tags(asked, &body).await,
        _ => Err(Error::invalid(UNKNOWN)),
    }
}

async fn get(asked: &Asked<'_>, body: &Text) -> Result<Response<Body>, Error> {
    let [keys, space] = body.members(&["keys", "ns"])?;
    let keys = check::distinct(keys_of(keys)?);
    let space = space::of(asked, space)?;
    let found = asked.dunena.documents()?.get_many(space, keys).await?;
    stream::answer(found, ByKey).await
}

async fn set(asked: &Asked<'_>, body: &Text) -> Result<Response<Body>, Error> {
    let [listed, space] = body.members(&["entries", "ns"])?;
    let listed = entries::elements(listed).ok_or_else(|| Error::invalid("entries must be an array"))?;
    let sets = listed.into_iter().map(document).collect::<Result<Vec<_>, _>>()?;
    let space = space::of(asked, space)?;
    let stored = sets.len() as u64;
    asked.dunena.documents()?.set(space, sets).await?;
    Ok(answer::count("stored", stored))
}

async fn delete(asked: &Asked<'_>, body: &Text) -> Result<Response<Body>, Error> {
    let [keys, space] = body.members(&["keys", "ns"])?;
    let mut keys = check::distinct(keys_of(keys)?);
    keys.retain(|key| check::key(key).is_ok());
    let space = space::of(asked, space)?;
    Ok(answer::count("deleted", asked.dunena.documents()?.delete(space, keys).await?))
}

async fn delete_by_tags(asked: &Asked<'_>, body: &Text) -> Result<Response<Body>, Error> {
    let [tags, space] = body.members(&["tags", "ns"])?;
    // Here a list is needed.
    array(tags, "tags must be an array")?;
    let tags = check::tags(tags)?.unwrap_or_default();
    let within = space::within(asked, space)?;
    Ok(answer::count("deleted", asked.dunena.documents()?.delete_tagged(within, tags).await?))
}

fn keys_of(member: Option<&RawValue>) -> Result<Vec<String>, Broken> {
    let keys = array(member, "keys must be an array")?;
    check::strings(keys).ok_or_else(|| "keys must be an array of strings".into())
}

fn array<'a>(member: Option<&'a RawValue>, broken: &'static str) -> Result<&'a RawValue, Broken> {
    entries::array(member).ok_or_else(|| broken.into())
}

fn document(element: &RawValue) -> Result<DocumentSet, Broken> {
    const VERB: &str = "mset";
    let entries::Entry { key, value, ttl_ms, tags, .. } = entries::entry(VERB, element)?;
    let tags = check::tags(tags).map_err(|text| entries::broken(VERB, "tags", &key, &text))?;
    Ok(DocumentSet {
        key: key.into_owned(),
        value: value.into_owned(),
        ttl_ms: ttl_ms.unwrap_or(0),
        tags: tags.unwrap_or_default(),
    })
}

/// Documents under their keys.
struct ByKey;

impl Spell<Sought> for ByKey {
    const OPEN: &'static [u8] = br#"{"result":{"#;

    fn item(&mut self, out: &mut Vec<u8>, (key, document): Sought) {
        json::write_str(out, &key);
        out.push(b':');
        // Other programs write the file too: what is no key here is there for nobody.
        match document.filter(|_| check::key(&key).is_ok()) {
            Some(document) => {
                out.reserve(entry::bytes(&document));
                entry::write(out, &document);
            }
            None => out.extend_from_slice(b"null"),
        }
    }

    fn close(&mut self, out: &mut Vec<u8>, _count: u64) {
        out.extend_from_slice(b"}}");
    }
}
