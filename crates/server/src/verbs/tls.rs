//! What the listeners that speak TLS show, at the start and after a SIGHUP.

use std::{collections::BTreeMap, sync::Arc};

use manifold_engine::Clock;
use manifold_server::{
    config::Config,
    net::{Identity, Tls, TlsFiles, Unusable},
};

use super::Failure;

/// What each listener that speaks TLS shows, by its name.
pub struct Identities(BTreeMap<&'static str, Shown>);

struct Shown {
    files: TlsFiles,
    identity: Identity,
}

impl Identities {
    /// Reads the files of all listeners. The first that cannot be used is said.
    pub fn read(config: &Config) -> Result<Identities, Failure> {
        let mut loader = Loader::default();
        let mut identities = BTreeMap::new();
        for (listener, files) in config.tls().map_err(Failure::configuration)? {
            let identity = loader.load(&files).map_err(Failure::configuration)?;
            identities.insert(listener, Shown { files, identity });
        }
        Ok(Identities(identities))
    }

    /// What the operator should look at.
    pub fn warnings(&self) -> Vec<String> {
        let now = Clock::system().now();
        let of = |(files, identity, _): (&TlsFiles, &Identity, String)| {
            let expired = identity.expires.is_some_and(|expires| expires <= now);
            let expired = expired
                .then(|| format!("{}: {}: this certificate has expired", files.cert.key, files.cert.path.display()));
            identity.notes.iter().cloned().chain(expired).collect::<Vec<_>>()
        };
        self.distinct().flat_map(of).collect()
    }

    /// How long each certificate is good for, and who shows it.
    pub fn validity(&self) -> Vec<String> {
        let of = |(files, identity, listeners): (&TlsFiles, &Identity, String)| {
            format!(
                "{}: {}: shown by {listeners} until {}",
                files.cert.key,
                files.cert.path.display(),
                instant(identity)
            )
        };
        self.distinct().map(of).collect()
    }

    /// Each set of files once, with the names of its listeners.
    fn distinct(&self) -> impl Iterator<Item = (&TlsFiles, &Identity, String)> {
        let mut listeners: BTreeMap<&TlsFiles, (&Identity, Vec<&str>)> = BTreeMap::new();
        for (listener, shown) in &self.0 {
            listeners.entry(&shown.files).or_insert((&shown.identity, Vec::new())).1.push(listener);
        }
        listeners.into_iter().map(|(files, (identity, listeners))| (files, identity, listeners.join(", ")))
    }

    /// What a listener shows; none = it speaks plain HTTP.
    pub fn of(&self, listener: &str) -> Option<Arc<Tls>> {
        self.0.get(listener).map(|shown| Tls::new(shown.identity.clone()))
    }
}

/// When a certificate ends, for people.
fn instant(identity: &Identity) -> String {
    let Some(expires) = identity.expires else { return "an end that cannot be told".to_owned() };
    let instant = i64::try_from(expires.0).ok().and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok());
    instant.unwrap_or(jiff::Timestamp::MAX).to_string()
}

/// Reads each set of files once, so that listeners with the same ones show the same.
#[derive(Default)]
struct Loader(BTreeMap<TlsFiles, Result<Identity, Unusable>>);

impl Loader {
    fn load(&mut self, files: &TlsFiles) -> Result<Identity, Unusable> {
        self.0.entry(files.clone()).or_insert_with(|| files.load()).clone()
    }
}

/// The listeners that speak TLS while they do.
pub struct Serving {
    listeners: Vec<(&'static str, Arc<Tls>)>,
    files: BTreeMap<&'static str, TlsFiles>,
}

impl Serving {
    /// These, which began with `identities`.
    pub fn new(listeners: Vec<(&'static str, Arc<Tls>)>, identities: Identities) -> Serving {
        let files = identities.0.into_iter().map(|(listener, shown)| (listener, shown.files));
        Serving { listeners, files: files.collect() }
    }

    /// Reads the files again, those of the new configuration if there is one. Where that fails, a listener goes on with
    /// what it has.
    pub fn reload(&mut self, config: Option<&Config>) {
        if let Some(config) = config {
            self.take_over(config);
        }
        let mut loader = Loader::default();
        for (listener, tls) in &self.listeners {
            let Some(files) = self.files.get(listener) else { continue };
            match loader.load(files) {
                Ok(identity) => {
                    identity.notes.iter().for_each(|note| tracing::warn!("{note}"));
                    let until = instant(&identity);
                    tls.replace(identity);
                    tracing::info!(listener, until, "tls: the certificate was read again");
                }
                Err(error) => tracing::error!(listener, %error, "tls: the certificate stays as it was"),
            }
        }
    }

    fn take_over(&mut self, config: &Config) {
        let wanted: BTreeMap<_, _> = match config.tls() {
            Ok(wanted) => wanted.into_iter().collect(),
            Err(error) => return tracing::error!(%error, "tls: the files that were named before are read again"),
        };
        let served = |listener: &&str| self.listeners.iter().any(|(name, _)| *name == *listener);
        let off = self.files.keys().filter(|listener| !wanted.contains_key(*listener));
        for listener in off.chain(wanted.keys().filter(|listener| !served(listener))) {
            tracing::error!(listener, "tls: whether a listener speaks TLS is decided when the process starts");
        }
        for (listener, files) in wanted {
            if let Some(known) = self.files.get_mut(listener) {
                *known = files;
            }
        }
    }
}
