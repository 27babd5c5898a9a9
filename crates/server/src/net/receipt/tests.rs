use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

#[test]
fn only_an_answer_that_nobody_signs_for_is_lost_and_only_once() {
    let lost = Arc::new(AtomicU32::new(0));
    let receipt = || {
        let lost = lost.clone();
        Receipt::new(move || {
            lost.fetch_add(1, Ordering::Relaxed);
        })
    };
    let signed = receipt();
    let copy = signed.clone();
    signed.sign();
    drop(copy);
    assert_eq!(lost.load(Ordering::Relaxed), 0);
    let unsigned = receipt();
    let copy = unsigned.clone();
    drop(unsigned);
    assert_eq!(lost.load(Ordering::Relaxed), 0, "somebody may still sign");
    drop(copy);
    assert_eq!(lost.load(Ordering::Relaxed), 1);
}
