//! The `manifold` binary: configuration, listeners, engine, wait, drain, close.

use std::{
    convert::Infallible,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use clap::{Args, Parser, Subcommand};
use manifold_engine::{self as engine, Engine, OpenError};
use manifold_server::{
    config::{self, Config, Loaded},
    dialects::{
        dunena::{self, Dunena},
        edgecomet::{self, EdgeComet, MetricsPage},
        flo::{self, Flo},
        synap::{self, Surroundings, Synap},
        unison::Unison,
    },
    net::{Budget, Listener, Options},
    telemetry::{
        self, DunenaMetrics, EdgeCometMetrics, EngineGauges, FloMetrics, ListenerGauges, ProcessGauges, SynapMemory,
        SynapMetrics, UnisonMetrics,
        exposition::{Exposition, Look},
    },
};
use prometheus_client::registry::Registry;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::{Notify, watch},
    task::JoinSet,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Descriptors that are not for clients of the dialects: the log's segments, the metrics listener.
const DESCRIPTORS_KEPT: usize = 1024;
/// Connections of the metrics listener: a few scrapers.
const METRICS_CONNECTIONS: usize = 256;

/// One durable engine behind several HTTP APIs.
#[derive(Parser)]
#[command(name = "manifold", version)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Serve the configured APIs until SIGTERM or SIGINT.
    Serve(Flags),
    /// Print the effective configuration, secrets masked, or what is wrong with it.
    Check(Flags),
    /// Serve EdgeComet alone, by the configuration file of its original daemon.
    Edgecomet {
        /// The original's file.
        #[arg(short, long, value_name = "FILE")]
        config: PathBuf,
        /// Check the configuration and do nothing else.
        #[arg(short)]
        test: bool,
        /// Data directory, created if absent.
        #[arg(long, value_name = "DIR")]
        data_dir: Option<PathBuf>,
    },
    /// Check a data directory that no process has open.
    Verify {
        /// The data directory.
        dir: PathBuf,
    },
}

#[derive(Args)]
struct Flags {
    /// Configuration file; without it ./manifold.toml if there is one.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Data directory, created if absent.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Configuration file of the original Flo server; without it ./flo.toml if there is one.
    #[arg(long, value_name = "FILE")]
    flo_config: Option<PathBuf>,
}

fn main() -> ExitCode {
    let ended = match Cli::parse().verb {
        Verb::Serve(flags) => serve(flags.into()),
        Verb::Check(flags) => check(flags.into()),
        Verb::Edgecomet { config, test, data_dir } => {
            let flags = config::Flags { edgecomet_alone: Some(config), data_dir, ..config::Flags::default() };
            let ended = if test { test_edgecomet(&flags) } else { serve(flags) };
            // Whoever starts the original knows no other status.
            ended.map_err(|failure| Failure { exit: Exit::Any, ..failure })
        }
        Verb::Verify { dir } => verify(dir),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("manifold: {}", failure.sentence);
            ExitCode::from(failure.exit as u8)
        }
    }
}

impl From<Flags> for config::Flags {
    fn from(Flags { config, data_dir, flo_config }: Flags) -> Self {
        config::Flags { config, data_dir, flo_config, edgecomet_alone: None }
    }
}

fn serve(flags: config::Flags) -> Result<(), Failure> {
    let Loaded { mut config, notes } = load(&flags)?;
    telemetry::log::init(&config.log).map_err(Failure::configuration)?;
    notes.iter().for_each(|note| tracing::warn!("{note}"));
    let addresses = validate(&mut config)?;
    let affordable = affordable_connections(config.limits.connections);
    config.limits.connections = config.limits.connections.min(affordable);
    let budget = Budget::new(affordable, config.limits.bodies_bytes);

    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(Exit::System, format!("no runtime: {error}")))?;
    let ended = runtime.block_on(run(config, addresses, budget, &flags));
    // What is left are requests that did not end in time, or a replay that nobody waits for.
    runtime.shutdown_timeout(Duration::from_millis(200));
    ended
}

fn check(flags: config::Flags) -> Result<(), Failure> {
    let Loaded { config, notes } = load(&flags)?;
    validate(&mut config.clone())?;
    notes.iter().for_each(|note| eprintln!("manifold: {note}"));
    let shown = config::effective(&config).map_err(Failure::configuration)?;
    print!("{shown}");
    Ok(())
}

