//! Synap: commands in an envelope, over keys, queues, rooms, and publish and subscribe.
//!
//! A request goes through one funnel: origin, credential, rate limit, route, body, envelope, then the command, which
//! reads its payload, calls the engine and writes its answer. `commands` is the table of all commands; each component
//! has a file of its own.

use std::{future::Future, net::IpAddr, sync::Arc, time::Duration};

use axum::body::Body;
use foldhash::quality::RandomState;
use hyper::{
    Method, Request, Response, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, HeaderName, HeaderValue,
        VARY,
    },
    http::request::Parts,
};
use manifold_engine::{Engine, Namespace, State, queue::Settings, stream::StreamRetention};
use tokio::sync::{Notify, watch};

mod access;
mod admin;
mod answer;
mod batch;
mod collections;
mod command_route;
mod commands;
mod config;
mod envelope;
mod error;
mod handed;
mod key;
mod kv;
mod object;
mod payload;
mod place;
mod pubsub;
mod queue;
mod queue_manage;
mod queue_name;
mod rate;
mod rest;
mod routes;
mod stream;
mod stream_consume;
mod stream_follow;
mod stream_manage;
mod ws;

pub use config::{Config, Refused};

use access::{Access, Caller};
use answer::{Answer, Form};
use commands::Context;
use config::Compat;
use error::Error;
use place::Places;
use rate::{Counted, Party, Windows};
use routes::Endpoint;

use crate::{
    http::{
        body::{self, BodyTime},
        browser::{HARDENING, Trust},
        gzip,
        observe::Observed,
        query::Query,
        reply,
        route::{self, Found},
    },
    net::{Incoming, Refusal, Service},
    telemetry::SynapMetrics,
};

const NAMESPACE: &str = "default";
/// What requests for no route count under.
const OTHER_ROUTE: &str = "other";
/// Time for all of a body.
const BODY_TIME: BodyTime = BodyTime::Whole(Duration::from_secs(60));
/// Longest time between two looks at whether a credential has ended.
const EXPIRY_LOOKS: Duration = Duration::from_secs(1);
/// Asks for another form of answers.
const COMPAT: HeaderName = HeaderName::from_static("x-synap-compat");

/// The dialect, ready to be served by a listener.
#[derive(Debug)]
pub struct Synap {
    engine: Engine,
    namespace: Namespace,
    access: Access,
    trust: Trust,
    windows: Windows,
    /// Requests per minute of whoever has no limit of its own; 0 = no limit.
    requests_per_minute: u32,
    /// Whether commands that remove all keys are done.
    allow_flush_commands: bool,
    metrics_public: bool,
    compression: bool,
    compat: Compat,
    max_body_bytes: usize,
    memory_limit_bytes: u64,
    places: Places,
    queues: Settings,
    rooms: StreamRetention,
    /// Messages that wait for a connection before it is dropped.
    subscriber_buffer: usize,
    /// Longer values are not told to those who watch keys.
    watched_value_bytes: usize,
    /// Makes numbers of consumers' names.
    consumers: RandomState,
    /// The configuration of the process as JSON, secrets masked.
    effective: String,
    metrics: Arc<SynapMetrics>,
    /// Asks the process to stop.
    stop: Arc<Notify>,
    shutdown: watch::Receiver<bool>,
}

/// What the process gives the dialect.
#[derive(Debug)]
pub struct Surroundings {
    /// The engine.
    pub engine: Engine,
    /// What it counts.
    pub metrics: Arc<SynapMetrics>,
    /// Longest body that the process accepts.
    pub body_bytes: usize,
    /// Memory before growth is refused; 0 = no limit.
    pub memory_bytes: u64,
    /// The configuration of the process as a JSON object, secrets masked.
    pub effective: String,
    /// Notified when a client asks the process to stop.
    pub stop: Arc<Notify>,
    /// Turns true when running requests should come to their end.
    pub shutdown: watch::Receiver<bool>,
}

/// The namespace that all of this dialect lives in.
pub fn namespace() -> Namespace {
    Namespace::new(NAMESPACE).expect("a name that is known when this is compiled")
}

/// Method and template of every route; each also exists below `/sdk`.
pub fn routes() -> Vec<(&'static str, &'static str)> {
    routes::TABLES.iter().flat_map(|table| route::listed(table)).collect()
}

/// Everything that a command can be called, other names included.
pub fn spellings() -> Vec<&'static str> {
    commands::all_names().collect()
}

/// The names of all commands, for their counters.
pub fn command_names() -> Vec<&'static str> {
    commands::names().collect()
}

