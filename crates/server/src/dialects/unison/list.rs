//! GET of a namespace: all its entries streamed as one cut, or a page of them.

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use hyper::header::HeaderValue;
use manifold_engine::{
    Engine, Namespace,
    kv::{Entry, List, Scan},
};

use super::{
    call::{self, Call},
    cursor::Cursor,
    error::Error,
    model::{self, ENVELOPE_BYTES},
    names,
    reply::{NEXT_CURSOR, Reply, json_at},
};
use crate::http::{json, query::Query};

/// Most entries of one page.
const MAX_LIMIT: i64 = 10_000;
/// Bytes of values at which a page ends early; the cursor leads on.
const PAGE_BYTES: usize = 16 << 20;

/// What to list.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) prefix: Bytes,
    /// A page of at most so many entries; `None` for everything at once.
    pub(super) limit: Option<usize>,
    pub(super) cursor: Option<Cursor>,
    pub(super) keys_only: bool,
}

/// One page as JSON.
pub(super) struct Page {
    pub(super) json: Vec<u8>,
    /// The head when the walk began.
    pub(super) head: u64,
    pub(super) next: Option<String>,
}

/// GET of a namespace.
pub(super) async fn get(call: Call<'_>) -> Reply {
    let namespace = names::namespace_from_path(call.parameters[0])?;
    let query = call.query()?;
    let request = from_query(&query, &namespace)?;
    call.reach(&query).await?;
    if request.limit.is_some() {
        paged(call.engine, &namespace, request)
    } else {
        whole(call.engine, namespace, &request)
    }
}

/// The limit a client asked for, as far as it goes.
pub(super) fn limit(asked: Option<i64>) -> Result<Option<usize>, Error> {
    match asked {
        None => Ok(None),
        Some(1..) => Ok(asked.and_then(|limit| usize::try_from(limit.min(MAX_LIMIT)).ok())),
        Some(_) => Err(Error::invalid("limit must be a positive integer")),
    }
}

/// The cursor a client sent; a page without a limit is as long as a page can be.
pub(super) fn continued(
    cursor: Option<&str>,
    limit: Option<usize>,
    namespace: &Namespace,
    prefix: &[u8],
) -> Result<(Option<Cursor>, Option<usize>), Error> {
    let Some(text) = cursor else { return Ok((None, limit)) };
    let cursor = Cursor::decode(text, namespace.as_bytes(), prefix).ok_or(Error::invalid("Invalid cursor"))?;
    Ok((Some(cursor), limit.or(Some(MAX_LIMIT as usize))))
}

/// Reads one page.
pub(super) fn page(engine: &Engine, namespace: &Namespace, request: Request) -> Result<Page, Error> {
    let Request { prefix, limit, cursor, keys_only } = request;
    let (head, after) = cursor.map_or((None, None), |cursor| (Some(cursor.head), Some(cursor.after)));
    let list = List { prefix: prefix.clone(), after, limit: limit.unwrap_or(1), max_bytes: PAGE_BYTES, keys_only };
    let found = engine.list(namespace, list)?;
    let head = head.unwrap_or(found.head);
    let last = found.it.entries.last().filter(|_| found.it.more);
    let next = last.map(|entry| {
        let cursor = Cursor { head, after: Bytes::copy_from_slice(entry.key.as_bytes()) };
        cursor.encode(namespace.as_bytes(), &prefix)
    });

    let mut json = Vec::with_capacity(json_bytes(namespace, &found.it.entries));
    json.extend_from_slice(OPEN);
    write_items(&mut json, namespace, &found.it.entries, keys_only);
    json.extend_from_slice(b"],\"nextCursor\":");
    match &next {
        Some(cursor) => json::write_str(&mut json, cursor),
        None => json.extend_from_slice(b"null"),
    }
    json.push(b'}');
    Ok(Page { json, head, next })
}

/// The whole list as JSON, piece by piece: memory holds one piece, and a slow client only delays itself.
pub(super) struct Pieces {
    scan: Scan,
    namespace: Namespace,
    keys_only: bool,
    first: bool,
    done: bool,
}

