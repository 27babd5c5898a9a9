use proptest::{collection::vec, prelude::*};

use super::*;
use crate::series::{number::Sum, run::merge};

/// Strictly ascending times: from anywhere, by steps of any size.
fn times(count: usize) -> impl Strategy<Value = Vec<i64>> {
    let even = (any::<i64>(), 1i64..1 << 40).prop_map(move |(first, step)| {
        let first = first.min(i64::MAX - step.saturating_mul(count as i64));
        (0..count as i64).map(|index| first + index * step).collect()
    });
    let any = vec(any::<i64>(), count).prop_map(distinct);
    let dense = vec(1i64..1000, count).prop_map(|steps| {
        let sum = |time: &mut i64, step: i64| {
            *time += step;
            Some(*time)
        };
        steps.into_iter().scan(1_700_000_000_000_000_000, sum).collect()
    });
    let wide = Just(distinct([i64::MIN, -1, 0, i64::MAX].into_iter().chain(1..count as i64).collect()));
    prop_oneof![even, any, dense, wide]
}

fn distinct(mut times: Vec<i64>) -> Vec<i64> {
    times.sort_unstable();
    times.dedup();
    times
}

fn float() -> impl Strategy<Value = f64> {
    let decimal = (-100_000i32..100_000).prop_map(|cents| f64::from(cents) / 100.0);
    let special = prop_oneof![Just(-0.0), Just(0.0), Just(f64::MAX), Just(f64::MIN), Just(f64::MIN_POSITIVE / 2.0)];
    let any = any::<f64>().prop_filter("points are finite", |value| value.is_finite());
    prop_oneof![decimal, special, any]
}

fn scalar() -> impl Strategy<Value = Scalar> {
    prop_oneof![
        float().prop_map(Scalar::Float),
        prop_oneof![any::<i64>(), -5i64..5].prop_map(Scalar::Int),
        prop_oneof![any::<u64>(), 0u64..5].prop_map(Scalar::Uint),
        any::<bool>().prop_map(Scalar::Bool),
    ]
}

fn text() -> impl Strategy<Value = Bytes> {
    prop_oneof![Just("up"), Just("down"), Just("")]
        .prop_map(Bytes::from)
        .boxed()
        .prop_union("[a-zé]{0,40}".prop_map(Bytes::from).boxed())
}

fn values(count: usize) -> impl Strategy<Value = Values> {
    prop_oneof![
        vec(float(), count).prop_map(Values::Float),
        float().prop_map(move |value| Values::Float(vec![value; count])),
        vec(any::<i64>(), count).prop_map(Values::Int),
        vec(0i64..20, count).prop_map(Values::Int),
        vec(any::<u64>(), count).prop_map(Values::Uint),
        any::<u64>().prop_map(move |value| Values::Uint(vec![value; count])),
        vec(any::<bool>(), count).prop_map(Values::Bool),
        vec(text(), count).prop_map(Values::Text),
        vec(prop_oneof![Just("a"), Just("b")].prop_map(Bytes::from), count).prop_map(Values::Text),
        vec(scalar(), count).prop_map(Values::Mixed),
        // Not stored as long as a field is of one class, but nothing is lost even so.
        vec(prop_oneof![scalar(), text().prop_map(Scalar::Text)], count).prop_map(Values::Mixed),
    ]
}

fn run() -> impl Strategy<Value = Run> {
    (1usize..300).prop_flat_map(|count| (times(count), values(count))).prop_map(|(times, values)| {
        let count = times.len().min(values.len());
        Run { times: times[..count].to_vec(), values: values.slice(0..count) }
    })
}

/// What tells values apart bit by bit: -0 from 0, types from each other.
fn exactly(values: &Values) -> Vec<String> {
    (0..values.len())
        .map(|index| match values.get(index) {
            Some(Scalar::Float(value)) => format!("{:x}", value.to_bits()),
            other => format!("{other:?}"),
        })
        .collect()
}

