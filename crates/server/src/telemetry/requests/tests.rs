use std::{collections::BTreeMap, thread};

use super::*;

fn answered(requests: &Requests) -> BTreeMap<String, u64> {
    let series = requests.answered.iter().filter(|(_, counter)| counter.get() > 0);
    let all: Vec<_> = series.map(|((r, m, s), counter)| (format!("{r} {m} {s}"), counter.get())).collect();
    let unique: BTreeMap<_, _> = all.iter().cloned().collect();
    assert_eq!(unique.len(), all.len(), "one series has one place");
    unique
}

#[test]
fn requests_are_counted_by_route_method_and_status() {
    let requests = Requests::default();
    for (route, method, status) in [
        ("/a", Method::GET, StatusCode::OK),
        ("/a", Method::GET, StatusCode::OK),
        ("/b", Method::GET, StatusCode::OK),
        ("/a", Method::PUT, StatusCode::OK),
        ("/a", Method::GET, StatusCode::NOT_FOUND),
        ("/a", Method::from_bytes(b"BREW").unwrap(), StatusCode::NOT_FOUND),
    ] {
        requests.record(route, &method, status, Duration::from_millis(1));
    }
    let expected = [("/a GET 200", 2), ("/a GET 404", 1), ("/a PUT 200", 1), ("/a other 404", 1), ("/b GET 200", 1)];
    assert_eq!(answered(&requests), expected.map(|(line, count)| (line.to_owned(), count)).into());
    assert_eq!(requests.took.iter().filter(|(_, histogram)| histogram.read().1 > 0).count(), 4);
}

#[test]
fn threads_that_meet_at_one_place_share_it() {
    let requests = Requests::default();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for status in 200..260 {
                    let status = StatusCode::from_u16(status).unwrap();
                    requests.record("/a", &Method::GET, status, Duration::ZERO);
                }
            });
        }
    });
    let all = answered(&requests);
    assert_eq!(all.len(), 60);
    assert!(all.values().all(|count| *count == 8), "{all:?}");
}

#[test]
fn routes_of_one_length_do_not_crowd_each_other_out() {
    let requests = Requests::default();
    for n in 0..150u32 {
        let route: &'static str = Box::leak(format!("/{n:03}").into_boxed_str());
        for status in [StatusCode::OK, StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND, StatusCode::CONFLICT] {
            requests.record(route, &Method::GET, status, Duration::ZERO);
        }
    }
    let all = answered(&requests);
    assert_eq!(all.len(), 600, "none is counted as another: {:?}", all.get("other other 0"));
}

#[test]
fn what_finds_no_place_is_counted_as_other() {
    let requests = Requests::default();
    for n in 0..4_000u32 {
        let route: &'static str = Box::leak(format!("/{n:04}").into_boxed_str());
        requests.record(route, &Method::GET, StatusCode::OK, Duration::ZERO);
    }
    let all = answered(&requests);
    assert!(all["other other 0"] > 0);
    assert_eq!(all.values().sum::<u64>(), 4_000);
}
