use proptest::prelude::*;

use super::*;

fn raw(text: &str) -> &RawValue {
    serde_json::from_str(text).unwrap()
}

#[test]
fn members_come_back_in_the_order_asked_with_their_exact_text() {
    let body = r#" { "b" : {"n":9007199254740993, "x":1.10} , "a": [ ] , "c":1e400 } "#;
    let [a, b, c, d] = members(body, &["a", "b", "c", "d"]).unwrap();
    assert_eq!(a.unwrap().get(), "[ ]");
    assert_eq!(b.unwrap().get(), r#"{"n":9007199254740993, "x":1.10}"#);
    assert_eq!(c.unwrap().get(), "1e400");
    assert!(d.is_none());
}

#[test]
fn of_duplicate_members_the_last_one_counts() {
    let [a] = members(r#"{"a":1,"\u0061":2,"x":{"a":3}}"#, &["a"]).unwrap();
    assert_eq!(a.unwrap().get(), "2");
}

#[test]
fn of_duplicate_string_members_the_last_one_stays_where_it_is() {
    let members = |text: &str| {
        let members = string_members(raw(text))?;
        Some(members.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" "))
    };
    assert_eq!(members(r#"{"a":"1","b":"2","\u0061":"3","c":"4"}"#).as_deref(), Some("b=2 a=3 c=4"));
    assert_eq!(members(r#"{"a":"1","a":"2","a":"3"}"#).as_deref(), Some("a=3"));
    assert_eq!(members(r#"{"b":"","a":""}"#).as_deref(), Some("b= a="));
    assert_eq!(members("{}").as_deref(), Some(""));
    assert_eq!(members(r#"{"a":1,"a":"2"}"#), None);
    assert_eq!(members(r#"["a"]"#), None);
}

#[test]
fn syntax_is_judged_before_the_type() {
    for bad in
        ["", " ", "{", "{\"a\":1", "{\"a\":1}x", "[1", "nul", "{\"a\":01}", "{a:1}", "{\"a\":1,}", "\"\n\"", "1 2"]
    {
        assert_eq!(members(bad, &["a"]).unwrap_err(), Malformed::Syntax, "{bad}");
    }
    for other in ["[]", "1", "\"x\"", "null", " true "] {
        assert_eq!(members(other, &["a"]).unwrap_err(), Malformed::OtherType, "{other}");
    }
    assert_eq!(elements("{}", 1).unwrap_err(), Malformed::OtherType);
    assert_eq!(elements("[1,]", 1).unwrap_err(), Malformed::Syntax);
    assert_eq!(elements("[1,2,]", 1).unwrap_err(), Malformed::Syntax);
}

#[test]
fn a_byte_order_mark_is_skipped_and_other_encodings_are_refused() {
    assert_eq!(text(b"\xEF\xBB\xBF{}").unwrap(), "{}");
    assert_eq!(text(b"{\"a\":\"\xFF\"}").unwrap_err(), Malformed::Syntax);
}

#[test]
fn elements_beyond_the_bound_are_counted_but_not_kept() {
    let found = elements("[1, [2] ,{}]", 2).unwrap();
    assert_eq!(found.kept.iter().map(|raw| raw.get()).collect::<Vec<_>>(), ["1", "[2]"]);
    assert_eq!(found.total, 3);
}

#[test]
fn depth_counts_containers_outside_strings() {
    let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    assert!(!nested_deeper_than(128, &nested(128)));
    assert!(nested_deeper_than(128, &nested(129)));
    assert!(!nested_deeper_than(2, r#"["[[[[\"[[[", [], [], [], "\\"]"#));
    assert!(nested_deeper_than(2, r#"["\\",[[]]]"#));
    assert!(!nested_deeper_than(0, "\"[[[\""));
}

#[test]
fn a_deep_body_costs_no_stack() {
    let open = "[".repeat(1 << 20);
    assert_eq!(members(&open, &["a"]).unwrap_err(), Malformed::Syntax);
    assert_eq!(elements(&open, 10).unwrap_err(), Malformed::Syntax);
    let inside = format!("{{\"a\":{open}");
    assert_eq!(members(&inside, &["a"]).unwrap_err(), Malformed::Syntax);
    let closed = format!("{{\"a\":{open}{}}}", "]".repeat(1 << 20));
    assert!(nested_deeper_than(128, members(&closed, &["a"]).unwrap()[0].unwrap().get()));
    let other = format!("{open}{}", "]".repeat(1 << 20));
    assert_eq!(members(&other, &["a"]).unwrap_err(), Malformed::OtherType);
}

#[test]
fn integers_are_integral_numbers_in_range_however_they_are_spelled() {
    for (text, number) in [
        ("5", 5),
        ("-5", -5),
        ("-0", 0),
        ("5.0", 5),
        ("5e0", 5),
        ("5E+2", 500),
        ("50e-1", 5),
        ("0.5e1", 5),
        ("0.0", 0),
        ("0e99999999999999999999", 0),
        ("-1.20e1", -12),
        ("9007199254740991", MAX_INTEGER),
        ("9007199254740991.000", MAX_INTEGER),
        ("9.007199254740991e15", MAX_INTEGER),
    ] {
        assert_eq!(integer(raw(text)), Some(number), "{text}");
    }
    for text in [
        "5.5",
        "5e-1",
        "5.00000000000000000001",
        "9007199254740992",
        "-9007199254740992",
        "99999999999999999999",
        "1e400",
        "1e16",
        "1e99999999999999999999",
        "1e-9223372036854775808",
        "\"5\"",
        "\"5e0\"",
        "null",
        "true",
        "[5]",
        "[]",
    ] {
        assert_eq!(integer(raw(text)), None, "{text}");
    }
}

#[test]
fn strings_are_unescaped_and_half_surrogates_refused() {
    assert_eq!(string(raw(r#""plain""#)).unwrap(), "plain");
    assert_eq!(string(raw(r#""a\n\u00e9\ud83d\ude00\"""#)).unwrap(), "a\né😀\"");
    assert_eq!(string(raw(r#""\ud800""#)), Err(NotText::LoneSurrogate));
    assert_eq!(string(raw("null")), Err(NotText::OtherType));
    assert_eq!(string(raw("{}")), Err(NotText::OtherType));
}

#[test]
fn a_half_surrogate_inside_a_value_is_kept() {
    let [value] = members(r#"{"value":"\ud800"}"#, &["value"]).unwrap();
    assert_eq!(value.unwrap().get(), r#""\ud800""#);
}

#[test]
fn written_strings_read_back() {
    for text in ["", "a\"\\\n\u{0}\u{1f}\u{7f}", "é😀\u{2028}"] {
        let mut out = Vec::new();
        write_str(&mut out, text);
        assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
    }
    let mut out = Vec::new();
    write_bytes_as_str(&mut out, b"a\xFFb");
    assert_eq!(out, "\"a\u{FFFD}b\"".as_bytes());
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        "\\PC{0,8}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            proptest::collection::btree_map("[a-e\\\\\"]{0,3}", inner, 0..6)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn members_agree_with_a_full_parser(value in json(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        match members(&text, &["a", "bb", ""]) {
            Ok(found) => {
                for (name, raw) in ["a", "bb", ""].iter().zip(found) {
                    let parsed = raw.map(|raw| serde_json::from_str::<serde_json::Value>(raw.get()).unwrap());
                    prop_assert_eq!(parsed.as_ref(), value.as_object().unwrap().get(*name));
                }
            }
            Err(Malformed::OtherType) => prop_assert!(!value.is_object()),
            Err(Malformed::Syntax) => prop_assert!(false, "refused {}", text),
        }
    }

    #[test]
    fn any_text_is_judged_as_a_full_parser_does(text in "[\\[\\]{}\",:a0-9 .e\\\\-]{0,12}") {
        let full = serde_json::from_str::<&RawValue>(&text).is_ok();
        let refused = matches!(members(&text, &["a"]), Err(Malformed::Syntax));
        prop_assert_eq!(!refused, full, "{}", text);
    }

    #[test]
    fn integers_survive_any_exponent(number in -999_999_999_i64..=999_999_999, shift in 0_u32..6) {
        let spelled = format!("{}e-{shift}", number * 10_i64.pow(shift));
        prop_assert_eq!(integer(raw(&spelled)), Some(number));
    }
}

#[test]
fn a_whole_number_is_written_without_a_fraction() {
    for (number, text) in [
        (0.0, "0"),
        (-0.0, "0"),
        (42.0, "42"),
        (42.5, "42.5"),
        (-3.0, "-3"),
        (1e300, "1e+300"),
        (f64::NAN, "null"),
        (f64::INFINITY, "null"),
    ] {
        assert_eq!(serde_json::to_string(&Number(number)).unwrap(), text);
    }
    assert_eq!(Number::rounded(0.804_95, 4), Number(0.805));
    assert_eq!(Number::rounded(42.499_9, 2), Number(42.5));
}