impl Synap {
    /// The dialect as configured.
    pub fn new(config: &Config, surroundings: Surroundings) -> Self {
        let Surroundings { engine, metrics, body_bytes, memory_bytes, effective, stop, shutdown } = surroundings;
        let own_limit = (config.max_request_size_mb as usize).saturating_mul(1 << 20);
        Synap {
            engine,
            namespace: namespace(),
            access: Access::new(&config.auth),
            trust: config.trust(),
            windows: Windows::default(),
            requests_per_minute: config.rate_limit.requests_per_minute,
            allow_flush_commands: config.kv_store.allow_flush_commands,
            metrics_public: config.metrics_public,
            compression: config.compression,
            compat: config.compat,
            max_body_bytes: own_limit.min(body_bytes),
            memory_limit_bytes: memory_bytes,
            places: Places::default(),
            queues: config.queues(),
            rooms: config.rooms(),
            subscriber_buffer: config.pubsub.subscriber_buffer,
            watched_value_bytes: config.watch.max_inline_value_bytes,
            consumers: RandomState::default(),
            effective,
            metrics,
            stop,
            shutdown,
        }
    }

    /// Answers a request; also says under which route it counts.
    async fn answer(self: &Arc<Self>, request: Request<Incoming>, peer: IpAddr) -> (&'static str, Answer) {
        let (mut parts, body) = request.into_parts();
        let uri = parts.uri.clone();
        let (path, shape) = routes::strip_prefix(uri.path());
        let found = routes::find(path);
        let counted = found.as_ref().map_or(OTHER_ROUTE, |found| found.route.template);
        // All operations of a route are of one kind, so that is known before the method is.
        let endpoint = found.as_ref().and_then(|found| found.route.operations.first()).map(|(_, endpoint)| endpoint);
        let form = endpoint.map_or(Form::Bare, Endpoint::errors);
        if let Some(preflight) = self.preflight(&parts) {
            return (counted, preflight);
        }
        let mut rate = None;
        let answer = match self.admit(&parts, endpoint, peer, &mut rate) {
            Err(error) => Err(error),
            Ok(caller) => {
                let shape = shape.unwrap_or_else(|| self.shape(&parts));
                self.dispatch(&mut parts, body, found, caller, shape).await
            }
        };
        let mut answer = answer.unwrap_or_else(|error| Answer::refused(&error, form));
        answer.rate = rate;
        (counted, answer)
    }

    /// Everything that is checked before the route: origin, credential, rate.
    fn admit(
        &self,
        parts: &Parts,
        endpoint: Option<&Endpoint>,
        peer: IpAddr,
        rate: &mut Option<Counted>,
    ) -> Result<Caller, Error> {
        if !self.trust.origin_trusted(parts) {
            return Err(Error::ForeignOrigin);
        }
        let public = match endpoint {
            Some(Endpoint::Health) => true,
            Some(Endpoint::Metrics) => self.metrics_public,
            Some(Endpoint::Command | Endpoint::Socket(_) | Endpoint::Old | Endpoint::Rest(_)) | None => false,
        };
        let caller = match public {
            true => Caller { role: access::Role::ReadOnly, key: None, ip: peer, until: None },
            false => {
                let query = endpoint.is_some_and(Endpoint::is_socket).then(|| Query::parse(parts.uri.query()).ok());
                let query = query.flatten().unwrap_or_default();
                self.access.identify(&parts.headers, query.text("api_key"), peer, || self.engine.now())?
            }
        };
        if endpoint.is_none_or(Endpoint::is_limited) {
            let (counted, allowed) = self.count(&caller);
            *rate = counted;
            allowed?;
        }
        Ok(caller)
    }

