//! A log of several segments whose files were changed: the store opens with what was there, the end of it cut off
//! perhaps, or refuses and says where. It never panics, never invents a row and never leaves one out between others.
//! Checksums can be put right again, so that what lies behind them is read too.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
};

use super::input::Input;
use crate::{
    Batch, Level, OpenError, Options, Store, Table, TableSpec, View,
    disk::SimDisk,
    log::{frame, segment},
};

static TABLES: &[TableSpec] = &[
    TableSpec { table: Table(1), name: "ordered", ordered: true, inline_max: None },
    TableSpec { table: Table(2), name: "on_disk", ordered: false, inline_max: Some(0) },
];

const DIR: &str = "/data";
const SALT: u32 = 0x5eed;
const ROWS: u8 = 24;

/// A log that nobody closed.
static TORN: LazyLock<SimDisk> = LazyLock::new(|| written(false));
/// A log that was closed.
static CLOSED: LazyLock<SimDisk> = LazyLock::new(|| written(true));

fn options() -> Options {
    Options {
        // Nobody waits for another thread then.
        level: Level::Os,
        maintenance: false,
        segment_bytes: 512,
        allocate_bytes: 256,
        reserve_bytes: 64,
        salt: SALT,
        ..Options::new(TABLES)
    }
}

/// Row after row, each in a frame of its own and in both tables.
fn written(closed: bool) -> SimDisk {
    let disk = SimDisk::new();
    let store = Store::open(Arc::new(disk.clone()), Path::new(DIR), options()).expect("an empty disk opens");
    for row in 0..ROWS {
        let mut batch = Batch::new();
        batch.put(Table(1), &[row], b"head", &body(row));
        batch.put(Table(2), &[row], &[], &body(row));
        batch.delete(Table(1), b"never there");
        let seq = store.commit(batch).expect("accepted");
        store.wait_durable(seq).expect("durable");
    }
    if closed {
        store.close().expect("closes");
    } else {
        disk.crash();
    }
    drop(store);
    if closed { disk } else { disk.reboot(crate::disk::Reboot::Kept) }
}

fn body(row: u8) -> Vec<u8> {
    vec![row; 20]
}

pub(super) fn log(data: &[u8]) {
    let mut input = Input::new(data);
    let disk = if input.byte().is_multiple_of(2) { TORN.fork() } else { CLOSED.fork() };
    let mut forged = false;
    while !input.is_empty() {
        let (what, file) = (input.byte(), segment_file(input.byte() % 8));
        let Some(mut bytes) = disk.read(&file) else { continue };
        forged |= change(&mut bytes, what, &mut input);
        disk.write(&file, bytes);
    }
    let Some(rows) = opened(&disk, forged) else { return };
    assert_eq!(opened(&disk, forged), Some(rows), "what was opened once opens again as it was");
}

fn segment_file(number: u8) -> PathBuf {
    Path::new(DIR).join(segment::file_name(u32::from(number) + 1))
}

/// Whether a checksum was put right.
fn change(bytes: &mut Vec<u8>, what: u8, input: &mut Input<'_>) -> bool {
    let at = input.number() % (bytes.len() + 1);
    let len = usize::from(input.byte()) % 64;
    let end = (at + len).min(bytes.len());
    match what % 6 {
        0 => drop(bytes.splice(at..end, input.bytes(len).iter().copied())),
        1 => bytes.iter_mut().skip(at).zip(input.bytes(len)).for_each(|(byte, new)| *byte = *new),
        2 => bytes.truncate(at),
        3 => bytes[at..end].fill(0),
        4 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << (len % 8)),
        _ => return put_right(bytes, len),
    }
    false
}

/// Gives the header of a segment, or the frame of that number in it, the checksums that it should have.
fn put_right(bytes: &mut [u8], number: usize) -> bool {
    if number == 0 {
        let Some(header) = bytes.get_mut(..segment::HEADER) else { return false };
        let crc = crc32c::crc32c(&header[..28]);
        header[28..].copy_from_slice(&crc.to_le_bytes());
        return true;
    }
    let mut at = segment::HEADER;
    for _ in 1..number {
        let Some(header) = bytes.get(at..at + frame::HEADER) else { return false };
        at += frame::HEADER + frame::u32_at(header, 0) as usize;
    }
    let Some(frame) = bytes.get_mut(at..).filter(|rest| rest.len() >= frame::HEADER) else { return false };
    let (header, rest) = frame.split_at_mut(frame::HEADER);
    let len = frame::u32_at(header, 0) as usize;
    if let Some(body) = rest.get(..len) {
        header[20..24].copy_from_slice(&crc32c::crc32c(body).to_le_bytes());
    }
    let crc = crc32c::crc32c_append(SALT, &header[..24]);
    header[24..28].copy_from_slice(&crc.to_le_bytes());
    true
}

/// How many rows are there; none = the store refuses.
fn opened(disk: &SimDisk, forged: bool) -> Option<usize> {
    let store = match Store::open(Arc::new(disk.clone()), Path::new(DIR), options()) {
        Ok(store) => store,
        Err(OpenError::Damaged { file, .. } | OpenError::Foreign { file, .. }) => {
            assert!(file.starts_with(DIR), "{}", file.display());
            return None;
        }
        Err(other @ (OpenError::Locked(_) | OpenError::Io { .. })) => panic!("{other}"),
    };
    let rows = (0..ROWS).map(|row| [Table(1), Table(2)].map(|table| store.get(View::Durable, table, &[row])));
    let mut found = 0;
    for (number, row) in (0..ROWS).zip(rows) {
        let bodies = row.iter().flatten().map(|row| row.body());
        if forged {
            // What a row says is another's then; it only has to be readable or not.
            found += bodies.filter(|body| body.is_ok()).count();
            continue;
        }
        for body in bodies {
            assert_eq!(body.expect("it was checked at the start")[..], self::body(number));
            assert!(found >= 2 * usize::from(number), "row {number} is there, and one before it is not");
            found += 1;
        }
    }
    let mut batch = Batch::new();
    batch.put(Table(1), b"behind", &[], &[]);
    if let Ok(seq) = store.commit(batch) {
        store.wait_durable(seq).expect("durable");
    }
    store.close().expect("closes");
    Some(found)
}
