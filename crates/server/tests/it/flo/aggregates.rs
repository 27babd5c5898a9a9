//! Aggregates of random points equal a plain model, before and after a restart (acceptance 31).

use std::collections::BTreeMap;

use serde_json::Value;

use crate::harness::{Connection, Request, Server};

/// 2023-11-14T22:13:20Z
const START: i64 = 1_700_000_000;
const SECONDS: i64 = 4_000;
const HOSTS: [&str; 3] = ["a", "b", "c"];

/// Points by host, then by second; the last one written wins.
type Model = BTreeMap<(&'static str, i64), f64>;

/// Windows and groups: the points of each, by time and host.
type Pools = BTreeMap<(String, i64), Vec<(i64, &'static str, f64)>>;

/// Random numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % bound.unsigned_abs()) as i64
    }
}

/// Writes in any order, many instants more than once, enough for several blocks.
fn fill(connection: &mut Connection) -> Model {
    let (mut dice, mut model) = (Dice(7), Model::new());
    for _ in 0..40 {
        let mut lines = String::new();
        for _ in 0..300 {
            let host = HOSTS[dice.below(3) as usize];
            // Whole numbers: their sums are exact in any order, so that the model needs no tolerance for them.
            let (second, value) = (START + dice.below(SECONDS), dice.below(2_000) - 1_000);
            lines += &format!("m,host={host} v={value} {second}\n");
            model.insert((host, second), value as f64);
        }
        connection.send(&Request::post("/api/v1/ts/n/write?precision=s", lines)).expect("an answer").expect(200);
    }
    model
}

fn pools(points: &Model, (first, last): (i64, i64), window: i64, grouped: bool) -> Pools {
    let mut pools = Pools::new();
    for ((host, second), value) in points {
        if (first..=last).contains(second) {
            let key = if grouped { format!("m,host={host}") } else { "m".to_owned() };
            pools.entry((key, second - second.rem_euclid(window))).or_default().push((*second, host, *value));
        }
    }
    pools
}

/// The increase per second between neighbours of each host.
fn rates(points: &Model, (first, last): (i64, i64)) -> Model {
    let within: Vec<_> = points.iter().filter(|((_, second), _)| (first..=last).contains(second)).collect();
    let pairs = within.windows(2).filter(|pair| pair[0].0.0 == pair[1].0.0);
    let rate = |pair: &[(&(&'static str, i64), &f64)]| {
        let ((_, before), (key, after)) = (pair[0], pair[1]);
        let increase = if after < before { *after } else { after - before };
        (*key, increase / (key.1 - pair[0].0.1) as f64)
    };
    pairs.map(rate).collect()
}

fn aggregate(name: &str, points: &[(i64, &str, f64)]) -> f64 {
    let mut values: Vec<f64> = points.iter().map(|(_, _, value)| *value).collect();
    let mut by_time = points.to_vec();
    by_time.sort_by_key(|(second, host, _)| (*second, *host));
    values.sort_by(f64::total_cmp);
    let (sum, count) = (values.iter().sum::<f64>(), values.len() as f64);
    match name {
        "avg" => sum / count,
        "sum" => sum,
        "min" => values[0],
        "max" => values[values.len() - 1],
        "count" => count,
        "first" => by_time[0].2,
        "last" => by_time[by_time.len() - 1].2,
        rank => {
            let percent: f64 = rank.strip_prefix("percentile(").expect("a percentile").parse().expect("a rank");
            let at = percent / 100.0 * (count - 1.0);
            let (below, above) = (values[at.floor() as usize], values[at.ceil() as usize]);
            below + (above - below) * at.fract()
        }
    }
}

/// What a query answers, by key and second.
fn answered(connection: &mut Connection, query: &str) -> BTreeMap<(String, i64), f64> {
    let body = serde_json::json!({ "query": query, "precision": "s" }).to_string();
    let answer = connection.send(&Request::post("/api/v1/ts/n/query", body)).expect("an answer").expect(200).json();
    let mut found = BTreeMap::new();
    for series in answer["series"].as_array().expect("series") {
        let key = series["key"].as_str().expect("a key");
        let points = series["points"].as_array().expect("points");
        let seconds = |point: &Value| point["timestamp"].as_i64().expect("a time");
        assert!(points.windows(2).all(|pair| seconds(&pair[0]) < seconds(&pair[1])), "{query}: {key} is out of order");
        for point in points {
            found.insert((key.to_owned(), seconds(point)), point["value"].as_f64().expect("a number"));
        }
    }
    found
}

#[track_caller]
fn assert_alike(query: &str, found: &BTreeMap<(String, i64), f64>, wanted: &BTreeMap<(String, i64), f64>) {
    assert!(found.keys().eq(wanted.keys()), "{query}: {:?} instead of {:?}", found.keys(), wanted.keys());
    for (at, wanted) in wanted {
        let found = found[at];
        assert!((found - wanted).abs() <= 1e-9 * wanted.abs().max(1.0), "{query} at {at:?}: {found}, not {wanted}");
    }
}

/// Every aggregate over every window, group and range.
fn compare(connection: &mut Connection, model: &Model) {
    let names =
        ["avg", "sum", "min", "max", "count", "first", "last", "percentile(0", "percentile(37.5", "percentile(90"];
    let ranges = [(START - 10_000, START + 10_000), (START + 333, START + 2_750), (START + 5, START + 5)];
    for range in ranges {
        let rated = rates(model, range);
        for (before, points) in [("", model), (" | rate()", &rated)] {
            for (window, grouped) in [(7, true), (60, false), (864_000, true)] {
                for name in names {
                    let group = if grouped { " | group_by(host)" } else { "" };
                    let call =
                        if name.contains('(') { format!("{name}, {window}s)") } else { format!("{name}({window}s)") };
                    let query = format!("m[{}..{}]{before} | {call}{group}", range.0, range.1);
                    let wanted = pools(points, range, window, grouped);
                    let wanted = wanted.into_iter().map(|(at, pool)| (at, aggregate(name, &pool))).collect();
                    assert_alike(&query, &answered(connection, &query), &wanted);
                }
            }
        }
    }
}

#[test]
fn aggregates_equal_a_plain_model_before_and_after_a_restart() {
    let mut server = Server::start();
    let mut connection = Connection::open(server.flo());
    let model = fill(&mut connection);
    compare(&mut connection, &model);
    server.kill();
    server.start_again();
    compare(&mut Connection::open(server.flo()), &model);
}
