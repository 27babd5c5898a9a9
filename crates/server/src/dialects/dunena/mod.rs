//! Dunena: a bounded cache, a durable store of tagged values in SQLite, a cache of query results, and a proxy for
//! databases.
//!
//! A request goes through one funnel: preflight, pages, token, origin, declared length, rate limit, route, database, then the
//! resource, which reads what was asked (`asked`, `check`), calls the engine once and writes its answer.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::body::Body;
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_LENGTH, HeaderName, ORIGIN},
    http::request::Parts,
};
use ipnet::IpNet;
use manifold_engine::{
    Clock, Engine, Level, State, Timestamp,
    backup::{Beside, DocumentsAtRest, FileAtRest},
    cache::Cache,
    documents::{Documents, DocumentsOptions, DocumentsUpkeep, IN_MEMORY, Locks, QueryCache, RequestLimits},
};
use tokio::{sync::watch, time::Instant};

mod answer;
mod asked;
mod cache;
mod check;
mod client;
mod config;
mod cors;
mod dashboard;
mod db;
mod entries;
mod error;
mod explorer;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod health;
mod info;
mod latency;
mod locks;
mod many;
mod metrics;
mod openapi;
mod path;
mod proxy;
mod query_cache;
mod rate_limits;
mod routes;
mod snapshot;
mod stats;
mod ws;

pub use config::{Config, DB_FILE, Refused};
pub use proxy::Kind as ConnectorKind;

use asked::{Asked, BODY_BYTES};
use cors::Cors;
use error::Error;
use latency::Latency;
use proxy::Proxy;
use rate_limits::NamespaceLimits;
use routes::{Door, Endpoint};
use snapshot::Snapshot;
use stats::History;

use crate::{
    http::{
        auth::{self, Secret},
        observe::{self, Observed, REQUEST_ID},
        reply,
        route::{self, Found},
        windows::Windows,
    },
    net::{Incoming, Refusal, Service},
    telemetry::{CacheGauges, DunenaMetrics},
};

/// What requests for no route count under.
const OTHER_ROUTE: &str = "other";
/// Headers of a request that its answer may repeat.
static REPEATED: [HeaderName; 2] = [ORIGIN, REQUEST_ID];

/// Method and template of every route.
pub fn routes() -> Vec<(&'static str, &'static str)> {
    routes::TABLES.iter().flat_map(|table| route::listed(table)).collect()
}

/// The dialect, ready to be served by a listener.
#[derive(Debug)]
pub struct Dunena {
    engine: Engine,
    cache: Cache,
    /// None = the cache is not kept.
    snapshot: Option<Snapshot>,
    /// What locks and limits are kept in: that of `documents` where there is one.
    rows: Documents,
    /// What is kept in SQLite; none = `DUNENA_DB=false`.
    documents: Option<Documents>,
    /// Results of queries; none = `DUNENA_DB=false`.
    query_cache: Option<QueryCache>,
    /// How long a result lives whose writer does not say; 0 = for ever.
    query_cache_ttl_ms: u64,
    /// Ways to other databases; none = `DUNENA_DB=false`.
    proxy: Option<Proxy>,
    locks: Locks,
    namespace_limits: NamespaceLimits,
    token: Secret,
    cors: Cors,
    trusted: Vec<IpNet>,
    windows: Windows<IpAddr>,
    /// Requests of a client in a window; 0 = no limit.
    rate_max: u64,
    /// Whether the log was replayed.
    started: AtomicBool,
    metrics_public: bool,
    /// Whether there is a WebSocket.
    ws: bool,
    /// Whether there is a dashboard.
    dashboard: bool,
    began: Instant,
    latency: Latency,
    /// The last check of the database.
    checked: health::Checked,
    history: History,
    /// Time between two items of the history.
    stats_interval: Duration,
    metrics: Arc<DunenaMetrics>,
    shutdown: watch::Receiver<bool>,
}

/// What became of a request.
struct Answered {
    /// The route it counts under.
    route: &'static str,
    /// Whether what it took is part of the latencies.
    timed: bool,
    response: Response<Body>,
}

