use super::*;

#[test]
fn a_lease_is_lost_when_no_pull_and_nobody_has_it() {
    let held = Mutex::new(Held::default());
    let reserved = Held::reserve(&held, 3);
    assert_eq!(reserved.first(), 0);
    assert!(!held.lock().is_lost(1), "the pull may have taken it");
    held.lock().insert([0]);
    drop(reserved);
    assert!(!held.lock().is_lost(0), "it arrived");
    assert!(held.lock().is_lost(1), "it never arrived");
    assert_eq!(Held::reserve(&held, 1).first(), 3, "numbers are not used twice");
}

#[test]
fn the_run_tells_leases_apart() {
    assert_eq!(number("ab", &field("ab", 12)), Some(12));
    for other in ["abc:12", "a:12", "ab:", "ab:x", "12", ""] {
        assert_eq!(number("ab", other), None, "{other}");
    }
}
