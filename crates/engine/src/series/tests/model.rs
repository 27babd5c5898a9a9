//! Columns against plain maps: random writes in any order of time, sealing, restarts and crashes; all that can be read
//! must be what the maps say.

use manifold_store::disk::Reboot;
use proptest::prelude::*;

use super::*;
use crate::{
    Clock, Options,
    tests::{START, cases},
};

#[derive(Debug, Clone)]
enum Step {
    Write(Vec<Row>),
    /// All columns are sealed, small or not.
    Age,
    Wait(u64),
    Look(Time, Time),
    /// Of one host, or of all.
    Delete(Option<u8>, Time, Time),
    Restart,
    Crash(Reboot),
}

#[derive(Debug, Clone)]
struct Row {
    host: u8,
    time: Time,
    values: Vec<(usize, Scalar)>,
}

/// An instant, whatever the newest one is by then.
#[derive(Debug, Clone, Copy)]
enum Time {
    /// So many after it.
    After(i64),
    Near(i64),
    Edge(bool),
}

type Model = BTreeMap<(u8, &'static str), BTreeMap<i64, Scalar>>;

const FIELDS: [&str; 3] = ["a", "b", "text"];

fn scalar() -> impl Strategy<Value = Scalar> {
    prop_oneof![
        6 => (-1000i32..1000).prop_map(|number| Scalar::Float(f64::from(number) / 4.0)),
        2 => any::<i64>().prop_map(Scalar::Int),
        1 => any::<u64>().prop_map(Scalar::Uint),
        1 => any::<bool>().prop_map(Scalar::Bool),
        1 => prop::num::f64::NORMAL.prop_map(Scalar::Float),
    ]
}

fn time() -> impl Strategy<Value = Time> {
    prop_oneof![
        12 => (1i64..4).prop_map(Time::After),
        4 => (-200i64..5).prop_map(Time::Near),
        1 => any::<bool>().prop_map(Time::Edge),
    ]
}

fn row() -> impl Strategy<Value = Row> {
    let value = prop_oneof![
        5 => (0usize..2, scalar()),
        1 => "[a-z]{0,12}".prop_map(|it| (2, text(&it))),
    ];
    (0u8..3, time(), proptest::collection::vec(value, 1..4)).prop_map(|(host, time, values)| Row { host, time, values })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        16 => proptest::collection::vec(row(), 1..24).prop_map(Step::Write),
        2 => Just(Step::Age),
        3 => (0u64..4).prop_map(Step::Wait),
        4 => (time(), time()).prop_map(|(from, to)| Step::Look(from, to)),
        2 => (any::<Option<u8>>(), time(), time()).prop_map(|(host, from, to)| {
            Step::Delete(host.map(|host| host % 3), from, to)
        }),
        1 => Just(Step::Restart),
        2 => prop_oneof![Just(Reboot::Lost), Just(Reboot::Kept), any::<u64>().prop_map(|seed| Reboot::Mixed(seed | 1))]
            .prop_map(Step::Crash),
    ]
}

/// A column is sealed in several commits sometimes: bounds that make it often.
fn tuning() -> impl Strategy<Value = Tuning> {
    (4usize..12, 1usize..5, 4usize..40, 1usize..4, 1usize..60).prop_map(
        |(block_points, rewritten_per_point, patient_points, rewrites, tick_points)| Tuning {
            block_points,
            rewritten_per_point,
            patient_points,
            rewrites,
            tick_points,
            commit_text_bytes: 8 * rewrites,
            ..small()
        },
    )
}

fn instant(time: Time, newest: &mut i64) -> i64 {
    match time {
        Time::After(more) => {
            *newest += more;
            *newest
        }
        Time::Near(offset) => *newest + offset,
        Time::Edge(true) => i64::MAX,
        Time::Edge(false) => i64::MIN,
    }
}

fn check(house: &House, model: &Model, range: (i64, i64)) {
    for host in 0..3u8 {
        for field in FIELDS {
            let found = house.column_within(&host.to_string(), field, range);
            let expected = model.get(&(host, field)).into_iter().flatten();
            let expected = expected.filter(|(time, _)| range.0 <= **time && **time <= range.1);
            let expected: Vec<_> = expected.map(|(time, value)| (*time, value.clone())).collect();
            assert_eq!(found, expected, "field {field} of {host}");
        }
    }
}

proptest! {
    #![proptest_config(cases(64, 4))]
    #[test]
    fn columns_are_what_plain_maps_would_be_after_every_restart_and_crash(
        steps in proptest::collection::vec(step(), 1..50),
        tuning in tuning(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let options = Options { clock: Clock::manual(START), ..Options::new("/data") };
            let mut house = House::tuned(SimDisk::new(), options, tuning).await;
            let mut model = Model::new();
            let mut newest = 0;
            for step in steps {
                match step {
                    Step::Write(rows) => {
                        let mut lines = Lines::default();
                        for Row { host, time, values } in rows {
                            let time = instant(time, &mut newest);
                            let named: Vec<_> = values.into_iter().map(|(at, value)| (FIELDS[at], value)).collect();
                            lines = lines.line(&host.to_string(), time, &named);
                            for (field, value) in named {
                                model.entry((host, field)).or_default().insert(time, value);
                            }
                        }
                        let count = lines.0.len() as u64;
                        assert_eq!(house.write(lines).await.lines, count);
                    }
                    Step::Age => house.advance(3_600_000),
                    Step::Wait(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
                    Step::Look(from, to) => {
                        let mut at = newest;
                        check(&house, &model, (instant(from, &mut at), instant(to, &mut at)));
                    }
                    Step::Delete(host, from, to) => {
                        let mut at = newest;
                        let range = (instant(from, &mut at), instant(to, &mut at));
                        let filter = |host: u8| TagFilter { tag: "host".into(), test: TagTest::Is(host.to_string()) };
                        let filters = host.map(filter).into_iter().collect();
                        let delete = DeletePoints { measurement: "m".into(), filters, range: Some(range) };
                        let deleted = house.delete_points(&ns("n"), delete).await.expect("deletes");
                        let mut expected = 0;
                        for (_, column) in model.iter_mut().filter(|((of, _), _)| host.is_none_or(|host| host == *of)) {
                            let before = column.len();
                            column.retain(|time, _| *time < range.0 || range.1 < *time);
                            expected += before - column.len();
                        }
                        assert_eq!(deleted, expected as u64);
                    }
                    Step::Restart => house.restart().await,
                    Step::Crash(how) => house.crash(how).await,
                }
                check(&house, &model, (i64::MIN, i64::MAX));
            }
            // What is counted is what is there.
            house.age().await;
            let points: usize = model.values().map(BTreeMap::len).sum();
            assert_eq!(house.series_stats().sealed, points as u64);
            let before = house.series_stats();
            house.restart().await;
            assert_eq!(house.series_stats(), before);
            check(&house, &model, (i64::MIN, i64::MAX));
        });
    }
}
