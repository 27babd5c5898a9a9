//! The examples of `docs/export-format.md`: they make a file that can be imported, and what is served is what they say.

use std::{collections::BTreeMap, fmt::Write};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::*;
use crate::harness::now_ms;

/// What all times in the document begin with, of seconds as of milliseconds and nanoseconds.
const TIMES: &str = "17637";

/// The records of the document. Their times lie ahead, so that none has expired.
fn examples() -> Vec<String> {
    let document = include_str!("../../../../../docs/export-format.md");
    let records = document.lines().filter(|line| line.starts_with("{\"type\"") && kind(line) != "end");
    let ahead = (now_ms() / 100_000_000 + 1).to_string();
    records.map(|line| line.replace(TIMES, &ahead)).collect()
}

/// The type of a line.
fn kind(line: &str) -> &str {
    line.split('"').nth(3).expect("a type")
}

/// A file with these records, in a directory of its own.
fn file(records: &[String]) -> Exported {
    let mut text = String::from("{\"manifold\":\"export\",\"format\":1,\"id\":\"i\",\"sequence\":1,\"at\":1}\n");
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for record in records {
        *counts.entry(kind(record)).or_default() += 1;
        text += record;
        text += "\n";
    }
    let mut sum = String::new();
    for byte in Sha256::digest(text.as_bytes()) {
        write!(sum, "{byte:02x}").expect("a string takes everything");
    }
    let counts = serde_json::to_string(&counts).expect("JSON");
    writeln!(text, r#"{{"type":"end","counts":{counts},"sha256":"{sum}"}}"#).expect("a string takes everything");
    let home = tempfile::tempdir().expect("a temporary directory");
    let path = home.path().join("made.jsonl");
    fs::write(&path, text).expect("write the file");
    Exported { path, _home: home }
}

/// What a dialect answers to a GET.
#[track_caller]
fn read(server: &Server, dialect: &Dialect, target: &str) -> Value {
    let (status, text) = ask(server, dialect, ("GET", target, ""));
    assert_eq!(status, 200, "{target}: {text}");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{target}: {error}: {text}"))
}

#[test]
fn the_examples_of_the_document_are_imported_and_served() {
    let hosts = "hosts = [{ id = 1, domain = 'example.org', dimensions = { desktop = { id = 2, width = 800, height = 600, \
                 render_ua = 'Desk' } } }]";
    let hosts = toml::from_str::<toml::Table>(hosts).expect("a table")["hosts"].clone();
    let mut server = Server::with(Settings::default().set("edgecomet.hosts", hosts));
    let examples = examples();
    let imported = verb("import", &file(&examples).path, &server.data_dir(), &[]);
    expect(&imported, 0);
    let written = format!("{} written, 0 there already, 0 skipped, 0 expired", examples.len());
    assert!(imported.output.contains(&written), "{}", imported.output);

    let [unison, flo, dunena, edgecomet] = DIALECTS else { panic!("there are four") };
    for _ in 0..2 {
        let cart = read(&server, unison, "/api/v1/kv/shop/cart:7");
        assert_eq!((&cart["value"]["items"][1], &cart["version"]), (&2.into(), &3.into()));
        assert_eq!(read(&server, flo, "/api/v1/kv/shop/logo")["value"], "iVBORw0KGgo=");
        let mail = read(&server, flo, "/api/v1/queue/shop/mail/stats");
        for (count, is) in [("ready_count", 1), ("delayed_count", 1), ("leased_count", 1), ("dlq_count", 1)] {
            assert_eq!(mail[count], is, "{mail}");
        }
        let orders = read(&server, flo, "/api/v1/stream/shop/orders?offset=40");
        assert_eq!((&orders["count"], &orders["records"][0]["offset"]), (&1.into(), &40.into()), "{orders}");
        assert_eq!(read(&server, flo, "/api/v1/stream/shop/orders/groups")["groups"][0]["pending"], 1);
        assert_eq!(read(&server, flo, "/api/v1/ts/iot")["measurements"][0]["name"], "cpu");
        assert_eq!(read(&server, dunena, "/db/user:1?ns=app")["tags"][0], "users");
        let connectors = read(&server, dunena, "/db-proxy/connectors");
        let connector = &connectors["connectors"][0];
        assert_eq!((&connector["name"], &connector["type"]), (&"crm".into(), &"postgresql".into()), "{connectors}");
        let queue = read(&server, edgecomet, "/internal/cache/queue?host_id=1");
        assert_eq!(queue["data"]["items"][0]["url"], "https://example.org/a", "{queue}");
        let failed = read(&server, edgecomet, "/internal/cache/failed?host_id=1");
        assert_eq!(failed["data"]["items"][0]["reason"], "status 500", "{failed}");
        assert_eq!(read(&server, edgecomet, "/internal/cache/summary?host_id=1")["data"]["total_urls"], 1);

        let again = Exported::of(&server, &["--secrets"]).text();
        // The document has a list in two lines to show how long ones go on.
        for line in examples.iter().filter(|line| kind(line) != "list") {
            assert!(again.lines().any(|known| known == line), "{line} is not in\n{again}");
        }
        assert!(again.contains(r#""elements":["a","b","c"]"#), "{again}");
        server.restart();
    }
}

#[test]
fn a_connection_of_a_kind_that_is_not_served_is_refused_with_its_line() {
    let server = Server::start();
    let dunena = &DIALECTS[2];
    let description = read(&server, dunena, "/docs/openapi.json");
    let kinds = &description["components"]["schemas"]["RegisterRequest"]["properties"]["type"]["enum"];
    let kinds: Vec<&str> = kinds.as_array().expect("kinds").iter().filter_map(Value::as_str).collect();
    let connector = |name: &str, kind: &str| {
        let string = "http://127.0.0.1:1/";
        format!(
            r#"{{"type":"connector","name":"{name}","kind":"{kind}","connection_string":"{string}","read_only":true}}"#
        )
    };
    let bad = file(&[connector("first", kinds[0]), connector("second", "postgres")]);
    for more in [&["--dry-run"][..], &[]] {
        let refused = verb("import", &bad.path, &server.data_dir(), more);
        expect(&refused, 65);
        let wrong = format!("line 3: the kind of a connection is one of {}, and not \"postgres\"", kinds.join(", "));
        assert!(refused.output.contains(&wrong), "{}", refused.output);
    }
    let each: Vec<String> = kinds.iter().map(|kind| connector(kind, kind)).collect();
    expect(&verb("import", &file(&each).path, &server.data_dir(), &[]), 0);
    let served = read(&server, dunena, "/db-proxy/connectors");
    let served: Vec<&str> =
        served["connectors"].as_array().expect("a list").iter().filter_map(|one| one["type"].as_str()).collect();
    assert_eq!(served, kinds, "all of them, and nothing of the file that was refused");
}
