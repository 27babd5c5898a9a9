use super::*;

fn by_region() -> Question {
    Question {
        name: "some",
        measurement: "cpu",
        field: "usage",
        host: Some(3),
        range_s: 600..1200,
        window_s: Some(300),
        by: Some("region"),
    }
}

fn right() -> Answer {
    Answer::from([("eu".to_owned(), vec![(600_000, 1.5), (900_000, 2.0)])])
}

#[test]
fn three_languages_ask_the_same() {
    let question = by_region();
    assert_eq!(question.floql(), "cpu{host=host_3}[600000..1199999] | field(usage) | group_by(region) | avg(300s)");
    assert_eq!(
        question.influxql(),
        "SELECT mean(\"usage\") FROM \"cpu\" WHERE \"host\"='host_3' AND time >= 600000ms AND time <= 1199999ms \
         GROUP BY time(300s),\"region\" fill(none)"
    );
    let (path, arguments) = question.metricsql();
    assert_eq!(path, "/api/v1/query_range");
    let values: Vec<_> = arguments.iter().map(|(_, value)| value.as_str()).collect();
    assert_eq!(
        values,
        ["avg(avg_over_time(cpu_usage{host=\"host_3\"}[300s])) by (region)", "899.999", "1199.999", "300s", "1"]
    );
}

#[test]
fn three_forms_of_an_answer_read_alike() {
    let question = by_region();
    let manifold = br#"{"series":[{"key":"cpu,region=eu","tags":[{"key":"region","value":"eu"}],
        "points":[{"timestamp":600000,"value":1.5},{"timestamp":900000,"value":2.0}]}]}"#;
    let influx = br#"{"results":[{"series":[{"tags":{"region":"eu"},"values":[[600000,1.5],[900000,2]]}]}]}"#;
    let victoria = br#"{"data":{"result":[{"metric":{"region":"eu"},"values":[[899.999,"1.5"],[1199.999,"2"]]}]}}"#;
    assert_eq!(question.read_manifold(manifold).unwrap(), right());
    assert_eq!(question.read_influx(influx).unwrap(), right());
    assert_eq!(question.read_victoria(victoria).unwrap(), right());
    assert!(question.read_influx(br#"{"results":[{"series":[{"values":[[600000,1.5]]}]}]}"#).is_err());
}

#[test]
fn a_wrong_answer_is_refused() {
    let change = |change: fn(&mut Vec<(i64, f64)>)| {
        let mut answer = right();
        answer.values_mut().for_each(change);
        check("some", &answer, &right())
    };
    assert!(change(|_| ()).is_ok());
    assert!(change(|points| points[0].1 += 1e-12).is_ok());
    assert!(change(|points| points[0].1 += 1e-6).is_err());
    assert!(change(|points| points[1].0 += 1).is_err());
    assert!(change(|points| points.truncate(1)).is_err());
    assert!(change(|points| points.push((1_200_000, 1.0))).is_err());
    assert!(check("some", &Answer::new(), &right()).is_err());
}
