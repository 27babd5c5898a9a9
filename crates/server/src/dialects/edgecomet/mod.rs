//! EdgeComet's cache daemon: schedules pages to be fetched anew, and fetches them where nobody else does.
//!
//! A request is authenticated before anything else of it counts, then routed; the endpoint reads it, asks the home once
//! and writes the answer. The home (`home`) is the engine of this process or Redis. Beside requests the scheduler
//! pulls what is due and gives it to targets.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::body::Body;
use hyper::{HeaderMap, Request, Response};
use manifold_engine::{Clock, Engine, State, Timestamp, backup::Beside};
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

mod answer;
mod asked;
mod config;
mod control;
mod error;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod home;
mod hosts;
mod invalidate;
mod job;
mod metrics;
mod pages;
mod reading;
mod recache;
mod routes;
mod scheduler;
mod status;
mod targets;
mod url;
mod worker;
mod writing;

pub use config::{
    Config, ConsoleFormat, DimensionConfig, FileFormat, GatewayFile, HostConfig, Logging, Refused, RuleConfig,
};
pub use metrics::MetricsPage;

use asked::{Answer, Asked};
use config::ResponseFormat;
use error::Error;
use home::{Embedded, Home, Redis};
use hosts::{CurrentHosts, Host, Hosts, Patterns};
use pages::{Pages, PagesBeside};
use routes::Endpoint;
use scheduler::Scheduler;
use targets::Targets;
use url::{Address, BadUrl};
use worker::Worker;

use crate::{
    http::{auth, observe::Observed},
    net::{Cut, Incoming, Options, Refusal, Service},
    telemetry::EdgeCometMetrics,
};

/// What requests for no route count under.
const OTHER_ROUTE: &str = "other";
/// How long a request waits for the log to be replayed.
const REPLAY: Duration = Duration::from_secs(10);
/// The header with the key.
const KEY_HEADER: &str = "x-internal-auth";

/// Most bytes of headers in a request.
const HEADER_BYTES: usize = 16 << 10;
/// What a line of a header has besides its name and value.
const HEADER_LINE: usize = ": \r\n".len();
/// How long a connection may rest between two requests.
const IDLE: Duration = Duration::from_secs(60);

impl Config {
    /// How the listener treats its connections, of which there may be so many.
    pub fn listener_options(&self, connections: usize) -> Options {
        Options {
            connections,
            head_timeout: self.http_api.request_timeout.0,
            head_bytes: Some(HEADER_BYTES),
            idle_timeout: IDLE,
            ..Options::default()
        }
    }
}

/// Method and template of every route.
pub fn routes() -> Vec<(String, &'static str)> {
    routes::all().map(|(method, path)| (method.to_string(), path)).collect()
}

/// The dialect, ready to be served by a listener.
#[derive(Debug)]
pub struct EdgeComet {
    config: Config,
    engine: Engine,
    home: Home,
    hosts: CurrentHosts,
    pages: Pages,
    scheduler: Arc<Scheduler>,
    targets: Targets,
    metrics: Arc<EdgeCometMetrics>,
    began: Instant,
    shutdown: watch::Receiver<bool>,
}

/// What the process gives the dialect.
#[derive(Debug)]
pub struct Surroundings {
    /// The engine.
    pub engine: Engine,
    /// Where files are that the configuration has no place for.
    pub data_dir: PathBuf,
    /// Where it counts.
    pub metrics: Arc<EdgeCometMetrics>,
    /// Turns true when running requests should come to their end.
    pub shutdown: watch::Receiver<bool>,
}

impl Config {
    /// What a process so configured left beside the log.
    pub fn beside_at_rest(&self, data_dir: &Path) -> Vec<Arc<dyn Beside>> {
        if !self.is_embedded() {
            return Vec::new();
        }
        vec![Arc::new(PagesBeside::new(Pages::new(self, data_dir), data_dir))]
    }
}

impl EdgeComet {
    /// The dialect as configured.
    pub async fn open(config: Config, surroundings: Surroundings) -> Result<Self, Refused> {
        let Surroundings { engine, data_dir, metrics, shutdown } = surroundings;
        let home = if config.is_embedded() {
            Home::Embedded(Embedded::new(engine.clone()))
        } else {
            Home::Redis(Redis::open(&config, Clock::system(), metrics.calls()).await.map_err(Refused::Value)?)
        };
        let hosts = CurrentHosts::new(Hosts::build(&config).map_err(|bad| Refused::Value(bad.to_string()))?);
        let pages = Pages::new(&config, &data_dir);
        let worker = || Worker::new(&config, hosts.clone(), home.clone(), pages.clone()).map(Arc::new);
        let targets = Targets::new(&config, config.has_worker().then(worker).transpose()?);
        let surroundings = scheduler::Surroundings {
            engine: engine.clone(),
            home: home.clone(),
            hosts: hosts.clone(),
            targets: targets.clone(),
            metrics: metrics.clone(),
        };
        let scheduler = Arc::new(Scheduler::new(&config, surroundings));
        let began = Instant::now();
        Ok(EdgeComet { config, engine, home, hosts, pages, scheduler, targets, metrics, began, shutdown })
    }

