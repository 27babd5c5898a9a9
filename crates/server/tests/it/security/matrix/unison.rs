use manifold_server::dialects::unison;

use super::{BEARER, CHANGES, Dialect, Public, Reader, Row, Writer, compare, samples};
use crate::harness::{Refused, Server, Settings, Socket, SocketOptions};

const FULL: &str = "full-key-of-the-matrix";
const READS: &str = "read-key-of-the-matrix";

const ROWS: &[Row] = &[
    ("GET /api/v1/kv/{namespace}/{key}", Reader, "", ""),
    ("PUT /api/v1/kv/{namespace}/{key}", Writer, "", r#"{"value":1}"#),
    ("DELETE /api/v1/kv/{namespace}/{key}", Writer, "", ""),
    ("GET /api/v1/kv/{namespace}", Reader, "", ""),
    ("POST /api/v1/batch", Writer, "", r#"{"ops":[{"op":"put","namespace":"n","key":"k","value":1}]}"#),
    ("GET /api/v1/changes", Reader, "", ""),
    ("GET /api/v1/changes/stream", Reader, "", ""),
    ("GET /api/v1/health", Public, "", ""),
    ("GET /api/v1/ready", Public, "", ""),
    ("GET /api/v1/cluster/status", Reader, "", ""),
    ("GET /api/v1/cluster/leader", Reader, "", ""),
    ("POST /api/v1/cluster/join", Reader, "", "{}"),
    ("POST /api/v1/cluster/remove", Reader, "", "{}"),
    ("GET /api/v1/openapi.json", Reader, "", ""),
    ("GET /stream", Reader, "", ""),
];

#[test]
fn unison_asks_for_a_key_and_only_the_full_one_writes() {
    compare(ROWS, unison::routes());
    let settings = Settings::fast().set("unison.api_key", FULL).set("unison.agent_api_key", READS);
    let server = std::rc::Rc::new(Server::with(settings));
    let looked_at = server.clone();
    let dialect = Dialect {
        address: server.unison(),
        rows: ROWS,
        way: BEARER,
        full: FULL,
        reads: Some(READS),
        accepts: |_, _| false,
        state: Box::new(move || samples(&looked_at, &CHANGES)),
    };
    dialect.check();
}

#[test]
fn a_socket_of_unison_asks_too_and_writes_for_the_full_key_alone() {
    let settings = Settings::fast().set("unison.api_key", FULL).set("unison.agent_api_key", READS);
    let server = Server::with(settings);
    let open = |key: Option<&str>, protocols: Option<&str>, target: &str| {
        let (key, protocols) = (key.map(str::to_owned), protocols.map(str::to_owned));
        Socket::open(server.unison(), &SocketOptions { key, protocols, ..SocketOptions::to(target) })
    };
    for (key, protocols, target) in [
        (None, None, "/stream".to_owned()),
        (Some("wrong"), None, "/stream".to_owned()),
        (None, Some("bearer.wrong"), "/stream".to_owned()),
        (None, Some("bearer."), "/stream".to_owned()),
        (None, Some(FULL), "/stream".to_owned()),
        (None, None, format!("/stream?token={FULL}&api_key={FULL}&key={FULL}")),
    ] {
        let opened = open(key, protocols, &target);
        assert_eq!(opened.err(), Some(Refused::Status(401)), "{key:?} {protocols:?} {target}");
    }
    let put = r#"{"jsonrpc":"2.0","id":1,"method":"kv/set","params":{"namespace":"n","key":"k","value":1}}"#;
    let mut reader = open(None, Some(&format!("unison.v1, bearer.{READS}")), "/stream").expect("a socket");
    let answer = reader.call(put);
    assert_eq!(answer["error"]["message"], "Read Only", "{answer}");
    let mut writer = open(Some(FULL), None, "/stream").expect("a socket");
    let answer = writer.call(put);
    assert!(answer.get("result").is_some(), "{answer}");
}