fn test_edgecomet(flags: &config::Flags) -> Result<(), Failure> {
    let Loaded { mut config, notes } = load(flags)?;
    validate(&mut config)?;
    notes.iter().for_each(|note| eprintln!("manifold: {note}"));
    let file = flags.edgecomet_alone.as_deref().unwrap_or(Path::new(""));
    println!("manifold: {} is fine", file.display());
    Ok(())
}

fn verify(dir: PathBuf) -> Result<(), Failure> {
    for line in engine::verify(&dir).map_err(|error| Failure::open(&error))? {
        println!("{line}");
    }
    Ok(())
}

/// From bound sockets to a closed engine.
async fn run(config: Config, addresses: Addresses, budget: Arc<Budget>, flags: &config::Flags) -> Result<(), Failure> {
    let mut signals = Signals::install()?;
    let mut hangups = Signals::on(SignalKind::hangup())?;
    let ports = Ports::bind(&config, addresses, budget)?;
    let engine = Engine::open(engine_options(&config));
    let (shutdown, down) = watch::channel(false);
    // The listeners answer while the log is replayed: "starting", as each contract says it.
    let stop = Arc::new(Notify::new());
    let (mut serving, edgecomet) = ports.serve(config, &engine, &stop, &down).await?;

    let ended = tokio::select! {
        failure = recover(&engine) => Err(failure),
        never = reload(&mut hangups, flags, edgecomet.as_deref()) => match never {},
        name = signals.next() => {
            tracing::info!(signal = name, "stopping");
            Ok(())
        }
        () = stop.notified() => {
            tracing::info!("stopping: a client asked for it");
            Ok(())
        }
        _ = serving.join_next() => Err(Failure::new(Exit::System, "a listener ended by itself")),
    };

    shutdown.send_replace(true);
    tokio::select! {
        () = async { while serving.join_next().await.is_some() {} } => {}
        name = signals.next() => tracing::warn!(signal = name, "not waiting for running requests"),
    }
    let closed = engine.close().await;
    ended?;
    closed.map_err(|error| Failure::new(Exit::Io, error))?;
    tracing::info!("stopped");
    Ok(())
}

/// Completes only when the engine cannot be opened.
async fn recover(engine: &Engine) -> Failure {
    match engine.recovered().await {
        Ok(()) => {
            let stats = engine.stats();
            let (keys, feed_head, replayed_bytes) = (stats.kv_entries, stats.feed_head, stats.store.replayed_bytes);
            tracing::info!(keys, feed_head, replayed_bytes, "ready");
            std::future::pending().await
        }
        Err(error) => Failure::open(&error),
    }
}

/// Reads the configuration again at each SIGHUP, for what can change while the process runs: the hosts of EdgeComet.
async fn reload(hangups: &mut Signal, flags: &config::Flags, edgecomet: Option<&EdgeComet>) -> Infallible {
    loop {
        if hangups.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
        let Some(edgecomet) = edgecomet else {
            tracing::info!(signal = "SIGHUP", "there are no hosts to read again");
            continue;
        };
        let read = load(flags).map_err(|failure| failure.sentence);
        let read = read.and_then(|loaded| {
            loaded.notes.iter().for_each(|note| tracing::warn!("{note}"));
            if !loaded.config.edgecomet.enabled {
                return Err("edgecomet.enabled is false now, which only a start can change".to_owned());
            }
            edgecomet.reload(&loaded.config.edgecomet).map_err(|refused| refused.to_string())
        });
        match read {
            Ok(hosts) => tracing::info!(hosts, "edgecomet: the hosts were read again"),
            Err(error) => tracing::error!(%error, "edgecomet: the hosts stay as they were"),
        }
    }
}

/// Where each listener goes; none = it is not opened.
struct Addresses {
    metrics: Option<SocketAddr>,
    unison: Option<SocketAddr>,
    flo: Option<SocketAddr>,
    synap: Option<SocketAddr>,
    dunena: Option<SocketAddr>,
    edgecomet: Option<SocketAddr>,
    edgecomet_metrics: Option<SocketAddr>,
}

