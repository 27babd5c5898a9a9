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
