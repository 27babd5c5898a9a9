//! Every rule of the grammar.

use super::*;

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
}

/// The only value of the only field of the only point.
fn value(text: &str) -> Told {
    let points = good(format!("m v={text}").as_bytes());
    let [Point { fields, time: NOW, .. }] = &points[..] else { panic!("{points:?}") };
    let [(name, value)] = &fields[..] else { panic!("{fields:?}") };
    assert_eq!(name, "v");
    value.clone()
}

fn float(value: f64) -> Told {
    Told::Float(value.to_bits())
}

/// Reason and column of the only line, which is bad.
fn fault(line: &str) -> String {
    let (found, 0) = faults(line.as_bytes()) else { panic!("{line} is good") };
    let [fault] = &found[..] else { panic!("{line}: {found:?}") };
    fault.strip_prefix("1:").expect("on the first line").to_owned()
}

#[test]
fn the_documents_lines_are_points() {
    let points = good(b"cpu,host=web-01 usage=82.5\nmemory,host=web-01 used=4096,total=8192\n");
    assert_eq!(
        points,
        [
            Point {
                measurement: "cpu".to_owned(),
                tags: pairs(&[("host", "web-01")]),
                fields: vec![("usage".to_owned(), float(82.5))],
                time: NOW,
            },
            Point {
                measurement: "memory".to_owned(),
                tags: pairs(&[("host", "web-01")]),
                fields: vec![("used".to_owned(), float(4096.0)), ("total".to_owned(), float(8192.0))],
                time: NOW,
            },
        ]
    );
}

