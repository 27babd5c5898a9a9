use manifold_server::dialects::dunena;

use super::{BEARER, CHANGES, Dialect, Public, Reader, Row, Writer, compare, samples};
use crate::{
    harness::{Connection, Refused, Request, Server, Settings, Socket, SocketOptions},
    security::Client,
};

const TOKEN: &str = "token-of-the-matrix";

const ROWS: &[Row] = &[
    ("GET /cache/{key}", Reader, "", ""),
    ("POST /cache/{key}", Writer, "", r#"{"value":"v"}"#),
    ("DELETE /cache/{key}", Writer, "", ""),
    ("POST /cache", Writer, "", r#"{"action":"mset","entries":[{"key":"k","value":"v"}]}"#),
    ("POST /cache/warmup", Writer, "", r#"{"entries":[{"key":"k","value":"v"}]}"#),
    ("POST /cache/{key}/incr", Writer, "", "{}"),
    ("POST /cache/{key}/decr", Writer, "", "{}"),
    ("GET /cache/{key}/version", Reader, "", ""),
    ("PUT /cache/{key}/cas", Writer, "", r#"{"value":"w","version":1}"#),
    ("GET /cache/{key}/ttl", Reader, "", ""),
    ("POST /cache/{key}/touch", Writer, "", r#"{"ttl":100000}"#),
    ("GET /keys", Reader, "", ""),
    ("POST /flush", Writer, "", ""),
    ("GET /namespaces", Reader, "", ""),
    ("DELETE /namespaces/{ns}", Writer, "", ""),
    ("POST /snapshot", Writer, "", ""),
    ("GET /db/{key}", Reader, "", ""),
    ("POST /db/{key}", Writer, "", r#"{"value":"v","tags":["t"]}"#),
    ("DELETE /db/{key}", Writer, "", ""),
    ("POST /db", Writer, "", r#"{"action":"mset","entries":[{"key":"k","value":"v"}]}"#),
    ("GET /db-stats", Reader, "", ""),
    ("GET /db-keys", Reader, "", ""),
    ("POST /db-clear", Writer, "", "{}"),
    ("POST /db-purge", Writer, "", ""),
    ("GET /query-cache/{key}", Reader, "", ""),
    ("POST /query-cache", Writer, "", r#"{"key":"q","data":1}"#),
    ("POST /query-cache/invalidate", Writer, "", r#"{"tags":["t"]}"#),
    ("GET /query-cache/stats", Reader, "", ""),
    ("POST /query-cache/clear", Writer, "", ""),
    ("GET /db-proxy/connectors", Reader, "", ""),
    (
        "POST /db-proxy/register",
        Writer,
        "",
        r#"{"name":"new","type":"http","connectionString":"http://user:pass@127.0.0.1:1/"}"#,
    ),
    ("POST /db-proxy/unregister", Writer, "", r#"{"name":"seed"}"#),
    ("POST /db-proxy/query", Writer, "", r#"{"connector":"seed","query":"SELECT 1"}"#),
    ("POST /db-proxy/invalidate", Writer, "", r#"{"tags":["t"]}"#),
    ("GET /locks", Reader, "", ""),
    ("GET /locks/{key}", Reader, "", ""),
    ("DELETE /locks/{key}", Writer, "", ""),
    ("POST /locks/{key}/acquire", Writer, "", r#"{"owner":"o","ttl":60000}"#),
    ("POST /locks/{key}/release", Writer, "", r#"{"owner":"seed"}"#),
    ("POST /locks/{key}/extend", Writer, "", r#"{"owner":"seed","ttl":60000}"#),
    ("GET /rate-limits", Reader, "", ""),
    ("POST /rate-limits", Writer, "", r#"{"namespace":"n","maxRequests":5,"windowMs":1000}"#),
    ("GET /rate-limits/{ns}", Reader, "", ""),
    ("DELETE /rate-limits/{ns}", Writer, "", ""),
    ("GET /stats", Reader, "", ""),
    ("GET /stats/history", Reader, "", ""),
    ("GET /info", Reader, "", ""),
    ("GET /metrics", Reader, "", ""),
    ("GET /ws", Reader, "", ""),
    ("GET /health", Public, "", ""),
    ("GET /health/live", Public, "", ""),
    ("GET /health/ready", Public, "", ""),
    ("GET /", Public, "", ""),
    ("GET /docs", Public, "", ""),
    ("GET /docs/openapi.json", Public, "", ""),
    ("GET /docs/openapi.yaml", Public, "", ""),
    ("GET /docs/{file}", Public, "", ""),
    ("GET /dashboard", Public, "", ""),
];

fn settings() -> Settings {
    Settings::fast().set("dunena.auth_token", TOKEN).set("dunena.rate_max", 0)
}

#[test]
fn dunena_asks_for_the_token_on_all_but_probes_and_pages() {
    compare(ROWS, dunena::routes());
    let server = std::rc::Rc::new(Server::with(settings()));
    let mut client = Client::to(server.dunena());
    for (path, body) in [
        ("/cache/key", r#"{"value":"1"}"#),
        ("/db/key", r#"{"value":"v","tags":["t"]}"#),
        ("/query-cache", r#"{"key":"key","data":1,"tags":["t"]}"#),
        ("/db-proxy/register", r#"{"name":"seed","type":"http","connectionString":"http://127.0.0.1:1/"}"#),
        ("/locks/key/acquire", r#"{"owner":"seed","ttl":250000}"#),
    ] {
        let answer = client.send(&Request::post(path, body).key(Some(TOKEN)));
        assert!(matches!(answer.status, 200 | 201), "{path}: {} {}", answer.status, answer.text());
    }
    let looked_at = server.clone();
    // What is kept in SQLite is not in the log.
    let state = move || {
        let mut state = samples(&looked_at, &CHANGES);
        let mut connection = Connection::open(looked_at.dunena());
        for path in
            ["/keys", "/namespaces", "/db-keys", "/rate-limits", "/db-proxy/connectors", "/db/key", "/query-cache/key"]
        {
            let answer = connection.send(&Request::get(path).key(Some(TOKEN))).expect("an answer");
            // How old something is changes by itself.
            let text = answer.text();
            let told = text.split(",\"age\"").next().unwrap_or_default();
            state += &format!("\n{path} {} {told}", answer.status);
        }
        state
    };
    let dialect = Dialect {
        address: server.dunena(),
        rows: ROWS,
        way: BEARER,
        full: TOKEN,
        reads: None,
        accepts: |credential, path| credential == "token" && path == "/ws",
        state: Box::new(state),
    };
    dialect.check();
}

#[test]
fn what_the_documents_of_dunena_and_unison_say_is_in_their_tables() {
    let server = Server::with(settings());
    let document = Connection::open(server.dunena()).send(&Request::get("/docs/openapi.json").key(None));
    let document = document.expect("an answer").json();
    let unison = server.get("/api/v1/openapi.json").expect(200).json();
    for (document, routes) in [(document, dunena::routes()), (unison, manifold_server::dialects::unison::routes())] {
        for (path, operations) in document["paths"].as_object().expect("paths") {
            for method in operations.as_object().expect("operations").keys().filter(|key| *key != "parameters") {
                let known = routes.iter().any(|(verb, template)| verb.eq_ignore_ascii_case(method) && template == path);
                assert!(known, "{method} {path} is told of and not there");
            }
        }
    }
}

#[test]
fn a_socket_of_dunena_asks_for_the_token() {
    let server = Server::with(settings());
    let open = |key: Option<&str>, protocols: Option<&str>, target: &str| {
        let (key, protocols) = (key.map(str::to_owned), protocols.map(str::to_owned));
        Socket::open(server.dunena(), &SocketOptions { key, protocols, ..SocketOptions::to(target) })
    };
    for (key, protocols, target) in [
        (None, None, "/ws"),
        (Some("wrong"), None, "/ws"),
        (None, Some("bearer.wrong"), "/ws"),
        (None, Some("bearer."), "/ws"),
        (None, None, "/ws?token="),
        (None, None, "/ws?token=wrong&token=token-of-the-matrix"),
        (None, None, "/ws?api_key=token-of-the-matrix"),
        (None, Some("token-of-the-matrix"), "/ws"),
    ] {
        let opened = open(key, protocols, target);
        assert_eq!(opened.err(), Some(Refused::Status(401)), "{key:?} {protocols:?} {target}");
    }
    for (key, protocols, target) in [
        (Some(TOKEN), None, "/ws"),
        (None, Some("bearer.token-of-the-matrix"), "/ws"),
        (None, None, "/ws?token=token-of-the-matrix"),
    ] {
        open(key, protocols, target).unwrap_or_else(|why| panic!("{key:?} {protocols:?} {target}: {why:?}"));
    }
}
