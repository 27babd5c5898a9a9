//! Unison: versioned JSON key-value with tenants, atomic batch and a change feed.
//!
//! A request goes through one funnel: key, route, permission, then the handler of its endpoint, which decodes, calls the
//! engine once and encodes. `routes` is the table of all endpoints; each resource has a file of its own.

use std::{net::IpAddr, sync::Arc};

use axum::body::Body;
use hyper::{Request, Response, StatusCode, http::request::Parts};
use manifold_engine::Engine;
use tokio::sync::watch;

mod access;
mod batch;
mod call;
mod changes;
mod cluster;
mod conditions;
mod config;
mod cursor;
mod error;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod kv;
mod list;
mod members;
mod model;
mod names;
mod openapi;
mod reply;
mod routes;
mod sse;
mod streams;
mod ws;

pub use config::{Config, Period, Refused};

use access::{Access, Keys, Role};
use call::Call;
use error::Error;
use reply::Reply;
use routes::{Endpoint, Operation, ROUTES};

use crate::{
    http::{
        browser::Trust,
        observe::Observed,
        route::{self, Route},
        ws::Sockets,
    },
    net::{Incoming, Refusal, Service},
    telemetry::{AuthFailure, UnisonMetrics},
};

/// Method and template of every route.
pub fn routes() -> Vec<(&'static str, &'static str)> {
    route::listed(ROUTES).collect()
}

/// The dialect, ready to be served by a listener.
#[derive(Debug)]
pub struct Unison {
    engine: Engine,
    keys: Keys,
    max_body_bytes: usize,
    metrics: Arc<UnisonMetrics>,
    shutdown: watch::Receiver<bool>,
    sockets: Sockets,
}

impl Unison {
    /// The dialect over `engine`. `shutdown` turns true when running requests should come to their end.
    pub fn new(config: Config, engine: Engine, metrics: Arc<UnisonMetrics>, shutdown: watch::Receiver<bool>) -> Self {
        Unison {
            engine,
            keys: Keys { open_to_all: config.is_open_to_all(), full: config.api_key, agent: config.agent_api_key },
            max_body_bytes: config.max_body_bytes,
            metrics,
            shutdown,
            sockets: Sockets::default(),
        }
    }

    /// Completes when no WebSocket is open any more. A listener does not see them: they left HTTP behind.
    pub async fn sockets_closed(&self) {
        self.sockets.closed().await;
    }

    /// Answers a request; also says under which route it counts.
    async fn answer(self: &Arc<Self>, request: Request<Incoming>) -> (&'static str, Reply) {
        let (mut parts, body) = request.into_parts();
        let found = route::find(ROUTES, parts.uri.path());
        let counted = found.as_ref().map_or(OTHER_ROUTE, |found| found.route.template);
        let (operation, role) = match self.admit(&parts, found.as_ref().map(|found| found.route)) {
            Ok(admitted) => admitted,
            Err(refused) => return (counted, Err(refused)),
        };
        let parameters = found.map(|found| found.parameters).unwrap_or_default();
        let call = Call { engine: &self.engine, parts: &parts, parameters, max_body_bytes: self.max_body_bytes };
        let reply = match operation.endpoint {
            Endpoint::Health => Ok(cluster::health()),
            Endpoint::Ready => Ok(cluster::ready(&self.engine)),
            Endpoint::List => list::get(call).await,
            Endpoint::Get => kv::get(call).await,
            Endpoint::Put => kv::put(call, body).await,
            Endpoint::Delete => kv::delete(call).await,
            Endpoint::Batch => batch::post(call, body).await,
            Endpoint::Changes => changes::get(call, &self.metrics, self.shutdown.clone()).await,
            Endpoint::ChangeStream => sse::get(call, &self.metrics, self.shutdown.clone()),
            Endpoint::ClusterStatus => cluster::status(&self.engine),
            Endpoint::ClusterLeader => cluster::leader(),
            Endpoint::ClusterMembership => cluster::membership(),
            Endpoint::OpenApi => Ok(reply::json(openapi::document())),
            Endpoint::Stream => ws::upgrade(self, &mut parts, role).await,
        };
        (counted, reply)
    }

    /// The answer to a request that was refused. A write that lost to what is there carries the head, as one that changed
    /// nothing does.
    fn refused(&self, error: Error) -> Response<Body> {
        let mut response = error.into_response();
        if response.status() == StatusCode::CONFLICT
            && let Ok(head) = self.engine.head()
        {
            response.headers_mut().insert(reply::SEQ, reply::number(head));
        }
        response
    }

    /// Everything that is checked before a handler runs, in this order: origin where everybody knows the
    /// key, key, route, method, permission. Routes without
    /// a key are looked at first, so that a probe with a stale key is answered like one without.
    fn admit(
        &self,
        parts: &Parts,
        route: Option<&'static Route<Operation>>,
    ) -> Result<(&'static Operation, Role), Error> {
        let has = |wanted: fn(&Operation) -> bool| {
            route.is_some_and(|route| route.operations.iter().any(|(_, operation)| wanted(operation)))
        };
        let role = if has(|operation| operation.access == Access::Public) {
            Role::Agent
        } else {
            if self.keys.open_to_all && !Trust::default().origin_trusted(parts) {
                return Err(Error::ForeignOrigin);
            }
            let subprotocol = has(|operation| operation.endpoint == Endpoint::Stream);
            self.keys.role(&parts.headers, subprotocol, &self.metrics)?
        };
        let route = route.ok_or(Error::NoRoute)?;
        let not_allowed = || Error::MethodNotAllowed { allow: route.allow() };
        let operation = route.operation(&parts.method).ok_or_else(not_allowed)?;
        if !role.may(operation.access) {
            self.metrics.auth_failed(AuthFailure::ReadOnly);
            return Err(Error::ReadOnly);
        }
        Ok((operation, role))
    }
}

/// What requests for no route count under.
const OTHER_ROUTE: &str = "other";

impl Service for Unison {
    async fn call(self: Arc<Self>, request: Request<Incoming>, _: IpAddr) -> Response<Body> {
        let observed = Observed::begin(&request);
        let (route, reply) = self.answer(request).await;
        let response = reply.unwrap_or_else(|error| self.refused(error));
        let mut response = reply::for_method(observed.method(), response);
        observed.end("unison", route, &mut response, |route, method, status, elapsed| {
            self.metrics.request(route, method, status, elapsed);
        });
        response
    }

    fn refuse(&self, refusal: Refusal) -> Response<Body> {
        Error::from(refusal).into_response()
    }
}
