//! The table of metrics in `docs/operations.md` is what the code has and what the listeners show.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
};

use crate::harness::{Connection, Request, Server, Settings};

const DOCUMENT: &str = include_str!("../../../../../docs/operations.md");
const NAMES: &str = include_str!("../../../src/telemetry/names.rs");
/// What names begin with; those of EdgeComet get it from its configuration.
const PREFIXES: [&str; 5] = ["unison_", "flo_", "synap_", "dunena_", "manifold_"];
const EDGECOMET: &str = "edgecomet_cd_";

/// Type and labels of a metric.
#[derive(Debug, PartialEq, Eq)]
struct Family<'t> {
    kind: &'t str,
    labels: BTreeSet<&'t str>,
}

/// The rows of the document by each of their names.
fn documented() -> BTreeMap<&'static str, Family<'static>> {
    let section = DOCUMENT.split("\n## ").find(|section| section.starts_with("Metrics\n")).expect("a section");
    let mut families = BTreeMap::new();
    for row in section.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').collect();
        let [names, kind, labels] = cells[..] else { panic!("not three cells: {row}") };
        let kind = kind.split(|c: char| !c.is_ascii_alphabetic()).find(|word| !word.is_empty()).expect("a type");
        for name in quoted(names) {
            let twice = families.insert(name, Family { kind, labels: quoted(labels).collect() });
            assert!(twice.is_none(), "{name} has two rows");
        }
    }
    families
}

/// What stands between backticks.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// The metrics of a page by their names; without labels those that have no sample.
fn shown(page: &str) -> BTreeMap<&str, (Family<'_>, bool)> {
    let mut families: BTreeMap<&str, (Family<'_>, bool)> = BTreeMap::new();
    let mut name = "";
    for line in page.lines() {
        if let Some(described) = line.strip_prefix("# TYPE ") {
            let (of, kind) = described.split_once(' ').expect("a name and a type");
            name = of;
            families.insert(name, (Family { kind, labels: BTreeSet::new() }, false));
        } else if !line.is_empty() && !line.starts_with('#') {
            assert!(line.starts_with(name), "{line} is among the samples of {name}");
            let (family, has_samples) = families.get_mut(name).expect("it was described");
            *has_samples = true;
            family.labels.extend(labels(line));
        }
    }
    families
}

/// The labels of a sample, but for the bound of a bucket.
fn labels(sample: &str) -> impl Iterator<Item = &str> {
    let pairs = sample.split_once('{').map_or("", |(_, pairs)| pairs);
    pairs.split("\",").filter_map(|pair| Some(pair.split_once("=\"")?.0)).filter(|label| *label != "le")
}

#[test]
fn the_document_has_the_names_of_the_code_and_no_other() {
    let whole = |name: &str| {
        let prefix = if PREFIXES.iter().any(|prefix| name.starts_with(prefix)) { "" } else { EDGECOMET };
        format!("{prefix}{name}")
    };
    let code = NAMES.lines().filter(|line| !line.trim_start().starts_with("//"));
    let in_code: BTreeSet<String> = code.filter_map(|line| line.split('"').nth(1)).map(whole).collect();
    assert!(in_code.len() > 130, "{} names were found", in_code.len());
    let in_document: BTreeSet<String> = documented().into_keys().map(str::to_owned).collect();
    let missing: Vec<_> = in_code.difference(&in_document).collect();
    let unknown: Vec<_> = in_document.difference(&in_code).collect();
    assert!(missing.is_empty() && unknown.is_empty(), "not in the document: {missing:?}; not in the code: {unknown:?}");
}

#[test]
fn the_listeners_show_what_the_document_says() {
    let hosts = toml::from_str::<toml::Table>("hosts = [{ id = 1, domain = 'example.org' }]").expect("a table");
    let server = Server::with(Settings::fast().set("edgecomet.hosts", hosts["hosts"].clone()));
    let synap = |command: &str, payload: &str| {
        Request::post("/api/v1/command", format!(r#"{{"request_id":"r","command":"{command}","payload":{payload}}}"#))
    };
    let asked: [(SocketAddr, Request); 11] = [
        (server.unison(), Request::put("/api/v1/kv/n/k", r#"{"value":1}"#)),
        (server.flo(), Request::put("/api/v1/kv/default/k", r#"{"value":"MQ=="}"#)),
        (server.flo(), Request::post("/api/v1/queue/a/q/enqueue", r#"{"payload":"MQ=="}"#)),
        (server.flo(), Request::post("/api/v1/queue/a/q/dequeue", r#"{"count":1}"#)),
        (server.flo(), Request::post("/api/v1/stream/a/s/append", r#"{"payload":"MQ=="}"#)),
        (server.flo(), Request::post("/api/v1/ts/default/write", "cpu,host=a usage=1 1700000000000000000")),
        (server.synap(), synap("kv.set", r#"{"key":"s","value":[1]}"#)),
        (server.synap(), synap("queue.publish", r#"{"queue":"mail","message":1}"#)),
        (server.synap(), synap("stream.publish", r#"{"room":"chat","event_type":"m","data":{}}"#)),
        (server.dunena(), Request::post("/cache/c", r#"{"value":"v"}"#)),
        (server.dunena(), Request::post("/db/d", r#"{"value":"v"}"#)),
    ];
    for (address, request) in &asked {
        let answer = Connection::open(*address).send(request).expect("an answer");
        assert!((200..300).contains(&answer.status), "{request}: {} {}", answer.status, answer.text());
    }
    let own = |address: SocketAddr| {
        let page = Connection::open(address).send(&Request::get("/metrics").key(None)).expect("an answer");
        page.expect(200).text()
    };
    let documented = documented();
    let mut with_samples = 0;
    for page in [server.metrics_text(), own(server.synap()), own(server.dunena())] {
        for (name, (family, has_samples)) in shown(&page) {
            let said = documented.get(name).unwrap_or_else(|| panic!("{name} is not in docs/operations.md"));
            assert_eq!(family.kind, said.kind, "{name}");
            if has_samples {
                assert_eq!(family.labels, said.labels, "{name}");
                with_samples += 1;
            }
        }
    }
    assert!(with_samples > 130, "only {with_samples} have samples");
}
