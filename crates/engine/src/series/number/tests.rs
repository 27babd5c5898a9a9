use proptest::{collection::vec, prelude::*};

use super::*;

fn number() -> impl Strategy<Value = Scalar> {
    let edge = prop_oneof![
        Just(Scalar::Float(9_007_199_254_740_993.0)),
        Just(Scalar::Int(9_007_199_254_740_993)),
        Just(Scalar::Uint(u64::MAX)),
        Just(Scalar::Float(18_446_744_073_709_551_616.0)),
        Just(Scalar::Int(i64::MIN)),
        Just(Scalar::Float(-9_223_372_036_854_775_808.0)),
        Just(Scalar::Float(-0.0)),
        Just(Scalar::Float(0.5)),
    ];
    prop_oneof![
        edge,
        any::<f64>().prop_filter("points are finite", |value| value.is_finite()).prop_map(Scalar::Float),
        (-4i8..4).prop_map(|quarters| Scalar::Float(f64::from(quarters) / 4.0)),
        prop_oneof![any::<i64>(), -2i64..2].prop_map(Scalar::Int),
        prop_oneof![any::<u64>(), 0u64..2].prop_map(Scalar::Uint),
        any::<bool>().prop_map(Scalar::Bool),
    ]
}

proptest! {
    #[test]
    fn the_order_of_numbers_is_total(a in number(), b in number(), c in number()) {
        prop_assert_eq!(a.order(&b), b.order(&a).reverse());
        if a.order(&b).is_le() && b.order(&c).is_le() {
            prop_assert!(a.order(&c).is_le());
        }
        if a.order(&b).is_lt() {
            prop_assert!(a.float() <= b.float());
        }
    }

    #[test]
    fn a_sum_is_the_same_however_it_is_cut(values in vec(-1e12f64..1e12, 0..200), cut: prop::sample::Index) {
        let sum = |values: &[f64]| {
            let mut sum = Sum::default();
            values.iter().for_each(|value| sum.add(*value));
            sum
        };
        let (left, right) = values.split_at(cut.index(values.len() + 1));
        let mut joined = sum(left);
        joined.merge(sum(right));
        prop_assert_eq!(joined.total(), sum(&values).total());
        let backwards: Vec<f64> = values.iter().rev().copied().collect();
        prop_assert_eq!(sum(&backwards).total(), sum(&values).total());
    }

    #[test]
    fn a_sum_of_integers_is_as_near_as_floats_can_be(values in vec(any::<i64>(), 0..200)) {
        let exact: i128 = values.iter().map(|value| i128::from(*value)).sum();
        prop_assert_eq!(Sum::from(exact).total(), exact as f64);
    }
}

#[test]
fn integers_beyond_the_precision_of_floats_compare_exactly() {
    let float = Scalar::Float(9_007_199_254_740_992.0);
    assert!(Scalar::Int(9_007_199_254_740_993).order(&float).is_gt());
    assert!(Scalar::Uint(u64::MAX).order(&Scalar::Float(18_446_744_073_709_551_616.0)).is_lt());
    assert!(Scalar::Int(-1).order(&Scalar::Uint(u64::MAX)).is_lt());
    assert!(Scalar::Float(-1.5).order(&Scalar::Int(-1)).is_lt());
}

#[test]
fn what_rounding_loses_is_not_lost_in_a_sum() {
    let mut sum = Sum::default();
    [1e16, 1.0, -1e16].iter().for_each(|value| sum.add(*value));
    assert_eq!(sum.total(), 1.0);
    assert_eq!(Sum::new(sum.parts()).total(), 1.0);
}

#[test]
fn a_sum_that_went_beyond_all_floats_is_infinite_and_stays_so() {
    let mut above = Sum::default();
    above.add_all(&[f64::MAX, f64::MAX]);
    let mut below = Sum::default();
    [f64::MIN, f64::MIN, f64::MAX].iter().for_each(|value| below.add(*value));
    above.merge(below);
    above.add(-1.0);
    assert_eq!(above, Sum::new((f64::INFINITY, 0.0)));
    assert_eq!(above.total(), f64::INFINITY);
}
