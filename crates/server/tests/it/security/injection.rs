//! Bytes of clients that would be more than text where they are shown: ends of lines, escapes of terminals, marks that turn
//! the direction of writing. One event is one line of the log, one sample one line of the metrics, and a header of an answer
//! carries nothing of a request but an id of visible ASCII.

use super::Client;
use crate::harness::{Request, Response, Server, Settings, raw_exchange};

/// What stands behind an end of a line wherever one is tried.
const MARK: &str = "INJECTED";
/// Ends of lines and the like, as a path or a query spells them.
const ESCAPED: [&str; 8] =
    ["%0A", "%0D%0A", "%00", "%1B%5B31m", "%C2%85", "%E2%80%A8", "%E2%80%AE", "%22%2C%22level%22%3A%22"];
/// The same as they are, where HTTP lets them be.
const RAW: [&str; 5] = ["\u{85}", "\u{2028}", "\u{2029}", "\u{202e}", "\u{7f}"];
/// The same as JSON spells them.
const IN_JSON: [&str; 7] = [r"\n", r"\r\n", r"\u0000", r"\u001b[2J", r"\u0085", r"\u2028", r"\u202e"];

/// No header of an answer has anything of the request.
#[track_caller]
fn assert_headers_are_ours(request: &str, answer: &Response) {
    for (name, value) in &answer.headers {
        assert!(!value.contains(MARK) && !name.contains(MARK), "{request}: {name}: {value}");
    }
}

