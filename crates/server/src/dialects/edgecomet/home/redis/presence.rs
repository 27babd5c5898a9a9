//! Who else is there: keys that render services, gateways and daemons keep alive. Nothing lists them, so a pass over all
//! keys finds them, piece by piece, and those found are asked for by name.

use std::collections::BTreeSet;

use manifold_engine::Timestamp;
use tokio::time::Instant;

use super::{
    super::{RegisteredGateway, Registry, RenderService},
    Inner, Result, keys,
};

/// Keys that one step of the pass looks at, and steps of one call.
const SCANNED_AT_ONCE: usize = 1000;
const STEPS_AT_ONCE: usize = 50;
/// The pass rests this many times as long as it kept Redis busy.
const REST: u32 = 10;
/// Names that are remembered.
const MOST_NAMES: usize = 10_000;
/// Names of one command.
const NAMES_AT_ONCE: usize = 1000;

/// What is known of others.
#[derive(Debug, Default)]
pub(super) struct Presence {
    /// Names that the last whole pass saw, and this one.
    names: BTreeSet<String>,
    pass: Pass,
    rest_until: Option<Instant>,
    registry: Option<(Instant, Registry)>,
}

/// A pass over all keys, on its way.
#[derive(Debug, Default)]
struct Pass {
    cursor: u64,
    seen: BTreeSet<String>,
}

impl Presence {
    /// Who is there, as read not long ago.
    pub(super) async fn registry(&mut self, home: &Inner, now: Timestamp) -> Result<Registry> {
        if let Some((read, registry)) = &self.registry
            && read.elapsed() < home.registry_lasts
        {
            return Ok(registry.clone());
        }
        self.look(home).await?;
        let registry = self.read(home, now).await?;
        self.registry = Some((Instant::now(), registry.clone()));
        Ok(registry)
    }

    /// Daemons that left leases, or hold some.
    pub(super) fn with_leases(&self) -> Vec<String> {
        let daemons = self.names.iter().filter_map(|name| name.strip_prefix(keys::LEASES));
        daemons.map(str::to_owned).collect()
    }

    /// Goes on with the pass, unless it rests.
    pub(super) async fn look(&mut self, home: &Inner) -> Result<()> {
        let begun = Instant::now();
        if self.rest_until.is_some_and(|until| begun < until) {
            return Ok(());
        }
        for _ in 0..STEPS_AT_ONCE {
            let mut scan = redis::cmd("SCAN");
            scan.arg(self.pass.cursor).arg("MATCH").arg(keys::PRESENCE_PATTERN).arg("COUNT").arg(SCANNED_AT_ONCE);
            let (next, names): (u64, Vec<Vec<u8>>) = home.connection.one(scan).await?;
            for name in names.into_iter().filter_map(|name| String::from_utf8(name).ok()).filter(|name| tells(name)) {
                if self.names.len() < MOST_NAMES {
                    self.names.insert(name.clone());
                }
                if self.pass.seen.len() < MOST_NAMES {
                    self.pass.seen.insert(name);
                }
            }
            self.pass.cursor = next;
            if next == 0 {
                self.names = std::mem::take(&mut self.pass.seen);
                break;
            }
        }
        self.rest_until = Some(Instant::now() + begun.elapsed() * REST);
        Ok(())
    }

    /// Reads what those whose names are known say now.
    async fn read(&self, home: &Inner, now: Timestamp) -> Result<Registry> {
        let mut registry = Registry::alone();
        let own = keys::heartbeat(&home.daemon_id);
        let names: Vec<&String> = self.names.iter().filter(|name| !name.starts_with(keys::LEASES)).collect();
        for names in names.chunks(NAMES_AT_ONCE) {
            let mut get = redis::cmd("MGET");
            get.arg(names);
            let values: Vec<Option<Vec<u8>>> = home.connection.one(get).await?;
            for (name, value) in names.iter().zip(values) {
                let Some(value) = value else { continue };
                if name.starts_with(keys::RENDER_SERVICES) {
                    registry.render_services.extend(RenderService::healthy(&value, now, home.stale_after));
                } else if let Some(id) = name.strip_prefix(keys::GATEWAYS) {
                    registry.gateways.extend(RegisteredGateway::healthy(&value, id));
                } else if **name != own {
                    registry.daemons += 1;
                }
            }
        }
        registry.gateways.sort();
        Ok(registry)
    }
}

/// Whether a key tells of somebody.
fn tells(name: &str) -> bool {
    [keys::RENDER_SERVICES, keys::GATEWAYS, keys::HEARTBEATS, keys::LEASES].iter().any(|kind| name.starts_with(kind))
}
