//! What the probes say when the database breaks.

use std::{fs, io::Write, os::unix::fs::FileExt};

use serde_json::{Value, json};

use crate::harness::{Connection, Request, Server};

fn get(connection: &mut Connection, target: &str) -> (u16, Value) {
    let response = connection.send(&Request::get(target).key(None)).expect("an answer");
    (response.status, response.json())
}

#[test]
fn a_database_whose_file_is_gone_is_noticed_and_the_cache_goes_on() {
    let server = Server::start();
    let mut connection = Connection::open(server.dunena());
    assert_eq!(get(&mut connection, "/health/ready"), (200, json!({"status": "ready"})));
    let file = server.data_dir().join("dunena.db");
    fs::remove_file(&file).expect("the database");
    let (status, health) = get(&mut connection, "/health");
    assert_eq!((status, &health["status"]), (200, &json!("degraded")), "{health}");
    assert_eq!(health["checks"]["sqlite"], json!({"status": "down"}));
    assert_eq!(health["checks"]["cache"]["status"], "up");
    let not_ready = json!({"status": "not_ready", "reason": "SQLite unavailable"});
    assert_eq!(get(&mut connection, "/health/ready"), (503, not_ready));
    assert_eq!(get(&mut connection, "/health/live"), (200, json!({"status": "alive"})));
    assert_eq!(get(&mut connection, "/cache/k").0, 404);
    assert!(!file.exists(), "asking makes no file");
}

#[test]
fn a_database_that_was_overwritten_is_noticed() {
    let mut server = Server::start();
    // What was in the log beside it is in the file after a stop.
    server.restart();
    let mut connection = Connection::open(server.dunena());
    assert_eq!(get(&mut connection, "/health").1["status"], "ok");
    let file = fs::OpenOptions::new().write(true).open(server.data_dir().join("dunena.db")).expect("the database");
    file.write_all_at(&[0xAA; 4096], 0).expect("a write");
    (&file).flush().expect("a flush");
    let (status, health) = get(&mut connection, "/health");
    assert_eq!((status, &health["status"]), (200, &json!("degraded")), "{health}");
    assert_eq!(get(&mut connection, "/health/ready").0, 503);
}
