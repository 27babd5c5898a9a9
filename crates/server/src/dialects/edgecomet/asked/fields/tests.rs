use proptest::prelude::*;

use super::*;

#[derive(Debug, Default)]
struct All<'a> {
    id: Option<i64>,
    word: Option<String>,
    numbers: List<'a>,
    words: List<'a>,
}

impl<'a> Fields<'a> for All<'a> {
    fn take(&mut self, name: &str, value: &'a RawValue) -> Result<(), Mistyped> {
        match name {
            "id" => self.id = Some(integer(value)?),
            "word" => self.word = Some(text(value)?.into_owned()),
            "numbers" => self.numbers = integers(value)?,
            "words" => self.words = texts(value)?,
            _ => {}
        }
        Ok(())
    }
}

fn all(body: &str) -> All<'_> {
    read(body.as_bytes()).unwrap_or_else(|error| panic!("{body}: {error:?}"))
}

fn refused(body: impl AsRef<[u8]>) -> String {
    match read::<All<'_>>(body.as_ref()) {
        Err(Error::Invalid(message)) => message.into_owned(),
        other => panic!("{:?}: {other:?}", String::from_utf8_lossy(body.as_ref())),
    }
}

#[test]
fn names_fit_in_any_case_and_the_last_of_several_counts() {
    assert_eq!(all(r#"{"ID":1}"#).id, Some(1));
    assert_eq!(all(r#"{"id":1,"Id":2,"iD":3}"#).id, Some(3));
    assert_eq!(all(r#"{"\u0069d":4}"#).id, Some(4));
    assert_eq!(all(r#"{"words":["a"],"words":[]}"#).words.len(), 0);
}

#[test]
fn null_is_the_same_as_nothing() {
    let none = all(" null\n");
    assert!(none.id.is_none() && none.word.is_none() && none.words.is_empty() && none.numbers.is_empty());
    let none = all(r#"{"id":null,"word":null,"words":null,"numbers":null}"#);
    assert!(none.id.is_none() && none.word.is_none() && none.words.is_empty() && none.numbers.is_empty());
    assert_eq!(all(r#"{"id":1,"id":null}"#).id, Some(1));
}

#[test]
fn lists_are_read_in_their_order() {
    let lists = all("{\"words\": [ \"a\" ,null,\"\\u00e9\\\"]\",\n\"[,\"\t],\"numbers\":[ 1,-2 , 0]}");
    assert_eq!(lists.words.texts().collect::<Vec<_>>(), ["a", "", "é\"]", "[,"]);
    assert_eq!(lists.numbers.integers().collect::<Vec<_>>(), [1, -2, 0]);
    assert_eq!((lists.words.len(), lists.numbers.len()), (4, 3));
    assert_eq!(all(r#"{"words":[]}"#).words.texts().count(), 0);
    assert_eq!(List::default().texts().count(), 0);
}

#[test]
fn integers_are_whole_signed_and_of_64_bits() {
    for (text, number) in [("0", 0), ("-0", 0), ("-7", -7), ("9223372036854775807", i64::MAX)] {
        assert_eq!(all(&format!(r#"{{"id":{text}}}"#)).id, Some(number));
    }
    for bad in ["1.0", "1e0", "1E2", "-1.5", "\"1\"", "true", "[]", "{}", "9223372036854775808", "-9223372036854775809"]
    {
        let message = refused(format!(r#"{{"id":{bad}}}"#));
        assert!(message.starts_with("invalid json: id must be an integer"), "{bad}: {message}");
    }
}

#[test]
fn members_of_another_type_are_refused_by_name() {
    for (body, what) in [
        (r#"{"word":1}"#, "word must be a string"),
        (r#"{"Word":["a"]}"#, "word must be a string"),
        (r#"{"words":"a"}"#, "words must be an array of strings"),
        (r#"{"words":["a",1]}"#, "words must be an array of strings"),
        (r#"{"words":[["a"]]}"#, "words must be an array of strings"),
        (r#"{"words":{}}"#, "words must be an array of strings"),
        (r#"{"numbers":1}"#, "numbers must be an array of integers"),
        (r#"{"numbers":[1,null]}"#, "numbers must be an array of integers"),
        (r#"{"numbers":[1.0]}"#, "numbers must be an array of integers"),
    ] {
        let message = refused(body);
        assert!(message.starts_with(&format!("invalid json: {what}")), "{body}: {message}");
    }
}

#[test]
fn what_is_no_json_object_is_refused_with_a_reason() {
    for body in [
        "",
        " ",
        "{",
        "{}x",
        "{}{}",
        "{},",
        "[]",
        "[{}]",
        "1",
        "\"a\"",
        "true",
        "nul",
        "{invalid json}",
        "{'id':1}",
        "{\"id\":1,}",
        "{\"id\":01}",
        "{\"id\":+1}",
        "{\"id\" 1}",
        "{\"word\":\"a\nb\"}",
        "\u{feff}{}",
        r#"{"word":"\ud800"}"#,
        r#"{"other":"\udc00\ud800"}"#,
        r#"{"\ud83d":1}"#,
        r#"{"words":["\uD83D\u0041"]}"#,
    ] {
        let message = refused(body);
        assert!(message.len() > "invalid json: ".len() && message.starts_with("invalid json: "), "{body:?}: {message}");
    }
    assert_eq!(refused(b"{\"word\":\"\xff\"}"), "invalid json: the body is not UTF-8");
    assert_eq!(all(r#"{"word":"\ud83d\ude00\\ud800"}"#).word.as_deref(), Some("😀\\ud800"));
}

#[test]
fn depth_costs_no_stack() {
    let deep = format!(r#"{{"id":1,"other":{}{}}}"#, "[".repeat(200_000), "]".repeat(200_000));
    assert_eq!(all(&deep).id, Some(1));
    refused("[".repeat(1_000_000));
    refused(r#"{"words":"#.repeat(100_000));
}

proptest! {
    #[test]
    fn a_list_gives_back_what_was_put_in(words in prop::collection::vec("\\PC{0,8}", 0..8), numbers: Vec<i64>) {
        let body = serde_json::json!({ "words": words, "numbers": numbers }).to_string();
        let lists = all(&body);
        prop_assert_eq!(lists.words.len(), words.len());
        prop_assert_eq!(lists.words.texts().collect::<Vec<_>>(), words);
        prop_assert_eq!(lists.numbers.integers().collect::<Vec<_>>(), numbers);
    }

    #[test]
    fn no_body_panics(body in "[\\[\\]{}\",:\\\\a-e0-9 .ud-]{0,40}|\\{\"(id|words|numbers)\":\\PC{0,20}\\}") {
        if let Ok(all) = read::<All<'_>>(body.as_bytes()) {
            prop_assert_eq!(all.words.texts().count(), all.words.len());
        }
    }
}