proptest! {
    #[test]
    fn a_run_comes_back_bit_by_bit(run in run()) {
        let block = encode(&run).expect("points in order");
        let summary = read_head(&block.head).expect("a head");
        prop_assert_eq!(&summary, &block.summary);
        let read = decode(&summary, &block.body).expect("a body");
        prop_assert_eq!(&read.times, &run.times);
        prop_assert_eq!(exactly(&read.values), exactly(&run.values));
    }

    #[test]
    fn a_summary_says_what_the_points_say(run in run()) {
        let summary = read_head(&encode(&run).expect("points in order").head).expect("a head");
        prop_assert_eq!((Some(&summary.first), Some(&summary.last)), (run.times.first(), run.times.last()));
        prop_assert_eq!(summary.count as usize, run.len());
        let all: Vec<Scalar> = (0..run.len()).filter_map(|index| run.values.get(index)).collect();
        prop_assert_eq!(summary.numbers.is_some(), all.iter().all(|value| value.float().is_some()));
        let Some(numbers) = summary.numbers else { return Ok(()) };
        prop_assert!(all.iter().all(|value| numbers.min.order(value).is_le() && numbers.max.order(value).is_ge()));
        prop_assert!(all.contains(&numbers.min) && all.contains(&numbers.max));
        prop_assert_eq!((Some(&numbers.first), Some(&numbers.last)), (all.first(), all.last()));
        prop_assert_eq!(numbers.exact, all.iter().map(Scalar::integer).sum::<Option<i128>>());
        let mut sum = Sum::default();
        all.iter().for_each(|value| match value.integer() {
            Some(integer) => sum.merge(Sum::from(integer)),
            None => sum.add(value.float().unwrap_or_default()),
        });
        let expected = numbers.exact.map_or(sum, Sum::from).total();
        let total = Sum::new(numbers.sum).total();
        prop_assert!(total == expected || !expected.is_finite(), "{total} is not {expected}");
    }

    #[test]
    fn damaged_bytes_are_refused_or_read_as_so_many_points(run in run(), at: prop::sample::Index, bit in 0u8..8) {
        let block = encode(&run).expect("points in order");
        let mut body = block.body;
        let at = at.index(body.len());
        body[at] ^= 1 << bit;
        if let Ok(read) = decode(&block.summary, &body) {
            prop_assert_eq!((read.times.len(), read.values.len()), (run.len(), run.len()));
        }
        for len in [0, 1, at] {
            if let Ok(read) = decode(&block.summary, &body[..len]) {
                prop_assert_eq!(read.values.len(), run.len());
            }
        }
    }
}

#[test]
fn what_is_out_of_order_or_nothing_is_no_block() {
    for times in [vec![], vec![2, 1], vec![1, 1]] {
        let values = Values::Int(vec![7; times.len()]);
        assert_eq!(encode(&Run { times, values }).expect_err("refused").kind(), &Kind::Bug);
    }
}

/// Numbers that look random and are the same in every run.
fn noise(count: usize) -> Vec<u64> {
    let next = |state: &mut u64| {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        Some(*state)
    };
    (0..count).scan(88_172_645_463_325_252, |state, _| next(state)).collect()
}

const START: i64 = 1_700_000_000_000_000_000;
const SECOND: i64 = 1_000_000_000;

fn bytes_a_point(run: &Run) -> f64 {
    // The row's key with its table, and what the log adds to a row and to a frame.
    const ROW: usize = 21 + 13 + 28;
    let block = encode(run).expect("points in order");
    (block.head.len() + block.body.len() + ROW) as f64 / run.len() as f64
}

#[test]
fn regular_gauges_take_less_than_three_bytes_a_point() {
    let every_ten_seconds: Vec<i64> = (0..1024).map(|index| START + index * 10 * SECOND).collect();
    let cents = noise(1024).into_iter().scan(5000i64, |level, noise| {
        *level += noise as i64 % 100;
        Some(*level as f64 / 100.0)
    });
    let walk = Run { times: every_ten_seconds.clone(), values: Values::Float(cents.collect()) };
    assert!(bytes_a_point(&walk) < 1.5, "{}", bytes_a_point(&walk));

    let percent = noise(1024).into_iter().map(|noise| (noise % 10_000) as f64 / 100.0);
    let anywhere = Run { times: every_ten_seconds.clone(), values: Values::Float(percent.collect()) };
    assert!(bytes_a_point(&anywhere) < 2.1, "{}", bytes_a_point(&anywhere));

    let constant = Run { times: every_ten_seconds, values: Values::Float(vec![42.5; 1024]) };
    assert!(bytes_a_point(&constant) < 0.15, "{}", bytes_a_point(&constant));
}

#[test]
fn milliseconds_of_jitter_still_take_less_than_three_bytes_a_point() {
    let late = noise(1024).into_iter().enumerate();
    let times = late.map(|(index, noise)| START + index as i64 * 10 * SECOND + (noise % 5) as i64 * 1_000_000);
    let gauge = noise(1024).into_iter().map(|noise| (noise % 10_000) as f64 / 100.0);
    let run = Run { times: times.collect(), values: Values::Float(gauge.collect()) };
    assert!(bytes_a_point(&run) < 3.0, "{}", bytes_a_point(&run));
}

#[test]
fn blocks_merge_as_their_runs_do() {
    let even = Run { times: vec![0, 10, 20, 30], values: Values::Int(vec![1, 2, 3, 4]) };
    let newer = Run { times: vec![5, 10, 40], values: Values::Float(vec![0.5, 0.25, 7.0]) };
    let block = encode(&merge(&even, &newer)).expect("points in order");
    let read = decode(&block.summary, &block.body).expect("a body");
    assert_eq!(read.times, [0, 5, 10, 20, 30, 40]);
    let expected =
        [Scalar::Int(1), Scalar::Float(0.5), Scalar::Float(0.25), Scalar::Int(3), Scalar::Int(4), Scalar::Float(7.0)];
    assert_eq!(read.values, Values::Mixed(expected.into()));
}
