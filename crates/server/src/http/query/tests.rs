use super::*;

fn parse(raw: &str) -> Query<'_> {
    Query::parse(Some(raw)).unwrap()
}

#[test]
fn parameters_are_form_decoded() {
    let query = parse("actor=user%3Au1+x%2By&&b=%2526&%61=1");
    assert_eq!(query.text("actor"), Some("user:u1 x+y"));
    assert_eq!(query.text("b"), Some("%26"));
    assert_eq!(query.text("a"), Some("1"));
    assert_eq!(query.text("missing"), None);
    assert_eq!(Query::parse(None).unwrap().text("a"), None);
}

#[test]
fn the_first_of_a_repeated_parameter_counts_even_when_empty() {
    assert_eq!(parse("a=1&a=2").text("a"), Some("1"));
    assert_eq!(parse("a=&a=2").text("a"), None);
    assert_eq!(parse("a&a=2").text("a"), None);
    assert_eq!(parse("a=b=c").text("a"), Some("b=c"));
}

#[test]
fn a_broken_escape_anywhere_refuses_the_query() {
    for raw in ["a=%", "%zz=1", "unknown=%ff", "a=1&b=%2", "a=+%"] {
        assert_eq!(Query::parse(Some(raw)).unwrap_err(), BadQuery::Encoding, "{raw}");
    }
}

#[test]
fn integers_are_decimal_and_exact_in_json() {
    for (raw, number) in [("n=5", 5), ("n=-3", -3), ("n=007", 7), ("n=9007199254740991", MAX_INTEGER), ("n=-0", 0)] {
        assert_eq!(parse(raw).integer("n"), Ok(Some(number)), "{raw}");
    }
    assert_eq!(parse("n=").integer("n"), Ok(None));
    for raw in
        ["n=abc", "n=%2B5", "n=5.0", "n=5e0", "n=-", "n=9007199254740992", "n=99999999999999999999", "n=+5", "n=0x1"]
    {
        assert_eq!(parse(raw).integer("n"), Err(BadQuery::NotAnInteger("n")), "{raw}");
    }
}

#[test]
fn flags_have_four_spellings() {
    for (raw, flag) in [("f=1", true), ("f=true", true), ("f=0", false), ("f=false", false), ("f=", false), ("", false)]
    {
        assert_eq!(parse(raw).flag("f"), Ok(flag), "{raw}");
    }
    for raw in ["f=yes", "f=TRUE", "f=2"] {
        assert_eq!(parse(raw).flag("f"), Err(BadQuery::NotABoolean("f")), "{raw}");
    }
}
