use crate::dialects::edgecomet::{
    config::Config,
    hosts::{Hosts, build::BadHosts},
};

fn hosts(rules: &str) -> Result<Hosts, BadHosts> {
    let text = format!("[[hosts]]\nid = 1\ndomain = \"a.b\"\nurl_rules = [{rules}]");
    let config: Config = toml::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    Hosts::build(&config)
}

/// The seconds that a page is kept: what tells the rules of these tests apart. 3600 = no rule is for it.
fn kept(rules: &str, path: &str, query: &str) -> u64 {
    let hosts = hosts(rules).unwrap_or_else(|error| panic!("{error}"));
    hosts.iter().next().unwrap().treatment(path, query).render.ttl.as_secs()
}

/// Rules with these conditions, told apart by their number from 1 on.
fn rules(conditions: &[&str]) -> String {
    let rule = |(at, condition): (usize, &&str)| {
        format!("{{ {condition}, action = \"render\", render.cache.ttl = \"{}s\" }}", at + 1)
    };
    conditions.iter().enumerate().map(rule).collect::<Vec<_>>().join(", ")
}

#[test]
fn exact_patterns_go_first_then_stars_then_expressions() {
    let rules = rules(&[r#"match = "~^/a/b""#, r#"match = "/a/*""#, r#"match = "/a/b""#]);
    for (path, expected) in [("/a/b", 3), ("/a/c", 2), ("/a/b/c", 2), ("/A/b", 3600), ("/", 3600)] {
        assert_eq!(kept(&rules, path, ""), expected, "{path}");
    }
}

#[test]
fn then_conditions_on_the_query_then_more_slashes_then_the_order_of_the_file() {
    let rules = rules(&[
        r#"match = "/a/b/*""#,
        r#"match = "/*", match_query = { q = "1" }"#,
        r#"match = "/a/*""#,
        r#"match = "/a/b*""#,
        r#"match = ["*.pdf", "/a/b/c/*"]"#,
    ]);
    for (path, query, expected) in [
        ("/a/b/x", "", 1),
        ("/a/b/x", "q=1", 2),
        ("/a/b/x", "q=2", 1),
        ("/a/x", "", 3),
        ("/a/bx", "", 3),
        ("/x.pdf", "", 5),
        ("/a/b/c/d", "", 5),
    ] {
        assert_eq!(kept(&rules, path, query), expected, "{path}?{query}");
    }
}

#[test]
fn all_parameters_must_fit_and_the_first_of_a_name_counts() {
    let rules = rules(&[r#"match = "/s", match_query = { q = "*", page = ["1", "~^[5-9]$"], "a b" = "x*" }"#]);
    for (query, expected) in [
        ("q=z&page=1&a+b=xy", 1),
        ("q=z&page=7&a%20b=x", 1),
        ("page=1&q=z&a+b=x&q=", 1),
        ("q=&page=1&a+b=x", 3600),
        ("q=&q=z&page=1&a+b=x", 3600),
        ("q=z&page=2&a+b=x", 3600),
        ("q=z&page=1", 3600),
        ("q=z&page=1&a+b=X", 3600),
        ("", 3600),
    ] {
        assert_eq!(kept(&rules, "/s", query), expected, "{query}");
    }
}

#[test]
fn a_rule_about_some_visitors_is_none_about_recaching() {
    let rules = rules(&[r#"match = "/s", match_ua = ["$AIBots"]"#, r#"match = "/*""#]);
    assert_eq!(kept(&rules, "/s", ""), 2);
}

#[test]
fn rules_that_cannot_be_are_refused_by_number() {
    for (rule, expected) in [
        (r#"{ match = "/a" }"#, "url_rules[1]: action is required"),
        (r#"{ action = "render" }"#, "url_rules[1]: match is required"),
        (
            r#"{ match = "/a", action = "block", match_ua = ["$Nobody"] }"#,
            "url_rules[1]: match_ua: \"$Nobody\" is an unknown bot alias",
        ),
        (r#"{ match = "", action = "render" }"#, "url_rules[1]: match: \"\" is no pattern"),
        (
            r#"{ match = "/a", action = "hide" }"#,
            "url_rules[1]: action \"hide\" is not one of render, bypass, block, status, status_403, status_404, status_410",
        ),
        (
            r#"{ match = "/a", action = "block", match_query = { q = "~[" } }"#,
            "url_rules[1]: match_query: \"~[\" is no regular expression: unclosed character class",
        ),
    ] {
        let refused = hosts(&format!("{}, {rule}", rules(&[r#"match = "/""#]))).unwrap_err().to_string();
        assert_eq!(refused, format!("edgecomet.hosts: host 1 (a.b): {expected}"));
    }
}
