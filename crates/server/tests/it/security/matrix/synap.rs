//! Synap has commands besides routes: each by name, alone, in a batch and on a socket, and each route that is one.

mod rows;

use manifold_server::dialects::synap;
use serde_json::{Value, json};

use super::{BEARER, CHANGES, Dialect, Way, compare, samples};
use crate::{
    harness::{Connection, Refused, Request, Server, Settings, Socket, SocketOptions},
    security::Client,
};
use rows::{ADMIN, READS, ROWS, WRITES};

const FULL: &str = "admin-key-of-the-matrix";
const WRITER: &str = "writer-key-of-the-matrix";
const READER: &str = "reader-key-of-the-matrix";

fn settings() -> Settings {
    let key = |key: &str, role: &str| {
        let mut table = toml::Table::new();
        table.insert("key".to_owned(), key.into());
        table.insert("role".to_owned(), role.into());
        table
    };
    let keys = vec![key(FULL, "admin"), key(WRITER, "readwrite"), key(READER, "readonly")];
    Settings::fast()
        .set("synap.auth.api_keys", toml::Value::from(keys))
        .set("synap.kv_store.allow_flush_commands", true)
}

/// Members that commands have, so that most would do something.
fn payload() -> Value {
    json!({
        "key": "k", "keys": ["k"], "value": "1", "pairs": [{"key": "k", "value": "1"}], "field": "f", "fields": ["f"],
        "values": ["1"], "member": "m", "members": ["m"], "score": 1, "queue": "q", "room": "r", "topic": "t",
        "topics": ["t"], "message": "x", "payload": [1], "priority": 1, "consumer_id": "c", "subscriber_id": "s",
        "message_id": "x", "event": "e", "data": 1, "source": "k", "destination": "k2", "ttl": 100, "start": 0, "stop": 1,
        "name": "q", "delta": 1, "increment": 1, "index": 0, "pattern": "*", "offset": 0, "count": 1, "min": 0, "max": 1,
        "timeout": 0,
    })
}

#[test]
fn the_commands_of_the_tables_are_those_of_the_server() {
    let mut listed: Vec<&str> = [READS, WRITES, ADMIN].concat();
    let mut known = synap::spellings();
    listed.sort_unstable();
    known.sort_unstable();
    assert_eq!(listed, known, "these tables (left) and the commands of the server (right)");
}

#[test]
fn synap_asks_for_a_credential_on_all_but_its_probe() {
    compare(ROWS, synap::routes());
    let server = std::rc::Rc::new(Server::with(settings()));
    let dialect = |way| {
        let looked_at = server.clone();
        Dialect {
            address: server.synap(),
            rows: ROWS,
            way,
            full: FULL,
            reads: Some(READER),
            accepts: |credential, path| {
                let socket = ["/api/v1/ws", "/kv/ws", "/pubsub/ws"].contains(&path);
                credential == "X-API-Key" || credential == "api_key" && socket
            },
            state: Box::new(move || samples(&looked_at, &CHANGES)),
        }
    };
    dialect(BEARER).check();
    let before = samples(&server, &CHANGES);
    dialect(Way { header: "X-API-Key", scheme: "" }).check_without();
    assert_eq!(samples(&server, &CHANGES), before);
}

#[test]
fn routes_below_sdk_ask_too() {
    let server = Server::with(settings());
    let mut client = Client::to(server.synap());
    let before = samples(&server, &CHANGES);
    for row in ROWS {
        let request = super::request(row);
        let request = Request { target: format!("/sdk{}", request.target), ..request };
        let expected = |status: u16| if row.1 == super::Public { status == 200 } else { status == 401 };
        let answer = client.send(&request);
        assert!(expected(answer.status), "{request}: {}", answer.status);
        let answer = client.send(&request.key(Some("wrong")));
        assert!(expected(answer.status), "{} behind /sdk with a wrong key: {}", row.0, answer.status);
    }
    assert_eq!(samples(&server, &CHANGES), before);
}

/// The code of the error in an answer, if it is one.
fn code(answer: &Value) -> &str {
    answer["error"]["code"].as_str().unwrap_or_default()
}

