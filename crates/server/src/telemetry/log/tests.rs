use super::*;

#[test]
fn a_request_is_told_in_the_form_of_the_original() {
    let (method, path) = ("GET".to_owned(), "/cache/a\n\"b\\c\u{1b}".to_owned());
    let request = Request { dialect: "dunena".to_owned(), method, path, status: 404, micros: 1250 };
    assert_eq!(
        request.line(LogFormat::Text, "2026-11-21T10:00:00Z", Level::DEBUG),
        r#"[2026-11-21T10:00:00Z] DEBUG [dunena:http] GET /cache/a�"b\c� 404 {"ms":1.25}"#
    );
    assert_eq!(
        request.line(LogFormat::Json, "2026-11-21T10:00:00Z", Level::WARN),
        r#"{"ts":"2026-11-21T10:00:00Z","level":"warn","msg":"GET /cache/a�\"b\\c� 404","ms":1.25}"#
    );
}

#[test]
fn a_line_stays_one_line_whatever_is_in_it() {
    let written = |line: &str| {
        let mut out = String::new();
        write_line(&mut out, line).expect("a string takes everything");
        out
    };
    assert_eq!(written("plain \u{e4} \u{1f511}"), "plain \u{e4} \u{1f511}\n");
    let evil = "a\nb\r\u{1b}[31m\0\u{7f}\u{85}\u{2028}\u{202e}\u{2066}\u{200f}z";
    let shown = r"a\u000ab\u000d\u001b[31m\u0000\u007f\u0085\u2028\u202e\u2066\u200fz";
    assert_eq!(written(evil), format!("{shown}\n"));
    // In JSON, the same stands for the same.
    let json = format!(r#"{{"m":"{}"}}"#, "a\u{85}\u{2028}\u{202e}z");
    let read: serde_json::Value = serde_json::from_str(&written(&json)).expect("JSON");
    assert_eq!(read["m"], "a\u{85}\u{2028}\u{202e}z");
}
