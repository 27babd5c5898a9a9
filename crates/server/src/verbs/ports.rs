//! The sockets of the process, and who answers on each.

use std::{net::SocketAddr, sync::Arc};

use manifold_engine::{Engine, backup::Beside};
use manifold_server::{
    config::{self, Config},
    dialects::{
        dunena::{self, Dunena},
        edgecomet::{self, EdgeComet, MetricsPage},
        flo::{self, Flo},
        synap::{self, Surroundings, Synap},
        unison::Unison,
    },
    net::{Budget, Hosts, Listener, Options, Tls},
    telemetry::{
        DunenaMetrics, EdgeCometMetrics, EngineGauges, FloMetrics, ListenerGauges, ProcessGauges, SynapMemory,
        SynapMetrics, TlsGauges, UnisonMetrics,
        exposition::{Exposition, Look},
    },
};
use prometheus_client::registry::Registry;
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
    time::{Instant, timeout_at},
};

use super::{
    Exit, Failure,
    settings::{Addresses, memory_limit},
    tls::Identities,
};

/// Connections of the metrics listener: a few scrapers.
const METRICS_CONNECTIONS: usize = 256;

/// Every socket of the process, bound and not yet served.
pub struct Ports {
    metrics: Option<Listener>,
    unison: Option<Listener>,
    flo: Option<Listener>,
    synap: Option<Listener>,
    dunena: Option<Listener>,
    edgecomet: Option<Listener>,
    edgecomet_metrics: Option<Listener>,
    /// What those of the dialects may hold together. Metrics have room of their own, so that who looks for the reason
    /// of refusals is not refused.
    budget: Arc<Budget>,
}

/// What runs.
pub struct Served {
    /// A task for each listener; each ends when it has drained.
    pub serving: JoinSet<()>,
    pub edgecomet: Option<Arc<EdgeComet>>,
    /// What dialects keep beside the log, in the order in which they hold still for a backup.
    pub beside: Vec<Arc<dyn Beside>>,
}

impl Ports {
    pub fn bind(
        config: &Config,
        addresses: Addresses,
        identities: &Identities,
        budget: Arc<Budget>,
    ) -> Result<Ports, Failure> {
        let all = config.limits.connections;
        let open_with = |name, address: Option<SocketAddr>, options: Options| {
            address.map(|address| bind(name, address, options, identities.of(name))).transpose()
        };
        let named = &config.allowed_hosts[..];
        let open = |name, address: Option<SocketAddr>, connections: usize, hosts: &dyn Fn(SocketAddr) -> Hosts| {
            let (hosts, connections) = (address.map(hosts).unwrap_or_default(), connections.min(all));
            open_with(name, address, Options { connections, hosts, budget: budget.clone(), ..Options::default() })
        };
        let open_metrics = |name, address: Option<SocketAddr>| {
            if let Some(listen) = address.filter(|listen| !listen.ip().to_canonical().is_loopback()) {
                tracing::warn!(%listen, "{name} listens on an address that is not loopback, and asks nobody for a secret");
            }
            let hosts = address.map(|listen| Hosts::of(listen, false, named)).unwrap_or_default();
            open_with(name, address, Options { connections: METRICS_CONNECTIONS.min(all), hosts, ..Options::default() })
        };
        let Config { unison, flo, synap, dunena, edgecomet, .. } = config;
        let hosts = addresses.edgecomet.map(|listen| edgecomet.names(listen, named)).unwrap_or_default();
        let edgecomet_options = Options { hosts, budget: budget.clone(), ..edgecomet.listener_options(all) };
        Ok(Ports {
            metrics: open_metrics("metrics", addresses.metrics)?,
            unison: open("unison", addresses.unison, unison.max_connections, &|at| unison.names(at, named))?,
            flo: open("flo", addresses.flo, flo.limits.max_connections, &|at| flo.names(at, named))?,
            synap: open("synap", addresses.synap, all, &|at| synap.names(at, named))?,
            dunena: open("dunena", addresses.dunena, all, &|at| dunena.names(at, named))?,
            edgecomet: open_with("edgecomet", addresses.edgecomet, edgecomet_options)?,
            edgecomet_metrics: open_metrics("edgecomet-metrics", addresses.edgecomet_metrics)?,
            budget: budget.clone(),
        })
    }

