use manifold_engine::recache::{DimensionId, Entry};
use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// The golden cases, one JSON object a line.
const VECTORS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/edgecomet_url_vectors.jsonl"));

fn normal(text: &str) -> Result<String, BadUrl> {
    Address::parse(text).map(|address| address.normal(&Patterns::default()))
}

/// Bytes that the normal form of a text may have: two bytes may become three in lower case, and each of these three
/// characters. A scheme and a slash may be added.
fn most_bytes(text: &str) -> usize {
    9 * text.len() / 2 + 9
}

#[track_caller]
fn all(cases: &[(&str, &str)]) {
    for (given, expected) in cases {
        assert_eq!(normal(given).as_deref(), Ok(*expected), "{given}");
    }
}

#[test]
fn every_golden_case_comes_out_byte_by_byte() {
    let mut checked = 0;
    for line in VECTORS.lines() {
        let case: Value = serde_json::from_str(line).expect("a case is JSON");
        let text = |name: &str| case.get(name).map(|value| value.as_str().expect("a case has texts"));
        let given = text("in").expect("a case has an address");
        match (text("out"), text("error")) {
            (Some(out), None) => {
                let url = normal(given).unwrap_or_else(|error| panic!("{given:?}: {error}"));
                assert_eq!(url, out, "{given:?}");
                assert_eq!(Some(format!("{:016x}", hash(&url)).as_str()), text("hash"), "{given:?}");
                let member = Entry { url: url.into(), dimension: DimensionId(1) }.member();
                assert_eq!(std::str::from_utf8(&member).ok(), text("member_dim1"), "{given:?}");
            }
            (None, Some(why)) => assert_eq!(normal(given).map_err(|BadUrl(why)| why), Err(why), "{given:?}"),
            other => panic!("{given:?}: a case has one result, not {other:?}"),
        }
        checked += 1;
    }
    assert_eq!(checked, 214);
}

#[test]
fn the_scheme_decides_which_port_goes() {
    all(&[
        ("HTTP://a.b:80/x", "http://a.b/x"),
        ("hTTps://a.b:443", "https://a.b/"),
        ("https://a.b:0443/", "https://a.b:0443/"),
        ("//a.b:443/", "//a.b:443/"),
        ("a+b-c.1://x.y/", "a+b-c.1://x.y/"),
        ("http://a.b.:80/", "http://a.b./"),
        ("http://a.b:/", "http://a.b:/"),
    ]);
    for bad in ["://a.b/", "+a://b.c/", "a b://c.d/", "é://a.b/", "http:a.b/x://", "a.b:1://c"] {
        assert_eq!(normal(bad), Err(MALFORMED), "{bad}");
    }
    // With `://` anywhere nothing is put in front, also when it stands in the query or the fragment.
    for bad in ["a.b/?u=http://c.d/", "a.b/#://", "///a.b/", "http:///a.b/", "http:///", "/x#://"] {
        assert_eq!(normal(bad), Err(MISSING_HOST), "{bad}");
    }
    assert_eq!(normal("http:/a.b://"), Err(MISSING_HOST), "one slash is no authority");
    assert_eq!(normal("http:/a.b/"), Err(INVALID_HOST), "without `://` it is read as a host called http");
}

