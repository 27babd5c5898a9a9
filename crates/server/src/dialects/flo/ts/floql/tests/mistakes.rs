//! What is refused, the byte it is refused at, and what is said.

use super::*;

#[track_caller]
fn mistake(text: &str) -> Mistake {
    let planned = parse(text).and_then(|script| script.plan(&frame(Precision::Millis), None));
    match planned {
        Ok(plan) => panic!("{text} is accepted: {plan:?}"),
        Err(mistake) => mistake,
    }
}

/// The caret stands below the byte of the mistake; `what` and `expected` are parts of its texts.
#[track_caller]
fn refused(cases: &[(&str, &str, &str, &str)]) {
    for (text, caret, what, expected) in cases {
        let found = mistake(text);
        let at = caret.find('^').expect("a caret");
        assert_eq!(found.at, at, "{text}: {found}");
        assert!(found.what.contains(what), "{text}: {found}");
        assert!(found.expected.contains(expected), "{text}: expected {:?}", found.expected);
    }
}

#[test]
fn a_mistake_says_where_it_is() {
    let found = mistake("cpu{a=}");
    assert_eq!(found.to_string(), "FloQL error at byte 6: expected a value, found '}'");
    assert_eq!(found.expected, "a value");
    assert_eq!(mistake("").to_string(), "FloQL error at byte 0: expected a measurement, found the end");
}

#[test]
fn sources() {
    refused(&[
        ("", "^", "found the end", "a measurement"),
        ("   ", "   ^", "found the end", "a measurement"),
        ("1cpu", "^", "found '1'", "a measurement"),
        ("{a=b}", "^", "found '{'", "a measurement"),
        ("-cpu", "^", "found '-'", "a measurement"),
        ("\"cpu", "^", "unterminated quote", "a closing \""),
        ("'a\\'", "^", "unterminated quote", "a closing '"),
        ("cpu x", "    ^", "found 'x'", "'{', '[', '|' or the end"),
        ("cpu]", "   ^", "found ']'", "'{', '[', '|' or the end"),
        ("cpu[1h]x", "       ^", "found 'x'", "'|' or the end"),
        ("cpu[1h]{a=b}", "       ^", "found '{'", "'|' or the end"),
        ("cpu\n?", "    ^", "found '?'", ""),
        ("cpu\u{1b}", "   ^", "found '\\u{1b}'", ""),
    ]);
}

#[test]
fn filters() {
    refused(&[
        ("cpu{", "    ^", "found the end", "a tag or '}'"),
        ("cpu{,}", "    ^", "found ','", "a tag or '}'"),
        ("cpu{a=1,,}", "        ^", "found ','", "a tag or '}'"),
        ("cpu{1=a}", "    ^", "found '1'", "a tag or '}'"),
        ("cpu{a}", "     ^", "found '}'", "one of = == != =~ !~"),
        ("cpu{a!b}", "     ^", "found '!'", "one of = == != =~ !~"),
        ("cpu{a<b}", "     ^", "found '<'", "one of = == != =~ !~"),
        ("cpu{a=}", "      ^", "found '}'", "a value"),
        ("cpu{a= ,b=c}", "       ^", "found ','", "a value"),
        ("cpu{a=", "      ^", "found the end", "a value"),
        ("cpu{a=b c=d}", "        ^", "found 'c'", "',' or '}'"),
        ("cpu{a=\"b\"c}", "         ^", "found 'c'", "',' or '}'"),
        ("cpu{a=b", "       ^", "found the end", "',' or '}'"),
        ("cpu{a='b}", "      ^", "unterminated quote", "a closing '"),
        ("cpu{a=~[b}", "       ^", "invalid pattern", "a glob or a regular expression"),
        ("cpu{a!~ \"(b\"}", "        ^", "invalid pattern", "a glob or a regular expression"),
        ("cpu{a=~a)|(b}", "       ^", "invalid pattern", "a glob or a regular expression"),
        ("cpu{a=~\"x{1000}{1000}\"}", "       ^", "invalid pattern: the pattern is too large", ""),
    ]);
}