/// What the process gives the dialect.
#[derive(Debug)]
pub struct Surroundings {
    /// The engine.
    pub engine: Engine,
    /// Where files are that the configuration has no place for.
    pub data_dir: PathBuf,
    /// Durability of every acknowledgement.
    pub level: Level,
    /// What it counts.
    pub metrics: Arc<DunenaMetrics>,
    /// Turns true when running requests should come to their end.
    pub shutdown: watch::Receiver<bool>,
}

impl Config {
    /// What a process so configured left beside the log.
    pub fn beside_at_rest(&self, data_dir: &Path) -> Vec<Arc<dyn Beside>> {
        vec![Arc::new(FileAtRest(self.snapshot_place(data_dir))), Arc::new(DocumentsAtRest(self.db_place(data_dir)))]
    }
}

impl Dunena {
    /// The dialect as configured, with what it keeps on disk opened.
    pub async fn open(config: &Config, surroundings: Surroundings) -> Result<Self, Refused> {
        let Surroundings { engine, metrics, shutdown, data_dir, level } = surroundings;
        let began = Instant::now();
        let cache = Cache::new(config.cache_limits(), Clock::system());
        let snapshot = Snapshot::open(config, &data_dir, &cache);
        let documents = if config.db { Some(open_documents(&config.db_path(&data_dir), level)?) } else { None };
        // Locks and limits work without a file too, for as long as the process does.
        let rows = documents.clone().map_or_else(|| open_documents(Path::new(IN_MEMORY), level), Ok)?;
        engine.look_after(DocumentsUpkeep { documents: rows.clone(), purge_every: config.db_purge_interval() });
        let results = config.query_cache_max_entries;
        let query_cache = documents.clone().map(|documents| QueryCache::new(documents, results, Clock::system()));
        let proxy = documents.clone().zip(query_cache.clone());
        Ok(Dunena {
            engine,
            query_cache,
            proxy: proxy.map(|(documents, results)| Proxy::open(config, documents, results, &data_dir)),
            query_cache_ttl_ms: config.query_cache_ttl,
            documents,
            locks: Locks::open(rows.clone()).await?,
            namespace_limits: NamespaceLimits::new(RequestLimits::open(rows.clone()).await?),
            rows,
            cache,
            snapshot,
            token: config.auth_token.clone(),
            cors: Cors::new(&config.cors_origins),
            trusted: config.trusted()?,
            windows: Windows::new(config.rate_window()),
            rate_max: config.rate_max,
            started: AtomicBool::new(false),
            metrics_public: config.metrics_public,
            ws: config.ws,
            dashboard: config.dashboard,
            began,
            latency: Latency::new(began),
            checked: health::Checked::default(),
            history: History::new(),
            stats_interval: Duration::from_millis(config.stats_interval),
            metrics,
            shutdown,
        })
    }

    /// What it keeps beside the log.
    pub fn beside(&self, config: &Config, data_dir: &Path) -> Vec<Arc<dyn Beside>> {
        let documents = self.documents.as_ref().and_then(|documents| documents.beside(config.db_place(data_dir)));
        let documents = documents.unwrap_or_else(|| Arc::new(DocumentsAtRest(config.db_place(data_dir))));
        let snapshot = self.snapshot.as_ref().map(|snapshot| snapshot.beside(config.snapshot_place(data_dir)));
        let snapshot = snapshot.unwrap_or_else(|| Arc::new(FileAtRest(config.snapshot_place(data_dir))));
        // The documents last: saving the cache takes a while, and they stand still meanwhile.
        vec![snapshot, documents]
    }

    /// What goes on beside requests. Never completes.
    pub async fn work(&self) {
        let saving = async {
            match &self.snapshot {
                Some(snapshot) => snapshot.keep_saving().await,
                None => std::future::pending().await,
            }
        };
        tokio::join!(self.cache.keep_expiring(), saving, stats::keep_history(self));
    }

