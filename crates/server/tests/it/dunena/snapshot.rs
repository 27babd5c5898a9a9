//! The file of the cache, from outside.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, time::Duration};

use crate::harness::{Connection, Request, Server, Settings, eventually, now_ms};

fn settings() -> Settings {
    let settings = Settings::default().set("dunena.persist", true).set("dunena.rate_max", 0);
    settings.set("dunena.persist_interval", 0).set("dunena.persist_on_shutdown", false)
}

/// A directory, and a path of a snapshot in it.
fn place() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("snapshot.json");
    (directory, path)
}

fn at(path: &std::path::Path) -> Settings {
    settings().set("dunena.persist_path", path.to_str().expect("a text"))
}

fn ask(server: &Server, request: &Request) -> serde_json::Value {
    Connection::open(server.dunena()).send(request).expect("an answer").json()
}

fn set(server: &Server, key: &str, value: &str) {
    let body = serde_json::json!({"value": value}).to_string();
    assert_eq!(ask(server, &Request::post(format!("/cache/{key}"), body))["ok"], true);
}

fn saves(server: &Server) -> bool {
    let answer = Connection::open(server.dunena()).send(&Request::post("/snapshot", "")).expect("an answer");
    answer.expect(200).json()["saved"].as_bool().expect("a boolean")
}

