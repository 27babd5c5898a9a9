//! The process as a client of Synap meets it: how it starts, stops, and what it sends compressed.

use std::{io::Read, time::Duration};

use super::{command, send};
use crate::harness::{Connection, Server, Settings};

#[test]
fn a_command_stops_the_process_with_0_after_its_answer_and_ends_waits() {
    let mut server = Server::start();
    let address = server.synap();
    let waiting = std::thread::spawn(move || {
        let consume = r#"{"command":"queue.consume","payload":{"queue":"q","timeout":60}}"#;
        Connection::open(address).send(&command(consume)).expect("an answer").json()
    });
    std::thread::sleep(Duration::from_millis(300));
    let answer = send(&server, r#"{"command":"admin.shutdown"}"#);
    assert_eq!(answer["payload"]["message"], "Shutting down");
    let empty = waiting.join().expect("a client");
    assert_eq!((&empty["success"], &empty["payload"]["message_id"]), (&true.into(), &serde_json::Value::Null));
    server.expect_clean_exit();
}

#[test]
fn a_long_answer_is_compressed_for_who_takes_it() {
    let origins = toml::Value::from(vec!["https://console.example"]);
    let settings = Settings::fast().set("synap.compression", true).set("synap.cors_origins", origins);
    let server = Server::with(settings);
    let long = "x".repeat(2000);
    send(&server, format!(r#"{{"command":"kv.set","payload":{{"key":"k","value":"{long}"}}}}"#));
    let get = command(r#"{"request_id":"r","command":"kv.get","payload":{"key":"k"}}"#);
    let get = get.header("Accept-Encoding", "br, gzip;q=0.5");
    let answer = Connection::open(server.synap()).send(&get).expect("an answer").expect(200);
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
    assert_eq!(answer.header("vary"), Some("Accept-Encoding"));
    let mut text = String::new();
    flate2::read::GzDecoder::new(&answer.body[..]).read_to_string(&mut text).expect("gzip");
    assert!(text.contains(&long) && text.ends_with("}}"), "{text}");
    // A cache that keeps it must know all that it depends on.
    let get = get.header("Origin", "https://console.example");
    let answer = Connection::open(server.synap()).send(&get).expect("an answer").expect(200);
    assert_eq!(answer.header("vary"), Some("Accept-Encoding, Origin"));
}

#[test]
fn an_open_address_without_credentials_is_refused() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let file = "[unison]\nenabled = false\n[flo]\nenabled = false\n[synap]\nhost = \"0.0.0.0\"\n";
    std::fs::write(home.path().join("manifold.toml"), file).expect("write the file");
    let refused = crate::harness::run_to_exit(&["check"], &[], home.path());
    assert_eq!(refused.status.code(), Some(78), "{}", refused.output);
    assert!(refused.output.contains("allow_anonymous"), "{}", refused.output);
    let fine = crate::harness::run_to_exit(&["check"], &[("SYNAP_API_KEY", "k")], home.path());
    assert!(fine.status.success(), "{}", fine.output);
    let empty = [("SYNAP_AUTH_ENABLED", "true"), ("SYNAP_HOST", "127.0.0.1")];
    let refused = crate::harness::run_to_exit(&["check"], &empty, home.path());
    assert!(refused.output.contains("authentication is asked for"), "{}", refused.output);
}
