use std::sync::Arc;

use manifold_engine::series::Point;

use super::*;

fn answer(alias: Option<&str>, precision: Precision, values: &[(i64, Scalar)]) -> String {
    let points = values.iter().map(|(time, value)| Point { time: *time, value: value.clone() }).collect();
    let tags = vec![(Arc::from("dc"), Arc::from("\"x\"")), (Arc::from("host"), Arc::from("a"))];
    let series = vec![SeriesPoints { key: "cpu,dc=\"x\",host=a".into(), field: "usage".into(), tags, points }];
    let answer = Answer { measurement: "cpu".into(), alias: alias.map(str::to_owned), precision, series };
    String::from_utf8(answer.json("cpu \"q\"")).expect("UTF-8")
}

fn values(of: Scalar) -> String {
    let written = answer(None, Precision::Nanos, &[(0, of)]);
    let (_, rest) = written.split_once("\"timestamp\":0,\"value\":").expect("a point");
    rest.strip_suffix("}]}]}").expect("the end").to_owned()
}

#[test]
fn an_answer_has_the_contracts_form() {
    assert_eq!(
        answer(
            None,
            Precision::Millis,
            &[(1_700_000_000_000_999_999, Scalar::Float(82.5)), (1_700_000_000_001_000_000, Scalar::Int(7))]
        ),
        r#"{"query":"cpu \"q\"","series":[{"key":"cpu,dc=\"x\",host=a","measurement":"cpu","field":"usage","tags":[{"key":"dc","value":"\"x\""},{"key":"host","value":"a"}],"point_count":2,"points":[{"timestamp":1700000000000,"value":82.5},{"timestamp":1700000000001,"value":7}]}]}"#
    );
    assert!(answer(Some("a \"b\""), Precision::Millis, &[]).contains(r#""key":"a \"b\"","measurement":"cpu""#));
    let nothing = Answer { measurement: "m".into(), alias: None, precision: Precision::Millis, series: Vec::new() };
    assert_eq!(nothing.json("m"), br#"{"query":"m","series":[]}"#);
}

#[test]
fn numbers_read_back_as_what_they_were() {
    for (number, text) in [
        (15.0, "15.0"),
        (-0.0, "-0.0"),
        (0.1, "0.1"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e15, "1000000000000000.0"),
        (f64::MAX, "1.7976931348623157e+308"),
        (5e-324, "5e-324"),
    ] {
        let written = values(Scalar::Float(number));
        assert_eq!(written, text);
        assert_eq!(written.parse::<f64>().map(f64::to_bits), Ok(number.to_bits()));
    }
    assert_eq!(values(Scalar::Int(i64::MIN)), "-9223372036854775808");
    assert_eq!(values(Scalar::Int(9_007_199_254_740_993)), "9007199254740993");
    assert_eq!(values(Scalar::Uint(u64::MAX)), "18446744073709551615");
    assert_eq!(values(Scalar::Bool(true)), "true");
    assert_eq!(values(Scalar::Text("a\n\"ä\"".into())), r#""a\n\"ä\"""#);
}

#[test]
fn times_are_floored_to_the_precision_also_before_1970() {
    let times = [-1, -1_500_000_000, 1_999_999_999, i64::MIN, i64::MAX];
    for (precision, wanted) in [
        (Precision::Nanos, ["-1", "-1500000000", "1999999999", "-9223372036854775808", "9223372036854775807"]),
        (Precision::Micros, ["-1", "-1500000", "1999999", "-9223372036854776", "9223372036854775"]),
        (Precision::Millis, ["-1", "-1500", "1999", "-9223372036855", "9223372036854"]),
        (Precision::Seconds, ["-1", "-2", "1", "-9223372037", "9223372036"]),
    ] {
        for (time, wanted) in times.into_iter().zip(wanted) {
            let written = answer(None, precision, &[(time, Scalar::Bool(false))]);
            assert!(written.contains(&format!("\"timestamp\":{wanted},")), "{precision:?} {time}: {written}");
        }
    }
}
