use proptest::prelude::*;

use super::*;

#[test]
fn each_escape_is_decoded_once() {
    for (raw, decoded) in [
        ("", ""),
        ("a/b", "a/b"),
        ("tenant%3Aacme%2Fsettings", "tenant:acme/settings"),
        ("%2525", "%25"),
        ("a+b", "a+b"),
        ("%e2%82%ac%E2%82%AC", "€€"),
        ("%00", "\0"),
        ("..", ".."),
    ] {
        assert_eq!(decode(raw).as_deref(), Ok(decoded), "{raw}");
    }
}

#[test]
fn broken_escapes_and_other_encodings_are_refused() {
    for raw in ["%", "a%", "%2", "%zz", "%g0", "%+1", "%ff", "%c3", "ok%c3%28", "%%20"] {
        assert_eq!(decode(raw), Err(BadEncoding), "{raw}");
    }
}

proptest! {
    #[test]
    fn any_text_survives_escaping(text in "\\PC*") {
        let escaped: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let decoded = decode(&escaped).unwrap();
        prop_assert_eq!(decoded.as_ref(), text.as_str());
    }

    #[test]
    fn no_text_panics(text in "[%0-9a-fx+/é]{0,16}") {
        prop_assert!(decode(&text).is_ok_and(|decoded| decoded.len() <= text.len()) || text.contains("%"));
    }
}
