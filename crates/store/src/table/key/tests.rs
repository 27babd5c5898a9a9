use proptest::prelude::*;

use super::*;

#[test]
fn a_key_takes_32_bytes() {
    assert_eq!(size_of::<Key>(), 32);
}

proptest! {
    /// Lengths around those of a beginning and of what lies inside; few letters, so that beginnings are often equal.
    #[test]
    fn keys_are_their_bytes_and_have_their_order(
        a in prop::collection::vec(0..3_u8, 0..40),
        b in prop::collection::vec(0..3_u8, 0..40),
        same in 0..40_usize,
    ) {
        let mut b = b;
        let same = same.min(a.len()).min(b.len());
        b[..same].copy_from_slice(&a[..same]);
        let (key, other) = (Key::new(&a), Key::new(&b));
        prop_assert_eq!(key.bytes(), &a[..]);
        prop_assert_eq!(key.cmp(&other), a.cmp(&b));
        prop_assert_eq!(key == other, a == b);
        prop_assert_eq!(key.heap_bytes(), if a.len() > 30 { a.len() } else { 0 });
    }
}
