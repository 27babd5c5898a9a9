//! The dialect's own metrics listener: what the scheduler counted, and whether it works. Nobody is asked for a key.

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::body::Body;
use hyper::{Method, Request, Response, StatusCode};
use manifold_engine::recache::HostId;
use prometheus_client::registry::Registry;

use super::{Config, EdgeComet, error::Error};
use crate::{
    net::{Incoming, Refusal, Service},
    telemetry::{HostStanding, Standing, exposition},
};

/// A scheduler whose last tick is older than three ticks and this is stuck.
const STUCK: Duration = Duration::from_secs(5);

/// What the listener serves.
#[derive(Debug)]
pub struct MetricsPage {
    dialect: Arc<EdgeComet>,
    registry: Registry,
}

impl MetricsPage {
    /// The numbers of this dialect alone.
    pub fn new(dialect: Arc<EdgeComet>) -> Self {
        let mut registry = Registry::with_prefix(dialect.config.metrics_prefix());
        registry.register_collector(Box::new(dialect.metrics.clone()));
        MetricsPage { dialect, registry }
    }

    async fn answer(&self, method: &Method, path: &str) -> Response<Body> {
        let format = self.dialect.format();
        if method != Method::GET && method != Method::HEAD {
            return Error::NoRoute.into_response(format);
        }
        match path {
            "/healthz" => format.message("alive"),
            "/readyz" => match self.dialect.readiness().await {
                Ok(()) => format.message("ready"),
                Err(why) => format.error(StatusCode::SERVICE_UNAVAILABLE, why),
            },
            _ if path == self.dialect.config.metrics.path => {
                self.dialect.look().await;
                exposition::answer(&self.registry)
            }
            _ => Error::NoRoute.into_response(format),
        }
    }
}

impl Service for MetricsPage {
    async fn call(self: Arc<Self>, request: Request<Incoming>, _peer: IpAddr) -> Response<Body> {
        self.answer(request.method(), request.uri().path()).await
    }

    fn refuse(&self, refusal: Refusal) -> Response<Body> {
        self.dialect.refuse(refusal)
    }
}

impl EdgeComet {
    /// Brings the numbers up to date that the home knows. Those of a home that does not answer are 0.
    pub async fn look(&self) {
        let hosts = self.hosts.get();
        let ids: Vec<HostId> = hosts.iter().map(|host| host.id).collect();
        let queues = self.home.depths(&ids, self.now()).await.unwrap_or_default();
        let letters = self.home.failed_counts(&ids).await.unwrap_or_default();
        let standing = |(at, host): (usize, &Arc<super::hosts::Host>)| HostStanding {
            host: host.primary_domain().to_owned(),
            queues: queues.get(at).copied().unwrap_or_default(),
            dead_letters: letters.get(at).copied().unwrap_or_default(),
        };
        let view = self.scheduler.view();
        self.metrics.stand(Standing {
            hosts: hosts.iter().enumerate().map(standing).collect(),
            internal: view.waiting as u64,
            in_flight: view.in_flight as u64,
            malformed: self.home.malformed_members(),
        });
    }

    /// Whether the home answers and the scheduler ticks.
    async fn readiness(&self) -> Result<(), &'static str> {
        let within = self.config.scheduler.tick_interval.0 * 3 + STUCK;
        if self.scheduler.view().last_tick.plus(within) <= self.engine.now() {
            return Err("the scheduler does not tick");
        }
        self.home.ping().await.map_err(|_| "the home of the queues does not answer")
    }
}

impl Config {
    /// What names of metrics begin with.
    pub fn metrics_prefix(&self) -> String {
        format!("{}_cd", self.metrics.namespace)
    }
}
