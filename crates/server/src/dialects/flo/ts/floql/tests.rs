//! The language: what each form means, what is refused and where, and random queries read back.

use manifold_engine::series::{Aggregate, Comparison, Expr, Operator, Pattern, Stage, TagFilter, TagTest};

use super::*;

mod mistakes;
mod printed;

const MINUTE: i64 = 60_000_000_000;
const HOUR: i64 = 60 * MINUTE;
/// 2023-11-14T22:13:20.123456789Z
const NOW: i64 = 1_700_000_000_123_456_789;

fn frame(precision: Precision) -> Frame {
    Frame { precision, now: NOW, from: None, to: None }
}

#[track_caller]
fn plan(text: &str) -> Plan {
    let script = parse(text).unwrap_or_else(|mistake| panic!("{text}: {mistake}"));
    script.plan(&frame(Precision::Nanos), None).unwrap_or_else(|mistake| panic!("{text}: {mistake}"))
}

#[track_caller]
fn stages(text: &str) -> Vec<Stage> {
    plan(&format!("cpu | {text}")).query.stages
}

#[track_caller]
fn range(text: &str, precision: Precision) -> (i64, i64) {
    let script = parse(text).unwrap_or_else(|mistake| panic!("{text}: {mistake}"));
    script.plan(&frame(precision), None).unwrap_or_else(|mistake| panic!("{text}: {mistake}")).query.range
}

fn over(what: Aggregate, window: impl Into<Option<i64>>) -> Stage {
    Stage::Aggregate { what, window: window.into(), by: Vec::new() }
}

fn grouped(what: Aggregate, window: i64, by: &[&str]) -> Stage {
    Stage::Aggregate { what, window: Some(window), by: by.iter().map(|tag| tag.to_string()).collect() }
}

fn is(tag: &str, value: &str) -> TagFilter {
    TagFilter { tag: tag.to_owned(), test: TagTest::Is(value.to_owned()) }
}

#[test]
fn the_documents_query_is_read() {
    let Plan { query, alias } = plan("cpu{host=web-01}[1h] | avg(5m)");
    assert_eq!(query.measurement, "cpu");
    assert_eq!(query.filters, [is("host", "web-01")]);
    assert_eq!(query.range, (NOW - HOUR, NOW));
    assert_eq!(query.fields, None);
    assert_eq!(query.stages, [over(Aggregate::Avg, 5 * MINUTE)]);
    assert_eq!((query.limit, alias), (None, None));
}

