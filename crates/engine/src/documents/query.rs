//! Finding documents by the beginning of their keys, by tags, by space; in order, a page at a time.

use rusqlite::{ToSql, types::Value};

use super::{
    Document, Space, Within, get,
    pieces::Sink,
    schema::all_spaces,
    tx::{self, Tx},
};
use crate::Result;

/// Which documents, and in which order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentQuery {
    /// Where.
    pub within: Within,
    /// What their keys begin with.
    pub prefix: String,
    /// Tags of which they have at least one; none = whatever tags.
    pub tags: Vec<String>,
    /// What they are ordered by; what is equal goes by space, then key.
    pub order: DocumentOrder,
    /// From the other end; what is equal does not turn round.
    pub descending: bool,
    /// So many are passed over.
    pub offset: u64,
    /// Most of them.
    pub limit: u64,
}

/// What documents are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentOrder {
    /// Their keys, byte by byte.
    Key,
    /// When they came to be.
    Created,
    /// When they were written last.
    Updated,
}

/// In one space. In the order of keys it reads no further than the page.
const IN_SPACE: &str = "
FROM kv WHERE namespace = :space";

/// In all spaces, one after the other, so that the beginning of a key leads to a place in the index here too.
const IN_ALL: &str = concat!(
    "
FROM (",
    all_spaces!(),
    "SELECT name FROM spaces WHERE name <> :reserved)
CROSS JOIN kv WHERE namespace = name"
);

/// Starting from tags.
const TAGGED: &str = "
FROM (SELECT DISTINCT namespace AS space, key AS name FROM kv_tags
      WHERE tag IN (SELECT value FROM json_each(:tags))
        AND namespace <> :reserved AND (:space IS NULL OR namespace = :space))
CROSS JOIN kv WHERE namespace = space AND key = name";

/// Finds out which first, from small rows that are cheap to order, then reads those of the page.
pub(super) fn page(tx: Tx<'_>, query: &DocumentQuery, page: &mut Sink<Document>) -> Result<()> {
    let statement = statement(query);
    let (space, tags) = (query.within.name(), list(&query.tags));
    let (limit, offset) = (saturated(query.limit), saturated(query.offset));
    let (after, now) = (successor(&query.prefix), tx.now_ms());
    let values: [(&str, &dyn ToSql); 8] = [
        (":space", &space),
        (":reserved", &Space::RESERVED),
        (":tags", &tags),
        (":from", &query.prefix),
        (":to", &after),
        (":now", &now),
        (":limit", &limit),
        (":offset", &offset),
    ];
    // A value that a statement has no place for would be refused.
    let values: Vec<_> = values.into_iter().filter(|(name, _)| statement.contains(name)).collect();
    let mut found = tx.prepare_cached(&statement)?;
    let found = found.query_and_then(values.as_slice(), |row| Ok((tx::text(row, 0)?, tx::text(row, 1)?)))?;
    let found = found.collect::<Result<Vec<_>>>()?;
    found.iter().try_for_each(|(space, key)| {
        let Some(document) = get::find(tx, space, key)? else { return Ok(()) };
        let bytes = document.bytes();
        page.put(document, bytes)
    })
}

pub(super) fn statement(query: &DocumentQuery) -> String {
    let from = match &query.within {
        _ if !query.tags.is_empty() => TAGGED,
        Within::All => IN_ALL,
        Within::Space(_) => IN_SPACE,
    };
    let column = match query.order {
        DocumentOrder::Key => "key",
        DocumentOrder::Created => "created_at",
        DocumentOrder::Updated => "updated_at",
    };
    let direction = if query.descending { "DESC" } else { "ASC" };
    format!(
        "SELECT namespace, key {from}
         AND key >= :from AND key < :to AND (expires_at IS NULL OR expires_at > :now)
         ORDER BY {column} {direction}, namespace, key LIMIT :limit OFFSET :offset"
    )
}

/// What comes right after all texts that begin with `prefix`. UTF-8 has the order of characters; where there is nothing
/// after them it is an empty blob, which SQLite orders after every text.
fn successor(prefix: &str) -> Value {
    let mut prefix = prefix.to_owned();
    while let Some(last) = prefix.pop() {
        let next = (last..=char::MAX).nth(1);
        if let Some(next) = next {
            prefix.push(next);
            return Value::Text(prefix);
        }
    }
    Value::Blob(Vec::new())
}

/// A list for `json_each`, which takes any length; statements have only so many places for single values.
pub(super) fn list(texts: &[String]) -> String {
    serde_json::to_string(texts).expect("texts are JSON")
}

fn saturated(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl Within {
    /// The one space, or none for all.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Within::All => None,
            Within::Space(space) => Some(space.as_str()),
        }
    }
}
