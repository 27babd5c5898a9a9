use super::*;
use crate::http::json::RawValue;

#[test]
fn json_says_how_a_parameter_is_bound() {
    for (json, expected) in [
        ("null", Value::NULL),
        ("true", Value::Int(1)),
        ("false", Value::Int(0)),
        ("-5", Value::Int(-5)),
        ("18446744073709551615", Value::UInt(u64::MAX)),
        ("18446744073709551616", Value::Bytes(b"18446744073709551616".to_vec())),
        ("1.5", Value::Double(1.5)),
        ("1e3", Value::Double(1000.0)),
        ("1e999", Value::Bytes(b"1e999".to_vec())),
        ("\"x\"", Value::Bytes(b"x".to_vec())),
        ("{\"a\": 1}", Value::Bytes(b"{\"a\": 1}".to_vec())),
    ] {
        let raw: Box<RawValue> = serde_json::from_str(json).unwrap();
        assert_eq!(value(&Param::read(&raw)), expected, "{json}");
    }
}
