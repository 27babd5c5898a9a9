use super::*;

fn sent(json: &str, expected: &Type) -> Option<String> {
    let value: Box<RawValue> = serde_json::from_str(json).unwrap();
    let param = Param::read(&value);
    let mut out = BytesMut::new();
    match Bound(&param).to_sql_checked(expected, &mut out).unwrap() {
        IsNull::Yes => None,
        IsNull::No => Some(String::from_utf8(out.to_vec()).unwrap()),
    }
}

#[test]
fn a_parameter_is_sent_as_text() {
    for (json, expected, text) in [
        ("true", Type::BOOL, "true"),
        ("5", Type::TEXT, "5"),
        ("5.0", Type::INT4, "5"),
        ("5e2", Type::INT8, "500"),
        ("5.0", Type::NUMERIC, "5.0"),
        ("5.5", Type::INT4, "5.5"),
        ("12345678901234567890", Type::NUMERIC, "12345678901234567890"),
        ("\"x'y\"", Type::TEXT, "x'y"),
        ("[1, 2]", Type::JSONB, "[1, 2]"),
    ] {
        assert_eq!(sent(json, &expected).as_deref(), Some(text), "{json}");
    }
    assert_eq!(sent("null", &Type::INT4), None);
}
