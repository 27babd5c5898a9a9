//! `manifold verify`: what it looks at, what it refuses, and that it changes nothing.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use crate::harness::{Connection, Finished, Request, Server, Settings, run_to_exit};

fn verify(directory: &Path) -> Finished {
    run_to_exit(&["verify", directory.to_str().expect("a path")], &[], Path::new("/"))
}

#[track_caller]
fn ends(directory: &Path, code: i32, says: &str) {
    let finished = verify(directory);
    assert_eq!(finished.status.code(), Some(code), "{}", finished.output);
    assert!(finished.output.contains(says), "{says:?} is not in {}", finished.output);
}

/// All names in a directory, with the bytes of the files.
fn contents(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let paths = fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").path());
    let bytes = |path: &Path| if path.is_file() { fs::read(path).expect("a file") } else { Vec::new() };
    paths.map(|path| (path.clone(), bytes(&path))).collect()
}

/// A server with a key and some documents.
fn filled() -> Server {
    let server = Server::with(Settings::fast());
    server.put("/api/v1/kv/n/k", "1").expect(200);
    let mut connection = Connection::open(server.dunena());
    for n in 0..30 {
        let put = Request::post(format!("/db/k{n}"), format!(r#"{{"value":"{}"}}"#, "v".repeat(2000))).key(None);
        connection.send(&put).expect("an answer").expect(201);
    }
    server
}

const FINE: &str = "dunena.db: SQLite finds nothing wrong with it";

#[test]
fn a_directory_without_a_log_is_refused_and_stays_as_it_is() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let other = home.path().join("other");
    fs::create_dir(&other).expect("a directory");
    ends(&other, 65, "there is no log in it");
    fs::write(other.join("file"), "hi").expect("write a file");
    ends(&other, 65, &format!("{} cannot be read by this version: there is no log in it", other.display()));
    assert_eq!(contents(&other).into_keys().collect::<Vec<_>>(), [other.join("file")]);
    ends(&home.path().join("absent"), 74, "absent");

    let mut server = filled();
    server.stop();
    ends(&server.data_dir(), 0, "last stop clean");
    fs::remove_file(server.data_dir().join("log-0000000001.seg")).expect("remove the segment");
    ends(&server.data_dir(), 65, "there is no log in it");
}

#[test]
fn nothing_is_changed_after_a_stop_and_after_a_kill() {
    let mut server = filled();
    let directory = server.data_dir();
    ends(&directory, 69, "in use by another process");
    server.kill();
    let before = contents(&directory);
    assert!(!before[&directory.join("dunena.db-wal")].is_empty(), "nothing is left in SQLite's log");
    ends(&directory, 0, "last stop not clean");
    ends(&directory, 0, FINE);
    assert_eq!(contents(&directory), before);

    server.start_again();
    server.stop();
    fs::remove_file(directory.join("LOCK")).expect("remove the lock file");
    let before = contents(&directory);
    ends(&directory, 0, "last stop clean");
    ends(&directory, 0, FINE);
    assert_eq!(contents(&directory), before);
}

#[test]
fn damage_of_the_sqlite_file_is_found_and_named() {
    let mut server = filled();
    server.stop();
    let path = server.data_dir().join("dunena.db");
    let whole = fs::read(&path).expect("the file");
    for at in [0, 4096] {
        let mut damaged = whole.clone();
        damaged[at..at + 100].fill(0xff);
        fs::write(&path, damaged).expect("write the file");
        ends(&server.data_dir(), 65, &format!("{} is damaged", path.display()));
    }
    fs::remove_file(&path).expect("remove the file");
    let finished = verify(&server.data_dir());
    assert!(finished.status.success() && !finished.output.contains("dunena.db"), "{}", finished.output);
}
