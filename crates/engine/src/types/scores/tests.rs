use proptest::prelude::*;

use super::*;

fn score() -> impl Strategy<Value = f64> {
    use proptest::num::f64;
    f64::NORMAL | f64::SUBNORMAL | f64::ZERO | f64::POSITIVE | f64::NEGATIVE
}

proptest! {
    #[test]
    fn places_are_in_the_order_of_scores(a in score(), b in score()) {
        prop_assert_eq!(place(a).cmp(&place(b)), a.partial_cmp(&b).expect("numbers"));
        prop_assert_eq!(at_place(place(a)), a);
        prop_assert_eq!(read_head(&head(a)).expect("a head"), a);
    }
}

#[test]
fn there_is_one_zero_and_infinity_has_room_on_both_sides() {
    assert_eq!(place(0.0), place(-0.0));
    assert!(at_place(place(-0.0)).is_sign_positive());
    assert!(place(f64::INFINITY) < u64::MAX && place(f64::NEG_INFINITY) > 0);
    assert!(read_head(&[]).is_err() && read_head(&[2; 9]).is_err());
}
