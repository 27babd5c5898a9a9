use manifold_engine::recache::{DimensionId, HostId};

use super::*;
use crate::dialects::edgecomet::config::Config;

fn plan(more: &str, url: &str, dimension: u64) -> Result<Plan, Outcome> {
    let text = format!(
        r#"
        {more}
        [[hosts]]
        id = 1
        domain = ["example.com", "xn--bcher-kva.example", "München.example"]
        [hosts.dimensions]
        desktop = {{ id = 1, width = 800, height = 600, render_ua = "Desktop" }}
        plain = {{ id = 2 }}
        bots = {{ id = 3, action = "block", match_ua = ["*bad*"] }}
        [[hosts.url_rules]]
        match = "/blocked"
        action = "block"
        [[hosts.url_rules]]
        match = "/gone"
        action = "status_410"
        [[hosts.url_rules]]
        match = "/raw/*"
        action = "bypass"
        bypass = {{ cache = {{ ttl = "5m" }} }}
        [[hosts.url_rules]]
        match = "/never"
        action = "render"
        render = {{ cache = {{ ttl = "0" }} }}
        [[hosts.url_rules]]
        match = "/never-raw"
        action = "bypass"
        bypass = {{ cache = {{ enabled = true, ttl = "0" }} }}
        "#
    );
    let config: Config = toml::from_str(&text).unwrap_or_else(|error| panic!("{error}"));
    let hosts = Hosts::build(&config).unwrap_or_else(|error| panic!("{error}"));
    Plan::of(&hosts, &Job { host: HostId(1), url: url.into(), dimension: DimensionId(dimension) })
}

const CACHES_BYPASS: &str =
    r#"bypass = { user_agent = "Plain", cache = { enabled = true, status_codes = [200, 404] } }"#;

fn permanent(why: &str) -> Outcome {
    Outcome::Permanent(why.to_owned())
}

#[test]
fn what_cannot_be_fetched_is_said_in_the_contracts_words() {
    let elsewhere =
        |name: &str| permanent(&format!("URL hostname {name:?} does not match any configured domain for host 1"));
    for (url, dimension, why) in [
        ("https://example.com/", 9, permanent("dimension 9 not found for host 1")),
        ("ftp://other.com/", 1, permanent("scheme not allowed: ftp")),
        ("//example.com/", 1, permanent("scheme not allowed: ")),
        ("https://other.com/", 1, elsewhere("other.com")),
        ("https://example.com.evil.test/", 1, elsewhere("example.com.evil.test")),
        ("https://www.example.com/", 1, elsewhere("www.example.com")),
        ("https://example.com@evil.test/", 1, elsewhere("evil.test")),
        ("https://example.com/", 3, skipped("blocked")),
        ("https://example.com/blocked", 1, skipped("blocked")),
        ("https://example.com/gone", 1, skipped("answered with a status")),
        ("https://example.com/", 0, skipped("bypass cache disabled")),
        ("https://example.com/raw/a", 1, skipped("bypass cache disabled")),
        ("https://example.com/never", 1, skipped("render cache TTL is 0")),
        ("https://example.com/never-raw", 1, skipped("bypass cache TTL is 0")),
    ] {
        assert_eq!(plan("", url, dimension).map(drop), Err(why), "{url}");
    }
    let nobody = Job { host: HostId(7), url: "https://example.com/".into(), dimension: DimensionId(1) };
    assert_eq!(Plan::of(&Hosts::default(), &nobody).map(drop), Err(permanent("host not found: 7")));
}

#[test]
fn names_are_compared_in_any_case_with_any_port_and_in_any_spelling() {
    for url in [
        "http://EXAMPLE.com:8080/",
        "https://example.com/",
        "https://b%C3%BCcher.example/",
        "https://xn--bcher-kva.example/",
        "https://m%C3%BCnchen.example/",
        "https://xn--mnchen-3ya.example/",
    ] {
        assert!(plan("", url, 1).is_ok(), "{url}");
    }
}

#[test]
fn pages_are_rendered_or_passed_on_as_rule_and_dimension_say() {
    let rendered = plan("", "https://example.com/", 1).expect("a plan");
    assert_eq!(
        (rendered.making, rendered.user_agent.as_str(), rendered.viewport),
        (Making::Render, "Desktop", (800, 600))
    );
    assert_eq!((rendered.caching.ttl.as_secs(), rendered.dimension.as_str()), (3600, "desktop"));
    assert_eq!(rendered.caching.status_codes, [200, 301, 302, 307, 308, 404]);

    let by_rule = plan(CACHES_BYPASS, "https://example.com/raw/a", 1).expect("a plan");
    assert_eq!(
        (by_rule.making, by_rule.user_agent.as_str(), by_rule.caching.ttl.as_secs()),
        (Making::Bypass, "Plain", 300)
    );
    assert_eq!(by_rule.caching.status_codes, [200, 404]);

    let by_dimension = plan(CACHES_BYPASS, "https://example.com/", 0).expect("a plan");
    assert_eq!((by_dimension.making, by_dimension.caching.ttl.as_secs()), (Making::Bypass, 1800));
}

#[test]
fn without_a_user_agent_of_its_own_a_dimension_takes_the_next_one() {
    let agent = |more: &str| plan(more, "https://example.com/", 2).expect("a plan").user_agent;
    assert_eq!(agent(CACHES_BYPASS), "Plain");
    assert_eq!(agent(""), "Mozilla/5.0 (compatible; Manifold/1.0)");
}