/// Every socket of the process, bound and not yet served.
struct Ports {
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

impl Ports {
    fn bind(config: &Config, addresses: Addresses, budget: Arc<Budget>) -> Result<Ports, Failure> {
        let all = config.limits.connections;
        let open_with = |name, address: Option<SocketAddr>, options: Options| {
            address.map(|address| bind(name, address, options)).transpose()
        };
        let open = |name, address, connections: usize| {
            let connections = connections.min(all);
            open_with(name, address, Options { connections, budget: budget.clone(), ..Options::default() })
        };
        let open_metrics = |name, address| {
            let connections = METRICS_CONNECTIONS.min(all);
            open_with(name, address, Options { connections, ..Options::default() })
        };
        let of_edgecomet = Options { budget: budget.clone(), ..config.edgecomet.listener_options(all) };
        Ok(Ports {
            metrics: open_metrics("metrics", addresses.metrics)?,
            unison: open("unison", addresses.unison, config.unison.max_connections)?,
            flo: open("flo", addresses.flo, config.flo.limits.max_connections)?,
            synap: open("synap", addresses.synap, all)?,
            dunena: open("dunena", addresses.dunena, all)?,
            edgecomet: open_with("edgecomet", addresses.edgecomet, of_edgecomet)?,
            edgecomet_metrics: open_metrics("edgecomet-metrics", addresses.edgecomet_metrics)?,
            budget: budget.clone(),
        })
    }

