use proptest::prelude::*;

use super::*;

fn one(text: &str) -> String {
    String::from_utf8(canonical(text.as_bytes()).into_owned()).expect("JSON stays UTF-8")
}

#[test]
fn strings_are_the_same_by_their_content() {
    for (text, same) in [
        (r#""plain é""#, r#""plain é""#),
        (r#""\u00e9\u00E9\/""#, r#""éé/""#),
        (r#""\u0022\u005c\"\\""#, r#""\"\\\"\\""#),
        (r#""\u0008\u0009\u000a\u000C\u000d\b\t\n\f\r""#, r#""\b\t\n\f\r\b\t\n\f\r""#),
        (r#""\u001F\u0000\u007f""#, "\"\\u001f\\u0000\u{7f}\""),
        (r#""\ud83d\ude00 \uD83D\uDE00""#, r#""😀 😀""#),
        (r#""\uD83D\n\uDE00\uD83Dx""#, r#""\ud83d\n\ude00\ud83dx""#),
        (r#""\ud83d\ud83d\ude00""#, r#""\ud83d😀""#),
        (r#"" a  b ""#, r#"" a  b ""#),
    ] {
        assert_eq!(one(text), same, "{text}");
    }
}

#[test]
fn anything_else_is_the_same_without_white_space() {
    for (text, same) in [
        ("5", "5"),
        ("1.0", "1.0"),
        ("{ \"a b\" :\t[ 1 ,\n\"\\\" , \" ] }", "{\"a b\":[1,\"\\\" , \"]}"),
        (r#"["\u00e9", true]"#, r#"["\u00e9",true]"#),
        ("[\"\\\\\" , 1]", "[\"\\\\\",1]"),
    ] {
        assert_eq!(one(text), same, "{text}");
    }
}

/// What strings are made of: all there is to escape, and halves of a pair.
const PIECES: [&str; 13] =
    ["a", "é", " ", ",", "\\\\", "\\\"", "\\/", "\\n", "\\u0041", "\\u0000", "\\ud83d", "\\uDE00", "\\u005c"];

/// Texts of JSON strings.
fn strings() -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(&PIECES), 0..12)
        .prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

/// Texts of JSON, in different spellings.
fn texts() -> impl Strategy<Value = String> {
    let space = || proptest::sample::select(&["", " ", "\n\t", "\r"]);
    let list = (proptest::collection::vec(strings(), 0..3), space(), space());
    let list = list.prop_map(|(items, a, z)| format!("[{a}{}{z}]", items.join(&format!("{z},{a}"))));
    let map = (strings(), strings(), space(), space());
    let map = map.prop_map(|(name, value, a, z)| format!("{{{z}{name}{a}:{a}{value}{z}}}"));
    prop_oneof![strings(), list, map]
}

proptest! {
    #[test]
    fn what_is_canonical_stays_so_and_is_no_longer(text in texts()) {
        let once = canonical(text.as_bytes()).into_owned();
        prop_assert!(once.len() <= text.len());
        prop_assert_eq!(canonical(&once).into_owned(), once);
    }

    #[test]
    fn nothing_panics(text: Vec<u8>) {
        canonical(&text);
        canonical(&[b"\"\\", &text[..]].concat());
    }
}

#[test]
fn a_string_says_its_text() {
    for (inner, text) in [("", ""), (r#"a\u00e9\n\"\\\/"#, "aé\n\"\\/"), (r"\ud83d\ude00", "😀"), (r"\u0000", "\0")]
    {
        assert_eq!(unescaped(inner.as_bytes()).as_deref(), Some(text.as_bytes()), "{inner}");
    }
    for half in [r"\ud83d", r"\ude00x", r"\ud83d\ud83d"] {
        assert_eq!(unescaped(half.as_bytes()), None, "{half}");
    }
    assert_eq!(string("a\"\\\n\0\u{1f}\u{7f}é😀"), "\"a\\\"\\\\\\n\\u0000\\u001f\u{7f}é😀\"".as_bytes());
}

proptest! {
    #[test]
    fn a_text_is_read_back_from_its_string(text: String) {
        let string = string(&text);
        prop_assert_eq!(unescaped(&string[1..string.len() - 1]), Some(text.into_bytes()));
        prop_assert_eq!(&*canonical(&string), &string[..]);
    }
}
