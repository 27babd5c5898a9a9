use super::*;

fn with<T>(text: &str, judge: impl FnOnce(Member<'_>) -> Result<T, Error>) -> Result<T, String> {
    let raw: Box<RawValue> = serde_json::from_str(text).unwrap();
    judge(Some(&raw)).map_err(|error| error.message().into_owned())
}

fn invalid<T>(rule: &str) -> Result<T, String> {
    Err(format!("Invalid field 'f': {rule}"))
}

#[test]
fn an_integer_has_no_fraction_and_no_exponent_and_type_comes_before_range() {
    let judge = |text| with(text, |member| integer(member, "f", 1, 9));
    assert_eq!(judge("9"), Ok(Some(9)));
    assert_eq!(judge("null"), Ok(None));
    for text in ["1.0", "1e0", "\"1\"", "true", "[1]", "100.5"] {
        assert_eq!(judge(text), invalid("must be an integer"), "{text}");
    }
    for text in ["0", "10", "-1", "99999999999999999999999999999999999999999999"] {
        assert_eq!(judge(text), invalid("must be between 1 and 9"), "{text}");
    }
}

#[test]
fn what_is_clamped_has_no_upper_end() {
    let judge = |text| with(text, |member| clamped(member, "f", 9));
    assert_eq!(judge("7"), Ok(Some(7)));
    assert_eq!(judge("99999999999999999999999999999999999999999999"), Ok(Some(9)));
    assert_eq!(judge("-1"), invalid("must be between 0 and 9"));
    assert_eq!(judge("1.5"), invalid("must be an integer"));
}

#[test]
fn null_is_missing_except_where_any_json_is_allowed() {
    assert_eq!(with("null", |member| required(member, "f").map(|_| ())), Err("Missing required field: f".to_owned()));
    assert_eq!(with("null", |member| any(member, "f").map(|raw| raw.get().to_owned())), Ok("null".to_owned()));
    assert_eq!(any(None, "f").unwrap_err(), Error::Missing("f".into()));
    assert_eq!(with("null", |member| flag(member, "f", true)), Ok(true));
}

#[test]
fn half_a_surrogate_pair_is_no_string() {
    assert_eq!(with(r#""\ud800""#, |member| key(member, "f")), invalid("must be a string"));
}

#[test]
fn an_object_of_strings_is_kept_as_it_was_sent() {
    let judge = |text| with(text, |member| strings(member, "f").map(|raw| raw.map(|raw| raw.get().to_owned())));
    assert_eq!(judge(r#"{"b": "1", "a":"2"}"#), Ok(Some(r#"{"b": "1", "a":"2"}"#.to_owned())));
    assert_eq!(judge("null"), Ok(None));
    for text in [r#"{"a":1}"#, "[]", "5", r#"{"a":null}"#] {
        assert_eq!(judge(text), invalid("must be an object of strings"), "{text}");
    }
}
