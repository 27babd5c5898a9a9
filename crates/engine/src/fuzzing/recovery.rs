//! A log with something of everything, some of whose rows were changed while their checksums stayed right: the engine
//! opens or refuses, and whatever is asked of it then is answered or is an error. It never panics, and what it has
//! opened once it opens again.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use bytes::Bytes;
use manifold_store::{Batch, Range, Store, Table, TableSpec, View, disk::SimDisk};
use tokio::runtime::Runtime;

use super::input::Input;
use crate::{Clock, Engine, Level, Options, Timestamp, keys, open::Ground, series};

mod asked;
mod stocked;

const DIR: &str = "/data";
const START: Timestamp = Timestamp(1_710_700_000_000);
/// Changed rows of one input.
const EDITS: usize = 8;

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime"));

/// The disk, and every row that is on it.
static STOCK: LazyLock<(SimDisk, Vec<Stored>)> = LazyLock::new(|| {
    let disk = SimDisk::new();
    RUNTIME.block_on(async {
        let engine = engine_on(&disk, START).await.expect("an empty disk opens");
        stocked::fill(&engine).await;
        engine.close().await.expect("closes");
    });
    let rows = rows(&disk.fork());
    (disk, rows)
});

/// A row as it lies on the disk.
#[derive(Debug, Clone)]
struct Stored {
    table: Table,
    key: Vec<u8>,
    head: Vec<u8>,
    body: Vec<u8>,
}

pub(super) fn open(data: &[u8]) {
    let mut input = Input::new(data);
    // Nothing, something and everything has fallen due meanwhile.
    let later = [0, 2_000, 7_200_000, 400 * 86_400_000][usize::from(input.byte() % 4)];
    let now = Timestamp(START.0 + later);
    let (stock, rows) = &*STOCK;
    let disk = stock.fork();
    edit(&disk, rows, &mut input);
    RUNTIME.block_on(async {
        let Some(engine) = engine_on(&disk, now).await else { return };
        asked::everything(&engine, now).await;
        engine.close().await.expect("closes");
        let again = engine_on(&disk, now).await.expect("it opened before");
        again.close().await.expect("closes");
    });
}

async fn engine_on(disk: &SimDisk, now: Timestamp) -> Option<Engine> {
    let store = manifold_store::Options {
        maintenance: false,
        segment_bytes: 32 << 10,
        reserve_bytes: 2 << 10,
        allocate_bytes: 8 << 10,
        salt: 0x5eed,
        ..manifold_store::Options::new(keys::TABLES)
    };
    let tuning = series::Tuning { block_points: 8, ..series::Tuning::default() };
    let ground = Ground { disk: Arc::new(disk.clone()), store, series: tuning };
    // Nobody waits for another thread then.
    let options = Options { level: Level::Os, clock: Clock::manual(now), ..Options::new(DIR) };
    let engine = Engine::open_on(ground, options);
    match engine.recovered().await {
        Ok(()) => Some(engine),
        Err(_) => {
            engine.close().await.ok();
            None
        }
    }
}

/// The tables, each with an order, so that all can be listed.
static ORDERED: LazyLock<Vec<TableSpec>> =
    LazyLock::new(|| keys::TABLES.iter().map(|spec| TableSpec { ordered: true, ..*spec }).collect());

fn store_on(disk: &SimDisk) -> Store {
    let options = manifold_store::Options { maintenance: false, ..manifold_store::Options::new(&ORDERED) };
    Store::open(Arc::new(disk.clone()), DIR.as_ref(), options).expect("the log is whole")
}

fn rows(disk: &SimDisk) -> Vec<Stored> {
    let store = store_on(disk);
    let mut found = Vec::new();
    for spec in &*ORDERED {
        let range = Range { from: Vec::new(), to: None, limit: 1 << 16, reverse: false };
        for (key, row) in store.range(View::Latest, spec.table, &range).rows {
            let (head, body) = (row.head().to_vec(), row.body().expect("readable").to_vec());
            found.push(Stored { table: spec.table, key: key.to_vec(), head, body });
        }
    }
    store.close().expect("closes");
    found
}

fn edit(disk: &SimDisk, rows: &[Stored], input: &mut Input<'_>) {
    let store = store_on(disk);
    let mut batch = Batch::new();
    for _ in 0..EDITS {
        if input.is_empty() {
            break;
        }
        let old = &rows[input.number() % rows.len()];
        let mut new = old.clone();
        let what = input.byte();
        let part = match what % 8 {
            0 | 1 => &mut new.head,
            2 | 3 => &mut new.body,
            4 => &mut new.key,
            5 => {
                batch.delete(old.table, &old.key);
                continue;
            }
            6 => {
                new.head.clone_from(&rows[input.number() % rows.len()].head);
                batch.put(new.table, &new.key, &new.head, &new.body);
                continue;
            }
            _ => {
                new.table = ORDERED[usize::from(input.byte()) % ORDERED.len()].table;
                &mut new.body
            }
        };
        let (at, len) = (usize::from(input.byte()) % (part.len() + 1), usize::from(input.byte()) % 48);
        let bytes = input.bytes(len);
        // Over what is there, or in its place.
        let end = if what & 0x80 == 0 { (at + len).min(part.len()) } else { part.len() };
        part.splice(at..end, bytes.iter().copied());
        if what & 0x40 != 0 {
            batch.delete(old.table, &old.key);
        }
        batch.put(new.table, &new.key, &new.head, &new.body);
    }
    store.commit(batch).expect("accepted");
    store.close().expect("closes");
}

fn bytes(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

const HOUR: Duration = Duration::from_secs(3600);