    /// Takes over the hosts of a configuration, and tells how many they are. If they cannot be, the old ones stay.
    pub fn reload(&self, config: &Config) -> Result<usize, Refused> {
        let hosts = Hosts::build(config).map_err(|bad| Refused::Value(bad.to_string()))?;
        let count = hosts.iter().count();
        self.hosts.set(hosts);
        Ok(count)
    }

    /// What it keeps beside the log. Where others share the home its pages are theirs, as their records are.
    pub fn beside(&self, data_dir: &Path) -> Vec<Arc<dyn Beside>> {
        if !self.config.is_embedded() {
            return Vec::new();
        }
        vec![Arc::new(PagesBeside::new(self.pages.clone(), data_dir))]
    }

    /// What goes on beside requests, until the shutdown.
    pub async fn work(&self) {
        if self.engine.recovered().await.is_err() {
            return;
        }
        tokio::select! {
            () = self.scheduler.clone().run(self.shutdown.clone()) => {}
            () = self.pages.keep_clean(&self.config, &self.home, &self.hosts) => {}
        }
        if let Some(worker) = &self.targets.worker {
            worker.close().await;
        }
        self.home.close().await;
    }

    fn format(&self) -> ResponseFormat {
        self.config.http_api.response_format
    }

    /// The time, in whole seconds since 1970.
    fn now(&self) -> u64 {
        let Timestamp(ms) = self.engine.now();
        ms / 1000
    }

    /// When files of records that are forgotten now are for removal.
    fn files_removed_at(&self) -> u64 {
        self.now().saturating_add(self.config.storage.cleanup_delay.0.as_secs())
    }

    /// An address in the form that pages of a host are queued under.
    fn queued_form(&self, host: &Host, url: &str) -> Result<String, BadUrl> {
        Address::parse(url).map(|address| self.normal(host, &address))
    }

    /// An address in normal form, without tracking parameters unless they are to stay.
    fn normal(&self, host: &Host, address: &Address<'_>) -> String {
        if self.config.recache.strip_tracking_params {
            address.normal(&host.treatment(&address.path(), address.query()).strip)
        } else {
            address.normal(&Patterns::default())
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> (&'static str, Response<Body>) {
        let (parts, incoming) = request.into_parts();
        let found = routes::find(&parts.method, parts.uri.path());
        let route = found.map_or(OTHER_ROUTE, |(route, _)| route);
        let answer = match found {
            _ if !self.has_key(&parts.headers) => Err(Error::Unauthorized),
            _ if header_bytes(&parts.headers) > HEADER_BYTES => Err(Error::HeaderTooLarge),
            None => Err(Error::NoRoute),
            Some((_, endpoint)) => self.dispatch(endpoint, Asked { dialect: self, parts: &parts, incoming }).await,
        };
        (route, answer.unwrap_or_else(|error| error.into_response(self.format())))
    }

    /// Waits until the log is replayed, though not for ever: who asks right after a start finds what was there before.
    async fn started(&self) {
        if self.config.is_embedded() && self.engine.state() == State::Starting {
            // What cannot be replayed ends the process.
            drop(timeout(REPLAY, self.engine.recovered()).await);
        }
    }

    /// Whether the request has the key. If the header was sent twice the first counts.
    fn has_key(&self, headers: &HeaderMap) -> bool {
        let key = headers.get(KEY_HEADER).map_or(&b""[..], |value| value.as_bytes().trim_ascii());
        !key.is_empty() && auth::matching(key, &[self.config.internal_auth_key.expose().as_bytes()]).is_some()
    }

    async fn dispatch(&self, endpoint: Endpoint, asked: Asked<'_>) -> Answer {
        self.started().await;
        match endpoint {
            Endpoint::Recache => recache::answer(asked).await,
            Endpoint::Invalidate => invalidate::answer(asked).await,
            Endpoint::Status => status::answer(asked).await,
            Endpoint::Pause => control::pause(self),
            Endpoint::Resume => control::resume(self),
            Endpoint::Urls => reading::urls::answer(asked).await,
            Endpoint::Summary => reading::summary::answer(asked).await,
            Endpoint::Queue => reading::queue::answer(asked).await,
            Endpoint::QueueSummary => reading::queue_summary::answer(asked).await,
            Endpoint::Content => reading::content::answer(asked).await,
            Endpoint::InvalidateAll => writing::invalidate_all::answer(asked).await,
            Endpoint::InvalidatePrefix => writing::invalidate_prefix::answer(asked).await,
            Endpoint::Purge => writing::purge::answer(asked).await,
            Endpoint::Failed => reading::failed::answer(asked).await,
            Endpoint::RetryFailed => writing::retry_failed::answer(asked).await,
            Endpoint::BotHit => writing::bot_hit::answer(asked).await,
        }
    }
}

fn header_bytes(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + HEADER_LINE).sum()
}

impl Service for EdgeComet {
    async fn call(self: Arc<Self>, request: Request<Incoming>, _peer: IpAddr) -> Response<Body> {
        let observed = Observed::begin(&request).always_named();
        let (route, mut response) = self.answer(request).await;
        observed.end("edgecomet", route, &mut response, |_route, _method, _status, _elapsed| {});
        response
    }

    fn refuse(&self, refusal: Refusal) -> Response<Body> {
        Error::from(refusal).into_response(self.format())
    }

    fn cut(&self, cut: Cut) -> Response<Body> {
        Error::from(cut).into_response(self.format())
    }
}
