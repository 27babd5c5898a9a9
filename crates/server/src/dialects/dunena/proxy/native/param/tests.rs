use super::*;

fn read(text: &str) -> String {
    let value: Box<RawValue> = serde_json::from_str(text).unwrap();
    match Param::read(&value) {
        Param::Null => "null".into(),
        Param::Bool(truth) => format!("bool {truth}"),
        Param::Int(whole) => format!("int {whole}"),
        Param::Number(number) => format!("number {}", number.get()),
        Param::Text(text) => format!("text {text}"),
    }
}

#[test]
fn json_says_what_a_parameter_is() {
    for (json, expected) in [
        ("null", "null"),
        ("true", "bool true"),
        ("false", "bool false"),
        ("-7", "int -7"),
        ("9223372036854775807", "int 9223372036854775807"),
        ("9223372036854775808", "number 9223372036854775808"),
        ("5.0", "number 5.0"),
        ("1e3", "number 1e3"),
        (r#""a\nb\u00e4""#, "text a\nbä"),
        ("\"\"", "text "),
        ("[1, \"x\"]", "text [1, \"x\"]"),
        ("{\"a\":null}", "text {\"a\":null}"),
    ] {
        assert_eq!(read(json), expected, "{json}");
    }
}
