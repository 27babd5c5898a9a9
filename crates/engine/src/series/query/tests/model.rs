//! Random queries over random columns, against the plainest computation.

use std::collections::BTreeMap;

use proptest::{prelude::*, sample::select};

use super::*;
use crate::{
    series::{Comparison, Expr, Operator, UNTAGGED},
    tests::cases,
};

/// Fields by name, as sources have them.
pub(crate) const FIELDS: [(&str, bool); 6] =
    [("b", false), ("f", false), ("i", false), ("m", false), ("t", true), ("u", false)];

pub(crate) fn value(field: &'static str) -> BoxedStrategy<Scalar> {
    let float = || (-2000_i32..2000).prop_map(|eighths| Scalar::Float(f64::from(eighths) / 8.0)).boxed();
    let small = || (-9_i64..100).prop_map(Scalar::Int).boxed();
    let great = || select(vec![i64::MIN, i64::MAX, (1 << 53) + 1, -(1 << 60) - 1]).prop_map(Scalar::Int).boxed();
    let unsigned = || (0_u64..100).prop_map(Scalar::Uint).boxed();
    let greatest = || select(vec![u64::MAX, (1 << 63) + 1]).prop_map(Scalar::Uint).boxed();
    let boolean = || any::<bool>().prop_map(Scalar::Bool).boxed();
    match field {
        "b" => boolean(),
        "f" => float(),
        "i" => prop_oneof![9 => small(), 1 => great()].boxed(),
        "u" => prop_oneof![9 => unsigned(), 1 => greatest()].boxed(),
        "t" => "[a-z]{0,3}".prop_map(|text| Scalar::Text(text.into())).boxed(),
        _ => prop_oneof![float(), small(), unsigned(), boolean()].boxed(),
    }
}

/// Times a few apart, of either sign, some at the ends of time.
pub(crate) fn time() -> impl Strategy<Value = i64> {
    let near = || (-40_i64..40).prop_map(|step| step * 250_000_000);
    prop_oneof![40 => near(), 1 => select(vec![i64::MIN, i64::MIN + 1, i64::MAX - 1, i64::MAX])]
}

/// Blocks of so many points each, and newer points.
fn column(field: &'static str) -> impl Strategy<Value = Column> {
    let points = || prop::collection::btree_map(time(), value(field), 0..24);
    (points(), points(), 1..9_usize).prop_map(|(sealed, newer, size)| {
        let sealed: Vec<(i64, Scalar)> = sealed.into_iter().collect();
        Column { blocks: sealed.chunks(size).map(<[_]>::to_vec).collect(), newer: newer.into_iter().collect() }
    })
}

/// The points of a column as they count.
fn points(column: &Column) -> Vec<(i64, Scalar)> {
    let sealed = column.blocks.iter().flatten().cloned();
    sealed.chain(column.newer.iter().cloned()).collect::<BTreeMap<_, _>>().into_iter().collect()
}

fn columns() -> impl Strategy<Value = Vec<Column>> {
    FIELDS.iter().map(|(name, _)| column(name).boxed()).collect::<Vec<_>>()
}

type Tags = Vec<(&'static str, &'static str)>;

fn series() -> impl Strategy<Value = BTreeMap<String, (Tags, Vec<Column>)>> {
    let tags = (select(vec!["", "a", "b", UNTAGGED]), select(vec!["", "x", "y"]));
    prop::collection::vec((tags, columns()), 1..6).prop_map(|series| {
        series
            .into_iter()
            .map(|((host, room), columns)| {
                let tags: Tags = [("host", host), ("room", room)].into_iter().filter(|tag| !tag.1.is_empty()).collect();
                (tags.iter().fold("m".to_owned(), |key, (tag, value)| format!("{key},{tag}={value}")), (tags, columns))
            })
            .collect()
    })
}

fn what() -> impl Strategy<Value = Aggregate> {
    use Aggregate::*;
    prop_oneof![
        select(vec![Avg, Sum, Min, Max, Count, First, Last]),
        select(vec![0.0, 12.5, 50.0, 95.0, 100.0]).prop_map(Percentile),
    ]
}

fn expr() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![Just(Expr::Value), (-4_i32..5).prop_map(|number| Expr::Number(f64::from(number) / 2.0))];
    leaf.prop_recursive(3, 12, 2, |inner| {
        let operator =
            select(vec![Operator::Add, Operator::Subtract, Operator::Multiply, Operator::Divide, Operator::Remainder]);
        prop_oneof![
            inner.clone().prop_map(|of| Expr::Negate(of.into())),
            (inner.clone(), operator, inner).prop_map(|(left, operator, right)| Expr::Binary(
                left.into(),
                operator,
                right.into()
            )),
        ]
    })
}

