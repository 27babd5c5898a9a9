//! Finding documents.

use axum::body::Body;
use hyper::Response;
use manifold_engine::documents::{Document, DocumentOrder, DocumentQuery};

use super::{
    super::{
        asked::{Asked, Text},
        check::{self, Broken},
        error::Error,
    },
    entry, space,
    stream::{self, Spell},
};
use crate::http::json::{self, RawValue};

/// So many are found when nothing else is said.
const USUAL: u64 = 100;
/// Never more.
const MOST: u64 = 10_000;

pub(super) async fn answer(asked: &Asked<'_>, body: &Text) -> Result<Response<Body>, Error> {
    let [pattern, tags, limit, offset, order_by, order, space] =
        body.members(&["pattern", "tags", "limit", "offset", "orderBy", "order", "ns"])?;
    let prefix = text(pattern, "pattern must be a string")?;
    let tags = check::tags(tags)?.unwrap_or_default();
    let limit = check::milliseconds(limit, "limit must be a non-negative integer")?;
    let offset = check::milliseconds(offset, "offset must be a non-negative integer")?.unwrap_or(0);
    let by = order_of(order_by)?;
    let descending = is_descending(order)?;
    let within = space::within(asked, space)?;
    let limit = limit.unwrap_or(USUAL).min(MOST);
    let query = DocumentQuery { within, prefix, tags, order: by, descending, offset, limit };
    stream::answer(asked.dunena.documents()?.query(query).await?, Entries).await
}

fn text(member: Option<&RawValue>, broken: &'static str) -> Result<String, Broken> {
    let Some(member) = json::given(member) else { return Ok(String::new()) };
    Ok(check::string(Some(member)).ok_or(broken)?.into_owned())
}

fn order_of(member: Option<&RawValue>) -> Result<DocumentOrder, Broken> {
    let Some(member) = json::given(member) else { return Ok(DocumentOrder::Created) };
    match check::string(Some(member)).as_deref() {
        Some("key") => Ok(DocumentOrder::Key),
        Some("createdAt") => Ok(DocumentOrder::Created),
        Some("updatedAt") => Ok(DocumentOrder::Updated),
        _ => Err("orderBy must be key, createdAt, or updatedAt".into()),
    }
}

fn is_descending(member: Option<&RawValue>) -> Result<bool, Broken> {
    let Some(member) = json::given(member) else { return Ok(false) };
    match check::string(Some(member)).as_deref() {
        Some("asc") => Ok(false),
        Some("desc") => Ok(true),
        _ => Err("order must be asc or desc".into()),
    }
}

struct Entries;

impl Spell<Document> for Entries {
    const OPEN: &'static [u8] = br#"{"entries":["#;

    fn item(&mut self, out: &mut Vec<u8>, document: Document) {
        out.reserve(entry::bytes(&document));
        entry::write(out, &document);
    }

    fn close(&mut self, out: &mut Vec<u8>, count: u64) {
        out.extend_from_slice(br#"],"count":"#);
        json::write_u64(out, count);
        out.push(b'}');
    }
}
