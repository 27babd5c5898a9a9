use super::*;

#[test]
fn the_mean_covers_the_last_ten_seconds() {
    let pace = Pace::default();
    assert_eq!(pace.read_at(0), (0, 0));
    (0..100).for_each(|_| pace.at(0));
    assert_eq!(pace.read_at(1), (100, 100));
    assert_eq!(pace.read_at(5), (100, 20));
    assert_eq!(pace.read_at(10), (100, 10));
    assert_eq!(pace.read_at(11), (100, 0), "it is over");
    for second in 20..40 {
        (0..30).for_each(|_| pace.at(second));
    }
    assert_eq!(pace.read_at(40), (700, 30));
    assert_eq!(pace.read_at(45), (700, 15));
    assert_eq!(pace.read_at(1000), (700, 0));
}
