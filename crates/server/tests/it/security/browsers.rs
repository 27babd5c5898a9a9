//! Pages of other sites. A browser on this machine reaches what listens on loopback; where nobody is asked for a secret, the
//! only things that keep a page out are the name it asks for (`Host`) and the site it is of (`Origin`, `Sec-Fetch-Site`).

use std::net::SocketAddr;

use super::Client;
use crate::harness::{Refused, Request, Server, Settings, Socket, SocketOptions, free_port};

const EVIL: &str = "http://evil.example";

/// Names that a page of a stranger can give an address of this machine.
const REBOUND: [&str; 8] = [
    "evil.example",
    "evil.example:9002",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "127-0-0-1.evil.example",
    "0.0.0.0:9002",
    "192.168.1.1",
    "[2001:db8::1]:80",
];
const LOCAL: [&str; 6] = ["localhost", "LOCALHOST:80", "127.0.0.1", "127.0.0.1:9002", "[::1]", "[::1]:9002"];

/// No listener has a secret of its own.
fn bare() -> Settings {
    Settings::fast().unset("unison.api_key").unset("unison.agent_api_key")
}

/// A request that reads and one that writes, as a client without a browser sends them.
struct Door {
    name: &'static str,
    address: SocketAddr,
    reads: Request,
    writes: Option<Request>,
}

