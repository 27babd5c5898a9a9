//! Lines written with books and without against a plain map.

use std::collections::BTreeMap;

use manifold_engine::{
    Level, Options,
    series::{DeletePoints, Query, Scalar},
};
use proptest::{collection::vec, prelude::*};

use super::*;
use crate::dialects::flo::ts::{book::Shelf, line::Precision};

/// A line; names are few, so that they come again.
#[derive(Debug, Clone)]
struct Written {
    measurement: &'static str,
    tags: Vec<(&'static str, u8)>,
    fields: Vec<(&'static str, Content)>,
    time: i64,
    /// Whether something is wrong behind all that.
    broken: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Content {
    Number(u8),
    Text(u8),
}

impl Written {
    fn print(&self) -> String {
        let tags: String = self.tags.iter().map(|(tag, value)| format!(",{tag}={value}")).collect();
        let field = |(name, content): &(&str, Content)| match content {
            Content::Number(number) => format!("{name}={number}"),
            Content::Text(text) => format!("{name}=\"{text}\""),
        };
        let fields: Vec<_> = self.fields.iter().map(field).collect();
        let end = if self.broken { ",z=" } else { "" };
        format!("{}{tags} {}{end} {}\n", self.measurement, fields.join(","), self.time)
    }
    /// As the engine calls it.
    fn key(&self) -> String {
        let mut tags = self.tags.clone();
        tags.sort();
        tags.iter().fold(self.measurement.to_owned(), |key, (tag, value)| format!("{key},{tag}={value}"))
    }
}

#[derive(Debug, Clone)]
enum Step {
    Write(Vec<Written>),
    /// All series of a measurement, so that numbers of series change.
    Delete(&'static str),
}

fn line() -> impl Strategy<Value = Written> {
    let tags = prop_oneof![
        Just(vec![]),
        (0..2_u8).prop_map(|a| vec![("a", a)]),
        (0..2_u8, 0..2_u8).prop_map(|(a, b)| vec![("a", a), ("b", b)]),
    ];
    let content = prop_oneof![9 => (0..9_u8).prop_map(Content::Number), 1 => (0..9_u8).prop_map(Content::Text)];
    let fields = vec((prop_oneof![Just("f"), Just("g"), Just(r"h\ i")], content), 1..4);
    let measurement = prop_oneof![Just("m"), Just("n")];
    (measurement, tags.prop_shuffle(), fields, 0..4_i64, prop::bool::weighted(0.1))
        .prop_map(|(measurement, tags, fields, time, broken)| Written { measurement, tags, fields, time, broken })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => vec(line(), 0..12).prop_map(Step::Write),
        1 => prop_oneof![Just("m"), Just("n")].prop_map(Step::Delete),
    ]
}

/// What should be there.
#[derive(Default)]
struct Model {
    /// Whether a field of a measurement holds text.
    texts: BTreeMap<(&'static str, &'static str), bool>,
    points: BTreeMap<(String, &'static str), BTreeMap<i64, Content>>,
}

impl Model {
    /// How many lines are bad, and how many refused.
    fn write(&mut self, lines: &[Written]) -> (u64, usize) {
        let (mut bad, mut refused) = (0, 0);
        for line in lines {
            let fields: BTreeMap<_, _> = line.fields.iter().cloned().collect();
            let text = |content: &Content| matches!(content, Content::Text(_));
            let class = |field| self.texts.get(&(line.measurement, field)).copied();
            if line.broken {
                bad += 1;
            } else if fields.iter().any(|(field, content)| class(field).is_some_and(|class| class != text(content))) {
                refused += 1;
            } else {
                for (field, content) in fields {
                    self.texts.insert((line.measurement, field), text(&content));
                    self.points.entry((line.key(), field)).or_default().insert(line.time, content);
                }
            }
        }
        (bad, refused)
    }
    fn delete(&mut self, measurement: &'static str) {
        self.texts.retain(|(of, _), _| *of != measurement);
        self.points.retain(|(key, _), _| !key.starts_with(measurement));
    }
    fn all(&self) -> BTreeMap<(String, String), Vec<(i64, Content)>> {
        let each = self.points.iter().map(|((key, field), points)| {
            let points = points.iter().map(|(time, content)| (*time, content.clone())).collect();
            ((key.clone(), field.replace('\\', "")), points)
        });
        each.collect()
    }
}

async fn all(engine: &Engine, namespace: &Namespace) -> BTreeMap<(String, String), Vec<(i64, Content)>> {
    let mut found = BTreeMap::new();
    for measurement in ["m", "n"] {
        let fields = Some(["f", "g", "h i"].map(String::from).to_vec());
        let range = (i64::MIN, i64::MAX);
        let query =
            Query { measurement: measurement.to_owned(), filters: vec![], range, fields, stages: vec![], limit: None };
        for series in engine.query_points(namespace, query).await.unwrap() {
            let points = series.points.iter().map(|point| match &point.value {
                Scalar::Float(number) => (point.time, Content::Number(*number as u8)),
                Scalar::Text(text) => (point.time, Content::Text(text[0] - b'0')),
                other => panic!("nobody wrote {other:?}"),
            });
            found.insert((series.key.clone(), series.field.to_string()), points.collect());
        }
    }
    found
}

fn names<'a>(engine: &'a Engine, namespace: &'a Namespace) -> EngineNames<'a> {
    EngineNames { engine, namespace, max_series: 3 * 2 * 7 }
}

async fn run(steps: &[Step]) {
    let dir = tempfile::tempdir().unwrap();
    let mut options = Options::new(dir.path());
    options.level = Level::Os;
    let engine = Engine::open(options);
    engine.recovered().await.unwrap();
    let namespace = Namespace::new("n").unwrap();
    let (shelf, mut model) = (Shelf::default(), Model::default());
    let times = Times::new(Precision::NANOSECOND, 0);
    for step in steps {
        match step {
            Step::Write(lines) => {
                let body: String = lines.iter().map(Written::print).collect();
                let mut book = shelf.take(&namespace, engine.series_epoch(&namespace).unwrap());
                let (points, parsed) = read(body.as_bytes(), times, &names(&engine, &namespace), &mut book);
                shelf.give_back(&namespace, book);
                let written = engine.write_points(&namespace, points, false).await.unwrap().expect("of this epoch");
                let (bad, refused) = model.write(lines);
                assert_eq!((parsed.bad, written.refused.len()), (bad, refused), "{body}");
            }
            Step::Delete(measurement) => {
                let delete = DeletePoints { measurement: measurement.to_string(), filters: vec![], range: None };
                engine.delete_points(&namespace, delete).await.unwrap();
                model.delete(measurement);
            }
        }
        assert_eq!(all(&engine, &namespace).await, model.all());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn what_is_known_of_names_changes_nothing(steps in vec(step(), 1..12)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(&steps));
    }
}

#[tokio::test]
async fn points_of_another_epoch_are_asked_for_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = Options::new(dir.path());
    options.level = Level::Os;
    let engine = Engine::open(options);
    engine.recovered().await.unwrap();
    let namespace = Namespace::new("n").unwrap();
    let times = Times::new(Precision::NANOSECOND, 0);
    let read = |epoch| read(b"m v=1 1", times, &names(&engine, &namespace), &mut Book::new(epoch)).0;
    assert_eq!(engine.write_points(&namespace, read(0), false).await.unwrap().unwrap().lines, 1);
    let old = read(engine.series_epoch(&namespace).unwrap());
    let delete = DeletePoints { measurement: "m".to_owned(), filters: vec![], range: None };
    assert_eq!(engine.delete_points(&namespace, delete).await.unwrap(), 1);
    assert_eq!(engine.write_points(&namespace, old, false).await.unwrap(), None);
    assert_eq!(engine.write_points(&namespace, read(0), false).await.unwrap().unwrap().lines, 1);
}

#[test]
fn no_more_new_series_are_named_than_there_may_be() {
    struct Nobody;
    impl Names for Nobody {
        fn max_series(&self) -> u64 {
            2
        }
        fn series(&self, _: u64, _: &SeriesKey) -> Option<SeriesRef> {
            None
        }
        fn field(&self, _: u64, _: SeriesRef, _: &str) -> Option<FieldRef> {
            None
        }
    }
    let body = b"m,a=1 v=1\nm,a=2 v=\nm,a=3 v=1\nm,a=1 v=2\n m,a=4 v=1\nm,a=3 v=3";
    for epoch in [0, 1] {
        let (points, parsed) = read(body, Times::new(Precision::NANOSECOND, 0), &Nobody, &mut Book::new(epoch));
        assert_eq!((points.len(), parsed.bad), (4, 2));
        let fault = &parsed.faults[1];
        assert_eq!((fault.reason, fault.token.clone()), (Reason::TooManySeries(2), 40..45));
    }
}