    /// Ends what is open, after the last request.
    pub async fn close(&self) {
        self.metrics.sockets.closed().await;
        if let Some(snapshot) = &self.snapshot {
            snapshot.close().await;
        }
        if let Some(proxy) = &self.proxy {
            proxy.close().await;
        }
        self.rows.close().await;
    }

    /// Ways to other databases. Routes that need them are asked only where there is a database.
    fn proxy(&self) -> Result<&Proxy, Error> {
        self.proxy.as_ref().ok_or(Error::DatabaseDisabled)
    }

    /// What is kept in SQLite. Routes that need it are asked only where there is something.
    fn documents(&self) -> Result<&Documents, Error> {
        self.documents.as_ref().ok_or(Error::DatabaseDisabled)
    }

    /// Results of queries. Routes that need them are asked only where there is a database.
    fn query_cache(&self) -> Result<&QueryCache, Error> {
        self.query_cache.as_ref().ok_or(Error::DatabaseDisabled)
    }

    /// The numbers of its cache, for the process' metrics.
    pub fn cache_gauges(&self) -> CacheGauges {
        CacheGauges(self.cache.clone())
    }

    async fn answer(self: &Arc<Self>, request: Request<Incoming>, peer: IpAddr) -> Answered {
        let (mut parts, body) = request.into_parts();
        if parts.method == Method::OPTIONS {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NO_CONTENT;
            return Answered { route: OTHER_ROUTE, timed: false, response };
        }
        let uri = parts.uri.clone();
        let path = path::plain(uri.path());
        let found = routes::find(&path, &parts.method);
        let route = found.as_ref().map_or(OTHER_ROUTE, |(found, _)| found.route.template);
        let door = found.as_ref().map_or(Door::Guarded, |(_, endpoint)| endpoint.manner().door);
        let mut timed = false;
        let answer = match self.admit(door, &parts, peer) {
            Err(error) => Err(error),
            Ok(window) => match found {
                None => Err(Error::NoRoute),
                Some((Found { parameters, .. }, endpoint)) => {
                    timed = endpoint.manner().is_timed;
                    let mut asked = Asked { dunena: self, parts: &mut parts, parameters, peer, incoming: Some(body) };
                    let answer = self.dispatch(endpoint, &mut asked).await;
                    // A body that did not declare its length: what is refused for that does not count.
                    if let (Err(Error::TooLarge), Some(window)) = (&answer, window) {
                        self.windows.uncount(asked.client(), window);
                    }
                    answer
                }
            },
        };
        Answered { route, timed, response: answer.unwrap_or_else(Error::into_response) }
    }

    /// Everything that is checked before the route: token, origin, declared length, rate. Gives the end of the window
    /// that the request was counted in, if it was.
    fn admit(&self, door: Door, parts: &Parts, peer: IpAddr) -> Result<Option<Timestamp>, Error> {
        let headers = &parts.headers;
        let admitted = match door {
            Door::Open => true,
            Door::Metrics => self.metrics_public || self.has_token(headers),
            Door::Guarded => self.has_token(headers),
            Door::Socket => self.has_token(headers) || ws::tokens(parts).any(|token| self.is_token(&token)),
        };
        if !admitted {
            return Err(Error::Unauthorized);
        }
        if door == Door::Guarded && !self.cors.lets_write(parts) {
            return Err(Error::ForeignOrigin);
        }
        let declared = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if declared.is_some_and(|length| length > BODY_BYTES as u64) {
            return Err(Error::TooLarge);
        }
        if matches!(door, Door::Guarded | Door::Metrics) && self.rate_max > 0 {
            let client = client::address(peer, headers, &self.trusted);
            let count = self.windows.count(client, self.rate_max, self.engine.now());
            if !count.allowed {
                return Err(Error::RateLimited { retry_after: count.retry_after });
            }
            return Ok(Some(count.until));
        }
        Ok(None)
    }