#[test]
fn names_are_bare_or_quoted() {
    for (text, name) in [
        ("cpu", "cpu"),
        ("_x.y-z/a:b9", "_x.y-z/a:b9"),
        ("größe", "größe"),
        ("\u{a0}", "\u{a0}"),
        ("\"a b\"", "a b"),
        ("'a \"b\"'", "a \"b\""),
        (r#""a\"b\\c\n\'""#, r#"a"b\c\n\'"#),
        (r"'a\'b\\'", r"a'b\"),
        ("  cpu\t\r\n", "cpu"),
        ("now", "now"),
    ] {
        assert_eq!(plan(text).query.measurement, name, "{text}");
    }
}

#[test]
fn filters_are_read_with_every_operator_and_any_white_space() {
    let not = |value: &str| TagTest::IsNot(value.to_owned());
    let filters = plan("cpu { host = web-01 , dc==\"a,}b\",rack != 'x y',q!='',z=~x,} [1h]").query.filters;
    let tests: Vec<_> = filters.iter().map(|filter| (filter.tag.as_str(), filter.test.clone())).collect();
    assert_eq!(
        tests,
        [
            ("host", TagTest::Is("web-01".into())),
            ("dc", TagTest::Is("a,}b".into())),
            ("rack", not("x y")),
            ("q", not("")),
            ("z", TagTest::Matches(Pattern::glob("x").unwrap())),
        ]
    );
    assert_eq!(plan("cpu{}").query.filters, []);
    // The longest operator wins; what follows it is the value.
    assert_eq!(plan("cpu{a===b,c=!=d}").query.filters, [is("a", "=b"), is("c", "!=d")]);
    assert_eq!(plan("cpu{a=\\x[1]\"}").query.filters, [is("a", "\\x[1]\"")]);
}

#[test]
fn a_pattern_without_signs_of_a_regular_expression_is_a_glob() {
    let test = |text: &str| plan(&format!("cpu{{host=~\"{text}\"}}")).query.filters[0].test.clone();
    for glob in ["web-*", "web-??", "*", "a b/c:d"] {
        assert_eq!(test(glob), TagTest::Matches(Pattern::glob(glob).unwrap()), "{glob}");
    }
    for regex in ["web-.*", "^web", "web$", "we+b", "a|b", "(a)", "[ab]", "a{2,3}"] {
        assert_eq!(test(regex), TagTest::Matches(Pattern::regex(regex).unwrap()), "{regex}");
    }
    assert_eq!(test(r"\\d"), TagTest::Matches(Pattern::regex(r"\d").unwrap()));
    let both = [plan("cpu{host=~web-*}"), plan("cpu{host=~web-.*}")];
    for Plan { query, .. } in both {
        let TagTest::Matches(pattern) = &query.filters[0].test else { panic!("{query:?}") };
        assert!(pattern.matches("web-01") && !pattern.matches("a-web-01") && !pattern.matches("web"));
    }
    let not = plan("cpu{host!~a|b}").query.filters[0].test.clone();
    assert_eq!(not, TagTest::MatchesNot(Pattern::regex("a|b").unwrap()));
}

#[test]
fn ranges_are_read_in_every_form() {
    let ms = |nanos: i64| nanos.div_euclid(1_000_000) * 1_000_000;
    // Both ends are whole milliseconds: the first from its beginning, the last to its end.
    let (start, end) = (ms(NOW - HOUR), ms(NOW) + 999_999);
    for text in ["cpu", "cpu[1h]", "cpu[60m]", "cpu[ 59m60s ]", "cpu[-1h..now]", "cpu[-1h]", "cpu[-1h .. NOW]"] {
        assert_eq!(range(text, Precision::Millis), (start, end), "{text}");
    }
    let of = |text: &str| range(text, Precision::Millis);
    assert_eq!(of("cpu[5..7]"), (5_000_000, 7_999_999));
    assert_eq!(of("cpu[-7..-5]"), (-7_000_000, -4_000_001));
    assert_eq!(of("cpu[0..0]"), (0, 999_999));
    assert_eq!(of("cpu[5]"), (5_000_000, end));
    assert_eq!(of("cpu[now..now]"), (ms(NOW), end));
    assert_eq!(of("cpu[-2m..-1m]"), (ms(NOW - 2 * MINUTE), ms(NOW - MINUTE) + 999_999));
    assert_eq!(of("cpu[1d2h3m4s5ms]").0, ms(NOW - 26 * HOUR - 3 * MINUTE - 4_005_000_000));
    assert_eq!(of("cpu[1w]").0, ms(NOW - 7 * 24 * HOUR));
    let nanos = |text: &str| range(text, Precision::Nanos);
    let whole = 1_700_000_000_000_000_000;
    for text in
        ["2023-11-14T22:13:20Z", "2023-11-14t22:13:20.000z", "2023-11-14T23:13:20+01:00", "2023-11-14T17:43:20-04:30"]
    {
        assert_eq!(nanos(&format!("cpu[{text}]")), (whole, NOW), "{text}");
        assert_eq!(nanos(&format!("cpu[{text}..{text}]")), (whole, whole), "{text}");
    }
    assert_eq!(nanos("cpu[1969-12-31T23:59:59.999999999Z..0]"), (-1, 0));
    assert_eq!(nanos(&format!("cpu[{}..{}]", i64::MIN, i64::MAX)), (i64::MIN, i64::MAX));
}

#[test]
fn range_ends_are_inclusive_at_the_precision_of_the_request() {
    assert_eq!(range("cpu[5..5]", Precision::Nanos), (5, 5));
    assert_eq!(range("cpu[5..5]", Precision::Micros), (5_000, 5_999));
    assert_eq!(range("cpu[5..5]", Precision::Millis), (5_000_000, 5_999_999));
    assert_eq!(range("cpu[5..5]", Precision::Seconds), (5_000_000_000, 5_999_999_999));
    assert_eq!(
        range("cpu[2023-11-14T22:13:20.1Z..now]", Precision::Seconds),
        (1_700_000_000_000_000_000, 1_700_000_000_999_999_999)
    );
    let end = i64::MAX / 1_000_000;
    assert_eq!(range(&format!("cpu[{end}..{end}]"), Precision::Millis), (end * 1_000_000, i64::MAX));
}

#[test]
fn a_range_from_a_later_instant_to_now_is_empty_and_no_mistake() {
    let (first, last) = range("cpu[2100-01-01T00:00:00Z]", Precision::Millis);
    assert!(first > last);
    let (first, last) = range("cpu[2100-01-01T00:00:00Z..2100-01-02T00:00:00Z]", Precision::Millis);
    assert!(NOW < first && first < last);
}

#[test]
fn a_date_beyond_64_bits_is_the_end_of_what_they_can_say() {
    for text in [
        "2262-04-11T23:47:16.854775808Z",
        "9998-12-31T23:59:59Z",
        "9999-01-01T00:00:00Z",
        "9999-12-30T22:00:00Z",
        "9999-12-31T23:59:59Z",
        "9999-12-31t23:59:59.999999999z",
        "9999-12-31T23:59:59-23:59",
        "9999-12-31T23:59:59+23:59",
    ] {
        assert_eq!(rfc3339(text), Some(i64::MAX), "{text}");
        assert_eq!(range(&format!("cpu[0..{text}]"), Precision::Millis), (0, i64::MAX), "{text}");
    }
    assert_eq!(rfc3339("2262-04-11T23:47:16.854775807Z"), Some(i64::MAX));
    assert_eq!(rfc3339("2262-04-11T23:47:16.854775806Z"), Some(i64::MAX - 1));
    assert_eq!(rfc3339("0001-01-01T00:00:00Z"), Some(i64::MIN));
    for text in ["9999-02-29T00:00:00Z", "9999-13-01T00:00:00Z", "9999-12-32T00:00:00Z", "9999-12-31T24:00:00Z"] {
        assert_eq!(rfc3339(text), None, "{text}");
    }
}

#[test]
fn from_and_to_replace_the_written_range() {
    let of = |from, to| {
        let frame = Frame { from, to, ..frame(Precision::Nanos) };
        parse("cpu[5..7]").unwrap().plan(&frame, None).unwrap().query.range
    };
    assert_eq!(of(Some(100), Some(200)), (100, 200));
    assert_eq!(of(Some(100), None), (100, NOW));
    assert_eq!(of(None, Some(NOW - 5)), (NOW - 5 - HOUR, NOW - 5));
    assert_eq!(of(None, Some(i64::MIN)), (i64::MIN, i64::MIN));
}

#[test]
fn the_three_forms_of_a_window_are_equal() {
    for text in
        ["avg(5m)", "window(5m) | avg()", "avg(\"usage\", 5m)", "mean(5m)", "AVG ( 5m )", "avg(usage,5m)", "avg(300s)"]
    {
        assert_eq!(stages(text), [over(Aggregate::Avg, 5 * MINUTE)], "{text}");
    }
}

#[test]
fn every_aggregate_is_read() {
    let percentile = Aggregate::Percentile;
    for (name, what) in [
        ("avg", Aggregate::Avg),
        ("sum", Aggregate::Sum),
        ("min", Aggregate::Min),
        ("max", Aggregate::Max),
        ("count", Aggregate::Count),
    ] {
        assert_eq!(stages(&format!("{name}()")), [over(what, MINUTE)]);
        assert_eq!(stages(&format!("{name}(usage)")), [over(what, MINUTE)]);
        assert_eq!(stages(&format!("{name}(2h)")), [over(what, 2 * HOUR)]);
    }
    for (text, stage) in [
        ("first()", over(Aggregate::First, None)),
        ("last(usage)", over(Aggregate::Last, None)),
        ("first(1h)", over(Aggregate::First, HOUR)),
        ("window(1h) | last()", over(Aggregate::Last, HOUR)),
        ("percentile(95)", over(percentile(95.0), MINUTE)),
        ("percentile(99.9, 5m)", over(percentile(99.9), 5 * MINUTE)),
        ("percentile(0, 'usage')", over(percentile(0.0), MINUTE)),
        ("percentile(1e2, usage, 5m)", over(percentile(100.0), 5 * MINUTE)),
    ] {
        assert_eq!(stages(text), [stage], "{text}");
    }
}

#[test]
fn a_window_is_for_the_next_aggregate_that_names_none() {
    assert_eq!(stages("window(5m) | avg() | max()"), [over(Aggregate::Avg, 5 * MINUTE), over(Aggregate::Max, MINUTE)]);
    assert_eq!(
        stages("window(5m) | avg(1m) | max()"),
        [over(Aggregate::Avg, MINUTE), over(Aggregate::Max, 5 * MINUTE)]
    );
    assert_eq!(stages("window(5m) | window(1h) | sum()"), [over(Aggregate::Sum, HOUR)]);
    assert_eq!(stages("window(5m) | rate() | sum()"), [Stage::Rate, over(Aggregate::Sum, 5 * MINUTE)]);
}

#[test]
fn a_window_without_an_aggregate_behind_it_is_the_average() {
    assert_eq!(stages("window(5m)"), [over(Aggregate::Avg, 5 * MINUTE)]);
    assert_eq!(stages("window(1h) | window(5m)"), [over(Aggregate::Avg, 5 * MINUTE)]);
    assert_eq!(stages("window(5m) | round(1)"), [over(Aggregate::Avg, 5 * MINUTE), Stage::Round(1)]);
    assert_eq!(stages("sum(1m) | window(5m)"), [over(Aggregate::Sum, MINUTE), over(Aggregate::Avg, 5 * MINUTE)]);
    assert_eq!(stages("window(5m) | group_by(host)"), [grouped(Aggregate::Avg, 5 * MINUTE, &["host"])]);
    assert_eq!(stages("group_by(host) | window(5m)"), [grouped(Aggregate::Avg, 5 * MINUTE, &["host"])]);
    // An aggregate that names its own leaves it unused.
    assert_eq!(stages("window(5m) | avg(1m)"), [over(Aggregate::Avg, MINUTE)]);
}

#[test]
fn groups_hold_for_all_later_aggregates_until_the_next() {
    let (avg, max) = (Aggregate::Avg, Aggregate::Max);
    for (text, wanted) in [
        ("group_by(host) | avg()", vec![grouped(avg, MINUTE, &["host"])]),
        ("avg() | group_by(host)", vec![grouped(avg, MINUTE, &["host"])]),
        ("avg() | rate() | group_by(host)", vec![grouped(avg, MINUTE, &["host"]), Stage::Rate]),
        (
            "group_by(host, dc) | avg() | max(1h)",
            vec![grouped(avg, MINUTE, &["host", "dc"]), grouped(max, HOUR, &["host", "dc"])],
        ),
        ("group_by(a) | avg() | group_by(b) | max()", vec![grouped(avg, MINUTE, &["a"]), grouped(max, MINUTE, &["b"])]),
        ("group_by(a) | avg() | max() | group_by(b)", vec![grouped(avg, MINUTE, &["a"]), grouped(max, MINUTE, &["b"])]),
        ("group_by(a) | group_by('b c') | avg()", vec![grouped(avg, MINUTE, &["b c"])]),
        ("group_by(a,b,a) | avg()", vec![grouped(avg, MINUTE, &["a", "b"])]),
        ("group_by(host)", vec![Stage::Pool { by: vec!["host".into()] }]),
        ("rate() | group_by(host) | abs()", vec![Stage::Rate, Stage::Pool { by: vec!["host".into()] }, Stage::Abs]),
    ] {
        assert_eq!(stages(text), wanted, "{text}");
    }
}

#[test]
fn fields_are_those_that_all_who_name_any_agree_on() {
    let fields = |text: &str| plan(text).query.fields;
    let some = |names: &[&str]| Some(names.iter().map(|name| name.to_string()).collect::<Vec<_>>());
    assert_eq!(fields("cpu | avg()"), None);
    assert_eq!(fields("cpu | field(a, 'b c')"), some(&["a", "b c"]));
    assert_eq!(fields("cpu | avg(a, 5m) | field(b, a)"), some(&["a"]));
    assert_eq!(fields("cpu | field(b, a) | avg(\"a\") | max(a)"), some(&["a"]));
    assert_eq!(fields("cpu | avg(a) | max(b)"), some(&[]));
    assert_eq!(stages("field(a) | avg(5m)"), [over(Aggregate::Avg, 5 * MINUTE)], "it is no stage");
}

#[test]
fn the_last_alias_names_the_answer() {
    assert_eq!(plan("cpu | alias(load) | avg() | alias('x y')").alias.as_deref(), Some("x y"));
    assert_eq!(stages("alias(load)"), []);
}

#[test]
fn stages_on_points_are_read() {
    use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    for (text, stage) in [
        ("rate()", Stage::Rate),
        ("rate(5m)", Stage::Rate),
        ("Delta( )", Stage::Delta),
        ("where(value > 5)", Stage::Where(Greater, 5.0)),
        ("where(>=-1.5e+3)", Stage::Where(GreaterOrEqual, -1500.0)),
        ("where(value<0)", Stage::Where(Less, 0.0)),
        ("where(value<= 1E-1)", Stage::Where(LessOrEqual, 0.1)),
        ("where( == 00.5 )", Stage::Where(Equal, 0.5)),
        ("where(value!=-0)", Stage::Where(NotEqual, 0.0)),
        ("round()", Stage::Round(0)),
        ("round(15)", Stage::Round(15)),
        ("abs()", Stage::Abs),
        ("ceil()", Stage::Ceil),
        ("floor()", Stage::Floor),
        ("topk(1)", Stage::Top(1)),
        ("bottomk(99999999999999999999999)", Stage::Bottom(usize::MAX)),
    ] {
        assert_eq!(stages(text), [stage], "{text}");
    }
}

#[test]
fn arithmetic_has_its_usual_precedence() {
    let (value, number) = (|| Box::new(Expr::Value), |number| Box::new(Expr::Number(number)));
    let binary = |left, operator, right| Box::new(Expr::Binary(left, operator, right));
    let negate = |inner| Box::new(Expr::Negate(inner));
    use Operator::{Add, Divide, Multiply, Remainder, Subtract};
    for (text, wanted) in [
        ("value", value()),
        ("value*1.8+32", binary(binary(value(), Multiply, number(1.8)), Add, number(32.0))),
        ("32 + value * 1.8", binary(number(32.0), Add, binary(value(), Multiply, number(1.8)))),
        ("value-1-2", binary(binary(value(), Subtract, number(1.0)), Subtract, number(2.0))),
        ("value/2%3", binary(binary(value(), Divide, number(2.0)), Remainder, number(3.0))),
        ("2*(value+1)", binary(number(2.0), Multiply, binary(value(), Add, number(1.0)))),
        ("-value*2", binary(negate(value()), Multiply, number(2.0))),
        ("--value", negate(negate(value()))),
        ("1--1", binary(number(1.0), Subtract, negate(number(1.0)))),
        ("-(1e3)", negate(number(1000.0))),
        ("((value))", value()),
    ] {
        assert_eq!(stages(&format!("math({text})")), [Stage::Math(*wanted)], "{text}");
    }
}

#[test]
fn the_limits_themselves_are_legal() {
    let nested = format!("{}value{}", "(".repeat(64), ")".repeat(64));
    assert_eq!(stages(&format!("math({nested})")), [Stage::Math(Expr::Value)]);
    let long = format!("math(value{})", "+1".repeat(128));
    assert_eq!(stages(&long).len(), 1);
    assert_eq!(stages(&["abs()"; 32].join("|")).len(), 32);
    let name = "x".repeat(64 << 10);
    assert_eq!(plan(&name).query.measurement, name);
    plan(&format!("cpu{{a=~{}}}", "x".repeat(1024)));
    let (patterns, others) = (vec!["a!~b"; 32].join(","), vec!["a!=b"; 224].join(","));
    assert_eq!(plan(&format!("cpu{{{patterns},{others}}}")).query.filters.len(), 256);
    stages(&format!("group_by({})", vec!["a"; 64].join(",")));
}

#[test]
fn a_deletion_takes_everything_when_no_range_is_named() {
    let delete = |text: &str| parse_source(text).unwrap().deletion(&frame(Precision::Millis)).unwrap();
    let all = delete("cpu{host=a}");
    assert_eq!((all.measurement.as_str(), all.filters, all.range), ("cpu", vec![is("host", "a")], None));
    assert_eq!(delete("cpu[5..6]").range, Some((5_000_000, 6_999_999)));
}