fn names(directory: &tempfile::TempDir) -> Vec<String> {
    let entries = fs::read_dir(directory.path()).expect("the directory");
    let mut names: Vec<_> = entries.map(|entry| entry.expect("an entry").file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn only_the_owner_may_read_the_file_and_nothing_is_left_beside_it() {
    let (directory, path) = place();
    // As a process that was killed left it, and open to everybody.
    fs::write(directory.path().join("snapshot.json.tmp"), "half a file").expect("a file");
    let server = Server::with(at(&path));
    set(&server, "k", "v");
    let before = now_ms();
    assert!(saves(&server));
    assert_eq!(names(&directory), ["snapshot.json"]);
    assert_eq!(fs::metadata(&path).expect("the file").permissions().mode() & 0o777, 0o600);
    let file: serde_json::Value = serde_json::from_slice(&fs::read(&path).expect("the file")).expect("JSON");
    let at = file["timestamp"].as_u64().expect("a time");
    assert!((before..=now_ms()).contains(&at), "{at}");
    let expected = serde_json::json!({"version": 1, "timestamp": at, "writer": "manifold", "entries": [{"key": "k", "value": "v"}]});
    assert_eq!(file, expected);
}

#[test]
fn a_file_of_the_original_is_taken_over() {
    let (_directory, path) = place();
    let soon = now_ms() + 600_000;
    let entries = serde_json::json!([
        {"key": "old", "value": "1"},
        {"key": "ns\u{0}", "value": "a key that none is"},
        {"key": "ns\u{0}k", "value": "2", "expiresAt": soon},
        {"key": "n\ns\u{0}k", "value": "a namespace that none is"},
        {"key": "__qcache__\u{0}q", "value": "{}"},
        {"key": "__lock__:l", "value": "{}"},
        {"key": "past", "value": "3", "expiresAt": 1},
        {"key": "é", "value": "a key that none is"},
        {"key": "runs", "value": "\u{0}CMP\u{0}YWL/BWNk"},
        {"key": 5, "value": "no key"},
        {"key": "last", "value": "4"},
    ]);
    let file = serde_json::json!({"version": 1, "timestamp": 1, "entries": entries});
    fs::write(&path, file.to_string()).expect("a file");
    let mut server = Server::with(at(&path).set("dunena.max_entries", 3));
    // Of the four that are left those used last are there.
    assert_eq!(ask(&server, &Request::get("/keys"))["keys"], serde_json::json!(["last", "runs"]));
    assert_eq!(ask(&server, &Request::get("/cache/runs"))["value"], "abcccccd");
    assert_eq!(ask(&server, &Request::get("/cache/k?ns=ns"))["value"], "2");
    let left = ask(&server, &Request::get("/cache/k/ttl?ns=ns"))["ttl"].as_u64().expect("milliseconds");
    assert!((500_000..=600_000).contains(&left), "{left}");
    assert!(server.log.text().contains("skipped=4"), "{}", server.log.text());
    // What is written over it is our own, and the order is the one that the reads left.
    assert!(saves(&server));
    server.kill();
    server.start_again();
    set(&server, "new", "5");
    assert_eq!(ask(&server, &Request::get("/keys"))["keys"], serde_json::json!(["new", "runs"]));
    assert_eq!(ask(&server, &Request::get("/cache/k?ns=ns"))["value"], "2");
}

#[test]
fn a_damaged_file_is_put_aside_and_one_of_another_version_too() {
    for text in ["", "{", r#"{"version":2,"writer":"manifold","entries":[]}"#, "\u{0}\u{0}\u{0}"] {
        let (directory, path) = place();
        fs::write(&path, text).expect("a file");
        let server = Server::with(at(&path));
        assert_eq!(ask(&server, &Request::get("/info"))["entries"], 0);
        let [aside] = names(&directory).try_into().expect("one file");
        let time = aside.strip_prefix("snapshot.json.damaged-").expect("the name of a damaged file");
        assert!(now_ms() - time.parse::<u64>().expect("a time") < 60_000, "{aside}");
        assert!(saves(&server));
        assert_eq!(fs::read_to_string(directory.path().join(&aside)).expect("the damaged file"), text);
        assert!(server.log.text().contains("damaged"), "{text}");
    }
}

#[test]
fn what_cannot_be_read_is_never_overwritten_and_the_server_serves() {
    let (directory, path) = place();
    fs::create_dir(&path).expect("a directory in the way");
    fs::write(path.join("inside"), "kept").expect("a file");
    let server = Server::with(at(&path));
    set(&server, "k", "v");
    assert!(!saves(&server));
    assert_eq!(fs::read_to_string(path.join("inside")).expect("the file"), "kept");
    assert_eq!(names(&directory), ["snapshot.json"]);
    assert_eq!(ask(&server, &Request::get("/cache/k"))["value"], "v");
}

#[test]
fn a_save_that_fails_says_so_and_leaves_the_old_file() {
    let (directory, path) = place();
    let server = Server::with(at(&path));
    set(&server, "k", "old");
    assert!(saves(&server));
    let old = fs::read(&path).expect("the file");
    set(&server, "k", "new");
    // Where the new file would be written there is something that no file can replace.
    let partial = directory.path().join("snapshot.json.tmp");
    fs::create_dir(&partial).expect("a directory in the way");
    assert!(!saves(&server));
    assert_eq!(fs::read(&path).expect("the file"), old);
    eventually("the cause is in the log", Duration::from_secs(5), || {
        server.log.text().contains("the cache could not be saved").then_some(())
    });
    fs::remove_dir(&partial).expect("out of the way");
    assert!(saves(&server));
    assert_ne!(fs::read(&path).expect("the file"), old);

    // And where there is no directory at all.
    let server = Server::with(at(&path.join("below a file")));
    assert!(!saves(&server));
    set(&server, "k", "v");
}

#[test]
fn a_write_that_the_system_refuses_fails_the_save() {
    let (_directory, path) = place();
    let mut server = Server::with(Settings { file_size_limit_kib: Some(20 << 10), ..at(&path) });
    set(&server, "small", "v");
    assert!(saves(&server));
    let old = fs::read(&path).expect("the file");
    (0..6).for_each(|n| set(&server, &format!("big{n}"), &"x".repeat(4 << 20)));
    assert!(!saves(&server));
    assert_eq!(fs::read(&path).expect("the file"), old);
    server.assert_alive();
    ask(&server, &Request::delete("/cache/big0"));
    ask(&server, &Request::delete("/cache/big1"));
    assert!(saves(&server));
}

/// Whenever it is killed, the file is one of those that were complete.
#[test]
fn a_kill_during_a_save_leaves_a_whole_file() {
    let (directory, path) = place();
    let mut server = Server::with(at(&path));
    set(&server, "round", "0");
    let padding = "x".repeat(100 << 10);
    (0..20).for_each(|n| set(&server, &format!("padding{n}"), &padding));
    assert!(saves(&server));
    let mut acknowledged = 0;
    for round in 1..=8_u64 {
        set(&server, "round", &round.to_string());
        // Nobody waits for the last one.
        let mut saving = Connection::open(server.dunena());
        if round % 2 == 0 {
            saving.send(&Request::post("/snapshot", "")).expect("an answer").expect(200);
            acknowledged = round;
        }
        saving.write(&Request::post("/snapshot", "")).expect("written");
        std::thread::sleep(Duration::from_millis(round * 7));
        server.kill();
        server.start_again();
        let entries = ask(&server, &Request::get("/info"))["entries"].as_u64();
        assert_eq!(entries, Some(21), "round {round}");
        let found = ask(&server, &Request::get("/cache/round"))["value"].as_str().expect("a text").to_owned();
        let found: u64 = found.parse().expect("a number");
        assert!((acknowledged..=round).contains(&found), "round {round}: {found} of {acknowledged}");
        assert!(!names(&directory).iter().any(|name| name.contains("damaged")), "{:?}", names(&directory));
    }
}
