//! Flo: keys with compare-and-set, priority queues, streams with consumer groups, time series, namespaces.
//!
//! A request goes through one funnel: the node's condition, host and origin, token, route, then the handler of its
//! endpoint, which decodes, calls the engine and encodes. `routes` is the table of all endpoints; each resource has a
//! file of its own.

use std::{
    future::Future,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::body::Body;
use hyper::{
    Method, Request, Response, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, HeaderValue, VARY,
    },
    http::request::Parts,
};
use manifold_engine::{Engine, queue, stream::StreamRetention};
use tokio::sync::{Semaphore, watch};

mod access;
mod call;
mod cluster;
mod config;
mod dead_letters;
mod error;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod groups;
mod kv;
mod members;
mod names;
mod namespaces;
mod payload;
mod queues;
mod routes;
mod scan;
mod streams;
pub mod ts;

pub use config::{Config, PriorityOrder, Refused};

use access::Access;
use call::Call;
use cluster::View;
use error::{Condition, Error, Spelling};
use routes::{Endpoint, ROUTES};
use ts::{Shelf, WRITING_KIB, influx};

use crate::{
    http::{
        browser::{HARDENING, Trust},
        observe::Observed,
        reply, route,
    },
    net::{Incoming, Refusal, Service},
    telemetry::FloMetrics,
};

/// What every handler gives.
type Reply = Result<Response<Body>, Error>;

/// Everything below is for those who have a token.
const API: &str = "/api/v1";
/// What requests for no route count under.
const OTHER_ROUTE: &str = "other";
/// Bytes of a request's head.
const HEAD_BYTES: usize = 16 << 10;
/// Bytes of a head's line beside its name and value: `: ` and the line end.
const LINE_BYTES: usize = 4;

/// Method and template of every route.
pub fn routes() -> Vec<(&'static str, &'static str)> {
    route::listed(ROUTES).collect()
}

/// The dialect, ready to be served by a listener.
#[derive(Debug)]
pub struct Flo {
    engine: Engine,
    access: Access,
    trust: Trust,
    view: View,
    max_value_bytes: usize,
    max_body_bytes: usize,
    max_write_bytes: usize,
    max_series: u64,
    max_inflight: usize,
    inflight: AtomicUsize,
    priority_order: PriorityOrder,
    queues: queue::Settings,
    stream_retention: StreamRetention,
    /// What is known of the names in lines of points.
    shelf: Arc<Shelf>,
    /// KiB of lines of points that may be read and written now.
    writing: Semaphore,
    metrics: Arc<FloMetrics>,
    shutdown: watch::Receiver<bool>,
}

impl Flo {
    /// The dialect over `engine`, within the `limits` of the process. `shutdown` turns true when running requests should come to their end.
    pub fn new(
        config: &Config,
        engine: Engine,
        limits: Bounds,
        metrics: Arc<FloMetrics>,
        shutdown: watch::Receiver<bool>,
    ) -> Self {
        Flo {
            engine,
            access: Access {
                enabled: config.auth.enabled,
                tokens: config.auth.tokens.clone(),
                jwt_secret: config.auth.jwt_secret.clone(),
            },
            trust: config.trust(),
            view: View {
                node_id: config.cluster.node_id,
                address: format!("{}:{}", config.server.bind, config.server.port),
                shards: config.shards(),
                partitions: config.cluster.partition_count,
            },
            max_value_bytes: config.limits.max_value_bytes.min(limits.value_bytes),
            max_body_bytes: limits.body_bytes,
            max_series: config.timeseries.max_series,
            max_write_bytes: config.timeseries.max_body_bytes.min(limits.body_bytes),
            max_inflight: config.limits.max_inflight,
            inflight: AtomicUsize::new(0),
            priority_order: config.queue.priority_order,
            queues: config.queues(),
            stream_retention: config.streams(),
            shelf: Arc::default(),
            writing: Semaphore::new(WRITING_KIB as usize),
            metrics,
            shutdown,
        }
    }

