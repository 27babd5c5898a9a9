use super::*;

fn declared_by(media: &str, in_document: Option<&str>, body: &[u8]) -> Charset {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, media.parse().expect("a value"));
    declared(&headers, in_document.map(str::as_bytes), body)
}

#[test]
fn the_mark_counts_before_the_header_and_that_before_the_document() {
    for (media, in_document, body, charset) in [
        ("text/html", None, &b"<html>"[..], Charset::Unknown),
        ("text/html; charset=ISO-8859-1", None, b"", Charset::Windows1252),
        ("text/html; a=b; Charset=\"utf-8\"", Some("latin1"), b"", Charset::Utf8),
        ("text/html; charset=", Some("latin1"), b"", Charset::Windows1252),
        ("text/html", Some(" UTF-8 "), b"", Charset::Utf8),
        ("text/html; charset=latin1", None, b"\xef\xbb\xbf<html>", Charset::Utf8),
        ("text/html; charset=shift_jis", Some("utf-8"), b"", Charset::Unknown),
    ] {
        assert_eq!(declared_by(media, in_document, body), charset, "{media} {in_document:?}");
    }
}

#[test]
fn texts_are_read_as_well_as_they_can_be() {
    for (charset, text, read) in [
        (Charset::Utf8, "Bücher".as_bytes(), "Bücher"),
        (Charset::Unknown, "Bücher".as_bytes(), "Bücher"),
        (Charset::Windows1252, "Bücher".as_bytes(), "Bücher"),
        (Charset::Windows1252, b"B\xfccher \x80 \x93x\x94", "Bücher € “x”"),
        (Charset::Utf8, b"B\xfccher", "B\u{fffd}cher"),
        (Charset::Unknown, b"B\xfccher", "B\u{fffd}cher"),
    ] {
        assert_eq!(decode(&charset, text), read, "{charset:?} {text:?}");
    }
}
