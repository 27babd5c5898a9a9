use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*};

use super::*;

fn scalar() -> impl Strategy<Value = Scalar> {
    prop_oneof![
        (0i64..9).prop_map(Scalar::Int),
        (0u8..9).prop_map(|value| Scalar::Float(f64::from(value))),
        any::<bool>().prop_map(Scalar::Bool),
    ]
}

fn points() -> impl Strategy<Value = Vec<(i64, Scalar)>> {
    let one_type = vec((-20i64..20, (0i64..9).prop_map(Scalar::Int)), 0..40);
    prop_oneof![one_type, vec((-20i64..20, scalar()), 0..40)]
}

fn run(points: &[(i64, Scalar)]) -> Run {
    let mut run = Run::new(FieldType::Int);
    points.iter().for_each(|(time, value)| run.push(*time, value.clone()));
    run
}

fn list(run: &Run) -> Vec<(i64, Scalar)> {
    assert_eq!(run.times.len(), run.values.len());
    let value = |index| run.values.get(index).expect("as many values as times");
    run.times.iter().enumerate().map(|(index, time)| (*time, value(index))).collect()
}

fn map(points: &[(i64, Scalar)]) -> Vec<(i64, Scalar)> {
    points.iter().cloned().collect::<BTreeMap<_, _>>().into_iter().collect()
}

proptest! {
    #[test]
    fn sorting_keeps_the_last_point_of_an_instant(points in points()) {
        prop_assert_eq!(list(&sort(run(&points))), map(&points));
    }

    #[test]
    fn merging_keeps_the_newer_point_of_an_instant(older in points(), newer in points()) {
        let merged = merge(&sort(run(&older)), &sort(run(&newer)));
        prop_assert_eq!(list(&merged), map(&[older, newer].concat()));
    }

    #[test]
    fn a_cut_has_the_points_between_two_instants(points in points(), range in (-25i64..25, -25i64..25)) {
        let run = sort(run(&points));
        let cut = run.slice(run.within(range));
        let inside: Vec<_> = map(&points).into_iter().filter(|(time, _)| (range.0..=range.1).contains(time)).collect();
        prop_assert_eq!(list(&cut), inside);
    }

    #[test]
    fn pieces_joined_are_the_whole(points in points(), at: prop::sample::Index) {
        let whole = run(&points);
        let at = at.index(points.len() + 1);
        let mut joined = whole.slice(0..at);
        joined.extend(&whole, at..whole.len());
        prop_assert_eq!(list(&joined), list(&whole));
        joined.values.drop_first(at);
        prop_assert_eq!(joined.values.len(), points.len() - at);
    }

    #[test]
    fn pieces_follow_each_other_and_are_as_small_as_asked(
        lengths in vec(0usize..9, 0..60),
        points in 1usize..20,
        bytes in 0usize..30,
    ) {
        let texts = lengths.iter().map(|len| Bytes::from("x".repeat(*len)));
        let run = Run { times: (0..lengths.len() as i64).collect(), values: Values::Text(texts.collect()) };
        let pieces = run.pieces(points, bytes);
        let joined: Vec<usize> = pieces.iter().cloned().flatten().collect();
        prop_assert_eq!(joined, (0..lengths.len()).collect::<Vec<_>>());
        for piece in pieces {
            prop_assert!((1..=points).contains(&piece.len()));
            prop_assert!(piece.len() == 1 || lengths[piece].iter().sum::<usize>() <= bytes);
        }
    }
}

#[test]
fn pieces_of_numbers_are_about_as_long_as_each_other() {
    let run = Run { times: (0..1025).collect(), values: Values::Int(vec![7; 1025]) };
    assert_eq!(run.pieces(1024, 0), [0..512, 512..1025]);
    assert_eq!(run.pieces(2000, 0).len(), 1);
}