    /// One task per listener; each ends when it has drained.
    async fn serve(
        self,
        mut config: Config,
        engine: &Engine,
        stop: &Arc<Notify>,
        down: &watch::Receiver<bool>,
    ) -> Result<(JoinSet<()>, Option<Arc<EdgeComet>>), Failure> {
        let mut registry = Registry::default();
        let listeners = [
            &self.metrics,
            &self.unison,
            &self.flo,
            &self.synap,
            &self.dunena,
            &self.edgecomet,
            &self.edgecomet_metrics,
        ];
        let listeners = listeners.into_iter().flatten();
        let listeners: Vec<_> = listeners.map(|listener| (listener.name(), listener.connections())).collect();
        let (shards, connections) = (config.flo.shards(), listeners.iter().map(|(_, open)| open.clone()).collect());
        let gauges = ListenerGauges(listeners, self.budget.clone());
        registry.register_collector(Box::new(gauges));
        registry.register_collector(Box::new(ProcessGauges::default()));
        registry.register_collector(Box::new(EngineGauges(engine.clone())));

        let bounds = flo::Bounds { value_bytes: config.limits.value_bytes, body_bytes: config.limits.body_bytes };
        let mut serving = JoinSet::new();
        let mut looks: Vec<Look> = Vec::new();
        if let Some(listener) = self.unison {
            let metrics = Arc::new(UnisonMetrics::default());
            registry.register_collector(Box::new(metrics.clone()));
            config.unison.max_body_bytes = config.unison.max_body_bytes.min(config.limits.body_bytes);
            let unison = Arc::new(Unison::new(config.unison.clone(), engine.clone(), metrics, down.clone()));
            let drained = listener.serve(unison.clone(), down.clone());
            serving.spawn(async move {
                drained.await;
                unison.sockets_closed().await;
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
            let dunena = Dunena::open(&config.dunena, surroundings).await.map_err(Failure::configuration)?;
            let dunena = Arc::new(dunena);
            registry.register_collector(Box::new(dunena.cache_gauges()));
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
        Ok((serving, edgecomet))
    }
}

fn bind(name: &'static str, address: SocketAddr, options: Options) -> Result<Listener, Failure> {
    let listener = Listener::bind(name, address, options)
        .map_err(|error| Failure::new(Exit::Unavailable, format!("{name} cannot listen on {address}: {error}")))?;
    tracing::info!("{name} listens on http://{}", listener.address());
    Ok(listener)
}

fn load(flags: &config::Flags) -> Result<Loaded, Failure> {
    let env = std::env::vars_os().filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?)));
    let mut known = config::dotenv(Path::new(".env")).map_err(Failure::configuration)?;
    known.extend(env);
    config::load(flags, known).map_err(Failure::configuration)
}

/// The addresses, and the rules of each section that depend on them.
fn validate(config: &mut Config) -> Result<Addresses, Failure> {
    let resolve = |key, host: &Option<String>, port| {
        let (key, host) = host.as_ref().map_or(("host", &config.host), |host| (key, host));
        config::resolve(key, host, port).map_err(Failure::configuration)
    };
    let Config { unison, flo, synap, dunena, edgecomet, .. } = &*config;
    let listener = edgecomet.listener();
    let listener = listener.map(|at| resolve("edgecomet.http_api.listen", &at.host, at.port)).transpose()?;
    let own_metrics = edgecomet.metrics_listener();
    let own_metrics = own_metrics.map(|at| resolve("edgecomet.metrics.listen", &at.host, at.port)).transpose()?;
    let of = |enabled: bool, key, host: &Option<String>, port| {
        if enabled { resolve(key, host, port).map(Some) } else { Ok(None) }
    };
    let addresses = Addresses {
        metrics: of(flo.metrics.enabled, "flo.metrics.bind", &flo.metrics.bind, flo.metrics_port)?,
        unison: of(unison.enabled, "unison.host", &unison.host, unison.port)?,
        flo: of(flo.enabled, "flo.host", &flo.host, flo.port)?,
        synap: of(synap.enabled, "synap.host", &synap.host, synap.port)?,
        dunena: of(dunena.enabled, "dunena.host", &dunena.host, dunena.port)?,
        edgecomet: listener,
        edgecomet_metrics: own_metrics,
    };
    if let Some(address) = addresses.unison {
        config.unison.validate(address).map_err(Failure::configuration)?;
    }
    if let Some(address) = addresses.flo {
        config.flo.validate(address).map_err(Failure::configuration)?;
    }
    if let Some(address) = addresses.synap {
        config.synap.validate(address).map_err(Failure::configuration)?;
    }
    if let Some(address) = addresses.dunena {
        config.dunena.validate(address).map_err(Failure::configuration)?;
    }
    if config.edgecomet.enabled {
        config.edgecomet.validate(addresses.edgecomet).map_err(Failure::configuration)?;
    }
    Ok(addresses)
}

fn engine_options(config: &Config) -> engine::Options {
    let mut options = engine::Options::new(&config.data_dir);
    options.level = config.durability.level();
    options.interval = config.durability.interval();
    options.limits.memory_bytes = memory_limit(config);
    options.limits.value_bytes = config.limits.value_bytes;
    options.limits.tombstones = config.unison.tombstones_max;
    options.retention = config.unison.retention();
    config.flo.timeseries.limit(&mut options.limits);
    options.series_retention = config.flo.timeseries.retention();
    options
}

/// The limit of the process and that of a dialect mean the same memory: the smaller one counts. 0 = none.
fn memory_limit(config: &Config) -> u64 {
    let limits = [Some(config.limits.memory_bytes), config.synap.memory_bytes()];
    limits.into_iter().flatten().filter(|limit| *limit > 0).min().unwrap_or(0)
}

/// How many connections all listeners together may have. A connection is a descriptor, and systems start processes with far
/// fewer than they allow. Connections must not take the last ones: a log that cannot open its next segment stops accepting
/// writes.
fn affordable_connections(wanted: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let descriptors = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    let descriptors = descriptors.map_or(usize::MAX, |descriptors| usize::try_from(descriptors).unwrap_or(usize::MAX));
    let affordable = descriptors - DESCRIPTORS_KEPT.min(descriptors / 2);
    if affordable < wanted {
        tracing::warn!(descriptors, wanted, affordable, "fewer connections are accepted than limits.connections says");
    }
    affordable
}

/// The two signals that ask for an orderly end.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn install() -> Result<Signals, Failure> {
        Ok(Signals { terminate: Self::on(SignalKind::terminate())?, interrupt: Self::on(SignalKind::interrupt())? })
    }

    fn on(kind: SignalKind) -> Result<Signal, Failure> {
        signal(kind).map_err(|error| Failure::new(Exit::System, format!("no signal handler: {error}")))
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// Why the process ends, for people and for whoever started it.
struct Failure {
    exit: Exit,
    sentence: String,
}

/// Exit codes, numbered as in `sysexits.h`.
#[derive(Clone, Copy)]
enum Exit {
    /// Whatever it was.
    Any = 1,
    /// The data directory holds something that cannot be used as it is.
    Data = 65,
    /// A port or the data directory belongs to another process.
    Unavailable = 69,
    /// The system refused something a process normally gets.
    System = 71,
    /// Reading or writing the data directory failed.
    Io = 74,
    /// The configuration.
    Configuration = 78,
}

impl Failure {
    fn new(exit: Exit, sentence: impl ToString) -> Self {
        Failure { exit, sentence: sentence.to_string() }
    }

    fn configuration(error: impl ToString) -> Self {
        Failure::new(Exit::Configuration, error)
    }

    fn open(error: &OpenError) -> Self {
        let exit = match error {
            OpenError::Locked(_) => Exit::Unavailable,
            OpenError::Damaged { .. } | OpenError::Foreign { .. } => Exit::Data,
            OpenError::Io { .. } => Exit::Io,
        };
        Failure::new(exit, error)
    }
}