    /// Whether the request has the token, where one is needed: the scheme, one space, the token, and nothing else.
    fn has_token(&self, headers: &HeaderMap) -> bool {
        if self.token.is_empty() {
            return true;
        }
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return false };
        let Some((scheme, token)) = value.as_bytes().split_at_checked("bearer ".len()) else { return false };
        scheme.eq_ignore_ascii_case(b"bearer ") && self.is_token(token)
    }

    /// Whether the log is replayed, which it is once: whoever finds it done spares all others the look.
    fn is_starting(&self) -> bool {
        if self.started.load(Ordering::Relaxed) {
            return false;
        }
        let starting = self.engine.state() == State::Starting;
        self.started.store(!starting, Ordering::Relaxed);
        starting
    }

    fn is_token(&self, candidate: &[u8]) -> bool {
        auth::matching(candidate, &[self.token.expose().as_bytes()]).is_some()
    }

    async fn dispatch(&self, endpoint: Endpoint, asked: &mut Asked<'_>) -> Result<Response<Body>, Error> {
        let manner = endpoint.manner();
        if !manner.answers_early && self.is_starting() {
            return Err(Error::Starting);
        }
        if manner.needs_database {
            self.documents()?;
        }
        // Nearly all requests are for the cache. What the others keep while they wait is boxed, or each of these would
        // have to carry room for it.
        match endpoint {
            Endpoint::Cache(call) => cache::answer(call, asked).await,
            Endpoint::Proxy(call) => Box::pin(proxy::answer(call, asked)).await,
            Endpoint::QueryCache(call) => Box::pin(query_cache::answer(call, asked)).await,
            Endpoint::Locks(call) => Box::pin(locks::answer(call, asked)).await,
            Endpoint::RateLimits(call) => Box::pin(rate_limits::answer(call, asked)).await,
            Endpoint::Snapshot => Ok(Box::pin(snapshot::answer(asked)).await),
            Endpoint::Db(call) => Box::pin(db::answer(call, asked)).await,
            Endpoint::Health(call) => Ok(Box::pin(health::answer(call, asked)).await),
            Endpoint::Stats(call) => Ok(stats::answer(call, asked)),
            Endpoint::Info => Ok(info::answer(asked)),
            Endpoint::Metrics => Box::pin(metrics::answer(asked)).await,
            Endpoint::Socket => Box::pin(ws::upgrade(asked)).await,
            Endpoint::Dashboard => dashboard::answer(asked),
            Endpoint::Explorer(call) => explorer::answer(call, asked),
        }
    }
}

/// The file of documents, for who keeps no dialect open; none where documents are off, or kept in memory.
pub fn open_documents_of(config: &Config, data_dir: &Path, level: Level) -> Result<Option<Documents>, Refused> {
    let path = config.db_path(data_dir);
    let kept = config.enabled && config.db && path.as_os_str() != IN_MEMORY;
    kept.then(|| open_documents(&path, level)).transpose()
}

fn open_documents(path: &Path, level: Level) -> Result<Documents, Refused> {
    let options = DocumentsOptions { level, ..DocumentsOptions::default() };
    Documents::open(path, options).map_err(Refused::Database)
}

impl Service for Dunena {
    async fn call(self: Arc<Self>, request: Request<Incoming>, peer: IpAddr) -> Response<Body> {
        let observed = Observed::begin(&request).always_named();
        let origin = self.cors.origin(request.headers());
        let Answered { route, timed, response } = self.answer(request, peer).await;
        let mut response = reply::for_method(observed.method(), response);
        self.cors.add_headers(origin, response.headers_mut());
        observed.end("dunena", route, &mut response, |route, method, status, elapsed| {
            self.metrics.request(route, method, status, elapsed);
            if timed {
                self.latency.record(Instant::now(), elapsed);
            }
        });
        response
    }

    fn refuse(&self, refusal: Refusal) -> Response<Body> {
        Error::from(refusal).into_response()
    }

    fn repeated(&self) -> &'static [HeaderName] {
        &REPEATED
    }

    fn complete(&self, headers: &HeaderMap, mut response: Response<Body>) -> Response<Body> {
        self.cors.add_headers(self.cors.origin(headers), response.headers_mut());
        response.headers_mut().insert(REQUEST_ID, observe::id_of(headers));
        response
    }
}
