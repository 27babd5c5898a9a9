//! Tables, options and small helpers shared by the tests.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use manifold_store::{
    Batch, Level, OpenError, Options, Range, Seq, Store, Table, TableSpec, View,
    disk::{Disk, RealDisk, SimDisk},
};

pub const ROWS: Table = Table(1);
pub const POINTS: Table = Table(2);
pub const COLD: Table = Table(3);

pub static TABLES: &[TableSpec] = &[
    TableSpec { table: ROWS, name: "rows", ordered: true, inline_max: None },
    TableSpec { table: POINTS, name: "points", ordered: false, inline_max: None },
    TableSpec { table: COLD, name: "cold", ordered: false, inline_max: Some(0) },
];

pub fn dir() -> PathBuf {
    PathBuf::from("/data")
}

/// Small segments and no maintenance thread, so that a script makes the same calls in every run.
pub fn options() -> Options {
    Options {
        maintenance: false,
        segment_bytes: 4096,
        reserve_bytes: 512,
        allocate_bytes: 1024,
        salt: 0x5eed,
        ..Options::new(TABLES)
    }
}

pub fn open(disk: &SimDisk) -> Store {
    try_open(disk).expect("the store opens")
}

pub fn try_open(disk: &SimDisk) -> Result<Store, OpenError> {
    Store::open(Arc::new(disk.clone()), &dir(), options())
}

pub fn open_at(disk: &SimDisk, level: Level) -> Store {
    Store::open(Arc::new(disk.clone()), &dir(), Options { level, ..options() }).expect("the store opens")
}

pub fn open_real(path: &Path, options: Options) -> Store {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    Store::open(disk, path, options).expect("the store opens")
}

pub fn put(table: Table, key: &[u8], body: &[u8]) -> Batch {
    let mut batch = Batch::new();
    batch.put(table, key, b"h", body);
    batch
}

pub fn delete(table: Table, key: &[u8]) -> Batch {
    let mut batch = Batch::new();
    batch.delete(table, key);
    batch.relief();
    batch
}

/// Commits and waits until it is durable.
pub fn commit(store: &Store, batch: Batch) -> Seq {
    let seq = store.commit(batch).expect("the commit is accepted");
    store.wait_durable(seq).expect("the commit becomes durable");
    seq
}

pub fn get(store: &Store, table: Table, key: &[u8]) -> Option<Vec<u8>> {
    store.get(View::Durable, table, key).map(|row| row.body().expect("the body can be read").to_vec())
}

/// Every row of the ordered table, through chunks of `limit`.
pub fn all(store: &Store, limit: usize, reverse: bool) -> Vec<(Vec<u8>, Vec<u8>)> {
    let (snapshot, ()) = store.snapshot(|| ());
    let mut range = Range { from: Vec::new(), to: None, limit, reverse };
    let mut rows = Vec::new();
    loop {
        let chunk = snapshot.range(ROWS, &range);
        assert!(chunk.rows.len() <= limit);
        rows.extend(chunk.rows.iter().map(|(k, row)| (k.to_vec(), row.body().expect("readable").to_vec())));
        match chunk.resume {
            Some(resume) if reverse => range.to = Some(resume),
            Some(resume) => range.from = resume,
            None => return rows,
        }
    }
}
