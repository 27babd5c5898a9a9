//! A credential is good until it ends, also on a connection that stays.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use serde_json::json;
use sha2::Sha256;

use crate::harness::{Connection, Frame, Refused, Request, Server, Settings, Socket, SocketOptions, now_ms};

const SECRET: &str = "signs-tokens";

fn token(claims: &serde_json::Value) -> String {
    let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    let signed = format!("{}.{}", part(r#"{"alg":"HS256","typ":"JWT"}"#), part(&claims.to_string()));
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any length is a key");
    mac.update(signed.as_bytes());
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

fn settings() -> Settings {
    Settings::fast().set("synap.auth.jwt.secret", SECRET)
}

fn open(server: &Server, target: &str, token: &str) -> Result<Socket, Refused> {
    Socket::open(server.synap(), &SocketOptions { key: Some(token.to_owned()), ..SocketOptions::to(target) })
}

#[test]
fn a_socket_ends_with_the_token_that_opened_it() {
    let server = Server::with(settings());
    let end_ms = now_ms() + 1500;
    let token = token(&json!({ "exp": end_ms as f64 / 1000.0, "role": "admin" }));
    let sockets = ["/api/v1/ws", "/sdk/api/v1/ws", "/kv/ws?keys=k", "/pubsub/ws?topics=t"];
    let mut sockets = sockets.map(|target| (target, open(&server, target, &token).expect("the token is still good")));
    let answer = sockets[0].1.call(r#"{"command":"kv.set","payload":{"key":"k","value":1}}"#);
    assert_eq!(answer["status"], "success", "{answer}");
    for (target, socket) in &mut sockets {
        // Whatever was told before, the last word is that the token has ended.
        let last = loop {
            match socket.receive(Duration::from_secs(20)) {
                Frame::Text(_) => {}
                other => break other,
            }
        };
        assert_eq!(last, Frame::Closed(Some(1008)), "{target}");
        assert!(now_ms() >= end_ms, "{target} was closed before the end of the token");
        assert_eq!(open(&server, target, &token).err(), Some(Refused::Status(401)), "{target}");
    }
    let again = Request::post("/kv/set", r#"{"key":"k","value":2}"#).key(Some(&token));
    let answer = Connection::open(server.synap()).send(&again).expect("an answer").expect(401);
    assert!(answer.text().contains("Token expired"), "{}", answer.text());
}

/// A consumer that waits when its token ends takes nothing any more: what comes then is for others.
#[test]
fn a_request_that_waits_ends_with_the_token_too() {
    let server = Server::with(settings());
    let lasting = token(&json!({ "exp": now_ms() / 1000 + 3600 }));
    let mut others = Connection::open(server.synap());
    let mut post =
        |path: &str, body: &str| others.send(&Request::post(path, body).key(Some(&lasting))).expect("an answer");
    post("/queue/q", "{}").expect(201);
    let short = token(&json!({ "exp": (now_ms() + 1200) as f64 / 1000.0 }));
    let mut socket = open(&server, "/api/v1/ws", &short).expect("a socket");
    socket.send(r#"{"command":"queue.consume","payload":{"queue":"q","consumer_id":"c","timeout":30}}"#);
    assert_eq!(socket.receive(Duration::from_secs(20)), Frame::Closed(Some(1008)));
    post("/queue/q/publish", r#"{"payload":[7]}"#).expect(200);
    let stats = others.send(&Request::get("/queue/q/stats").key(Some(&lasting))).expect("an answer").expect(200);
    assert!(stats.text().contains(r#""depth":1"#), "{}", stats.text());
}