/// Requests to every dialect with such bytes in paths, queries, headers and bodies.
fn provoke(server: &Server) {
    let mut unison = Client::to(server.unison());
    let mut flo = Client::to(server.flo());
    let mut synap = Client::to(server.synap());
    let mut dunena = Client::to(server.dunena());
    let mut edgecomet = Client::to(server.edgecomet());
    let send = |client: &mut Client, request: Request| {
        let answer = client.send(&request);
        assert_headers_are_ours(&request.to_string(), &answer);
    };
    for evil in ESCAPED {
        let evil = format!("a{evil}{MARK}");
        send(&mut unison, Request::put(format!("/api/v1/kv/n{evil}/k{evil}?updatedBy={evil}"), r#"{"value":1}"#));
        send(&mut unison, Request::get(format!("/api/v1/{evil}?x={evil}")));
        send(&mut flo, Request::put(format!("/api/v1/kv/n{evil}/k{evil}"), r#"{"value":"eA=="}"#).key(None));
        send(
            &mut flo,
            Request::post(format!("/api/v1/queue/n{evil}/q{evil}/enqueue"), r#"{"payload":"eA=="}"#).key(None),
        );
        // Early timestamps are worth a line that names the namespace.
        send(&mut flo, Request::post(format!("/api/v1/ts/n{evil}/write"), "cpu v=1 1000").key(None));
        send(&mut flo, Request::post(format!("/write?db=n{evil}"), "cpu v=1 1000").key(None));
        send(&mut synap, Request::post(format!("/queue/q{evil}"), "{}").key(None));
        send(&mut synap, Request::get(format!("/kv/get/{evil}?type={evil}")).key(None));
        send(&mut synap, Request::get(format!("/{evil}")).key(None));
        send(&mut dunena, Request::post(format!("/cache/{evil}?ns={evil}"), r#"{"value":"v"}"#).key(None));
        send(&mut dunena, Request::get(format!("/docs/{evil}")).key(None));
        send(
            &mut edgecomet,
            Request::get(format!("/internal/cache/content?host_id=1&url=https://example.com/{evil}&dimension_id=1"))
                .key(None)
                .header("X-Internal-Auth", "dev"),
        );
    }
    for evil in RAW {
        let evil = format!("a{evil}{MARK}");
        for client in [&mut unison, &mut flo, &mut synap, &mut dunena, &mut edgecomet] {
            let request = Request::get(format!("/{evil}?{evil}={evil}")).header("X-Internal-Auth", "dev");
            send(client, request.header("User-Agent", &evil).header("Referer", &evil).header("X-Forwarded-For", &evil));
        }
    }
    for evil in IN_JSON {
        let evil = format!("a{evil}{MARK}");
        send(&mut unison, Request::put("/api/v1/kv/n/k", format!(r#"{{"value":"{evil}","updatedBy":"{evil}"}}"#)));
        let put = format!(r#"{{"ops":[{{"op":"put","namespace":"n{evil}","key":"k{evil}","value":"{evil}"}}]}}"#);
        send(&mut unison, Request::post("/api/v1/batch", put));
        send(&mut flo, Request::post("/api/v1/namespaces", format!(r#"{{"name":"{evil}"}}"#)).key(None));
        for command in [
            format!(r#"{{"command":"{evil}","request_id":"{evil}"}}"#),
            format!(r#"{{"command":"queue.create","payload":{{"name":"{evil}"}}}}"#),
            format!(r#"{{"command":"stream.create","payload":{{"room":"{evil}"}}}}"#),
            format!(r#"{{"command":"pubsub.publish","payload":{{"topic":"{evil}","message":1}}}}"#),
        ] {
            send(&mut synap, Request::post("/api/v1/command", command).key(None));
        }
        let register = format!(r#"{{"name":"{evil}","type":"http","connectionString":"http://127.0.0.1:1/{evil}"}}"#);
        send(&mut dunena, Request::post("/db-proxy/register", register).key(None));
        let query = format!(r#"{{"connector":"{evil}","query":"SELECT '{evil}'"}}"#);
        send(&mut dunena, Request::post("/db-proxy/query", query).key(None));
        let urls = format!(
            r#"{{"host_id":1,"urls":["https://{evil}/","http://[{evil}","https://example.com/{evil}"],"priority":"high"}}"#
        );
        for path in ["/internal/cache/recache", "/internal/cache/invalidate"] {
            send(&mut edgecomet, Request::post(path, urls.clone()).key(None).header("X-Internal-Auth", "dev"));
        }
    }
}

fn settings(format: &str) -> Settings {
    let host: toml::Table = "id = 1\ndomain = \"example.com\"\n".parse().expect("a host");
    Settings::fast()
        .set("log.level", "trace")
        .set("log.format", format)
        .set("edgecomet.worker.enabled", false)
        .set("edgecomet.hosts", toml::Value::from(vec![host]))
}

#[test]
fn one_event_is_one_line_of_the_log_whatever_a_client_sends() {
    for format in ["text", "json"] {
        let mut server = Server::with(settings(format));
        provoke(&server);
        server.stop();
        let log = server.log.text();
        assert!(log.contains(MARK), "nothing of what was sent is in the log, so this shows nothing");
        for line in log.lines() {
            let begins = match format {
                "json" => serde_json::from_str::<serde_json::Map<_, _>>(line).is_ok(),
                // A time, in brackets for Dunena.
                _ => line.trim_start_matches('[').starts_with("20"),
            };
            assert!(begins, "{format}: not a line of its own: {line:?}");
            let unruly = |c: char| c.is_control() || "\u{2028}\u{2029}\u{202e}".contains(c);
            assert!(!line.contains(unruly), "{format}: {line:?}");
        }
    }
}

#[test]
fn one_sample_is_one_line_of_the_metrics_whatever_a_name_is() {
    let server = Server::with(settings("text").set("log.level", "error").set("synap.metrics_public", true));
    provoke(&server);
    let names = ["manifold_", "unison_", "flo_", "synap_", "dunena_", "edgecomet_", "# "];
    let own = Client::to(server.synap()).send(&Request::get("/metrics").key(None)).expect(200).text();
    let dunena = Client::to(server.dunena()).send(&Request::get("/metrics").key(None)).expect(200).text();
    for page in [server.metrics_text(), own, dunena] {
        // A value of a label may have any sign but the one that ends a line.
        for line in page.trim_end().split('\n') {
            assert!(names.iter().any(|name| line.starts_with(name)), "{line:?}");
        }
    }
}

#[test]
fn an_id_comes_back_when_it_is_visible_ascii_and_of_a_sane_length_only() {
    let server = Server::with(Settings::fast());
    for (address, path) in [
        (server.unison(), "/api/v1/health"),
        (server.flo(), "/health"),
        (server.synap(), "/health"),
        (server.dunena(), "/health"),
        (server.edgecomet(), "/status"),
    ] {
        let mut client = Client::to(address);
        let mut id = |id: &str| {
            let answer = client.send(&Request::get(path).key(None).header("X-Request-Id", id));
            answer.header("x-request-id").map(str::to_owned)
        };
        assert_eq!(id("abc-123").as_deref(), Some("abc-123"), "{path}");
        let long = "x".repeat(129);
        for evil in ["a b", "a\tb", "\u{e9}", "\u{2028}", "", long.as_str()] {
            assert_ne!(id(evil).as_deref(), Some(evil), "{path} {evil:?}");
        }
    }
    // Bare ends of lines and NUL in a header end the request before anybody looks at it.
    for bytes in ["a\rb", "a\0b", "a\u{1b}[31mb", "a\nX-Injected: b"] {
        let request = format!(
            "GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: {bytes}\r\nConnection: close\r\n\r\n"
        );
        let answer = raw_exchange(server.unison(), request.as_bytes(), std::time::Duration::from_secs(5));
        let head = answer.split("\r\n\r\n").next().unwrap_or_default();
        assert!(!head.to_lowercase().contains("x-injected") && !head.contains(bytes), "{bytes:?}: {answer:?}");
    }
}
