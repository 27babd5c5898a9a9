use proptest::prelude::*;

use super::*;

fn matches(glob: &str, name: &str) -> bool {
    Glob::new(glob).expect("a glob").matches(name.as_bytes())
}

#[test]
fn each_sign_stands_for_what_it_says() {
    for (glob, yes, no) in [
        ("a", &["a"][..], &["", "A", "aa", "ba"][..]),
        ("", &[""], &["a"]),
        ("*", &["", "a", "a\nb", "é"], &[]),
        ("user:*", &["user:", "user:1", "user:1:x"], &["user", "xuser:1"]),
        ("*:x", &[":x", "a:b:x"], &["x", ":x "]),
        ("a?c", &["abc", "a?c", "aéc", "a\nc"], &["ac", "abbc"]),
        ("h[ae]llo", &["hallo", "hello"], &["hillo", "hllo", "haello"]),
        ("[a-c]1", &["a1", "b1", "c1"], &["d1", "-1"]),
        ("[c-a]", &["b"], &["d"]),
        ("[^a-c]", &["d", "é"], &["a", "c", ""]),
        ("[a-]", &["a", "-"], &["b"]),
        ("[\\]]", &["]"], &["\\", "a"]),
        ("[&&~~^.]", &["&", "~", "^", "."], &["a"]),
        ("[ab", &["[ab"], &["a", "b"]),
        ("[]", &["[]"], &[""]),
        ("\\*", &["*"], &["a", "\\*"]),
        ("a\\", &["a\\"], &["a"]),
        ("a.b|c", &["a.b|c"], &["axb|c", "c"]),
    ] {
        yes.iter().for_each(|name| assert!(matches(glob, name), "{glob} matches {name:?}"));
        no.iter().for_each(|name| assert!(!matches(glob, name), "{glob} does not match {name:?}"));
    }
}

#[test]
fn the_beginning_is_what_comes_before_the_first_sign() {
    for (glob, prefix) in [("user:*", "user:"), ("*", ""), ("a\\*b?", "a*b"), ("a[b", "a[b"), ("plain", "plain")] {
        assert_eq!(Glob::new(glob).expect("a glob").prefix(), prefix.as_bytes(), "{glob}");
    }
}

/// Trying everything would not come to an end.
#[test]
fn many_stars_do_not_take_exponential_time() {
    let glob = Glob::new(&"*a".repeat(50)).expect("a glob");
    assert!(!glob.matches("a".repeat(49).as_bytes()));
    assert!(!glob.matches(&[&b"a".repeat(4000)[..], b"b"].concat()));
}

#[test]
fn a_long_glob_is_compiled_within_a_bound_or_refused() {
    for part in ["?", "*", "[a-z]", "[^a]", "a"] {
        let glob = Glob::new(&part.repeat(4096 / part.len()));
        let name = vec![b'a'; 4096 / part.len()];
        let refused = |error: Error| assert_eq!(error.kind(), &Kind::Invalid);
        glob.map_or_else(refused, |glob| assert_eq!(glob.matches(&name), part != "[^a]", "{part}"));
    }
}

#[test]
fn one_with_more_states_than_its_cache_holds_matches_all_the_same() {
    let glob = Glob::new(&format!("*a{}", "?".repeat(500))).expect("a glob");
    let name = |behind| format!("{}a{}", "ab".repeat(1000), "c".repeat(behind));
    assert!(glob.matches(name(500).as_bytes()));
    assert!(!glob.matches(name(499).as_bytes()));
}

/// What a glob without classes matches, by trying everything.
fn plainly(glob: &[char], name: &[char]) -> bool {
    match (glob.split_first(), name.split_first()) {
        (None, None) => true,
        (Some(('*', rest)), _) if plainly(rest, name) => true,
        (Some(('*', _)), Some((_, shorter))) => plainly(glob, shorter),
        (Some(('?', rest)), Some((_, shorter))) => plainly(rest, shorter),
        (Some((a, rest)), Some((b, shorter))) => a == b && plainly(rest, shorter),
        _ => false,
    }
}

proptest! {
    #[test]
    fn it_matches_what_trying_everything_finds(glob in "[ab*?]{0,8}", name in "[abé]{0,8}") {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        prop_assert_eq!(matches(&glob, &name), plainly(&chars(&glob), &chars(&name)));
    }

    #[test]
    fn any_text_is_a_glob(glob in ".{0,40}", name: Vec<u8>) {
        let glob = Glob::new(&glob).expect("a glob");
        prop_assert!(!glob.matches(&name) || name.starts_with(glob.prefix()));
    }
}
