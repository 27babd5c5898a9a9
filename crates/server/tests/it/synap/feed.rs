//! What followers of Unison hear of the writes of Synap: each of them, at once, in order.

use std::time::Duration;

use crate::harness::{EventStream, Request, Server};

#[test]
fn followers_of_unison_hear_of_every_write_of_a_string_as_it_happens() {
    let server = Server::start();
    let mut changes = EventStream::start(server.unison(), &Request::get("/api/v1/changes/stream?namespace=default"));
    changes.patience(Duration::from_secs(20));
    assert_eq!(changes.expect().event, "ready");
    let send = |text: &str| assert_eq!(super::send(&server, text)["success"], true, "{text}");
    let mut hears = |key: &str, op: &str, value: &str, actor: &str| {
        let change = changes.expect().json();
        let told = (&change["key"], &change["op"], change["value"].to_string(), &change["actor"]);
        assert_eq!(told, (&key.into(), &op.into(), value.to_owned(), &actor.into()), "{change}");
    };

    send(r#"{"command":"kv.set","payload":{"key":"k","value":{"a":1}}}"#);
    hears("k", "set", r#"{"a":1}"#, "synap");
    send(r#"{"command":"kv.mset","payload":{"pairs":{"m":1,"n":"two"}}}"#);
    hears("m", "set", "1", "synap");
    hears("n", "set", r#""two""#, "synap");
    send(r#"{"command":"kv.incr","payload":{"key":"m"}}"#);
    hears("m", "set", "2", "synap");
    // Nothing is said of what was refused, of collections, and of reads.
    send(r#"{"command":"kv.set","payload":{"key":"k","value":2,"nx":true}}"#);
    send(r#"{"command":"hash.set","payload":{"key":"h","field":"f","value":1}}"#);
    send(r#"{"command":"kv.get","payload":{"key":"k"}}"#);
    send(r#"{"command":"kv.append","payload":{"key":"n","value":"fold"}}"#);
    hears("n", "set", r#""twofold""#, "synap");
    send(r#"{"command":"kv.del","payload":{"keys":["k","h","none"]}}"#);
    hears("k", "delete", "null", "synap");
    send(r#"{"command":"kv.expire","payload":{"key":"m","ttl":1}}"#);
    hears("m", "set", "2", "synap");
    hears("m", "delete", "null", "system:ttl");
    send(r#"{"command":"key.rename","payload":{"source":"n","destination":"moved"}}"#);
    let mut told = [changes.expect().json(), changes.expect().json()];
    told.sort_by_key(|change| change["key"].to_string());
    let told = told.map(|change| (change["key"].clone(), change["op"].clone(), change["actor"].clone()));
    assert_eq!(
        told,
        [("moved", "set", "synap"), ("n", "delete", "synap")].map(|(key, op, by)| (key.into(), op.into(), by.into()))
    );
}