#[test]
fn names_are_unescaped_by_the_rule_of_their_place() {
    for (head, measurement, tags) in [
        ("cpu", "cpu", &[][..]),
        (r"c\pu", r"c\pu", &[]),
        (r"c\,p\ u", "c,p u", &[]),
        (r"c\=pu", r"c\=pu", &[]),
        ("c=pu", "c=pu", &[]),
        (r"cp\\u", r"cp\\u", &[]),
        (r"cp\\\,u", r"cp\\,u", &[]),
        (r"\#cpu", r"\#cpu", &[]),
        (r#""cpu","q"="v""#, r#""cpu""#, &[(r#""q""#, r#""v""#)]),
        (r"cpu,a=two\\ words", "cpu", &[("a", r"two\ words")]),
        (r"cpu,a\,b=c\=d,e\ f\=g=h\\i", "cpu", &[("a,b", "c=d"), ("e f=g", r"h\\i")]),
        // A name cannot end in a backslash: it escapes the separator.
        (r"cpu,a=b\ v\=1", "cpu", &[("a", "b v=1")]),
        ("über,größe=groß\u{a0}artig", "über", &[("größe", "groß\u{a0}artig")]),
        ("time,time=1,_x=2", "time", &[("time", "1"), ("_x", "2")]),
        ("=,b=1", "=", &[("b", "1")]),
    ] {
        let points = good(format!("{head} v=1").as_bytes());
        assert_eq!((&points[0].measurement[..], &points[0].tags), (measurement, &pairs(tags)), "{head}");
    }
    let points = good(br#"m "f"=1,a\,b\=c\ d=2,e\f=3"#);
    let names: Vec<_> = points[0].fields.iter().map(|(name, _)| &name[..]).collect();
    assert_eq!(names, [r#""f""#, "a,b=c d", r"e\f"]);
}

#[test]
fn a_tag_a_field_and_a_field_again_may_have_one_name() {
    let points = good(b"m,v=1 v=1,v=2,time=3");
    assert_eq!(points[0].tags, pairs(&[("v", "1")]));
    assert_eq!(points[0].fields.len(), 3);
}

#[test]
fn floats_are_decimal_and_exactly_rounded() {
    for text in [
        "0",
        "-0",
        "1",
        "-1",
        "82.5",
        ".5",
        "-.5",
        "1.",
        "-1.",
        "00.42",
        "1E+4",
        "1e-4",
        "2e10",
        "0.1",
        "0.2",
        "0.3",
        "3.14159",
        "123456789012345678",
        "9007199254740992",
        "9007199254740993",
        "9007199254740994.5",
        "0.000000000000000001",
        "123456.789012345678",
        "999999999999999999",
        "1234567890123456789012345678901234567890",
        "1e308",
        "1.7976931348623157e308",
        "5e-324",
        "1e-400",
        "-1e-400",
        "2.2250738585072011e-308",
        "0e999999999999",
        "9.999999999999999999",
        "0.1e1",
        "1.e1",
        ".1e1",
    ] {
        assert_eq!(value(text), float(text.parse().unwrap()), "{text}");
    }
    assert_eq!(value("-0"), float(-0.0));
}

#[test]
fn integers_are_64_bits_wide() {
    for (text, told) in [
        ("9007199254740993i", Told::Int(9_007_199_254_740_993)),
        ("9223372036854775807i", Told::Int(i64::MAX)),
        ("-9223372036854775808i", Told::Int(i64::MIN)),
        ("-0i", Told::Int(0)),
        ("007i", Told::Int(7)),
        ("00000000000000000000000000000000000000000001i", Told::Int(1)),
        ("0u", Told::Uint(0)),
        ("18446744073709551615u", Told::Uint(u64::MAX)),
        ("000000000000000000000000000018446744073709551615u", Told::Uint(u64::MAX)),
    ] {
        assert_eq!(value(text), told, "{text}");
    }
}

#[test]
fn ten_words_are_booleans() {
    for word in ["t", "T", "true", "True", "TRUE"] {
        assert_eq!(value(word), Told::Bool(true), "{word}");
    }
    for word in ["f", "F", "false", "False", "FALSE"] {
        assert_eq!(value(word), Told::Bool(false), "{word}");
    }
}

#[test]
fn strings_keep_all_but_the_backslash_before_a_quote_or_a_backslash() {
    for (text, told) in [
        (r#""""#, ""),
        (r#""a, b=c #d""#, "a, b=c #d"),
        (r#""\"a\"""#, r#""a""#),
        (r#""a\\""#, r"a\"),
        (r#""\\\"\\""#, r#"\"\"#),
        (r#""\n\t\,\ ""#, r"\n\t\,\ "),
        ("\"line1\nline2\r\nline3\"", "line1\nline2\r\nline3"),
        ("\"\t\u{1}\u{7f}\"", "\t\u{1}\u{7f}"),
        ("\"日本語 🦀\"", "日本語 🦀"),
    ] {
        assert_eq!(value(text), Told::Text(told.to_owned()), "{text}");
    }
    let points = good(b"m a=\"x\",b=\"y,z\",c=1 7");
    assert_eq!(points[0].fields.len(), 3);
    assert_eq!(points[0].time, 7);
}

#[test]
fn malformed_values_are_told_with_their_text() {
    for text in [
        "NaN", "Inf", "-inf", "infinity", "+1", "1e", "1e+", "1ii", "-1u", "'x'", ".", "-", "-.", "--1", "1.1.1",
        "0.-1", "0x1F", "1_000", "1e5.5", "1E", "e5", "yes", "tRUE", "truE", "i", "u", "-i", "-u", "1.5i", "1e5i",
        "+1i", "1iu", "1=2", "x\"y\"", "\u{a0}1", "١",
    ] {
        assert_eq!(fault(&format!("m v={text} 1")), format!("5 invalid field value \"{text}\""));
    }
}

#[test]
fn values_out_of_range_are_told_as_such() {
    for text in [
        "1e400",
        "-1e400",
        "1e309",
        "9223372036854775808i",
        "-9223372036854775809i",
        "18446744073709551616u",
        "99999999999999999999999i",
    ] {
        assert_eq!(fault(&format!("m v={text} 1")), format!("5 value out of range \"{text}\""));
    }
}

#[test]
fn every_reason_has_its_place() {
    for (line, expected) in [
        (",a=b v=1", "1 missing measurement"),
        ("  ,a=b v=1", "3 missing measurement"),
        ("cpu,=1 v=1", "5 missing tag key"),
        ("cpu, v=1", "5 missing tag key"),
        ("cpu,", "5 missing tag key"),
        ("cpu,a=1, v=1", "9 missing tag key"),
        ("cpu,a=1,,b=2 v=1", "9 missing tag key"),
        ("cpu,a= v=1", "7 missing tag value"),
        ("cpu,a=,b=1 v=1", "7 missing tag value"),
        ("cpu,a v=1", "6 missing tag value"),
        ("cpu,a", "6 missing tag value"),
        ("cpu,a=", "7 missing tag value"),
        ("cpu,a =1 v=1", "6 missing tag value"),
        ("cpu,a= 1 v=1", "7 missing tag value"),
        ("cpu,a=b=c v=1", "7 unescaped '=' in tag value"),
        ("cpu,a=1,a=2 v=1", "9 duplicate tag key \"a\""),
        ("cpu,a=1,b=2,a=1 v=1", "13 duplicate tag key \"a\""),
        (r"cpu,a\ b=1,c=2,a\ b=1 v=1", r#"16 duplicate tag key "a\ b""#),
        ("cpu", "4 missing fields"),
        ("cpu ", "5 missing fields"),
        ("cpu,a=1  ", "10 missing fields"),
        ("cpu =1", "5 missing field key"),
        ("cpu ,a=1 v=1", "5 missing field key"),
        ("cpu v=1,", "9 missing field key"),
        ("cpu v=1,,w=2", "9 missing field key"),
        ("cpu v=1, w=2", "9 missing field key"),
        ("cpu v", "6 missing field value"),
        ("cpu v=", "7 missing field value"),
        ("cpu v= 1", "7 missing field value"),
        ("cpu v =1", "6 missing field value"),
        ("cpu v=,w=1", "7 missing field value"),
        ("cpu v,w=1", "6 missing field value"),
        ("cpu v=1,w", "10 missing field value"),
        ("cpu v=1 w=2", "9 invalid timestamp \"w=2\""),
        ("cpu v=1 ,w=2", "9 invalid timestamp \",w=2\""),
        ("cpu v=1  5,6", "10 invalid timestamp \"5,6\""),
        ("cpu v=\"a", "7 unterminated string"),
        (r#"cpu v="a\""#, "7 unterminated string"),
        (r#"cpu v=1,w="a\"#, "11 unterminated string"),
        ("cpu v=\"a\"b", "10 text after closing quote"),
        ("cpu v=\"a\"i 5", "10 text after closing quote"),
        ("cpu v=1 5 6", "11 text after timestamp"),
        ("cpu v=1 5  x ", "12 text after timestamp"),
        ("c\u{1}pu v=1", "1 control character"),
        ("cpu\tv=1", "1 control character"),
        ("cpu,\u{7f}a=1 v=1", "5 control character"),
        ("cpu,a=1\r2 v=1", "7 control character"),
        ("cpu,a=1 v\0=1", "9 control character"),
        ("cpu,a=1 v=1\t", "11 control character"),
        ("cpu,a=1 v=1 5\t", "13 control character"),
        ("cpu v=1 5 \t", "11 control character"),
        ("cpu v=1 5\r\r", "9 control character"),
    ] {
        assert_eq!(fault(line), expected, "{line:?}");
    }
}

#[test]
fn times_are_64_bits_wide_and_nothing_but_digits() {
    for time in
        ["0", "-0", "5", "-1", "1700000000000000000", "9223372036854775807", "-9223372036854775808", "0000000007"]
    {
        assert_eq!(good(format!("m v=1 {time}").as_bytes())[0].time, time.parse::<i64>().unwrap(), "{time}");
    }
    for time in [
        "9223372036854775808",
        "-9223372036854775809",
        "00000000000000000001",
        "12345678901234567890",
        "1.5",
        "5i",
        "5s",
        "+5",
        "\"5\"",
        "-",
        "--5",
        "5-",
        "1e9",
        "12345678x",
        "x2345678",
        "1234567:",
        "/2345678",
        "1700000000000000_00",
        "٣",
    ] {
        assert_eq!(fault(&format!("m v=1 {time}")), format!("7 invalid timestamp \"{time}\""));
    }
}

#[test]
fn times_are_in_the_unit_of_the_precision() {
    let at = |precision: &str, time: &str| {
        let (points, parsed) = read(format!("m v=1 {time}").as_bytes(), Precision::named(precision).unwrap());
        points.first().map(|point| point.time).ok_or_else(|| parsed.faults[0].reason.text(b"").into_owned())
    };
    let out_of_range = || Err("timestamp out of range".to_owned());
    for (names, nanoseconds) in [
        (&["n", "ns", "nanosecond"][..], 1),
        (&["u", "us", "µ", "µs", "microsecond"], 1_000),
        (&["ms", "millisecond"], 1_000_000),
        (&["s", "second"], 1_000_000_000),
        (&["m", "minute"], 60_000_000_000),
        (&["h", "hour"], 3_600_000_000_000),
    ] {
        for name in names {
            assert_eq!(at(name, "-7"), Ok(-7 * nanoseconds), "{name}");
            let (most, least) = (i64::MAX / nanoseconds, i64::MIN / nanoseconds);
            assert_eq!(at(name, &most.to_string()), Ok(most * nanoseconds), "{name}");
            assert_eq!(at(name, &least.to_string()), Ok(least * nanoseconds), "{name}");
            if nanoseconds > 1 {
                assert_eq!(at(name, &(most + 1).to_string()), out_of_range(), "{name}");
                assert_eq!(at(name, &(least - 1).to_string()), out_of_range(), "{name}");
            }
            let (points, _) = read(b"m v=1", Precision::named(name).unwrap());
            assert_eq!(points[0].time, NOW / nanoseconds * nanoseconds, "{name}: the clock is truncated");
        }
    }
    for (time, expected) in [
        ("4999999999", 4_999_999_999_000_000_000),
        ("-4999999999", -4_999_999_999_000_000_000),
        ("5000000000", 5_000_000_000_000_000),
        ("4999999999999", 4_999_999_999_999_000_000),
        ("5000000000000", 5_000_000_000_000_000),
        ("4999999999999999", 4_999_999_999_999_999_000),
        ("5000000000000000", 5_000_000_000_000_000),
        ("-9223372036854775808", i64::MIN),
    ] {
        assert_eq!(at("auto", time), Ok(expected), "{time}");
    }
    assert_eq!(read(b"m v=1", Precision::Auto).0[0].time, NOW);
    assert!(["", "S", "sec", "d", "Auto", "nanoseconds"].into_iter().all(|name| Precision::named(name).is_none()));
}

#[test]
fn a_clock_before_1970_is_truncated_downwards() {
    let mut points = Points::default();
    parse(b"m v=1", Times::new(Precision::named("s").unwrap(), -1), &mut points);
    assert_eq!(points.points[0].time, -1_000_000_000);
}

#[test]
fn times_that_are_hardly_nanoseconds_are_counted() {
    let body = b"m v=1 0\nm v=1 1\nm v=1 999999999999999\nm v=1 1000000000000000\nm v=1 -5\nm v=1\nm v=x 5";
    assert_eq!(read(body, Precision::NANOSECOND).1.suspicious, 2);
    assert_eq!(read(b"m v=1 1", Precision::named("us").unwrap()).1.suspicious, 0);
    assert_eq!(read(b"m v=1 1", Precision::Auto).1.suspicious, 0);
}

#[test]
fn only_points_count() {
    for body in [
        &b""[..],
        b"\n",
        b"\r\n",
        b"\n\n  \n\t \t\n",
        b"# comment\n  # another\r\n\t#third",
        b"#",
        b"# \xff\x00 anything\n",
    ] {
        assert!(good(body).is_empty(), "{}", body.escape_ascii());
    }
    let points = good(b"# c\r\n\r\n \t cpu,a=1 v=1 5\r\n\ncpu,a=1   v=1   6   \r\n#");
    assert_eq!(points.len(), 2);
}

#[test]
fn spaces_tabs_and_line_ends_are_where_they_may_be() {
    for body in [
        &b"m v=1 5"[..],
        b" m v=1 5",
        b"\t \tm v=1 5",
        b"m  v=1   5   ",
        b"m v=1 5\n",
        b"m v=1 5\r\n",
        b"m v=1 5\r",
        b"m v=1 5  \r\n\r\n",
        b"\n\n#\nm v=1 5",
    ] {
        let points = good(body);
        assert_eq!(points.len(), 1, "{}", body.escape_ascii());
        assert_eq!((points[0].fields[0].1.clone(), points[0].time), (float(1.0), 5), "{}", body.escape_ascii());
    }
    // Later in a line, `#` is data.
    let points = good(b"m,a=#1 #v=1");
    assert_eq!((&points[0].tags[0].1[..], &points[0].fields[0].0[..]), ("#1", "#v"));
}

#[test]
fn a_line_feed_in_a_string_counts_as_a_line() {
    assert_eq!(faults(b"m s=\"line1\nline2\"\nm v="), (vec!["3:5 missing field value".to_owned()], 1));
    assert_eq!(faults(b"m s=\"a\n\n\n\",v=x 1\nm v=1"), (vec!["1:14 invalid field value \"x\"".to_owned()], 1));
    assert_eq!(faults(b"m s=\"a\r\nb\" 1\r\nm v=1\r\nm v=\r\n"), (vec!["4:5 missing field value".to_owned()], 2));
}

#[test]
fn a_bad_line_never_affects_the_next() {
    for (body, expected, accepted) in [
        (&b"m v=1 5\nm v=\nm v=2 6"[..], &["2:5 missing field value"][..], 2),
        (b"m v=\"open\nm v=1\nm v=2", &["1:5 unterminated string"], 2),
        (b"m v=\"a\nb\"x\nm v=1", &["1:10 text after closing quote"], 1),
        (b"m a=\"x\ny\",v=\"open\nm v=1", &["1:13 unterminated string"], 1),
        (b"m v=\"open\nm v=\"x\"\nm v=3", &["1:16 text after closing quote"], 1),
        (b"m v=\"\xff\nm v=1\n\" 5\nm v=2", &["1:5 invalid UTF-8", "3:4 missing field value"], 2),
        (
            b"m,\xff=1 v=1\nm \xc3\x28=1\nm v=\xf0\x9f 1\nm v=1 \x80\nm v=1",
            &["1:3 invalid UTF-8", "2:3 invalid UTF-8", "3:5 invalid UTF-8", "4:7 invalid UTF-8"],
            1,
        ),
        (b"m s=\"\n\",v=1 x\nm v=1", &["1:13 invalid timestamp \"x\""], 1),
    ] {
        let (found, count) = faults(body);
        assert_eq!(
            (&found[..], count),
            (&expected.iter().map(|f| f.to_string()).collect::<Vec<_>>()[..], accepted),
            "{}",
            body.escape_ascii()
        );
    }
}

#[test]
fn a_line_is_a_mebibyte_at_most() {
    let long = |length: usize| {
        let mut line = b"m s=\"".to_vec();
        line.resize(length - 1, b'x');
        line.push(b'"');
        line
    };
    let after = |mut line: Vec<u8>| {
        line.extend_from_slice(b"\r\nm v=1");
        line
    };
    assert_eq!(faults(&after(long(MAX_LINE))), (vec![], 2));
    assert_eq!(faults(&after(long(MAX_LINE + 1))), (vec!["1:1 line too long".to_owned()], 1));
    // Begun again behind its first line, the rest of such a string is lines like any others.
    let mut lines = long(MAX_LINE + 1);
    lines[7] = b'\n';
    assert_eq!(faults(&after(lines)), (vec!["1:1 line too long".to_owned(), "2:1048570 missing fields".to_owned()], 1));
    let mut comment = b"#".to_vec();
    comment.resize(MAX_LINE * 2, b'x');
    assert_eq!(faults(&after(comment)), (vec![], 1));
}

#[test]
fn many_names_are_as_good_as_few() {
    let tags = |last: usize| (0..1000).chain([last]).map(|i| format!(",t{i}=x")).collect::<String>();
    let fields = (0..5000).map(|i| format!("f{i}={i}")).collect::<Vec<_>>().join(",");
    let points = good(format!("m{} {fields} 1", tags(1000)).as_bytes());
    assert_eq!((points[0].tags.len(), points[0].fields.len()), (1001, 5000));
    assert!(fault(&format!("m{} v=1", tags(500))).ends_with("duplicate tag key \"t500\""));
}

#[test]
fn faults_are_kept_up_to_a_bound_and_all_counted() {
    let body = "m v=\n".repeat(1000) + "m v=1";
    let (points, parsed) = read(body.as_bytes(), Precision::NANOSECOND);
    assert_eq!((points.len(), parsed.bad, parsed.faults.len()), (1, 1000, MAX_FAULTS));
}

#[test]
fn long_tokens_are_cut_between_characters() {
    let text = "é".repeat(300);
    assert_eq!(fault(&format!("m v={text}")), format!("5 invalid field value \"{}\"", "é".repeat(100)));
    assert_eq!(fault(&format!("m v=x{text}")), format!("5 invalid field value \"x{}\"", "é".repeat(99)));
}
