//! Writes and deletes against plain maps, with sealing, restarts and crashes in between.

use std::collections::BTreeSet;

use manifold_store::disk::Reboot;
use proptest::prelude::*;

use super::*;
use crate::{
    Clock, Options,
    tests::{START, cases},
};

const FIELDS: [&str; 2] = ["x", "y"];
const HOSTS: [&str; 3] = ["a", "b", "c"];

#[derive(Debug, Clone)]
enum Step {
    /// Host, time, which fields, value.
    Write(Vec<(usize, i64, u8, i64)>),
    Delete {
        filter: Option<(bool, usize)>,
        range: Option<(i64, i64)>,
    },
    /// All columns are sealed, small or not.
    Age,
    Restart,
    Crash(Reboot),
}

#[derive(Debug, Default)]
struct Model {
    columns: BTreeMap<(usize, usize), BTreeMap<i64, Scalar>>,
    /// Of the measurement, as long as there is one.
    fields: BTreeSet<usize>,
}

fn step() -> impl Strategy<Value = Step> {
    let point = (0usize..3, -10i64..60, 1u8..4, -100i64..100);
    let range = (-12i64..62, 0i64..40).prop_map(|(first, len)| (first, first + len));
    let crash =
        prop_oneof![Just(Reboot::Lost), Just(Reboot::Kept), any::<u64>().prop_map(|seed| Reboot::Mixed(seed | 1))];
    prop_oneof![
        12 => proptest::collection::vec(point, 1..30).prop_map(Step::Write),
        6 => (proptest::option::of((any::<bool>(), 0usize..3)), proptest::option::weighted(0.7, range))
            .prop_map(|(filter, range)| Step::Delete { filter, range }),
        1 => Just(Step::Age),
        1 => Just(Step::Restart),
        1 => crash.prop_map(Step::Crash),
    ]
}

impl Model {
    fn write(&mut self, rows: &[(usize, i64, u8, i64)]) -> Lines {
        let mut lines = Lines::default();
        for (host, time, fields, value) in rows {
            let fields = || (0..2).filter(|field| fields & 1 << field != 0);
            let values: Vec<_> = fields().map(|field| (FIELDS[field], Scalar::Int(*value))).collect();
            lines = lines.line(HOSTS[*host], *time, &values);
            for field in fields() {
                self.columns.entry((*host, field)).or_default().insert(*time, Scalar::Int(*value));
                self.fields.insert(field);
            }
        }
        lines
    }

    fn delete(&mut self, filter: Option<(bool, usize)>, (first, last): (i64, i64)) -> u64 {
        let mut deleted = 0;
        for ((host, _), points) in &mut self.columns {
            if filter.is_none_or(|(is, of)| is == (of == *host)) {
                let before = points.len();
                points.retain(|time, _| !(first..=last).contains(time));
                deleted += before - points.len();
            }
        }
        self.columns.retain(|_, points| !points.is_empty());
        if self.columns.is_empty() {
            self.fields.clear();
        }
        deleted as u64
    }

    async fn check(&self, house: &House) {
        for (host, host_name) in HOSTS.iter().enumerate() {
            for (field, field_name) in FIELDS.iter().enumerate() {
                let expected = self.columns.get(&(host, field)).cloned().unwrap_or_default();
                let found = house.column(host_name, field_name);
                assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{field_name} of {host_name}");
            }
        }
        let names = house.measurements(&ns("n"), None, 9).await.expect("lists");
        let hosts: BTreeSet<usize> = self.columns.keys().map(|(host, _)| *host).collect();
        let expected = MeasurementInfo {
            name: "m".into(),
            series: hosts.len() as u64,
            fields: self.fields.iter().map(|field| (FIELDS[*field].into(), FieldType::Int)).collect(),
        };
        let expected = if hosts.is_empty() { vec![] } else { vec![expected] };
        assert_eq!(names, expected);
    }
}

proptest! {
    #![proptest_config(cases(64, 4))]
    #[test]
    fn what_was_deleted_stays_away_and_all_else_stays(steps in proptest::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let options = Options { clock: Clock::manual(START), ..Options::new("/data") };
            let mut house = House::tuned(SimDisk::new(), options, small()).await;
            let mut model = Model::default();
            for step in steps {
                match step {
                    Step::Write(rows) => {
                        let lines = model.write(&rows);
                        assert_eq!(house.write(lines).await.lines, rows.len() as u64);
                    }
                    Step::Delete { filter, range } => {
                        let test = |(is, host): (bool, usize)| {
                            let host = HOSTS[host].to_owned();
                            if is { TagTest::Is(host) } else { TagTest::IsNot(host) }
                        };
                        let filters = filter.map(|filter| TagFilter { tag: "host".into(), test: test(filter) });
                        let filters = filters.into_iter().collect();
                        let delete = DeletePoints { measurement: "m".into(), filters, range };
                        let deleted = house.delete_points(&ns("n"), delete).await.expect("deletes");
                        assert_eq!(deleted, model.delete(filter, range.unwrap_or((i64::MIN, i64::MAX))));
                    }
                    Step::Age => house.advance(3_600_000),
                    Step::Restart => house.restart().await,
                    Step::Crash(how) => house.crash(how).await,
                }
                model.check(&house).await;
            }
            let points: usize = model.columns.values().map(BTreeMap::len).sum();
            house.age().await;
            assert_eq!(house.series_stats().sealed, points as u64);
        });
    }
}
