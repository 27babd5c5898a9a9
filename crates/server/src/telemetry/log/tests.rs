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