#[test]
fn a_host_must_have_a_dot_or_be_localhost() {
    all(&[
        ("http://localhost", "http://localhost/"),
        ("http://localhost:80", "http://localhost/"),
        ("http://localhost./", "http://localhost/"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/"),
        ("http://[::ffff:1.2.3.4]:80/", "http://[::ffff:1.2.3.4]/"),
        ("http://[FE80::1.2]:443/", "http://[fe80::1.2]:443/"),
        ("http://a.b[c]<\">/", "http://a.b[c]<\">/"),
        ("http://u@v:w@a.b/", "http://u%40v:w@a.b/"),
        ("http://a:b:c@x.y/", "http://a:b%3Ac@x.y/"),
        ("http://%41:%2f@x.y/", "http://A:%2F@x.y/"),
        ("http://ẞ.b/K", "http://%C3%9F.b/K"),
        ("http://%E2%84%AA.b/", "http://k.b/"),
    ]);
    for bad in ["http://a", "http://Localhost", "http://[localhost].x:y/", "http://[::1]:80/"] {
        assert!(normal(bad).is_err(), "{bad}");
    }
    for bad in ["http://", "http://u@/", "http://?a.b", "http://#a.b", "", "/", "?"] {
        assert_eq!(normal(bad), Err(MISSING_HOST), "{bad}");
    }
    for bad in [
        "http://a.b:8x/",
        "http://[a.b/",
        "http://[a.b]c/",
        "http://[a.b]80/",
        "http://a.b|c/",
        "http://a.b%2/",
        "http://a%2eb/",
        "http://a.b%20/",
        "http://a%zz.b/",
        "http://%zz@a.b/",
        "http://é@a.b/",
        "http://a.b\u{7f}/",
        "http://a.b/\t",
    ] {
        assert_eq!(normal(bad), Err(MALFORMED), "{bad}");
    }
}

#[test]
fn a_zone_may_escape_what_other_hosts_may_not() {
    all(&[
        ("http://[fe80::1%25%41.b]/", "http://[fe80::1%25a.b]/"),
        ("http://[fe80::1%25a.b]:8080/", "http://[fe80::1%25a.b]:8080/"),
        ("http://a%25.b/", "http://a%25.b/"),
    ]);
    for bad in ["http://[fe80%41::1%25a.b]/", "http://[fe80::1%25a.b%5C]/", "http://[fe80::1%a.b]/"] {
        assert_eq!(normal(bad), Err(MALFORMED), "{bad}");
    }
}

#[test]
fn bytes_of_a_host_that_are_no_text_become_replacement_characters() {
    all(&[
        ("http://a%FF.b/", "http://a%EF%BF%BD.b/"),
        ("http://%E2%82.b/", "http://%EF%BF%BD%EF%BF%BD.b/"),
        ("http://%C3%84.b/", "http://%C3%A4.b/"),
    ]);
}

#[test]
fn a_path_is_changed_only_where_it_must_be() {
    all(&[
        ("http://a.b/%7Efoo/(x)", "http://a.b/%7Efoo/(x)"),
        ("http://a.b/./%7Efoo/(x)", "http://a.b/~foo/%28x%29"),
        ("http://a.b/[x]|", "http://a.b/%5Bx%5D%7C"),
        ("http://a.b/a%2F..%2Fb", "http://a.b/b"),
        ("http://a.b/..%2f", "http://a.b/"),
        ("http://a.b/a/...", "http://a.b/a/..."),
        ("http://a.b/a;x=1,y/..", "http://a.b/"),
        ("http://a.b/a%00/", "http://a.b/a%00/"),
        ("http://a.b/é/%C3%A9", "http://a.b/%C3%A9/%C3%A9"),
    ]);
    assert_eq!(normal("http://a.b/%f"), Err(MALFORMED));
    assert_eq!(normal("http://a.b/#%f"), Err(MALFORMED));
}

#[test]
fn a_query_is_sorted_by_its_decoded_names() {
    all(&[
        ("http://a.b/?%62=1&a=2&%61=1", "http://a.b/?a=2&a=1&b=1"),
        ("http://a.b/?a+b=c+d&a%20a", "http://a.b/?a+a&a+b=c+d"),
        ("http://a.b/?a=%2b&b=%20+", "http://a.b/?a=%2B&b=++"),
        ("http://a.b/?a==&a=&=a", "http://a.b/?=a&a=%3D&a"),
        ("http://a.b/??", "http://a.b/?%3F"),
        ("http://a.b?", "http://a.b/?"),
        ("http://a.b/?#", "http://a.b/?"),
        ("http://a.b/?&&", "http://a.b/"),
        ("http://a.b/?z&a;&é", "http://a.b/?z&a;&é"),
        ("http://a.b/?z&a%3b", "http://a.b/?a%3B&z"),
        ("http://a.b/?z&a=%e", "http://a.b/?z&a=%e"),
    ]);
}

#[test]
fn what_is_stripped_is_told_by_its_decoded_name() {
    let strip = |patterns: &[&str], query: &str| {
        let patterns: Vec<String> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        let patterns = Patterns::parse(&patterns).expect("patterns");
        let url = format!("https://a.b/c{query}");
        Address::parse(&url).expect("an address").normal(&patterns).replace("https://a.b/c", "")
    };
    for (query, expected) in [
        ("?UTM_Source=x&b=2&a=1", "?a=1&b=2"),
        ("?%75tm_source=x&a", "?a"),
        ("?b=%zz&a=1", "?a=1"),
        ("?x=1;y=2&b", "?b"),
        ("?%zz", ""),
        ("?utm_source", ""),
        ("?", "?"),
        ("?%ff=1", "?%FF=1"),
    ] {
        assert_eq!(strip(&["utm_source"], query), expected, "{query}");
        // Without anything to strip, what cannot be decoded stays.
        if query.contains([';', 'z']) {
            assert_eq!(strip(&[], query), query);
        }
    }
    assert_eq!(strip(&["utm_*", "~^N[0-9]$", "~*^q$"], "?utm_x&N1&n1&Q&q&utm"), "?n1&utm");
}

#[test]
fn an_address_tells_its_path_and_query_as_they_were_given() {
    let address = Address::parse("http://a.b/x%20y//%FF/../?B=%31&a").expect("an address");
    assert_eq!((address.path().as_ref(), address.query()), ("/x y//\u{fffd}/../", "B=%31&a"));
    let address = Address::parse("a.b").expect("an address");
    assert_eq!((address.path().as_ref(), address.query()), ("", ""));
}

#[test]
fn addresses_are_at_most_16_kib_long() {
    let longest = format!("http://a.b/{}", "x".repeat(URL_BYTES - 11));
    assert_eq!(normal(&longest).as_deref(), Ok(longest.as_str()));
    assert_eq!(normal(&format!("{longest}x")), Err(TOO_LONG));
    // A normal form may be longer than what it was made from, and is read again.
    let escaped = normal(&format!("http://a.b/?q={}", "é".repeat(8000))).unwrap();
    assert!(escaped.len() > URL_BYTES);
    assert_eq!(Address::parse_known(&escaped).map(|known| known.normal(&Patterns::default())), Ok(escaped));
    // Nothing grows more, and homes have room for that.
    let grown = normal(&format!("a.{}", "Ⱥ".repeat((URL_BYTES - 2) / 2))).unwrap();
    assert_eq!(grown.len(), 73_730);
    // A fragment counts, although it goes.
    assert_eq!(normal(&format!("http://a.b/#{}", "x".repeat(URL_BYTES))), Err(TOO_LONG));
}

/// Each is as bad as it can be for one of the steps; a step that is not linear would make this test a slow one.
#[test]
fn the_worst_addresses_do_not_grow_beyond_their_escapes() {
    for _ in 0..5 {
        for piece in
            ["../", "a/../", "/", "%41", "&", "a&", "=&", "a=;", "[", "]", ":", "@", "İ", "Ⱥ", "%", "#", "?", "."]
        {
            for before in ["http://", "http://a.", "http://a.b/", "http://a.b/?", "http://a.b/#", "http://[", ""] {
                let text = format!("{before}{}", piece.repeat((URL_BYTES - before.len()) / piece.len()));
                if let Ok(normal) = normal(&text) {
                    assert!(normal.len() <= most_bytes(&text), "{before}{piece}...");
                }
            }
        }
    }
}

/// Addresses of hosts whose form is final, so that what is left to change is the path and the query.
fn addresses() -> impl Strategy<Value = String> {
    let pieces = "([a-zA-Z0-9]|%[0-9a-f]{2}|[/.?&=+;:@!$'()*,\\[\\]{}|^<>\" _~é-]|\\.\\.|//){0,24}";
    (prop_oneof!["http", "https", "ftp"], "(u(:p)?@)?(a\\.b|localhost|ä\\.b)(:8080)?", pieces)
        .prop_map(|(scheme, authority, rest)| format!("{scheme}://{authority}/{rest}"))
}

proptest! {
    #[test]
    fn the_normal_form_is_its_own_normal_form(text in addresses()) {
        let once = normal(&text)?;
        // An empty name without a value stays beside others, but is skipped when it is read.
        let (_, query) = once.split_once('?').unwrap_or((&once, ""));
        prop_assume!(query.is_empty() || query.split('&').all(|piece| !piece.is_empty()));
        prop_assert_eq!(normal(&once)?, once);
    }

    #[test]
    fn any_text_is_refused_or_has_a_normal_form_of_bounded_size(text in "(https?://|//)?\\PC{0,40}") {
        if let Ok(normal) = normal(&text) {
            prop_assert!(normal.len() <= most_bytes(&text));
            prop_assert!(!normal.bytes().any(|byte| byte.is_ascii_control()));
        }
    }

    #[test]
    fn pieces_of_addresses_never_panic(text in "(https?:|//|[/?#%&=;:@.\\[\\]a-f0-9]|%25|localhost|İ|\u{7f}| ){0,30}") {
        if let Ok(normal) = normal(&text) {
            prop_assert!(normal.len() <= most_bytes(&text));
        }
    }

    #[test]
    fn a_fragment_changes_nothing(text in addresses(), fragment in "[a-z/?&=#]{0,9}") {
        prop_assume!(!text.contains('#'));
        prop_assert_eq!(normal(&format!("{text}#{fragment}"))?, normal(&text)?);
    }
}
