use proptest::prelude::*;

use super::*;

fn cursor() -> Cursor {
    Cursor { head: 42, after: Bytes::from_static(b"key/9") }
}

#[test]
fn a_cursor_belongs_to_its_namespace_and_prefix() {
    let text = cursor().encode(b"ns", b"pre");
    assert_eq!(Cursor::decode(&text, b"ns", b"pre"), Some(cursor()));
    for (namespace, prefix) in [(&b"ns"[..], &b""[..]), (b"nsp", b"re"), (b"other", b"pre"), (b"n", b"spre")] {
        assert_eq!(Cursor::decode(&text, namespace, prefix), None);
    }
}

#[test]
fn what_is_no_cursor_is_refused() {
    for text in ["", "x", "nonsense", "AAAA", "AQAAAAAAAAAAAAAAAA", "a+b/", "===="] {
        assert_eq!(Cursor::decode(text, b"ns", b""), None, "{text}");
    }
}

proptest! {
    #[test]
    fn any_cursor_survives_and_fits_into_an_address(head: u64, after: Vec<u8>, namespace: Vec<u8>, prefix: Vec<u8>) {
        let cursor = Cursor { head, after: Bytes::from(after) };
        let text = cursor.encode(&namespace, &prefix);
        prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        prop_assert_eq!(Cursor::decode(&text, &namespace, &prefix), Some(cursor));
    }

    #[test]
    fn a_changed_character_is_noticed(at in 0_usize..24, to in "[A-Za-z0-9_-]") {
        let text = cursor().encode(b"ns", b"");
        let mut damaged = text.clone();
        damaged.replace_range(at..=at, &to);
        prop_assert_eq!(Cursor::decode(&damaged, b"ns", b"").is_some(), damaged == text);
    }
}
