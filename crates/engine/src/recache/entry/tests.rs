use proptest::prelude::*;

use super::*;
use crate::recache::DimensionId;

fn member(url: &str, dimension: u64) -> String {
    String::from_utf8(Entry { url: url.into(), dimension: DimensionId(dimension) }.member()).expect("members are text")
}

#[test]
fn a_member_escapes_what_html_could_misread_and_nothing_else() {
    assert_eq!(
        member("https://example.com/page?a=1&b=2", 1),
        r#"{"url":"https://example.com/page?a=1\u0026b=2","dimension_id":1}"#
    );
    assert_eq!(
        member("a<b>c\"d\\e\u{2028}f\u{2029}/é'", 0),
        "{\"url\":\"a\\u003cb\\u003ec\\\"d\\\\e\\u2028f\\u2029/é'\",\"dimension_id\":0}"
    );
}

/// Addresses that share beginnings, with all that is written in another way.
fn entry() -> impl Strategy<Value = Entry> {
    let text = prop::collection::vec(
        prop::sample::select(vec![
            "a",
            "b",
            "/",
            "&",
            "<",
            ">",
            "\"",
            "\\",
            "!",
            "#",
            "~",
            "é",
            "\u{2027}",
            "\u{2028}",
            "\u{2029}",
            "\u{202a}",
            "long and the same",
        ]),
        0..6,
    );
    let dimension = prop::sample::select(vec![0, 1, 2, 9, 10, 11, 19, 100, 101, u64::MAX / 10, u64::MAX - 1, u64::MAX]);
    (text, dimension)
        .prop_map(|(text, dimension)| Entry { url: text.concat().into(), dimension: DimensionId(dimension) })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]
    #[test]
    fn entries_are_in_the_order_of_their_members(a in entry(), b in entry()) {
        prop_assert_eq!(a.cmp_member(&b), a.member().cmp(&b.member()), "{:?} {:?}", a, b);
    }
}
