use super::*;

#[test]
fn the_wait_doubles_and_is_never_shorter() {
    let base = Duration::from_millis(100);
    for (attempts, least) in [(0, 100), (1, 100), (2, 200), (3, 400), (10, 51_200)] {
        let least = Duration::from_millis(least);
        assert_eq!(wait(base, attempts, 0.0), least, "{attempts}");
        assert_eq!(wait(base, attempts, 1.0), least.mul_f64(1.1), "{attempts}");
    }
}

#[test]
fn no_wait_is_longer_than_an_hour() {
    for attempts in [11, 31, 32, 33, 64, u32::MAX] {
        assert_eq!(wait(Duration::from_secs(5), attempts, 1.0), LONGEST, "{attempts}");
    }
    assert_eq!(wait(Duration::MAX, 1, 1.0), LONGEST);
}

#[test]
fn chance_stays_within_its_bounds() {
    let drawn: Vec<f64> = (0..100).map(|_| chance()).collect();
    assert!(drawn.iter().all(|drawn| (0.0..=1.0).contains(drawn)));
    assert!(drawn.iter().any(|other| *other != drawn[0]), "always {}", drawn[0]);
}