fn stage() -> impl Strategy<Value = Stage> {
    let by = || prop::sample::subsequence(vec!["room".to_owned(), "host".to_owned()], 0..=2).prop_shuffle();
    let window = select(vec![1_i64 << 40, 1_000_000_000, 1_700_000_000, 250_000_000, i64::MAX]);
    let comparison = select(vec![
        Comparison::Greater,
        Comparison::GreaterOrEqual,
        Comparison::Less,
        Comparison::LessOrEqual,
        Comparison::Equal,
        Comparison::NotEqual,
    ]);
    prop_oneof![
        6 => (what(), window, by()).prop_map(|(what, window, by)| Stage::Aggregate { what, window: Some(window), by }),
        1 => (select(vec![Aggregate::First, Aggregate::Last]), by())
            .prop_map(|(what, by)| Stage::Aggregate { what, window: None, by }),
        1 => by().prop_map(|by| Stage::Pool { by }),
        1 => select(vec![Stage::Rate, Stage::Delta, Stage::Abs, Stage::Ceil, Stage::Floor]),
        1 => (comparison, -3_i32..30).prop_map(|(comparison, number)| Stage::Where(comparison, number.into())),
        1 => expr().prop_map(Stage::Math),
        1 => (0_u32..3).prop_map(Stage::Round),
        1 => (1_usize..4).prop_map(Stage::Top),
        1 => (1_usize..4).prop_map(Stage::Bottom),
    ]
}

fn range() -> impl Strategy<Value = (i64, i64)> {
    let near =
        (-45_i64..45, 0_i64..60).prop_map(|(from, steps)| (from * 250_000_000 - 1, (from + steps) * 250_000_000));
    prop_oneof![4 => near, 1 => Just((-20_000_000_000, 20_000_000_000))]
}

pub(crate) fn any_query() -> impl Strategy<Value = Query> {
    let stages = prop::collection::vec(stage(), 0..5);
    let limit = prop::option::weighted(0.3, 0_usize..5);
    (range(), stages, limit).prop_map(|(range, stages, limit)| Query { range, limit, ..query(stages) })
}

fn shelf(series: &BTreeMap<String, (Tags, Vec<Column>)>) -> Shelf {
    let mut shelf = Shelf::new(&FIELDS);
    series.values().for_each(|(tags, columns)| shelf.add(tags, columns.clone()));
    shelf
}

fn streams(series: &BTreeMap<String, (Tags, Vec<Column>)>) -> Vec<oracle::Stream> {
    let of_series = |(tags, columns): &(Tags, Vec<Column>)| {
        let columns = FIELDS.iter().zip(columns);
        columns.map(|((field, _), column)| oracle::stream(field, tags, points(column))).collect::<Vec<_>>()
    };
    series.values().flat_map(of_series).collect()
}

/// What the oracle says in the words of an answer.
pub(crate) fn spelled(streams: Vec<oracle::Stream>) -> Vec<SeriesPoints> {
    let spell = |stream: oracle::Stream| SeriesPoints {
        key: stream.key,
        field: stream.field.into(),
        tags: stream.tags.into_iter().map(|(tag, value)| (tag.into(), value.into())).collect(),
        points: stream.points.into_iter().map(|(time, value)| Point { time, value }).collect(),
    };
    streams.into_iter().map(spell).collect()
}

proptest! {
    #![proptest_config(cases(300, 1))]
    #[test]
    fn a_query_gives_what_the_plainest_computation_does(series in series(), query in any_query()) {
        let expected = spelled(oracle::answer(streams(&series), &query));
        prop_assert_eq!(ask(&shelf(&series), &query).expect("an answer"), expected);
    }

    #[test]
    fn a_query_with_less_memory_gives_the_same_or_nothing(
        series in series(),
        query in any_query(),
        memory_bytes in 0_usize..20_000,
    ) {
        let limits = QueryLimits { memory_bytes, ..QueryLimits::default() };
        match run(&shelf(&series), &query, &limits, &AtomicBool::new(false)) {
            Ok(answer) => prop_assert_eq!(Ok(answer), ask(&shelf(&series), &query).map_err(|error| error.to_string())),
            Err(error) => prop_assert_eq!(error.to_string(), format!("the query needs more than {memory_bytes} bytes of memory")),
        }
    }
}
