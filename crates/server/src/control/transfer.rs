//! Exports and imports of a process that runs: the lines of `docs/export-format.md` as a body. An export is one answer.
//! An import is a request for each piece of the file, so that it may take as long as it likes, and whoever sends it knows
//! after each how far it came.

use axum::body::Body;
use futures_util::stream;
use hyper::{Request, Response, StatusCode};
use manifold_engine::{
    Engine, Error, Kind, Namespace,
    export::{ImportError, Imported, OnConflict, Section, Selection, longest_piece, read_records},
};
use serde::{Deserialize, Serialize};

use super::Refusal;
use crate::{
    http::{
        body::{self, BodyTime},
        query::{BadQuery, Query},
        reply,
    },
    net::Incoming,
};

/// Time for a piece to come in.
const PIECE_TIME: BodyTime = BodyTime::Whole(std::time::Duration::from_secs(60));

/// How far an import came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Every line up to this one is done.
    pub line: u64,
    /// Lines of this request that were written.
    pub written: u64,
    /// Those about what was there already, exactly so.
    pub same: u64,
    /// Those about what is there otherwise, and stays.
    pub skipped: u64,
    /// Those about what has expired.
    pub expired: u64,
}

impl Progress {
    /// What became of the lines of this request.
    pub fn imported(self) -> Imported {
        let Progress { written, same, skipped, expired, .. } = self;
        Imported { written, same, skipped, expired }
    }

    /// What became of some lines, and the last one that is done.
    pub fn new(line: u64, imported: Imported) -> Progress {
        let Imported { written, same, skipped, expired } = imported;
        Progress { line, written, same, skipped, expired }
    }
}

/// `GET /export?only=kv,queue&namespace=NS&secrets=1`.
pub(super) fn export(engine: &Engine, request: &Request<Incoming>) -> Result<Response<Body>, Refusal> {
    let query = query(request)?;
    let only = query.text("only").map(|names| names.split(',').map(section).collect()).transpose()?;
    let namespace = query.text("namespace").map(|name| Namespace::new(name.to_owned())).transpose();
    let namespace = namespace.map_err(|error| bad(format!("the namespace {error}")))?;
    let selection = Selection { only, namespace, secrets: query.flag("secrets").map_err(refuse_query)? };
    let mut export = engine.export(selection).map_err(|error| refusal(&error))?;
    let pieces = stream::poll_fn(move |context| export.poll_next(context));
    let mut response = Response::new(Body::from_stream(stream::StreamExt::inspect(pieces, |piece| {
        // Whoever takes the answer only sees it end too early.
        if let Err(error) = piece {
            tracing::error!(%error, "an export could not be finished");
        }
    })));
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, hyper::header::HeaderValue::from_static(LINES));
    Ok(response)
}

const LINES: &str = "application/jsonl";

/// `GET /import?id=ID`: how far an import of this export came before it was interrupted.
pub(super) fn progress(engine: &Engine, request: &Request<Incoming>) -> Result<Response<Body>, Refusal> {
    let query = query(request)?;
    let import = engine.import(id(&query)?, OnConflict::Fail).map_err(|error| refusal(&error))?;
    Ok(answer(Progress::new(import.line(), Imported::default())))
}

/// `POST /import?id=ID&from=LINE&on_conflict=RULE` with the lines from that one on; `anew=1` with the first ones forgets
/// what was done before, `last=1` says that there are no more.
pub(super) async fn import(engine: &Engine, request: Request<Incoming>) -> Result<Response<Body>, Refusal> {
    let (parts, body) = request.into_parts();
    let query = Query::parse(parts.uri.query()).map_err(refuse_query)?;
    let on_conflict = query.text("on_conflict").map_or(Some(OnConflict::default()), OnConflict::named);
    let on_conflict = on_conflict.ok_or_else(|| bad("on_conflict is one of fail, skip and replace"))?;
    let from = query.integer("from").map_err(refuse_query)?.and_then(|from| u64::try_from(from).ok());
    let from = from.ok_or_else(|| bad("from is the number of the first line"))?;
    let mut import = engine.import(id(&query)?, on_conflict).map_err(|error| refusal(&error))?;
    if query.flag("anew").map_err(refuse_query)? {
        import = import.anew();
    }
    if from > import.line() + 1 {
        let sentence = format!("the import is at line {}: another one took place meanwhile", import.line());
        return Err(Refusal::new(StatusCode::CONFLICT, sentence));
    }
    let longest = longest_piece(engine.value_bytes());
    let bytes = body::collect(body, longest, PIECE_TIME).await.map_err(|error| bad(error.to_string()))?;
    let records = read_records(&bytes, from);
    let records = records.map_err(|error| Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, error))?;
    drop(bytes);
    let imported = import.apply(&records).await.map_err(|refused| refuse_line(&refused))?;
    let progress = Progress::new(import.line(), imported);
    if query.flag("last").map_err(refuse_query)? {
        import.finish().await.map_err(|error| refusal(&error))?;
    }
    Ok(answer(progress))
}

fn answer(progress: Progress) -> Response<Body> {
    reply::json(serde_json::to_vec(&progress).expect("numbers are always JSON"))
}

fn query(request: &Request<Incoming>) -> Result<Query<'_>, Refusal> {
    Query::parse(request.uri().query()).map_err(refuse_query)
}

fn id<'q>(query: &'q Query<'_>) -> Result<&'q str, Refusal> {
    query.text("id").ok_or_else(|| bad("the id of the export is missing"))
}

fn section(name: &str) -> Result<Section, Refusal> {
    Section::named(name).ok_or_else(|| bad(format!("there is nothing called {name:?} to export")))
}

fn bad(sentence: impl ToString) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, sentence)
}

fn refuse_query(error: BadQuery) -> Refusal {
    bad(match error {
        BadQuery::Encoding => "the query is not readable".to_owned(),
        BadQuery::NotAnInteger(name) => format!("{name} is an integer"),
        BadQuery::NotABoolean(name) => format!("{name} is 0 or 1"),
    })
}

fn refuse_line(refused: &ImportError) -> Refusal {
    Refusal { sentence: refused.to_string(), ..refusal(&refused.error) }
}

/// What the caller can do, as a status.
fn refusal(error: &Error) -> Refusal {
    let status = match error.kind() {
        Kind::NotFound | Kind::Conflict { .. } | Kind::Invalid | Kind::WrongType { .. } | Kind::TooLarge => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Kind::Full => StatusCode::INSUFFICIENT_STORAGE,
        Kind::Busy | Kind::Closed => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Storage | Kind::Bug => StatusCode::INTERNAL_SERVER_ERROR,
    };
    Refusal::new(status, error)
}