    /// Completes when the credential of somebody ends. The clock may be set, so it is looked at now and then.
    async fn expired(&self, caller: Caller) {
        let Some(until) = caller.until else { return std::future::pending().await };
        loop {
            let left = until.0.saturating_sub(self.engine.now().0);
            if left == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(left).min(EXPIRY_LOOKS)).await;
        }
    }

    /// Counts a request of somebody: what that leaves, and whether it was one too many.
    fn count(&self, caller: &Caller) -> (Option<Counted>, Result<(), Error>) {
        let key = caller.key.and_then(|at| Some((at, self.access.key(at)?)));
        let party = key.map_or(Party::Address(caller.ip), |(at, _)| Party::Key(at));
        let limit = key.and_then(|(_, key)| key.rate_limit).unwrap_or(self.requests_per_minute);
        self.windows.count(party, limit, || self.engine.now())
    }

    async fn dispatch(
        self: &Arc<Self>,
        parts: &mut Parts,
        incoming: Incoming,
        found: Option<Found<'_, Endpoint>>,
        caller: Caller,
        shape: Compat,
    ) -> Result<Answer, Error> {
        let asked = || (parts.method.to_string(), parts.uri.path().to_owned());
        let Some(found) = found else {
            let (method, path) = asked();
            return Err(Error::NoRoute { method, path });
        };
        let Some(endpoint) = found.route.operation(&parts.method) else {
            let (method, path) = asked();
            return Err(Error::MethodNotAllowed { method, path, allow: found.route.allow() });
        };
        // Nearly all requests are commands in an envelope. What the others keep while they wait is boxed, or each of these
        // would have to carry room for it.
        match endpoint {
            Endpoint::Command => self.command(parts, incoming, caller, shape).await,
            Endpoint::Health => Ok(rest::server::health(self)),
            Endpoint::Metrics => Ok(Box::pin(rest::server::metrics(self)).await),
            Endpoint::Socket(kind) => Box::pin(ws::upgrade(self, parts, *kind, caller, shape)).await,
            Endpoint::Old => Box::pin(self.spelled(None, &found, parts, incoming, caller, shape)).await,
            Endpoint::Rest(call) => Box::pin(self.spelled(Some(call), &found, parts, incoming, caller, shape)).await,
        }
    }

    /// Answers what comes in an envelope.
    async fn command(&self, parts: &Parts, incoming: Incoming, caller: Caller, shape: Compat) -> Result<Answer, Error> {
        rest::query(parts.uri.query())?;
        let place = self.places.take()?;
        let body = self.body(parts, incoming).await?;
        let context = Context { synap: self, caller, shape, place: &place, until: None, socket: None };
        Ok(command_route::answer(context, &body).await)
    }

    /// Answers a command that is spelled as its route wants it; without a call, as clients before the envelope did.
    async fn spelled(
        &self,
        call: Option<&rest::Call>,
        found: &Found<'_, Endpoint>,
        parts: &Parts,
        incoming: Incoming,
        caller: Caller,
        shape: Compat,
    ) -> Result<Answer, Error> {
        let target = rest::Target::read(found, parts.uri.query())?;
        let place = self.places.take()?;
        let body = self.body(parts, incoming).await?;
        let context = Context { synap: self, caller, shape, place: &place, until: None, socket: None };
        match call {
            Some(call) => rest::answer(&context, call, &target, &body).await,
            None => rest::old::answer(&context, &body).await,
        }
    }

    /// The body, read to its end and decoded.
    async fn body(&self, parts: &Parts, incoming: Incoming) -> Result<bytes::Bytes, Error> {
        let limit = self.max_body_bytes;
        let account = incoming.account();
        let received = body::collect(incoming, limit, BODY_TIME).await.map_err(|error| Error::of_body(error, limit))?;
        let decoded = gzip::decoded(&parts.headers, received, limit, account).await;
        decoded.map_err(|error| Error::of_coding(error, limit))
    }

    /// The form of answer that a header asks for, else the one configured.
    fn shape(&self, parts: &Parts) -> Compat {
        let asked = parts.headers.get(&COMPAT).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"sdk"));
        if asked { Compat::Sdk } else { self.compat }
    }

    /// The answer to a browser that asks whether a page of a listed origin may send a request.
    fn preflight(&self, parts: &Parts) -> Option<Answer> {
        let asks = parts.method == Method::OPTIONS && parts.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        if !asks || self.trust.listed_origin(&parts.headers).is_none() {
            return None;
        }
        let mut answer = Answer::empty(StatusCode::NO_CONTENT);
        for (name, value) in [
            (ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, POST, PUT, DELETE"),
            (ACCESS_CONTROL_ALLOW_HEADERS, "Authorization, Content-Type, X-API-Key, X-Synap-Compat"),
            (ACCESS_CONTROL_MAX_AGE, "600"),
        ] {
            answer.headers.insert(name, HeaderValue::from_static(value));
        }
        Some(answer)
    }

    /// What works now.
    fn state(&self) -> State {
        if *self.shutdown.borrow() { State::Stopping } else { self.engine.state() }
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

impl Service for Synap {
    async fn call(self: Arc<Self>, request: Request<Incoming>, peer: IpAddr) -> Response<Body> {
        let observed = Observed::begin(&request);
        let origin = self.trust.listed_origin(request.headers()).cloned();
        let squeeze = self.compression && gzip::accepted(request.headers());
        let (route, mut answer) = self.answer(request, peer).await;
        let handed = std::mem::take(&mut answer.handed);
        if squeeze {
            answer = answer.compressed().await;
        }
        let mut response = reply::for_method(observed.method(), answer.into_response());
        // An answer to HEAD is without the message: the receipt goes unsigned, and the message back.
        if let Some(receipt) = handed::receipt(self.engine.clone(), self.namespace.clone(), handed)
            && observed.method() != Method::HEAD
        {
            response.extensions_mut().insert(receipt);
        }
        let headers = response.headers_mut();
        headers.extend(HARDENING);
        if let Some(origin) = origin {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            let exposed = "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After";
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(exposed));
            let vary = if headers.contains_key(VARY) { "Accept-Encoding, Origin" } else { "Origin" };
            headers.insert(VARY, HeaderValue::from_static(vary));
        }
        observed.end("synap", route, &mut response, |route, method, status, elapsed| {
            self.metrics.request(route, method, status, elapsed);
        });
        response
    }

    fn refuse(&self, refusal: Refusal) -> Response<Body> {
        let mut response = Answer::refused(&Error::from(refusal), Form::Bare).into_response();
        response.headers_mut().extend(HARDENING);
        response
    }
}
