//! A segment file with arbitrary bytes behind a valid header, or with a byte changed somewhere: the store opens with
//! what was there, or refuses with file and offset. It never panics and never invents a row.
#![no_main]

use std::{path::Path, sync::Arc};

use libfuzzer_sys::fuzz_target;
use manifold_store::{Batch, OpenError, Options, Store, Table, TableSpec, View, disk::SimDisk};

static TABLES: &[TableSpec] = &[TableSpec { table: Table(1), name: "rows", ordered: true, inline_max: None }];

fn options() -> Options {
    Options { maintenance: false, allocate_bytes: 256, reserve_bytes: 64, ..Options::new(TABLES) }
}

fuzz_target!(|data: &[u8]| {
    let dir = Path::new("/data");
    let file = dir.join("log-0000000001.seg");
    let disk = SimDisk::new();
    let store = Store::open(Arc::new(disk.clone()), dir, options()).expect("an empty disk opens");
    for i in 0..4u8 {
        let mut batch = Batch::new();
        batch.put(Table(1), &[i], b"head", &[i; 20]);
        let seq = store.commit(batch).expect("accepted");
        store.wait_durable(seq).expect("durable");
    }
    drop(store);
    let mut bytes = disk.read(&file).expect("the first segment");
    let Some((&at, rest)) = data.split_first() else { return };
    let at = usize::from(at) * 2 % bytes.len();
    bytes.splice(at..(at + rest.len()).min(bytes.len()), rest.iter().copied());
    let disk = disk.fork();
    disk.write(&file, bytes);
    match Store::open(Arc::new(disk.clone()), dir, options()) {
        Ok(store) => {
            for i in 0..4u8 {
                if let Some(row) = store.get(View::Durable, Table(1), &[i]) {
                    assert_eq!(row.body().expect("checked at the start")[..], [i; 20]);
                }
            }
        }
        Err(OpenError::Damaged { file: named, .. }) => assert_eq!(named, file),
        Err(other) => panic!("{other}"),
    }
});
