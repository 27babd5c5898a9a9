use super::*;

fn question(host: Option<usize>, window_s: Option<u64>, by: Option<&'static str>) -> Question {
    let range_s = START_S + 10..START_S + 60;
    Question { name: "some", measurement: "cpu", field: "usage_system", host, range_s, window_s, by }
}

/// Time, host and the value of the second field, as the lines have them.
fn lines(load: &Load, per_batch: usize) -> Vec<(i64, String, f64)> {
    let batches = load.batches(per_batch);
    assert_eq!(batches.iter().map(|batch| batch.points).sum::<usize>(), load.points());
    let text: String = batches.iter().map(|batch| std::str::from_utf8(&batch.body).unwrap()).collect();
    let parse = |line: &str| {
        let [series, values, time] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let host = series.split(',').find_map(|tag| tag.strip_prefix("host=")).unwrap().to_owned();
        let value = values.split(',').find_map(|field| field.strip_prefix("usage_system=")).unwrap();
        (time.parse::<i64>().unwrap() / 1_000_000, host, value.parse().unwrap())
    };
    text.lines().map(parse).collect()
}

#[test]
fn the_right_answer_is_what_the_lines_say() {
    let load = Load::devops(3, 10);
    let in_range = |at: i64| (START_S as i64 * 1000 + 10_000..START_S as i64 * 1000 + 60_000).contains(&at);
    let written: Vec<_> = lines(&load, 7).into_iter().filter(|(at, ..)| in_range(*at)).collect();

    let points: Vec<_> = written.iter().filter(|(_, host, _)| host == "host_1").map(|(at, _, v)| (*at, *v)).collect();
    assert_eq!(points.len(), 5);
    assert_eq!(load.answer(&question(Some(1), None, None)), Answer::from([(String::new(), points)]));

    let means = load.answer(&question(None, Some(30), Some("host")));
    assert_eq!(means.keys().collect::<Vec<_>>(), ["host_0", "host_1", "host_2"]);
    let (at, mean) = means["host_2"][1];
    let second: Vec<f64> =
        written.iter().filter(|(time, host, _)| *time >= at && host == "host_2").map(|(.., value)| *value).collect();
    assert_eq!((at, second.len()), (START_S as i64 * 1000 + 30_000, 3));
    assert!((mean - second.iter().sum::<f64>() / 3.0).abs() < 1e-9);
}

#[test]
fn a_load_is_the_same_in_every_run() {
    let bodies = || Load::single(2, 5).batches(4).into_iter().map(|batch| batch.body).collect::<Vec<_>>();
    assert_eq!(bodies(), bodies());
    assert_eq!(bodies().len(), 3);
}
