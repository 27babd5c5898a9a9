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

proptest! {
    /// Of texts that are no JSON too: only a backslash at the end is made two.
    #[test]
    fn nothing_panics_nothing_grows_and_once_is_enough(text in "\"?[\\[\\]{}\"\\\\,: a-f0-9unbtrf\u{e9}]{0,40}") {
        let once = canonical(text.as_bytes()).into_owned();
        prop_assert!(once.len() <= text.len() + 1);
        prop_assert_eq!(canonical(&once).into_owned(), once);
    }
}
