//! The harness of the engine's tests: an engine on a simulated disk of its own, driven by a manual clock.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use manifold_store::disk::{Reboot, SimDisk};
use proptest::test_runner::{Config as ProptestConfig, RngAlgorithm};

use crate::{
    Actor, Clock, Engine, Error, Key, Kind, Namespace, Options, Result, State, Timestamp,
    feed::{Change, ChangeOp, Changes, FeedPage, Filter},
    keys,
    kv::{Delete, Encoding, Entry, Expires, Op, Outcome, Put, Value, When},
    open::Ground,
    series,
};

mod crash;
mod model;
mod weak;

/// The manual clock starts here.
pub(crate) const START: Timestamp = Timestamp(1_710_700_000_000);
/// Who writes in tests.
pub(crate) const ANN: Actor = Actor::fixed("ann");

/// How often a model is tried: `MANIFOLD_MODEL_CASES`, a share of it where a case costs much, and `few` at least.
pub(crate) fn cases(few: u32, share: u32) -> ProptestConfig {
    let cases: Option<u32> = std::env::var("MANIFOLD_MODEL_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig {
        cases: cases.map_or(few, |cases| (cases / share).max(few)),
        max_shrink_iters: 2000,
        failure_persistence: None,
        // Half of the time went into better randomness than this needs.
        rng_algorithm: RngAlgorithm::XorShift,
        ..ProptestConfig::default()
    }
}

/// An engine under test.
pub(crate) struct House {
    pub(crate) engine: Engine,
    pub(crate) options: Options,
    pub(crate) disk: SimDisk,
    pub(crate) tuning: series::Tuning,
}

impl std::ops::Deref for House {
    type Target = Engine;
    fn deref(&self) -> &Engine {
        &self.engine
    }
}

impl House {
    /// A fresh engine on a manual clock.
    pub(crate) async fn new() -> House {
        House::with(|_| {}).await
    }

    /// A fresh engine with other options.
    pub(crate) async fn with(change: impl FnOnce(&mut Options)) -> House {
        let mut options = Options { clock: Clock::manual(START), ..Options::new("/data") };
        change(&mut options);
        House::on(SimDisk::new(), options).await
    }

    /// An engine on a disk that has seen something.
    pub(crate) async fn on(disk: SimDisk, options: Options) -> House {
        House::tuned(disk, options, series::Tuning::default()).await
    }

    /// The same with other bounds of the storage of time series.
    pub(crate) async fn tuned(disk: SimDisk, options: Options, tuning: series::Tuning) -> House {
        let engine = opened(&disk, &options, &tuning).await;
        House { engine, options, disk, tuning }
    }

    /// Stops the machine and starts it again on what the disk kept.
    pub(crate) async fn crash(&mut self, how: Reboot) {
        self.disk.crash();
        self.engine.close().await.ok();
        self.disk = self.disk.reboot(how);
        self.engine = opened(&self.disk, &self.options, &self.tuning).await;
    }

    /// Stops the engine properly and starts it again.
    pub(crate) async fn restart(&mut self) {
        self.restart_with(|_| {}).await;
    }

    /// Stops the engine properly and starts it with other options.
    pub(crate) async fn restart_with(&mut self, change: impl FnOnce(&mut Options)) {
        self.engine.close().await.expect("closes");
        change(&mut self.options);
        self.engine = opened(&self.disk, &self.options, &self.tuning).await;
    }

    pub(crate) fn advance(&self, ms: u64) {
        self.options.clock.advance(ms);
    }

    pub(crate) async fn set(&self, key: &str, value: &str) -> Entry {
        self.put(&ns("n"), put(key, value)).await.expect("put")
    }

    pub(crate) async fn remove(&self, key: &str) -> Outcome {
        self.delete(&ns("n"), delete(key)).await.expect("delete").it
    }

    pub(crate) fn read(&self, key: &str) -> Option<Entry> {
        self.get(&ns("n"), &k(key)).expect("get").it
    }

    /// All changes kept, oldest first.
    pub(crate) async fn feed(&self) -> Vec<Arc<Change>> {
        self.page(0).await.changes
    }

    pub(crate) async fn page(&self, after: u64) -> FeedPage {
        self.changes(after_all(after)).await.expect("changes")
    }

    /// The same, while time goes on: for what happens at intervals.
    pub(crate) async fn in_time(&self, what: &str, mut holds: impl FnMut(&Engine) -> bool) {
        for _ in 0..2000 {
            if holds(&self.engine) {
                return;
            }
            self.advance(50);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("{what} did not come about");
    }

    /// Waits until the background workers have brought something about.
    pub(crate) async fn until(&self, what: &str, mut holds: impl FnMut(&Engine) -> bool) {
        for _ in 0..2000 {
            if holds(&self.engine) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("{what} did not come about");
    }
}

async fn opened(disk: &SimDisk, options: &Options, tuning: &series::Tuning) -> Engine {
    let ground = Ground { series: tuning.clone(), ..ground(disk) };
    let engine = Engine::open_on(ground, options.clone());
    engine.recovered().await.expect("recovers");
    engine
}

/// A simulated disk under the engine: small files, so that all that happens to files happens often, and no maintenance,
/// so that a script makes the same calls in every run.
pub(crate) fn ground(disk: &SimDisk) -> Ground {
    let store = manifold_store::Options {
        maintenance: false,
        segment_bytes: 32 << 10,
        reserve_bytes: 2 << 10,
        allocate_bytes: 8 << 10,
        salt: 0x5eed,
        ..manifold_store::Options::new(keys::TABLES)
    };
    Ground { disk: Arc::new(disk.clone()), store, series: series::Tuning::default() }
}

pub(crate) fn ns(name: &str) -> Namespace {
    Namespace::new(name.to_owned()).expect("a name")
}

pub(crate) fn k(name: &str) -> Key {
    Key::new(name.to_owned()).expect("a name")
}

pub(crate) fn json(text: &str) -> Value {
    Value { encoding: Encoding::Json, bytes: text.to_owned().into() }
}

pub(crate) fn put(key: &str, value: &str) -> Put {
    Put { key: k(key), value: json(value), expires: Expires::Never, when: When::Always, actor: ANN }
}

/// A put that expires after `ms`.
pub(crate) fn brief(key: &str, value: &str, ms: u64) -> Put {
    Put { expires: Expires::In(Duration::from_millis(ms)), ..put(key, value) }
}

pub(crate) fn delete(key: &str) -> Delete {
    Delete { key: k(key), when: When::Always, actor: ANN }
}

pub(crate) fn set_op(key: &str, value: &str) -> Op {
    Op::Put(ns("n"), put(key, value))
}

pub(crate) fn delete_op(key: &str) -> Op {
    Op::Delete(ns("n"), delete(key))
}

/// Everything after a number, without waiting.
pub(crate) fn after_all(after: u64) -> Changes {
    Changes { after, limit: usize::MAX, max_bytes: usize::MAX, filter: Filter::default(), wait: None }
}

/// What a change is, short enough to compare: its number, what happened, to which key, at which version.
pub(crate) fn line(change: &Change) -> (u64, ChangeOp, String, u64) {
    let key = String::from_utf8_lossy(change.key.as_bytes()).into_owned();
    (change.seq, change.op, key, change.version)
}

pub(crate) fn numbers(changes: &[Arc<Change>]) -> Vec<u64> {
    changes.iter().map(|change| change.seq).collect()
}

pub(crate) fn refused<T: std::fmt::Debug>(result: Result<T>) -> Error {
    result.expect_err("a refusal")
}