    /// Answers a request; also says under which route it counts.
    async fn answer(&self, request: Request<Incoming>) -> (&'static str, Reply) {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path();
        // Only the scan of a namespace is also spelled with a slash behind it; a key may end in one.
        let found = route::find(ROUTES, path)
            .filter(|found| !path.ends_with('/') || found.route.template.starts_with("/api/v1/kv/"));
        let counted = found.as_ref().map_or(OTHER_ROUTE, |found| found.route.template);
        let _place = match self.admit(&parts, counted) {
            Ok(place) => place,
            Err(refused) => return (counted, Err(refused)),
        };
        if let Some(preflight) = self.preflight(&parts) {
            return (counted, Ok(preflight));
        }
        if let Err(refused) = self.authorize(&parts, counted) {
            return (counted, Err(refused));
        }
        let Some(found) = found else { return (counted, Err(Error::NoRoute)) };
        let Some(endpoint) = found.route.operation(&parts.method) else {
            return (counted, Err(Error::MethodNotAllowed { allow: found.route.allow() }));
        };
        if endpoint.is_operation() {
            self.metrics.operation();
        }
        let before = self.engine.state();
        let call = Call { flo: self, parts: &parts, parameters: found.parameters };
        let reply = self.handle(*endpoint, call, body).await;
        (counted, reply.map_err(|error| error.settle(&before, &self.engine.state())))
    }

    async fn handle(&self, endpoint: Endpoint, call: Call<'_>, body: Incoming) -> Reply {
        match endpoint {
            Endpoint::KvGet => kv::get(call).await,
            Endpoint::KvPut => kv::put(call, body).await,
            Endpoint::KvDelete => kv::delete(call).await,
            Endpoint::KvScan => scan::get(call),
            Endpoint::Enqueue => queues::enqueue(call, body).await,
            Endpoint::Dequeue => queues::dequeue(call, body).await,
            Endpoint::Ack => queues::ack(call, body).await,
            Endpoint::Nack => queues::nack(call, body).await,
            Endpoint::Extend => queues::extend(call, body).await,
            Endpoint::Peek => queues::peek(call).await,
            Endpoint::QueueStats => queues::stats(call).await,
            Endpoint::QueueList => queues::list(call).await,
            Endpoint::Purge => queues::purge(call).await,
            Endpoint::DeadList => dead_letters::list(call).await,
            Endpoint::DeadPurge => dead_letters::purge(call).await,
            Endpoint::DeadRequeue => dead_letters::requeue(call, body).await,
            Endpoint::Append => streams::append(call, body).await,
            Endpoint::StreamRead => streams::read(call).await,
            Endpoint::StreamInfo => streams::info(call).await,
            Endpoint::StreamList => streams::list(call).await,
            Endpoint::Trim => streams::trim(call, body).await,
            Endpoint::GroupJoin => groups::join(call, body).await,
            Endpoint::GroupRead => groups::read(call, body).await,
            Endpoint::GroupAck => groups::ack(call, body).await,
            Endpoint::GroupNack => groups::nack(call, body).await,
            Endpoint::GroupGet => groups::get(call).await,
            Endpoint::GroupDelete => groups::delete(call).await,
            Endpoint::GroupList => groups::list(call).await,
            Endpoint::SeriesList => ts::measurements::list(call).await,
            Endpoint::SeriesWrite => ts::write::post(call, body).await,
            Endpoint::SeriesQuery => ts::query::post(call, body).await,
            Endpoint::SeriesDelete => ts::delete::post(call, body).await,
            Endpoint::FloqlQuery => ts::query::raw(call, body).await,
            Endpoint::InfluxWrite => influx::write(call, body).await,
            Endpoint::InfluxWriteV2 => influx::write_v2(call, body).await,
            Endpoint::InfluxWriteV3 => influx::write_v3(call, body).await,
            Endpoint::InfluxQuery => influx::query(call, body).await,
            Endpoint::InfluxPing => influx::ping(),
            Endpoint::Namespaces => namespaces::list(call).await,
            Endpoint::NamespaceCreate => namespaces::create(call, body).await,
            Endpoint::Status => cluster::status(call),
            Endpoint::Metrics => cluster::metrics(call),
            Endpoint::ClusterStatus => cluster::nodes(call),
            Endpoint::ClusterPartitions => cluster::partitions(call),
            Endpoint::Health => cluster::health(),
        }
    }

