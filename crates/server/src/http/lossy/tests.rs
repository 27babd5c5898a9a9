use super::*;

#[test]
fn what_is_no_text_is_replaced() {
    for (sent, expected) in [
        (&br#"{"a":"b"}"#[..], r#"{"a":"b"}"#),
        (b"\xEF\xBB\xBF{}", "{}"),
        (b"\"\xFFx\"", "\"\u{FFFD}x\""),
        (br#""\ud83d\ude00""#, r#""\ud83d\ude00""#),
        (br#""\uD83D\uDE00 \uD83D""#, r#""\uD83D\uDE00 \ufffd""#),
        (br#""\ud83d""#, r#""\ufffd""#),
        (br#""\ude00\ud83d""#, r#""\ufffd\ufffd""#),
        (br#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
        (br#""\\ud83d""#, r#""\\ud83d""#),
        (br#""\\\ud83d""#, r#""\\\ufffd""#),
        (br#""\ud8"#, r#""\ud8"#),
        (br#""\ud83d\"#, r#""\ufffd\"#),
    ] {
        assert_eq!(text(sent), expected, "{}", String::from_utf8_lossy(sent));
    }
}

#[test]
fn a_text_with_half_a_pair_is_not_sound() {
    for sound in ["", "{}", r#""\ud83d\ude00""#, r#""\\ud83d""#, r#""\ufffd""#] {
        assert!(is_sound(sound), "{sound}");
    }
    for half in [r#""\ud83d""#, r#""\uDE00""#, r#""\ude00\ud83d""#, r#""\\\ud83d""#] {
        assert!(!is_sound(half), "{half}");
    }
}