#[test]
fn ranges() {
    refused(&[
        ("cpu[]", "    ^", "found ']'", "a duration or an instant"),
        ("cpu[", "    ^", "found the end", "a duration or an instant"),
        ("cpu[1h", "      ^", "found the end", "']'"),
        ("cpu[1h 2]", "       ^", "found '2'", "']'"),
        ("cpu[5x]", "     ^", "found 'x'", "a unit: ms, s, m, h, d or w"),
        ("cpu[5M]", "     ^", "found 'M'", "a unit: ms, s, m, h, d or w"),
        ("cpu[5 m]", "      ^", "found 'm'", "']'"),
        ("cpu[1h5]", "       ^", "found ']'", "a unit: ms, s, m, h, d or w"),
        ("cpu[1h..2h]", "      ^", "found '.'", "']'"),
        ("cpu[1..2h]", "       ^", "found '2'", "a duration or an instant"),
        ("cpu[0s]", "    ^", "the duration is zero", "a duration above zero"),
        ("cpu[-0h..now]", "     ^", "the duration is zero", "a duration above zero"),
        ("cpu[106752d]", "    ^", "the duration is out of range", "at most 106751 days"),
        ("cpu[99999999999999999999s]", "    ^", "the duration is out of range", ""),
        ("cpu[99999999999999999999]", "    ^", "the instant is out of range", "milliseconds since 1970"),
        ("cpu[1..-9223372036854775807]", "    ^", "the range starts after its end", ""),
        ("cpu[2262-04-12T00:00:00Z..2262-04-11T00:00:00Z]", "    ^", "the range starts after its end", ""),
        ("cpu[2023-02-30T00:00:00Z]", "    ^", "the instant is out of range", ""),
        ("cpu[7..5]", "    ^", "the range starts after its end", "a start that is not after the end"),
        ("cpu[now..-1h]", "    ^", "the range starts after its end", ""),
        ("cpu[1..]", "       ^", "found ']'", "a duration or an instant"),
        ("cpu[..1]", "    ^", "found '.'", "a duration or an instant"),
        ("cpu[1...2]", "       ^", "found '.'", "a duration or an instant"),
        ("cpu[--1h]", "     ^", "found '-'", "a duration such as 5m"),
        ("cpu[yesterday]", "    ^", "found 'y'", "a duration or an instant"),
        ("cpu[2023-11-14]", "    ^", "found '2'", "a duration or an instant"),
        ("cpu[2023-11-14T22:13:20]", "    ^", "found '2'", "a duration or an instant"),
        ("cpu[2023-11-14T22:13:20.Z]", "    ^", "found '2'", "a duration or an instant"),
        ("cpu[2023-11-14 22:13:20Z]", "    ^", "found '2'", "a duration or an instant"),
        ("cpu[1.5]", "    ^", "found '1'", "a duration or an instant"),
    ]);
}

#[test]
fn stages() {
    refused(&[
        ("cpu |", "     ^", "found the end", "a stage"),
        ("cpu | |", "      ^", "found '|'", "a stage"),
        ("cpu | 5m", "      ^", "found '5'", "a stage"),
        ("cpu | avg", "         ^", "found the end", "'('"),
        ("cpu | avg(", "          ^", "found the end", "a field or a window"),
        ("cpu | avg(5m", "            ^", "found the end", "')'"),
        ("cpu | avg(5m) x", "              ^", "found 'x'", "'|' or the end"),
        ("cpu | avg(5m, usage)", "            ^", "found ','", "')'"),
        ("cpu | avg(usage,)", "                ^", "found ')'", "a duration such as 5m"),
        ("cpu | avg(usage, 5)", "                  ^", "found ')'", "a unit"),
        ("cpu | avg(a, b)", "             ^", "found 'b'", "a duration such as 5m"),
        ("cpu | avg(-5m)", "          ^", "found '-'", "a field or a window"),
        ("cpu | avg(0m)", "          ^", "the duration is zero", ""),
        ("cpu | avg(5mx)", "            ^", "found 'x'", "')'"),
        ("cpu | percentile()", "                 ^", "found ')'", "a number from 0 to 100"),
        ("cpu | percentile(101)", "                 ^", "out of range", "a number from 0 to 100"),
        ("cpu | percentile(-1)", "                 ^", "out of range", "a number from 0 to 100"),
        ("cpu | percentile(95,)", "                    ^", "found ')'", "a field or a window"),
        ("cpu | percentile(95, 5m, a)", "                       ^", "found ','", "')'"),
        ("cpu | window()", "             ^", "found ')'", "a duration such as 5m"),
        ("cpu | window(0s)", "             ^", "the duration is zero", "a duration above zero"),
        ("cpu | rate(x)", "           ^", "found 'x'", "a duration such as 5m"),
        ("cpu | rate(0s)", "           ^", "the duration is zero", ""),
        ("cpu | delta(5m)", "            ^", "found '5'", "')'"),
        ("cpu | abs(1)", "          ^", "found '1'", "')'"),
        ("cpu | where()", "            ^", "found ')'", "one of > >= < <= == !="),
        ("cpu | where(value)", "                 ^", "found ')'", "one of > >= < <= == !="),
        ("cpu | where(value = 5)", "                  ^", "found '='", "one of > >= < <= == !="),
        ("cpu | where(usage > 5)", "            ^", "unknown name 'usage'", "value"),
        ("cpu | where(value > x)", "                    ^", "found 'x'", "a number"),
        ("cpu | where(value > 5m)", "                     ^", "found 'm'", "')'"),
        ("cpu | where(value > .5)", "                    ^", "found '.'", "a number"),
        ("cpu | where(value > 1e)", "                    ^", "found '1'", "a number"),
        ("cpu | where(value > 1e999)", "                    ^", "the number is out of range", ""),
        ("cpu | round(16)", "            ^", "too many decimal places", "from 0 to 15"),
        ("cpu | round(-1)", "            ^", "found '-'", "from 0 to 15"),
        ("cpu | round(1.5)", "             ^", "found '.'", "')'"),
        ("cpu | topk()", "           ^", "found ')'", "a number from 1"),
        ("cpu | topk(0)", "           ^", "is zero", "a number from 1"),
        ("cpu | bottomk(-1)", "              ^", "found '-'", "a number from 1"),
        ("cpu | group_by()", "               ^", "found ')'", "a tag"),
        ("cpu | group_by(a,)", "                 ^", "found ')'", "a tag"),
        ("cpu | field()", "            ^", "found ')'", "a field"),
        ("cpu | field(a) | avg() | field(b)", "                         ^", "field() is given twice", "field() once"),
        ("cpu | alias()", "            ^", "found ')'", "a name"),
        ("cpu | alias(a, b)", "             ^", "found ','", "')'"),
    ]);
}