    /// The listeners that speak TLS, by their names.
    pub fn tls(&self) -> Vec<(&'static str, Arc<Tls>)> {
        self.all().filter_map(|listener| Some((listener.name(), listener.tls()?))).collect()
    }

    fn all(&self) -> impl Iterator<Item = &Listener> {
        let Ports { metrics, unison, flo, synap, dunena, edgecomet, edgecomet_metrics, budget: _ } = self;
        [metrics, unison, flo, synap, dunena, edgecomet, edgecomet_metrics].into_iter().flatten()
    }

    /// Opens the dialects and serves them.
    pub async fn serve(
        self,
        mut config: Config,
        engine: &Engine,
        stop: &Arc<Notify>,
        down: &watch::Receiver<bool>,
    ) -> Result<Served, Failure> {
        let mut registry = Registry::default();
        let listeners: Vec<_> = self.all().map(|listener| (listener.name(), listener.connections())).collect();
        let (shards, connections) = (config.flo.shards(), listeners.iter().map(|(_, open)| open.clone()).collect());
        let gauges = ListenerGauges(listeners, self.budget.clone());
        registry.register_collector(Box::new(gauges));
        registry.register_collector(Box::new(TlsGauges(self.tls())));
        registry.register_collector(Box::new(ProcessGauges::default()));
        registry.register_collector(Box::new(EngineGauges(engine.clone())));

        let bounds = flo::Bounds { value_bytes: config.limits.value_bytes, body_bytes: config.limits.body_bytes };
        let mut serving = JoinSet::new();
        let mut looks: Vec<Look> = Vec::new();
        let mut documents = config.dunena.beside_at_rest(&config.data_dir);
        let mut beside = config.edgecomet.beside_at_rest(&config.data_dir);
        if let Some(listener) = self.unison {
            let metrics = Arc::new(UnisonMetrics::default());
            registry.register_collector(Box::new(metrics.clone()));
            config.unison.max_body_bytes = config.unison.max_body_bytes.min(config.limits.body_bytes);
            let unison = Arc::new(Unison::new(config.unison.clone(), engine.clone(), metrics, down.clone()));
            let drained = listener.serve(unison.clone(), down.clone());
            let end = drain_end(down.clone());
            serving.spawn(async move {
                let ((), end) = tokio::join!(drained, end);
                if timeout_at(end, unison.sockets_closed()).await.is_err() {
                    tracing::warn!(listener = "unison", "WebSockets were cut: their requests did not end in time");
                }
            });
        }
        if let Some(listener) = self.flo {
            let (config, connections) = (&config.flo, listener.connections());
            let metrics = Arc::new(FloMetrics::new(connections, config.shards(), config.cluster.partition_count));
            registry.register_collector(Box::new(metrics.clone()));
            let (looking, looked_at) = (metrics.clone(), engine.clone());
            looks.push(Box::new(move || {
                let (metrics, engine) = (looking.clone(), looked_at.clone());
                Box::pin(async move { metrics.look(&engine).await })
            }));
            let flo = Flo::new(config, engine.clone(), bounds, metrics, down.clone());
            serving.spawn(listener.serve(Arc::new(flo), down.clone()));
        }
        if let Some(listener) = self.synap {
            let metrics = Arc::new(SynapMetrics::new(synap::command_names()));
            registry.register_collector(Box::new(metrics.clone()));
            registry.register_collector(Box::new(SynapMemory(engine.clone())));
            let (looking, looked_at) = (metrics.clone(), engine.clone());
            looks.push(Box::new(move || {
                let (metrics, engine) = (looking.clone(), looked_at.clone());
                Box::pin(async move { metrics.look(&engine, &synap::namespace()).await })
            }));
            let surroundings = Surroundings {
                engine: engine.clone(),
                metrics,
                body_bytes: config.limits.body_bytes,
                memory_bytes: memory_limit(&config),
                effective: config::effective_json(&config).map_err(Failure::configuration)?,
                stop: stop.clone(),
                shutdown: down.clone(),
            };
            serving.spawn(listener.serve(Arc::new(Synap::new(&config.synap, surroundings)), down.clone()));
        }
        if let Some(listener) = self.dunena {
            let metrics = Arc::new(DunenaMetrics::default());
            registry.register_collector(Box::new(metrics.clone()));
            let surroundings = dunena::Surroundings {
                engine: engine.clone(),
                data_dir: config.data_dir.clone(),
                level: config.durability.level(),
                metrics,
                shutdown: down.clone(),
            };
            let dunena = Dunena::open(&config.dunena, surroundings).await.map_err(|error| Failure::dunena(&error))?;
            let dunena = Arc::new(dunena);
            registry.register_collector(Box::new(dunena.cache_gauges()));
            documents = dunena.beside(&config.dunena, &config.data_dir);
            let drained = listener.serve(dunena.clone(), down.clone());
            serving.spawn(async move {
                tokio::select! {
                    () = drained => {}
                    () = dunena.work() => {}
                }
                dunena.close().await;
            });
        }
        let mut edgecomet = None;
        if config.edgecomet.enabled {
            let metrics = Arc::new(EdgeCometMetrics::default());
            let named = registry.sub_registry_with_prefix(config.edgecomet.metrics_prefix());
            named.register_collector(Box::new(metrics.clone()));
            let surroundings = edgecomet::Surroundings {
                engine: engine.clone(),
                data_dir: config.data_dir.clone(),
                metrics,
                shutdown: down.clone(),
            };
            let opened = EdgeComet::open(config.edgecomet.clone(), surroundings).await;
            let opened = Arc::new(opened.map_err(Failure::configuration)?);
            beside = opened.beside(&config.data_dir);
            let looked_at = opened.clone();
            looks.push(Box::new(move || {
                let edgecomet = looked_at.clone();
                Box::pin(async move { edgecomet.look().await })
            }));
            if let Some(listener) = self.edgecomet_metrics {
                serving.spawn(listener.serve(Arc::new(MetricsPage::new(opened.clone())), down.clone()));
            }
            // Without a listener the scheduler still works.
            let drained = self.edgecomet.map(|listener| listener.serve(opened.clone(), down.clone()));
            let drained = async move {
                if let Some(drained) = drained {
                    drained.await;
                }
            };
            let working = opened.clone();
            serving.spawn(async move {
                tokio::join!(drained, working.work());
            });
            edgecomet = Some(opened);
        }
        if let Some(listener) = self.metrics {
            serving.spawn(
                listener.serve(Arc::new(Exposition::new(registry, shards, connections).looking(looks)), down.clone()),
            );
        }
        // Documents stand still for the shortest time.
        beside.extend(documents);
        Ok(Served { serving, edgecomet, beside })
    }
}

/// When what still runs has had its time; known when the shutdown begins.
async fn drain_end(mut down: watch::Receiver<bool>) -> Instant {
    // A sender that is gone counts as a shutdown too.
    drop(down.wait_for(|down| *down).await);
    Instant::now() + Options::default().drain
}

fn bind(name: &'static str, address: SocketAddr, options: Options, tls: Option<Arc<Tls>>) -> Result<Listener, Failure> {
    let listener = Listener::bind(name, address, options)
        .map_err(|error| Failure::new(Exit::Unavailable, format!("{name} cannot listen on {address}: {error}")))?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    tracing::info!("{name} listens on {scheme}://{}", listener.address());
    Ok(match tls {
        Some(tls) => listener.over_tls(tls),
        None => listener,
    })
}
