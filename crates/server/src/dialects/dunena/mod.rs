//! Dunena: a bounded cache, a durable store of tagged values in SQLite, a cache of query results, and a proxy for
//! databases.
//!
//! A request goes through one funnel: preflight, pages, token, declared length, rate limit, route, database, then the
//! resource, which reads what was asked (`asked`, `check`), calls the engine once and writes its answer.

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::body::Body;
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::Incoming,
    header::{AUTHORIZATION, CONTENT_LENGTH},
};
use ipnet::IpNet;
use manifold_engine::{Clock, Engine, State, cache::Cache};

mod answer;
mod asked;
mod cache;
mod check;
mod client;
mod config;
mod cors;
mod error;
mod path;
mod proxy;
mod routes;

pub use config::{Config, Refused};

use asked::{Asked, BODY_BYTES};
use cors::Cors;
use error::Error;
use routes::{Door, Endpoint};

use crate::{
    http::{
        auth::{self, Secret},
        observe::Observed,
        reply,
        route::Found,
        windows::Windows,
    },
    net::{Refusal, Service},
};

/// What requests for no route count under.
const OTHER_ROUTE: &str = "other";

/// The dialect, ready to be served by a listener.
#[derive(Debug)]
pub struct Dunena {
    engine: Engine,
    cache: Cache,
    token: Secret,
    cors: Cors,
    trusted: Vec<IpNet>,
    windows: Windows<IpAddr>,
    /// Requests of a client in a window; 0 = no limit.
    rate_max: u64,
}

/// What the process gives the dialect.
#[derive(Debug)]
pub struct Surroundings {
    /// The engine.
    pub engine: Engine,
}

impl Dunena {
    /// The dialect as configured, with what it keeps on disk opened.
    pub fn open(config: &Config, surroundings: Surroundings) -> Result<Self, Refused> {
        let Surroundings { engine } = surroundings;
        Ok(Dunena {
            engine,
            cache: Cache::new(config.cache_limits(), Clock::system()),
            token: config.auth_token.clone(),
            cors: Cors::new(&config.cors_origins),
            trusted: config.trusted()?,
            windows: Windows::new(config.rate_window()),
            rate_max: config.rate_max,
        })
    }

    /// What goes on beside requests. Never completes.
    pub async fn work(&self) {
        self.cache.keep_expiring().await;
    }

    /// Ends what is open, after the last request.
    pub async fn close(&self) {}

    /// Answers a request; also says under which route it counts.
    async fn answer(self: &Arc<Self>, request: Request<Incoming>, peer: IpAddr) -> (&'static str, Response<Body>) {
        let (mut parts, body) = request.into_parts();
        if parts.method == Method::OPTIONS {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NO_CONTENT;
            return (OTHER_ROUTE, response);
        }
        let uri = parts.uri.clone();
        let path = path::plain(uri.path());
        let found = routes::find(&path, &parts.method);
        let counted = found.as_ref().map_or(OTHER_ROUTE, |(found, _)| found.route.template);
        let door = found.as_ref().map_or(Door::Guarded, |(_, endpoint)| endpoint.door());
        let answer = match self.admit(door, &parts.headers, peer) {
            Err(error) => Err(error),
            Ok(()) => match found {
                None => Err(Error::NoRoute),
                Some((Found { parameters, .. }, endpoint)) => {
                    let mut asked = Asked { dunena: self, parts: &mut parts, parameters, peer, incoming: Some(body) };
                    self.dispatch(endpoint, &mut asked).await
                }
            },
        };
        (counted, answer.unwrap_or_else(Error::into_response))
    }

    /// Everything that is checked before the route: token, declared length, rate.
    fn admit(&self, door: Door, headers: &HeaderMap, peer: IpAddr) -> Result<(), Error> {
        if door != Door::Open && !self.has_token(headers) {
            return Err(Error::Unauthorized);
        }
        let declared = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if declared.is_some_and(|length| length > BODY_BYTES as u64) {
            return Err(Error::TooLarge);
        }
        if door == Door::Guarded && self.rate_max > 0 {
            let client = client::address(peer, headers, &self.trusted);
            let count = self.windows.count(client, self.rate_max, self.engine.now());
            if !count.allowed {
                return Err(Error::RateLimited { retry_after: count.retry_after });
            }
        }
        Ok(())
    }

    /// Whether the request has the token, where one is needed: the scheme, one space, the token, and nothing else.
    fn has_token(&self, headers: &HeaderMap) -> bool {
        if self.token.is_empty() {
            return true;
        }
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return false };
        let Some((scheme, token)) = value.as_bytes().split_at_checked("bearer ".len()) else { return false };
        let token = auth::matching(token, &[self.token.expose().as_bytes()]);
        scheme.eq_ignore_ascii_case(b"bearer ") && token.is_some()
    }

    async fn dispatch(&self, endpoint: Endpoint, asked: &mut Asked<'_>) -> Result<Response<Body>, Error> {
        if !endpoint.answers_early() && self.engine.state() == State::Starting {
            return Err(Error::Starting);
        }
        // Nearly all requests are for the cache. What the others keep while they wait is boxed, or each of these would
        // have to carry room for it.
        match endpoint {
            Endpoint::Cache(call) => cache::answer(call, asked).await,
        }
    }
}

impl Service for Dunena {
    async fn call(self: Arc<Self>, request: Request<Incoming>, peer: IpAddr) -> Response<Body> {
        let observed = Observed::begin(&request).always_named();
        let origin = self.cors.origin(request.headers());
        let (route, response) = self.answer(request, peer).await;
        let mut response = reply::for_method(observed.method(), response);
        self.cors.add_headers(origin, response.headers_mut());
        observed.end("dunena", route, &mut response, |_route, _method, _status, _elapsed: Duration| {});
        response
    }

    fn refuse(&self, refusal: Refusal) -> Response<Body> {
        let mut response = Error::from(refusal).into_response();
        self.cors.add_headers(self.cors.origin(&HeaderMap::new()), response.headers_mut());
        response
    }
}
