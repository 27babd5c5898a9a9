use super::*;

#[test]
fn readers_are_counted_for_the_newest_rooms_only() {
    let consumed = Consumed::default();
    let most = MOST_ROOMS_COUNTED as u64;
    for generation in 1..=most {
        consumed.add(generation, 2);
    }
    consumed.add(1, 3);
    assert_eq!((consumed.of(1), consumed.of(most), consumed.of(most + 1)), (5, 2, 0));
    // One more: the oldest is counted no longer, and does not take the place of a newer one.
    consumed.add(most + 1, 7);
    consumed.add(1, 1);
    assert_eq!((consumed.of(1), consumed.of(2), consumed.of(most + 1)), (0, 2, 7));
    assert_eq!(consumed.0.read().len(), MOST_ROOMS_COUNTED);
}