#[test]
fn a_role_holds_for_a_command_alone_in_a_batch_and_on_a_socket() {
    let server = Server::with(settings());
    let before = samples(&server, &CHANGES);
    for (key, may, may_not) in
        [(READER, [READS, &[]].concat(), [WRITES, ADMIN].concat()), (WRITER, [READS, WRITES].concat(), ADMIN.to_vec())]
    {
        let options = SocketOptions { key: Some(key.to_owned()), ..SocketOptions::to("/api/v1/ws") };
        let mut socket = Socket::open(server.synap(), &options).expect("a socket");
        let mut connection = Connection::open(server.synap());
        let mut post = |body: &Value| {
            let request = Request::post("/api/v1/command", body.to_string()).key(Some(key));
            connection.send(&request).expect("an answer").json()
        };
        for command in may_not {
            let asked = json!({ "command": command, "payload": payload() });
            assert_eq!(code(&post(&asked)), "FORBIDDEN", "{key} {command}");
            let batch = post(&json!({ "type": "batch", "commands": [asked.clone(), { "command": "queue.list" }] }));
            assert_eq!(code(&batch["results"][0]), "FORBIDDEN", "{key} {command} {batch}");
            assert_eq!(batch["results"][1]["status"], "success", "{key} {command} {batch}");
            assert_eq!(code(&socket.call(&asked.to_string())), "FORBIDDEN", "{key} {command}");
        }
        if key == READER {
            assert_eq!(samples(&server, &CHANGES), before, "a reader has changed something");
        }
        for command in may {
            let answer = post(&json!({ "command": command, "payload": payload() }));
            assert_ne!(code(&answer), "FORBIDDEN", "{key} {command} {answer}");
        }
        if key == READER {
            assert_eq!(samples(&server, &CHANGES), before, "a reader has changed something");
        }
    }
    assert_ne!(samples(&server, &CHANGES), before, "a change would not be seen");
}

#[test]
fn sockets_of_synap_ask_for_a_credential() {
    let server = Server::with(settings());
    for path in ["/api/v1/ws?", "/kv/ws?keys=a&", "/pubsub/ws?topics=a&", "/sdk/api/v1/ws?"] {
        let open = |key: Option<&str>, query: &str| {
            let target = format!("{path}{query}");
            Socket::open(server.synap(), &SocketOptions { key: key.map(str::to_owned), ..SocketOptions::to(&target) })
        };
        for (key, query) in [
            (None, ""),
            (Some("wrong"), ""),
            (None, "api_key="),
            (None, "api_key=wrong"),
            (None, "token=reader-key-of-the-matrix"),
            // The header decides where there is one.
            (Some("wrong"), "api_key=reader-key-of-the-matrix"),
        ] {
            assert_eq!(open(key, query).err(), Some(Refused::Status(401)), "{path}{query} {key:?}");
        }
        open(Some(READER), "").unwrap_or_else(|why| panic!("{path}: {why:?}"));
        open(None, "api_key=reader-key-of-the-matrix").unwrap_or_else(|why| panic!("{path}: {why:?}"));
    }
    // A reader that subscribes to a room that is not there makes none.
    let before = samples(&server, &CHANGES);
    let options = SocketOptions { key: Some(READER.to_owned()), ..SocketOptions::to("/api/v1/ws") };
    let mut socket = Socket::open(server.synap(), &options).expect("a socket");
    let answer = socket.call(r#"{"command":"stream.subscribe","payload":{"room":"new"}}"#);
    assert_eq!(code(&answer), "ROOM_NOT_FOUND", "{answer}");
    assert_eq!(samples(&server, &CHANGES), before);
}

/// Escapes in the fixed words of a path make it another path for all who look at it, so that no rule can be passed by.
#[test]
fn an_escaped_word_of_a_path_is_no_way_around_a_check() {
    let server = Server::with(settings());
    let mut client = Client::to(server.synap());
    let before = samples(&server, &CHANGES);
    for path in [
        "/%6bv/set",
        "/k%76/set",
        "/kv/%73et",
        "/kv%2Fset",
        "/%2Fkv/set",
        "/sdk/%6bv/set",
        "/%73dk/kv/set",
        "/health/../kv/set",
        "/health%2F..%2Fkv%2Fset",
        "/health;/kv/set",
        "/health%3F/kv/set",
        "/%68ealth",
        "/me%74rics",
    ] {
        for key in [None, Some("wrong")] {
            let answer = client.send(&Request::post(path, r#"{"key":"k","value":1}"#).key(key));
            assert_eq!(answer.status, 401, "{path} {key:?}");
        }
        let answer = client.send(&Request::post(path, r#"{"key":"k","value":1}"#).key(Some(READER)));
        assert!(matches!(answer.status, 403..=405), "{path} for a reader: {}", answer.status);
    }
    assert_eq!(samples(&server, &CHANGES), before);
}
