use super::*;
use crate::dialects::edgecomet::hosts::{RuleAction, Treatment};

/// A section `[edgecomet]`.
fn config(text: &str) -> Config {
    toml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn hosts(text: &str) -> Hosts {
    Hosts::build(&config(text)).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn refusal(text: &str) -> String {
    Hosts::build(&config(text)).map(|_| text.to_owned()).unwrap_err().to_string()
}

fn only(text: &str) -> Arc<Host> {
    hosts(text).iter().next().unwrap().clone()
}

/// What holds for a page of a host with this and these global levels.
fn treatment(global: &str, host: &str, path: &str) -> Arc<Treatment> {
    only(&format!("{global}\n[[hosts]]\nid = 1\ndomain = \"a.b\"\n{host}")).treatment(path, "").clone()
}

#[test]
fn a_host_has_the_dimensions_it_declares_and_bypass() {
    let host = only(
        r#"
        [[hosts]]
        id = 7
        domain = ["Example.COM.", "www.example.com"]
        enabled = false
        [hosts.dimensions]
        mobile = { id = 2, width = 412, height = 915, render_ua = "Phone" }
        desktop = { id = 1 }
        bots = { id = 3, action = "block", match_ua = ["$AIBots"] }
        "#,
    );
    assert_eq!(
        (host.id, host.domains.as_slice()),
        (HostId(7), &["example.com".to_owned(), "www.example.com".into()][..])
    );
    let set: Vec<_> = host.dimension_set().map(|one| (one.id.0, one.name.as_str(), one.width, one.action)).collect();
    let expected =
        [(0, "bypass", 1920, Action::Bypass), (1, "desktop", 1920, Action::Render), (2, "mobile", 412, Action::Render)];
    assert_eq!(set, expected);
    assert_eq!(host.named("bots").unwrap().action, Action::Block);
    assert!(host.servable(DimensionId(3)).is_none() && host.servable(DimensionId(0)).is_some());
    assert_eq!(host.named("mobile").unwrap().render_ua, "Phone");
}

#[test]
fn a_host_without_dimensions_inherits_those_of_all_hosts_as_a_whole_or_has_a_desktop() {
    let names = |text: &str| only(text).dimensions.values().map(|one| one.name.clone()).collect::<Vec<_>>();
    let host = "[[hosts]]\nid = 1\ndomain = \"a.b\"\n";
    assert_eq!(names(host), ["bypass", "desktop"]);
    let global = "[dimensions]\nphone = { id = 5 }\ntv = { id = 6 }\n";
    assert_eq!(names(&format!("{global}{host}")), ["bypass", "phone", "tv"]);
    assert_eq!(names(&format!("{global}{host}[hosts.dimensions]\nown = {{ id = 9 }}")), ["bypass", "own"]);
    assert_eq!(names(&format!("{global}{host}[hosts.dimensions]\nbypass = {{ id = 0, width = 9 }}")), ["bypass"]);
    let older = "[render.dimensions]\nphone = { id = 5 }\n";
    assert_eq!(names(&format!("{older}{host}")), ["bypass", "phone"]);
}

#[test]
fn hosts_that_cannot_be_are_refused_by_name() {
    let host = |lines: &str| format!("[[hosts]]\nid = 1\ndomain = \"a.b\"\n{lines}");
    let dimension = |line: &str| host(&format!("[hosts.dimensions]\n{line}"));
    let at = "edgecomet.hosts: host 1 (a.b): ";
    for (text, expected) in [
        ("[[hosts]]\ndomain = \"a.b\"".to_owned(), "edgecomet.hosts: host 0 (a.b): id must be > 0"),
        ("[[hosts]]\nid = -1\ndomain = \"a.b\"".into(), "edgecomet.hosts: host -1 (a.b): id must be > 0"),
        ("[[hosts]]\nid = 1".into(), "edgecomet.hosts: host number 1: domain is required"),
        ("[[hosts]]\nid = 1\ndomain = \"\"".into(), "edgecomet.hosts: host 1 (): domain \"\" is no host name"),
        (
            "[[hosts]]\nid = 1\ndomain = \"https://a.b\"".into(),
            "edgecomet.hosts: host 1 (https://a.b): domain \"https://a.b\" must not have a scheme",
        ),
        (
            "[[hosts]]\nid = 1\ndomain = \"a.b/c\"".into(),
            "edgecomet.hosts: host 1 (a.b/c): domain \"a.b/c\" must not have a path",
        ),
        (
            "[[hosts]]\nid = 1\ndomain = \"a.b:80\"".into(),
            "edgecomet.hosts: host 1 (a.b:80): domain \"a.b:80\" must not have a port",
        ),
        (
            "[[hosts]]\nid = 1\ndomain = \"*.b\"".into(),
            "edgecomet.hosts: host 1 (*.b): domain \"*.b\" must not have a wildcard",
        ),
        (
            "[[hosts]]\nid = 1\ndomain = \"a..b\"".into(),
            "edgecomet.hosts: host 1 (a..b): domain \"a..b\" is no host name",
        ),
        (
            host("[[hosts]]\nid = 1\ndomain = \"c.d\""),
            "edgecomet.hosts: host 1 (c.d): id 1 belongs to host 'a.b' already",
        ),
        (
            host("[[hosts]]\nid = 2\ndomain = [\"c.d\", \"A.B.\"]"),
            "edgecomet.hosts: host 2 (c.d): domain 'a.b' belongs to host 1 already",
        ),
        (dimension("x = { id = 0 }"), &format!("{at}dimension 'x': id must be > 0")),
        (dimension("x = { id = -3 }"), &format!("{at}dimension 'x': id must be > 0")),
        (dimension("bypass = { id = 4 }"), &format!("{at}dimension 'bypass': it must have id 0")),
        (
            dimension("x = { id = 1, action = \"bypass\" }"),
            &format!("{at}dimension 'x': the action bypass belongs to the dimension 'bypass'"),
        ),
        (
            dimension("bypass = { id = 0, action = \"render\" }"),
            &format!("{at}dimension 'bypass': the action bypass belongs to the dimension 'bypass'"),
        ),
        (
            dimension("x = { id = 1, action = \"show\" }"),
            &format!("{at}dimension 'x': action \"show\" is not one of render, bypass, block"),
        ),
        (
            dimension("x = { id = 1, action = \"block\" }"),
            &format!("{at}dimension 'x': a dimension that blocks needs match_ua"),
        ),
        (
            dimension("x = { id = 1, match_ua = [\"$Nobody\"] }"),
            &format!("{at}dimension 'x': match_ua: \"$Nobody\" is an unknown bot alias"),
        ),
        (
            dimension(r#"x = { id = 1, render_ua = "a\nb" }"#),
            &format!("{at}dimension 'x': render_ua must be one line of text"),
        ),
        (dimension("x = { id = 1 }\ny = { id = 1 }"), &format!("{at}dimensions 'x' and 'y' have the same id 1")),
        ("[dimensions]\nx = { id = 0 }".into(), "edgecomet: dimension 'x': id must be > 0"),
        (
            "[bothit_recache]\ninterval = \"29m\"".into(),
            "edgecomet: bothit_recache.interval must be between 30m and 24h",
        ),
        (
            "[tracking_params]\nparams_add = [\"~(\"]".into(),
            "edgecomet: tracking_params: \"~(\" is no regular expression: unclosed group",
        ),
        (
            "[render.cache]\nexpired = { strategy = \"keep\" }".into(),
            "edgecomet: render.cache.expired.strategy \"keep\" is not one of delete, serve_stale",
        ),
        ("[bypass.cache]\nstatus_codes = [20]".into(), "edgecomet: bypass.cache.status_codes: 20 is no status"),
    ] {
        assert_eq!(refusal(&text), expected, "{text}");
    }
}

#[test]
fn nothing_said_means_the_documented_defaults() {
    let found = treatment("", "", "/");
    assert_eq!(found.action, None);
    assert_eq!((found.render.ttl, found.bypass.caching.ttl), (Duration::from_secs(3600), Duration::from_secs(1800)));
    assert_eq!(found.render.status_codes, [200, 301, 302, 307, 308, 404]);
    assert_eq!((found.bypass.enabled, found.bypass.caching.status_codes.as_slice()), (false, &[200][..]));
    assert_eq!((found.stale_ttl, found.bot_hits.enabled), (Duration::ZERO, false));
    assert_eq!(found.bot_hits.interval, Duration::from_secs(86_400));
    for name in ["utm_source", "UTM_TERM", "gclid", "_ga", "_gl", "mc_eid", "_ke", "ref", "Referrer"] {
        assert!(found.strip.matches(name), "{name}");
    }
    assert!(!found.strip.matches("id") && !found.strip.matches("utm_x"));
    let headers = ["cache-control", "content-type", "etag", "expires", "last-modified", "location"];
    assert_eq!(found.safe_headers, headers);
}

#[test]
fn the_deeper_level_wins_key_by_key() {
    let global = r#"
        [render.cache]
        ttl = "2h"
        status_codes = [200, 404]
        expired = { strategy = "serve_stale", stale_ttl = "1d" }
        [bypass]
        user_agent = "Global"
        cache = { enabled = true, ttl = "5m" }
        [bothit_recache]
        enabled = true
        interval = "1h"
        match_ua = ["*one*"]
    "#;
    let host = r#"
        render.cache.ttl = "3h"
        bypass.cache.ttl = "6m"
        bothit_recache.match_ua = ["*two*"]
        [[hosts.url_rules]]
        match = "/blog/*"
        action = "bypass"
        render.cache.expired = { strategy = "serve_stale" }
        bypass.user_agent = "Rule"
        bypass.cache.enabled = false
    "#;
    let page = treatment(global, host, "/");
    assert_eq!((page.render.ttl.as_secs(), page.render.status_codes.as_slice()), (3 * 3600, &[200, 404][..]));
    assert_eq!((page.bypass.enabled, page.bypass.caching.ttl.as_secs()), (true, 360));
    assert_eq!((page.bypass.user_agent.as_str(), page.stale_ttl.as_secs()), ("Global", 86_400));
    assert!(page.bot_hits.enabled && page.bot_hits.interval.as_secs() == 3600);
    assert!(page.bot_hits.match_ua.matches("has Two in it") && !page.bot_hits.match_ua.matches("one"));

    let blog = treatment(global, host, "/blog/x");
    assert_eq!(blog.action, Some(RuleAction::Page(Action::Bypass)));
    assert_eq!((blog.bypass.enabled, blog.bypass.user_agent.as_str()), (false, "Rule"));
    assert_eq!(
        (blog.render.ttl.as_secs(), blog.stale_ttl),
        (3 * 3600, Duration::ZERO),
        "expired is replaced as a whole"
    );
}

#[test]
fn tracking_parameters_are_replaced_or_extended_and_switched_off() {
    for (global, host, rule, stripped, kept) in [
        ("params = [\"a\"]", "", "", "a", "gclid"),
        ("params_add = [\"a\"]", "params_add = [\"b*\"]", "", "a gclid bb", "c"),
        ("params_add = [\"a\"]", "params = [\"b\"]", "params_add = [\"c\"]", "b c", "a gclid"),
        ("strip = false", "", "", "", "gclid"),
        ("strip = false", "strip = true", "", "gclid", "a"),
        ("", "strip = false\nparams_add = [\"a\"]", "strip = true", "a gclid", "b"),
        ("", "params = []", "", "", "gclid"),
        ("", "params = []", "params_add = [\"a\"]", "a", "gclid"),
    ] {
        let global = format!("[tracking_params]\n{global}");
        let host = format!(
            "[hosts.tracking_params]\n{host}\n[[hosts.url_rules]]\nmatch = \"/x\"\naction = \"render\"\n\
             [hosts.url_rules.tracking_params]\n{rule}"
        );
        let found = treatment(&global, &host, "/x");
        for name in stripped.split(' ').filter(|name| !name.is_empty()) {
            assert!(found.strip.matches(name), "{name}: {global} {host}");
        }
        assert!(kept.split(' ').all(|name| !found.strip.matches(name)), "{kept}: {global} {host}");
        assert_eq!(found.strip.is_empty(), stripped.is_empty(), "{global} {host}");
    }
}

#[test]
fn headers_are_replaced_or_extended_but_personal_ones_never_kept() {
    let global = "[headers]\nsafe_response = [\"X-A\", \"Set-Cookie\"]\n";
    let found = treatment(global, "[hosts.headers]\nsafe_response_add = [\"x-b\", \"Authorization\", \"X-a\"]", "/");
    assert_eq!(found.safe_headers, ["x-a", "x-b"]);
}

#[test]
fn the_longest_time_that_stale_pages_are_served_is_known() {
    let text = r#"
        [render.cache]
        expired = { strategy = "delete", stale_ttl = "30d" }
        [[hosts]]
        id = 1
        domain = "a.b"
        render.cache.expired = { strategy = "serve_stale", stale_ttl = "1h" }
        [[hosts.url_rules]]
        match = "/x"
        action = "render"
        render.cache.expired = { strategy = "serve_stale", stale_ttl = "2h" }
    "#;
    assert_eq!(hosts(text).longest_stale_ttl, Duration::from_secs(7200));
    assert_eq!(hosts("").longest_stale_ttl, Duration::ZERO);
}

#[test]
fn keys_of_gateways_are_accepted() {
    let host = r#"
        render_key = "k"
        unmatched_dimension = "bypass"
        cache_sharding = { enabled = true }
        client_ip = { headers = ["X-Real-IP"] }
        render = { timeout = "30s", events = { wait_for = "load" }, cache = { ttl = "1m" } }
        bypass = { timeout = "30s" }
        headers = { safe_request = ["X-A"] }
        [[hosts.url_rules]]
        match = "/old"
        action = "status"
        status = { code = 410, reason = "gone" }
    "#;
    assert_eq!(treatment("", host, "/").render.ttl, Duration::from_secs(60));
    assert_eq!(treatment("", host, "/old").action, Some(RuleAction::Status));
}
