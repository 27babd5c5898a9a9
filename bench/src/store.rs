//! The store against a `HashMap<Vec<u8>, Vec<u8>>` that holds the same rows: 16 bytes of key, 112 of value.
//!
//! Both sides allocate key and value of every row they take in, start empty, and grow. A commit is one batch of one row at
//! level `os`, back to back; the time ends when the last one is durable. Reads visit all rows in another order. With two
//! threads each writes and reads rows of its own: into one store, or into a map of its own, which shows what the machine
//! gives to two threads that share nothing.

use std::{collections::HashMap, hint::black_box, path::Path, sync::Arc, time::Duration};

use manifold_store::{Batch, Level, Options, Store, Table, TableSpec, View, disk::RealDisk};

use crate::{
    Result,
    measure::{Took, median, scramble, time, time_alone},
    sheet::{Sheet, Wanted, number},
};

/// What to measure of the store.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Rows, one comparison for each.
    #[arg(long, value_delimiter = ',', default_values_t = [100_000, 1_000_000])]
    pub rows: Vec<u64>,
    /// Turns of each side.
    #[arg(long, default_value_t = 7)]
    pub repetitions: usize,
}

impl Default for Args {
    fn default() -> Self {
        Args { rows: vec![100_000, 1_000_000], repetitions: 7 }
    }
}

const POINT: Table = Table(1);
const ORDERED: Table = Table(2);
const TABLES: &[TableSpec] = &[
    TableSpec { table: POINT, name: "point", ordered: false, inline_max: None },
    TableSpec { table: ORDERED, name: "ordered", ordered: true, inline_max: None },
];

const VALUE: [u8; 112] = [b'v'; 112];

/// Measures the comparison for each number of rows.
pub fn run(args: &Args, scratch: &Path, sheet: &mut Sheet) -> Result<()> {
    for &rows in &args.rows {
        compare(rows, args.repetitions, scratch, sheet)?;
    }
    Ok(())
}

/// The times of one side for the same work with one thread and with two.
#[derive(Debug, Clone, Copy)]
struct Times {
    write: Took,
    read: Took,
    write_two: Duration,
    read_two: Duration,
}

fn compare(rows: u64, repetitions: usize, scratch: &Path, sheet: &mut Sheet) -> Result<()> {
    let count = number(rows as f64, 0);
    sheet.section(&format!("Store: {count} rows of 128 bytes, median of {repetitions} turns"));
    let (mut map, mut point, mut ordered) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..repetitions {
        map.push(map_times(rows));
        point.push(store_times(rows, POINT, scratch)?);
        ordered.push(store_times(rows, ORDERED, scratch)?);
    }
    sheet.head(&[
        "",
        "commit ns",
        "of HashMap",
        "CPU ns",
        "of HashMap",
        "get ns",
        "of HashMap",
        "CPU ns",
        "of HashMap",
        "two threads of one: commit",
        "get",
    ]);
    for (name, side) in [("HashMap", &map), ("point table", &point), ("ordered table", &ordered)] {
        let columns: [fn(&Times) -> Duration; 4] = [|t| t.write.wall, |t| t.write.cpu, |t| t.read.wall, |t| t.read.cpu];
        let mut row = vec![name.to_owned()];
        for (column, of) in columns.into_iter().enumerate() {
            let each = median(side.iter().map(|t| of(t).as_nanos() as f64 / rows as f64));
            let ratio = median(side.iter().zip(&map).map(|(t, m)| of(t).as_secs_f64() / of(m).as_secs_f64()));
            row.extend([number(each, 0), number(ratio, 2)]);
            if name != "HashMap" && column % 2 == 0 {
                let verb = if column == 0 { "commit" } else { "get" };
                let what = format!("Store, {verb}, {name} of {count} rows, of `HashMap`");
                sheet.goal(what, Wanted::AtMost(2.0), ratio);
            }
        }
        let gain = |one: fn(&Times) -> Duration, two: fn(&Times) -> Duration| {
            median(side.iter().map(|t| one(t).as_secs_f64() / two(t).as_secs_f64()))
        };
        let gains = [gain(|t| t.write.wall, |t| t.write_two), gain(|t| t.read.wall, |t| t.read_two)];
        row.extend(gains.map(|gain| number(gain, 2)));
        sheet.row(row);
        if name != "HashMap" {
            for (verb, gain) in ["commits", "gets"].into_iter().zip(gains) {
                let what = format!("Store, {verb} of two threads, {name} of {count} rows, of one");
                sheet.goal(what, Wanted::AtLeast(1.6), gain);
            }
        }
    }
    Ok(())
}