    /// Everything that is checked before anybody asks who it is: the node's condition, its capacity, the head's size,
    /// host and origin.
    fn admit(&self, parts: &Parts, route: &str) -> Result<Place<'_>, Error> {
        if *self.shutdown.borrow() {
            return Err(Error::Unavailable(Condition::Stopping));
        }
        if let Some(condition) = Condition::not_serving(&self.engine.state()) {
            return Err(Error::Unavailable(condition));
        }
        let place = Place(&self.inflight);
        if self.inflight.fetch_add(1, Ordering::Relaxed) >= self.max_inflight {
            return Err(Error::Overloaded);
        }
        if head_bytes(parts) > HEAD_BYTES {
            return Err(Error::HeadTooLarge);
        }
        if !self.trust.host_allowed(&parts.headers) {
            return Err(Error::ForeignHost);
        }
        // A statement changes something, by whatever method it comes.
        let method = if route == influx::QUERY { &Method::POST } else { &parts.method };
        if !self.trust.origin_allowed(method, parts) {
            return Err(Error::ForeignOrigin);
        }
        Ok(place)
    }

    /// Refuses who has no token, where one is needed.
    fn authorize(&self, parts: &Parts, route: &str) -> Result<(), Error> {
        let now = self.engine.now();
        if is_below(parts.uri.path(), API) {
            self.access.check(&parts.headers, now)
        } else if influx::is_guarded(route) {
            self.access.check_influx(&parts.headers, parts.uri.query(), now)
        } else {
            Ok(())
        }
    }

    /// The answer to a browser that asks whether a page of a listed origin may send a request.
    fn preflight(&self, parts: &Parts) -> Option<Response<Body>> {
        let asks = parts.method == Method::OPTIONS && parts.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        if !asks || self.trust.listed_origin(&parts.headers).is_none() {
            return None;
        }
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        for (name, value) in [
            (ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, PUT, POST, DELETE"),
            (ACCESS_CONTROL_ALLOW_HEADERS, "Authorization, Content-Type, If-None-Match, X-Api-Key"),
            (ACCESS_CONTROL_MAX_AGE, "600"),
        ] {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        Some(response)
    }

    /// What `waiting` gives, or none when the server stops first.
    async fn unless_stopping<T>(&self, waiting: impl Future<Output = T>) -> Option<T> {
        let mut shutdown = self.shutdown.clone();
        tokio::select! {
            biased;
            // A sender that is gone stops nobody any more, and means the same.
            _ = shutdown.wait_for(|stopping| *stopping) => None,
            done = waiting => Some(done),
        }
    }
}

/// Bounds of the whole process that a dialect stays below.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Longest value.
    pub value_bytes: usize,
    /// Longest body.
    pub body_bytes: usize,
}

/// One of the requests that are answered at one time.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whether a path is `root` or lies below it.
fn is_below(path: &str, root: &str) -> bool {
    path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// How long the head was, about: its target and its lines.
fn head_bytes(parts: &Parts) -> usize {
    let target = parts.uri.path_and_query().map_or(0, |target| target.as_str().len());
    let lines = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + LINE_BYTES);
    target + lines.sum::<usize>()
}

impl Service for Flo {
    async fn call(self: Arc<Self>, request: Request<Incoming>, _: IpAddr) -> Response<Body> {
        let observed = Observed::begin(&request);
        let origin = self.trust.listed_origin(request.headers()).cloned();
        let (route, reply) = self.answer(request).await;
        let mut response = reply::for_method(
            observed.method(),
            reply.unwrap_or_else(|error| error.into_response(influx::spelling(route))),
        );
        let headers = response.headers_mut();
        headers.extend(HARDENING);
        if let Some(origin) = origin {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("ETag, Retry-After"));
            headers.insert(VARY, HeaderValue::from_static("Origin"));
        }
        observed.end("flo", route, &mut response, |route, _, status, elapsed| {
            self.metrics.request(route, status, elapsed);
        });
        self.metrics.sent(hyper::body::Body::size_hint(response.body()).exact().unwrap_or_default());
        response
    }

    fn refuse(&self, refusal: Refusal) -> Response<Body> {
        let mut response = Error::from(refusal).into_response(Spelling::Flo);
        response.headers_mut().extend(HARDENING);
        response
    }
}