#[test]
fn an_unknown_stage_is_told_all_stages() {
    let found = mistake("cpu | avgg(5m)");
    assert_eq!(found.to_string(), "FloQL error at byte 6: unknown stage 'avgg'");
    assert_eq!(
        found.expected,
        "one of avg, mean, sum, min, max, count, first, last, percentile, window, rate, delta, where, math, round, abs, \
         ceil, floor, group_by, topk, bottomk, field, alias"
    );
}

#[test]
fn arithmetic() {
    refused(&[
        ("cpu | math()", "           ^", "found ')'", "value, a number or '('"),
        ("cpu | math(value +)", "                  ^", "found ')'", "value, a number or '('"),
        ("cpu | math(value 2)", "                 ^", "found '2'", "')'"),
        ("cpu | math(+value)", "           ^", "found '+'", "value, a number or '('"),
        ("cpu | math((value)", "                  ^", "found the end", "')'"),
        ("cpu | math((value", "                 ^", "found the end", "an operator or ')'"),
        ("cpu | math(x)", "           ^", "unknown name 'x'", "value, a number or '('"),
        ("cpu | math(value^2)", "                ^", "found '^'", "')'"),
        ("cpu | math(1.)", "           ^", "found '1'", "value, a number or '('"),
        ("cpu | math(VALUE)", "           ^", "unknown name 'VALUE'", ""),
    ]);
}

#[test]
fn what_is_beyond_a_limit() {
    let at = |text: &str, what: &str, expected: &str| {
        let found = mistake(text);
        assert!(found.what.contains(what) && found.expected.contains(expected), "{found}, expected {}", found.expected);
        found.at
    };
    let nested = format!("cpu|math({}value{})", "(".repeat(65), ")".repeat(65));
    assert_eq!(at(&nested, "nested too deeply", "at most 64"), 9 + 64);
    let signs = format!("cpu|math({}value)", "-".repeat(30_000));
    assert_eq!(at(&signs, "nested too deeply", "at most 64"), 9 + 64);
    let long = format!("cpu|math(1{})", "+1".repeat(129));
    assert_eq!(at(&long, "too long", "at most 128 operators"), 10 + 2 * 128);
    let stages = format!("cpu{}", "|abs()".repeat(33));
    assert_eq!(at(&stages, "too many stages", "at most 32"), 3 + 32 * 6 + 1);
    let many = |count: usize, one: &str| vec![one; count].join(",");
    assert_eq!(at(&format!("cpu{{{}}}", many(257, "a=b")), "too many filters", "at most 256"), 4 + 256 * 4);
    assert_eq!(at(&format!("cpu{{{}}}", many(33, "a=~b")), "too many patterns", "at most 32"), 4 + 32 * 5 + 3);
    assert_eq!(at(&format!("cpu|group_by({})", many(65, "a")), "too many tags", "at most 64"), 13);
    let bytes = "x".repeat((64 << 10) + 1);
    assert_eq!(at(&bytes, "the query is too long", "at most 65536 bytes"), 64 << 10);
    let pattern = format!("cpu{{a=~{}}}", "x".repeat(1025));
    assert_eq!(at(&pattern, "the pattern is too long", "at most 1024 bytes"), 7);
}

#[test]
fn a_deletion_has_no_stages() {
    let found = |text: &str| parse_source(text).expect_err("a mistake");
    assert_eq!(found("cpu | avg()").to_string(), "FloQL error at byte 4: stages are not allowed here");
    assert_eq!(found("cpu x").to_string(), "FloQL error at byte 4: expected the end, found 'x'");
}
