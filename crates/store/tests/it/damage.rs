//! Flipped bits: identical data, or a refusal that names file and offset.

use std::path::PathBuf;

use manifold_store::{Level, OpenError, disk::SimDisk};

use crate::support::*;

type Rows = Vec<(Vec<u8>, Vec<u8>)>;

fn segment(id: u32) -> PathBuf {
    dir().join(format!("log-{id:010}.seg"))
}

fn segments(disk: &SimDisk) -> Vec<PathBuf> {
    (1..100).map(segment).filter(|path| disk.read(path).is_some()).collect()
}

/// A log of several segments; closed cleanly or not.
fn log(level: Level, clean: bool) -> (SimDisk, Rows) {
    let disk = SimDisk::new();
    let store = open_at(&disk, level);
    for i in 0..60u32 {
        let len = if i % 12 == 11 { 3000 } else { 40 + i as usize };
        commit(&store, put(ROWS, format!("key-{}", i % 25).as_bytes(), &vec![i as u8; len]));
    }
    let rows = all(&store, 100, false);
    if clean {
        store.close().expect("closes");
    }
    drop(store);
    (disk.fork(), rows)
}

#[test]
fn ten_thousand_flipped_bits_never_change_a_value_or_empty_the_store() {
    for (level, clean) in [(Level::Always, true), (Level::Always, false), (Level::Os, true), (Level::Os, false)] {
        let (disk, rows) = log(level, clean);
        let files = segments(&disk);
        assert!(files.len() > 2);
        let sizes: Vec<u64> = files.iter().map(|f| disk.read(f).expect("there").len() as u64 * 8).collect();
        let total: u64 = sizes.iter().sum();
        let mut refused = 0;
        for i in 0..2500u64 {
            // Spread over the whole log by a fixed stride that meets every residue.
            let mut bit = i.wrapping_mul(0x9e37_79b9_7f4a_7c15) % total;
            let mut file = 0;
            while bit >= sizes[file] {
                bit -= sizes[file];
                file += 1;
            }
            let damaged = disk.fork();
            damaged.flip(&files[file], bit);
            match try_open(&damaged) {
                Ok(store) => assert_eq!(all(&store, 100, false), rows, "bit {bit} of {:?}", files[file]),
                Err(OpenError::Damaged { file: named, offset, .. }) => {
                    refused += 1;
                    assert_eq!(named, files[file]);
                    assert!(offset <= bit / 8, "offset {offset} lies behind bit {bit}");
                }
                Err(other) => panic!("bit {bit} of {:?}: {other}", files[file]),
            }
        }
        assert!(refused > 500, "only {refused} flips were noticed: the log is mostly blank");
    }
}

#[test]
fn damage_in_the_middle_is_refused_even_when_many_bytes_changed() {
    let (disk, _) = log(Level::Always, false);
    let path = segment(1);
    let mut bytes = disk.read(&path).expect("there");
    bytes[200..260].fill(0xab);
    disk.write(&path, bytes);
    let refusal = try_open(&disk).expect_err("the log is damaged");
    let text = refusal.to_string();
    assert!(text.contains("log-0000000001.seg is damaged at byte "), "{text}");
}

#[test]
fn a_missing_segment_is_refused() {
    let (disk, _) = log(Level::Always, true);
    use manifold_store::disk::Disk;
    disk.unlink(&segment(2)).expect("it was there");
    assert!(matches!(try_open(&disk), Err(OpenError::Damaged { file, offset: 0, .. }) if file == segment(3)));
}

#[test]
fn a_torn_tail_is_cut_and_the_rest_is_there() {
    let (disk, rows) = log(Level::Always, false);
    let path = segments(&disk).pop().expect("a last segment");
    let mut bytes = disk.read(&path).expect("there");
    let end = bytes.iter().rposition(|b| *b != 0).expect("not blank") + 1;
    bytes.truncate(end);
    bytes.extend_from_slice(b"half of a frame that was being written when the power went");
    disk.write(&path, bytes);
    let store = open(&disk);
    assert_eq!(all(&store, 100, false), rows);
    assert_eq!(store.stats().torn_bytes, 58);
}

#[test]
fn a_rotten_row_that_stays_on_disk_is_an_error_not_a_value() {
    let disk = SimDisk::new();
    let store = open(&disk);
    commit(&store, put(COLD, b"k", &[9; 600]));
    commit(&store, put(COLD, b"l", &[8; 10]));
    let bytes = disk.read(&segment(1)).expect("there");
    let at = bytes.windows(4).position(|w| w == [9; 4]).expect("the body is in the file");
    assert_eq!(get(&store, COLD, b"k"), Some(vec![9; 600]));
    commit(&store, put(COLD, b"m", b""));
    commit(&store, put(COLD, b"n", b""));
    disk.flip(&segment(1), at as u64 * 8);
    for _ in 0..50 {
        commit(&store, put(COLD, b"l", &[8; 10]));
    }
    store.clean().ok();
    let row = store.get(manifold_store::View::Durable, COLD, b"k").expect("the row is known");
    match row.resident_body() {
        Some(body) => assert_eq!(body, [9; 600]),
        None => assert!(row.body().is_err()),
    }
}
