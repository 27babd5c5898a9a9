//! `manifold serve`: configuration, listeners, engine, wait, drain, close.

use std::{sync::Arc, time::Duration};

use manifold_engine::Engine;
use manifold_server::{
    config::{self, Config, Loaded},
    control,
    net::Budget,
    telemetry,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::{Notify, watch},
};

use super::{
    Exit, Failure,
    ports::{Ports, Served},
    reload::reload,
    settings::{Addresses, engine_options, load, validate},
    tls::{Identities, Serving},
};

/// Descriptors that are not for clients of the dialects: the log's segments, the metrics listener.
const DESCRIPTORS_KEPT: usize = 1024;

/// Serves until a signal, or until a client that may asks for the end.
pub fn serve(flags: config::Flags) -> Result<(), Failure> {
    let Loaded { mut config, notes } = load(&flags)?;
    telemetry::log::init(&config.log).map_err(Failure::configuration)?;
    notes.iter().for_each(|note| tracing::warn!("{note}"));
    let addresses = validate(&mut config)?;
    let identities = Identities::read(&config)?;
    identities.warnings().iter().for_each(|warning| tracing::warn!("{warning}"));
    identities.validity().iter().for_each(|validity| tracing::info!("{validity}"));
    let affordable = affordable_connections(config.limits.connections);
    config.limits.connections = config.limits.connections.min(affordable);
    let budget = Budget::new(affordable, config.limits.bodies_bytes);

    if !config.huge_pages {
        without_huge_pages();
    }

    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(Exit::System, format!("no runtime: {error}")))?;
    let ended = runtime.block_on(run(config, addresses, identities, budget, &flags));
    // What is left are requests that did not end in time, or a replay that nobody waits for.
    runtime.shutdown_timeout(Duration::from_millis(200));
    ended
}

/// What comes and goes in small pieces leaves gaps. The kernel fills up a range of 2 MiB for the sake of the little that
/// is left in it, minutes after the rest was given back: a small process holds twice of what it uses, and in waves.
fn without_huge_pages() {
    if let Err(error) = rustix::thread::disable_transparent_huge_pages(true) {
        tracing::warn!(%error, "memory lies in huge pages");
    }
}

/// From bound sockets to a closed engine.
async fn run(
    config: Config,
    addresses: Addresses,
    identities: Identities,
    budget: Arc<Budget>,
    flags: &config::Flags,
) -> Result<(), Failure> {
    let mut signals = Signals::install()?;
    let mut hangups = Signals::on(SignalKind::hangup())?;
    let ports = Ports::bind(&config, addresses, &identities, budget)?;
    let mut tls = Serving::new(ports.tls(), identities);
    let engine = Engine::open(engine_options(&config));
    let (shutdown, down) = watch::channel(false);
    // The listeners answer while the log is replayed: "starting", as each contract says it.
    let stop = Arc::new(Notify::new());
    let data_dir = config.data_dir.clone();
    let Served { mut serving, edgecomet, beside } = ports.serve(config, &engine, &stop, &down).await?;
    serving.spawn(control::serve(engine.clone(), data_dir, beside, down.clone()));

    let ended = tokio::select! {
        failure = recover(&engine) => Err(failure),
        never = reload(&mut hangups, flags, &mut tls, edgecomet.as_deref()) => match never {},
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