fn key(n: u64) -> [u8; 16] {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&scramble(n).to_be_bytes());
    key[8..].copy_from_slice(&n.to_be_bytes());
    key
}

/// The rows of `range` in an order that is not that of their insertion.
fn shuffled(range: std::ops::Range<u64>) -> impl Iterator<Item = u64> {
    const STEP: u64 = 7_368_787;
    let len = range.end - range.start;
    (0..len).map(move |i| range.start + i.wrapping_mul(STEP) % len)
}

/// The first and the second half.
fn halves(rows: u64) -> [std::ops::Range<u64>; 2] {
    [0..rows / 2, rows / 2..rows]
}

/// Runs `work` on both halves at the same time.
fn in_two_threads(rows: u64, work: impl Fn(usize, std::ops::Range<u64>) + Sync) -> Duration {
    time(|| {
        std::thread::scope(|scope| {
            for (thread, half) in halves(rows).into_iter().enumerate() {
                let work = &work;
                scope.spawn(move || work(thread, half));
            }
        });
    })
}

type Map = HashMap<Vec<u8>, Vec<u8>>;

fn map_times(rows: u64) -> Times {
    let insert = |map: &mut Map, range: std::ops::Range<u64>| {
        for n in range {
            map.insert(key(n).to_vec(), VALUE.to_vec());
        }
    };
    let read = |map: &Map, range| {
        for n in shuffled(range) {
            black_box(map.get(&key(n)[..]).map(|value| value[0]));
        }
    };
    let mut map = Map::new();
    let write_one = time_alone(|| insert(&mut map, 0..rows));
    let read_one = time_alone(|| read(&map, 0..rows));
    drop(map);
    let maps = [std::sync::Mutex::new(Map::new()), std::sync::Mutex::new(Map::new())];
    let locked = |thread: usize| maps[thread].lock().expect("its only user did not panic");
    let write_two = in_two_threads(rows, |thread, half| insert(&mut locked(thread), half));
    let read_two = in_two_threads(rows, |thread, half| read(&locked(thread), half));
    Times { write: write_one, read: read_one, write_two, read_two }
}

fn store_times(rows: u64, table: Table, scratch: &Path) -> Result<Times> {
    let insert = |store: &Store, range: std::ops::Range<u64>| {
        let mut last = 0;
        for n in range {
            let mut batch = Batch::new();
            batch.put(table, &key(n), &[], &VALUE);
            last = store.commit(batch).expect("the store accepts writes");
        }
        store.wait_durable(last).expect("the store accepts writes");
    };
    let read = |store: &Store, range| {
        for n in shuffled(range) {
            let row = store.get(View::Durable, table, &key(n));
            black_box(row.and_then(|row| row.resident_body().map(|body| body[0])).expect("the row was written"));
        }
    };
    let (write_one, read_one) =
        with_store(scratch, |store| (time_alone(|| insert(store, 0..rows)), time_alone(|| read(store, 0..rows))))?;
    let (write_two, read_two) = with_store(scratch, |store| {
        (in_two_threads(rows, |_, half| insert(store, half)), in_two_threads(rows, |_, half| read(store, half)))
    })?;
    Ok(Times { write: write_one, read: read_one, write_two, read_two })
}

/// A new store at level `os`, gone afterwards.
fn with_store<T>(scratch: &Path, measure: impl FnOnce(&Store) -> T) -> Result<T> {
    let dir = tempfile::tempdir_in(scratch)?;
    let options = Options { level: Level::Os, ..Options::new(TABLES) };
    let store = Store::open(Arc::new(RealDisk), dir.path(), options)?;
    let measured = measure(&store);
    store.close()?;
    Ok(measured)
}
