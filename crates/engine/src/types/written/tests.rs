use super::*;
use crate::keys;

fn put(text: &str) -> Written {
    Some((SmallVec::new(), Bytes::copy_from_slice(text.as_bytes())))
}

#[test]
fn the_last_write_to_a_row_is_found_however_many_there_are() {
    for count in [1, FEW, FEW + 1, 100] {
        let mut rows = WrittenRows::default();
        let names: Vec<String> = (0..count).map(|n| format!("row {n}")).collect();
        for name in &names {
            rows.set(keys::HASH_FIELD, name.as_bytes(), put("first"));
            rows.set(keys::HASH_FIELD, name.as_bytes(), put(name));
        }
        rows.set(keys::HASH_FIELD, names[0].as_bytes(), None);
        for name in &names[1..] {
            assert_eq!(rows.get(keys::HASH_FIELD, name.as_bytes()), Some(&put(name)), "{count}");
        }
        assert_eq!(rows.get(keys::HASH_FIELD, b"row 0"), Some(&None), "a removal is a write too");
        assert_eq!(rows.get(keys::HASH_FIELD, b"row"), None);
        assert_eq!(rows.get(keys::SET_MEMBER, b"row 0"), None, "another table");
    }
}