impl Pieces {
    pub(super) fn new(engine: &Engine, namespace: Namespace, request: &Request) -> Result<Self, Error> {
        let scan = engine.scan(&namespace, &request.prefix, request.keys_only)?;
        Ok(Pieces { scan, namespace, keys_only: request.keys_only, first: true, done: false })
    }

    /// The feed's head of the cut.
    pub(super) fn head(&self) -> u64 {
        self.scan.head()
    }

    /// The next piece of the text; `None` after the last.
    pub(super) fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        if self.done {
            return Ok(None);
        }
        let entries = self.scan.next_chunk()?;
        let mut json =
            Vec::with_capacity(entries.as_deref().map_or(16, |entries| json_bytes(&self.namespace, entries)));
        json.extend_from_slice(if self.first { OPEN } else { b"" });
        match entries {
            Some(entries) => {
                if !self.first && !entries.is_empty() {
                    json.push(b',');
                }
                // An empty chunk leaves `first` alone, or the next one would begin with a comma.
                self.first &= entries.is_empty();
                write_items(&mut json, &self.namespace, &entries, self.keys_only);
            }
            None => {
                self.done = true;
                json.extend_from_slice(b"]}");
            }
        }
        Ok(Some(json))
    }
}

const OPEN: &[u8] = b"{\"items\":[";

fn from_query(query: &Query<'_>, namespace: &Namespace) -> Result<Request, Error> {
    let prefix = query.text("prefix").unwrap_or_default();
    let limit = limit(query.integer("limit")?)?;
    let (cursor, limit) = continued(query.text("cursor"), limit, namespace, prefix.as_bytes())?;
    let keys_only = query.flag("keysOnly")?;
    call::min_seq(query)?;
    Ok(Request { prefix: Bytes::copy_from_slice(prefix.as_bytes()), limit, cursor, keys_only })
}

fn paged(engine: &Engine, namespace: &Namespace, request: Request) -> Reply {
    let page = page(engine, namespace, request)?;
    let mut response = json_at(page.head, page.json);
    if let Some(next) = page.next.and_then(|next| HeaderValue::from_maybe_shared(Bytes::from(next)).ok()) {
        response.headers_mut().insert(NEXT_CURSOR, next);
    }
    Ok(response)
}

fn whole(engine: &Engine, namespace: Namespace, request: &Request) -> Reply {
    let mut pieces = Pieces::new(engine, namespace, request)?;
    let head = pieces.head();
    // What fits into the first two pieces, the entries and the end, is an ordinary answer with a length.
    let mut start = pieces.next()?.unwrap_or_default();
    if !pieces.done {
        start.append(&mut pieces.next()?.unwrap_or_default());
    }
    if pieces.done {
        return Ok(json_at(head, start));
    }
    Ok(json_at(head, streamed(start, pieces)))
}

/// The body of a long list. An error in the middle cuts the connection: half a list must not look like a whole one.
fn streamed(start: Vec<u8>, pieces: Pieces) -> Body {
    Body::from_stream(stream::unfold((Some(start), Some(pieces)), |(start, pieces)| async {
        let mut pieces = pieces?;
        if let Some(start) = start {
            return Some((Ok(Bytes::from(start)), (None, Some(pieces))));
        }
        match pieces.next() {
            Ok(None) => None,
            Ok(Some(json)) => Some((Ok(Bytes::from(json)), (None, Some(pieces)))),
            Err(error) => Some((Err(std::io::Error::other(error.text().to_owned())), (None, None))),
        }
    }))
}

fn write_items(out: &mut Vec<u8>, namespace: &Namespace, entries: &[Entry], keys_only: bool) {
    for (index, entry) in entries.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        model::write_entry(out, namespace.as_bytes(), entry, keys_only);
    }
}

/// About how long the entries are as JSON, so that the buffer is allocated once.
fn json_bytes(namespace: &Namespace, entries: &[Entry]) -> usize {
    let each = namespace.as_bytes().len() + ENVELOPE_BYTES;
    64 + entries.iter().map(|entry| each + entry.key.as_bytes().len() + entry.value.bytes.len()).sum::<usize>()
}
