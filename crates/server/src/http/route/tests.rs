use super::*;

static ROUTES: &[Route<u8>] = &[
    Route { template: "/kv/{ns}/{key}", rest: true, operations: &[(Verb::Get, 1), (Verb::Put, 2), (Verb::Delete, 3)] },
    Route { template: "/kv/{ns}", rest: false, operations: &[(Verb::Get, 4)] },
    Route { template: "/batch", rest: false, operations: &[(Verb::Post, 5)] },
];

fn captured(path: &str) -> Option<(&'static str, [&str; 2])> {
    find(ROUTES, path).map(|found| {
        let [first, second, _] = found.parameters;
        (found.route.template, [first, second])
    })
}

#[test]
fn parts_are_captured_raw_and_the_last_takes_the_rest() {
    for (path, template, parameters) in [
        ("/kv/a", "/kv/{ns}", ["a", ""]),
        ("/kv/", "/kv/{ns}", ["", ""]),
        ("/kv/a%2Fb", "/kv/{ns}", ["a%2Fb", ""]),
        ("/kv/a/", "/kv/{ns}/{key}", ["a", ""]),
        ("/kv/a/b/c", "/kv/{ns}/{key}", ["a", "b/c"]),
        ("/kv/a//b/", "/kv/{ns}/{key}", ["a", "/b/"]),
        ("/kv//x", "/kv/{ns}/{key}", ["", "x"]),
        ("/kv/ns/..", "/kv/{ns}/{key}", ["ns", ".."]),
        ("/batch", "/batch", ["", ""]),
    ] {
        assert_eq!(captured(path), Some((template, parameters)), "{path}");
    }
}

#[test]
fn nothing_else_matches() {
    for path in ["", "/", "/kv", "/KV/a", "/batch/", "//batch", "/batch/../batch", "*", "/kv%2Fa"] {
        assert_eq!(captured(path), None, "{path}");
    }
}

#[test]
fn head_is_get_and_allow_lists_both() {
    let route = find(ROUTES, "/kv/a/b").unwrap().route;
    assert_eq!(route.operation(&Method::HEAD), Some(&1));
    assert_eq!(route.operation(&Method::PUT), Some(&2));
    assert_eq!(route.operation(&Method::POST), None);
    assert_eq!(route.operation(&Method::OPTIONS), None);
    assert_eq!(route.allow(), "GET, HEAD, PUT, DELETE");
}