fn doors(server: &Server) -> Vec<Door> {
    let free = |method: &str, path: &str, body: &str| Request::new(method, path).key(None).body(body);
    let key = |request: Request| request.header("X-Internal-Auth", "dev");
    vec![
        Door {
            name: "unison",
            address: server.unison(),
            reads: Request::get("/api/v1/kv/n").key(Some("dev")),
            writes: Some(Request::put("/api/v1/kv/n/k", r#"{"value":1}"#).key(Some("dev"))),
        },
        Door {
            name: "flo",
            address: server.flo(),
            reads: Request::get("/api/v1/kv/n").key(None),
            writes: Some(free("PUT", "/api/v1/kv/n/f", r#"{"value":"eA=="}"#)),
        },
        Door {
            name: "synap",
            address: server.synap(),
            reads: Request::get("/kv/get/k").key(None),
            writes: Some(free("POST", "/kv/set", r#"{"key":"k","value":1}"#)),
        },
        Door {
            name: "dunena",
            address: server.dunena(),
            reads: Request::get("/keys").key(None),
            writes: Some(free("POST", "/cache/k", r#"{"value":"v"}"#)),
        },
        Door {
            name: "edgecomet",
            address: server.edgecomet(),
            reads: key(Request::get("/status").key(None)),
            writes: Some(key(free("POST", "/internal/scheduler/pause", ""))),
        },
        Door { name: "metrics", address: server.metrics(), reads: Request::get("/metrics").key(None), writes: None },
    ]
}

fn closed(settings: Settings) -> Settings {
    settings
        .set("dunena.cors_origins", toml::Value::from(vec!["http://console.example"]))
        .set("edgecomet.http_api.scheduler_control_api", true)
}

#[test]
fn where_nobody_is_asked_for_a_secret_only_names_of_this_machine_are_served() {
    let port = free_port();
    let settings = closed(bare())
        .set("edgecomet.metrics.enabled", true)
        .set("edgecomet.metrics.listen", format!("127.0.0.1:{port}"))
        .set("allowed_hosts", toml::Value::from(vec!["proxy.example"]));
    let server = Server::with(settings);
    let mut doors = doors(&server);
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    doors.push(Door { name: "edgecomet-metrics", address, reads: Request::get("/metrics").key(None), writes: None });
    for door in &doors {
        let mut client = Client::to(door.address);
        // What is misdirected is refused with 421, where the dialect's codes have one.
        let refusal = if door.name == "synap" { 403 } else { 421 };
        for request in [Some(&door.reads), door.writes.as_ref()].into_iter().flatten() {
            for host in REBOUND {
                let answer =
                    client.send(&request.clone().header("Host", host).header("Origin", format!("http://{host}")));
                assert_eq!(answer.status, refusal, "{} {host}: {}", door.name, answer.text());
                let said = answer.text().to_lowercase();
                assert!(said.contains("host not allowed"), "{} {host}: {said}", door.name);
            }
            for host in LOCAL.into_iter().chain(["proxy.example", "Proxy.Example:443"]) {
                let answer = client.send(&request.clone().header("Host", host));
                assert!(!matches!(answer.status, 401 | 403 | 421), "{} {host}: {}", door.name, answer.status);
            }
        }
    }
}

#[test]
fn a_probe_by_a_foreign_name_is_refused_too_and_one_without_a_name_is_no_browser() {
    let server = Server::with(bare());
    for (address, path) in [(server.flo(), "/health"), (server.synap(), "/health"), (server.unison(), "/api/v1/health")]
    {
        let answer = Client::to(address).send(&Request::get(path).key(None).header("Host", "evil.example"));
        assert!(matches!(answer.status, 403 | 421), "{path}: {}", answer.status);
        let old = crate::harness::raw_exchange(
            address,
            format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes(),
            std::time::Duration::from_secs(5),
        );
        assert!(old.starts_with("HTTP/1.0 200"), "{path}: {old}");
    }
}

#[test]
fn a_secret_makes_every_name_good() {
    let key = {
        let mut table = toml::Table::new();
        table.insert("key".to_owned(), "synap-secret".into());
        toml::Value::from(vec![table])
    };
    let settings = closed(bare())
        .set("unison.api_key", "unison-secret")
        .set("flo.auth.enabled", true)
        .set("flo.auth.tokens", toml::Value::from(vec!["flo-secret"]))
        .set("synap.auth.api_keys", key)
        .set("dunena.auth_token", "dunena-secret")
        .set("edgecomet.internal_auth_key", "edgecomet-secret");
    let server = Server::with(settings);
    for door in doors(&server).iter().filter(|door| door.name != "metrics") {
        let secret = format!("{}-secret", door.name);
        let request = door.reads.clone().key(Some(&secret)).header("Host", "public.example");
        let mut request = request;
        request.headers.retain(|(name, _)| name != "X-Internal-Auth");
        let answer = Client::to(door.address).send(&request.header("X-Internal-Auth", secret));
        assert!(!matches!(answer.status, 401 | 403 | 421), "{}: {} {}", door.name, answer.status, answer.text());
    }
}

#[test]
fn a_page_of_another_site_changes_nothing() {
    let server = Server::with(closed(bare()));
    for door in doors(&server) {
        let Some(writes) = &door.writes else { continue };
        let mut client = Client::to(door.address);
        // A browser asks before it sends what no form could send, and is told nothing that it would take for a yes.
        for origin in [EVIL, "null", "http://localhost:1", "https://localhost.evil.example"] {
            let asks = Request::new("OPTIONS", writes.target.clone())
                .key(None)
                .header("Origin", origin)
                .header("Access-Control-Request-Method", writes.method.clone())
                .header("Access-Control-Request-Headers", "authorization,x-internal-auth,content-type");
            let answer = client.send(&asks);
            let allowed = answer.header("access-control-allow-origin").unwrap_or("nobody");
            assert!(allowed != "*" && allowed != origin, "{} {origin}: {allowed}", door.name);
            // EdgeComet's key comes in a header that no form can send.
            if door.name == "edgecomet" {
                continue;
            }
            let answer = client.send(&writes.clone().header("Origin", origin).header("Sec-Fetch-Site", "cross-site"));
            assert_eq!(answer.status, 403, "{} {origin}: {}", door.name, answer.text());
            let said = answer.text();
            assert!(said.contains("Origin not allowed"), "{}: {said}", door.name);
        }
        let host = "localhost:80";
        let own = writes.clone().header("Host", host).header("Origin", "http://localhost");
        let answer = client.send(&own.header("Sec-Fetch-Site", "same-origin"));
        assert!(matches!(answer.status, 200 | 201), "{}: {} {}", door.name, answer.status, answer.text());
    }
}

/// What a picture's address can do: the browser sends no origin with it, and says that a page of another site asks.
#[test]
fn an_address_in_a_page_takes_no_message_and_makes_no_database() {
    let server = Server::with(bare());
    let mut synap = Client::to(server.synap());
    synap.send(&Request::post("/queue/q", "{}").key(None)).expect(201);
    synap.send(&Request::post("/queue/q/publish", r#"{"payload":[1]}"#).key(None)).expect(200);
    let consume = Request::get("/queue/q/consume/c?timeout=0").key(None);
    for site in ["cross-site", "same-site"] {
        synap.send(&consume.clone().header("Sec-Fetch-Site", site)).expect(403);
    }
    let stats = synap.send(&Request::get("/queue/q/stats").key(None)).expect(200);
    assert!(stats.text().contains(r#""depth":1"#), "{}", stats.text());
    let taken = synap.send(&consume.header("Sec-Fetch-Site", "none")).expect(200);
    assert!(taken.text().contains("message_id"), "{}", taken.text());

    let mut flo = Client::to(server.flo());
    let create = Request::get("/query?q=CREATE%20DATABASE%20made").key(None);
    flo.send(&create.clone().header("Sec-Fetch-Site", "cross-site")).expect(403);
    flo.send(&create.clone().header("Origin", EVIL)).expect(403);
    let names = || Client::to(server.flo()).send(&Request::get("/api/v1/namespaces").key(None)).expect(200).text();
    assert!(!names().contains("made"), "{}", names());
    flo.send(&create).expect(200);
    assert!(names().contains("made"), "{}", names());
    // A link on another site may still lead to what only reads.
    flo.send(&Request::get("/api/v1/namespaces").key(None).header("Sec-Fetch-Site", "cross-site")).expect(200);
}

#[test]
fn a_page_of_another_site_opens_no_socket() {
    let server = Server::with(closed(bare()));
    let sockets = [
        (server.unison(), "/stream", Some("bearer.dev")),
        (server.synap(), "/api/v1/ws", None),
        (server.synap(), "/kv/ws?keys=k", None),
        (server.synap(), "/pubsub/ws?topics=t", None),
        (server.synap(), "/sdk/api/v1/ws", None),
        (server.dunena(), "/ws", None),
    ];
    for (address, target, protocols) in sockets {
        let open = |headers: &[(&str, &str)]| {
            let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let protocols = protocols.map(str::to_owned);
            Socket::open(address, &SocketOptions { protocols, headers, ..SocketOptions::to(target) })
        };
        for origin in [EVIL, "null", "http://localhost:1", "https://127.0.0.1.evil.example"] {
            assert_eq!(open(&[("Origin", origin)]).err(), Some(Refused::Status(403)), "{target} {origin}");
        }
        let rebound = open(&[("Origin", EVIL), ("Host", "evil.example")]).err();
        assert!(matches!(rebound, Some(Refused::Status(403 | 421))), "{target}: {rebound:?}");
        open(&[]).unwrap_or_else(|why| panic!("{target}: {why:?}"));
        // Dunena's contract lets in what is listed, and no other page.
        let page =
            if address == server.dunena() { "http://console.example".to_owned() } else { format!("http://{address}") };
        open(&[("Origin", &page)]).unwrap_or_else(|why| panic!("{target} {page}: {why:?}"));
    }
}

/// As its contract says, pages of all sites may use Dunena until `cors_origins` says which; so a token, or that list, is what
/// keeps them out.
#[test]
fn dunena_is_open_to_pages_until_it_is_told_otherwise() {
    let server = Server::with(bare());
    let write = Request::post("/cache/k", r#"{"value":"v"}"#).key(None).header("Origin", EVIL);
    let answer = Client::to(server.dunena()).send(&write).expect(201);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    drop(server);
    let server = Server::with(bare().set("dunena.auth_token", "token"));
    Client::to(server.dunena()).send(&write).expect(401);
}
