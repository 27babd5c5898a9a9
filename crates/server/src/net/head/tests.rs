use hyper::Method;

use super::*;

fn raw(pieces: &[&[u8]]) -> RawHead {
    let mut raw = RawHead::default();
    pieces.iter().for_each(|piece| raw.push(piece));
    raw
}

/// What hyper makes of a head: the Content-Length is gone.
fn chunked(headers: &[(&str, &str)]) -> Request<()> {
    let mut request = Request::builder().method(Method::PUT).uri("/x").header("transfer-encoding", "chunked");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap()
}

#[test]
fn the_length_of_the_very_head_is_found() {
    let honest = raw(&[b"PUT /x HTTP/1.1\r\nHost: h\r\n", b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"]);
    assert!(!honest.declares_length(&chunked(&[("host", "h")])));
    let both = raw(&[b"PUT /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\ncontent-LENGTH: 1\r\n\r\n"]);
    assert!(both.declares_length(&chunked(&[("host", "h")])));
}

#[test]
fn the_length_of_another_head_is_not_held_against_a_request() {
    let length = "Content-Length: 1\r\n";
    let request = chunked(&[("host", "h")]);
    for other in [
        format!("GET /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n{length}\r\n"),
        format!("PUT /y HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n{length}\r\n"),
        format!("PUT /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n{length}\r\n"),
        format!("PUT /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n{length}"),
        String::new(),
    ] {
        assert!(!raw(&[other.as_bytes()]).declares_length(&request), "{other:?}");
    }
}

#[test]
fn hosts_are_told_from_other_texts() {
    for host in
        ["h", "a.example", "h:", "h:1", "h:65535", "127.0.0.1:80", "[::1]", "[::1]:80", "[::ffff:1.2.3.4]", "a_b%20"]
    {
        assert!(is_host(host.as_bytes()), "{host}");
    }
    for other in [
        "", ":80", "h:x", "h:1:2", "h:123456", "u@h", "a b", "h/p", "h?q", "h#f", "[::1", "::1", "[::1]x", "[h]", "[]",
        "\u{e4}",
    ] {
        assert!(!is_host(other.as_bytes()), "{other}");
    }
}

#[test]
fn memory_of_a_raw_head_is_bounded() {
    let mut raw = raw(&[&[b'a'; 1 << 20], &[b'a'; 1 << 20]]);
    assert!(raw.bytes.capacity() <= KEPT_MAX * 2);
    raw.clear();
    assert!(raw.bytes.capacity() <= KEPT_IDLE);
}

#[test]
fn a_request_line_is_too_long_only_while_it_is_open() {
    let line = |bytes: usize| format!("GET /{}", "a".repeat(bytes));
    assert!(!raw(&[line(TARGET_MAX).as_bytes()]).target_too_long());
    assert!(raw(&[line(TARGET_MAX + 100).as_bytes()]).target_too_long());
    assert!(!raw(&[b"GET / HTTP/1.1\r\n", &[b'a'; TARGET_MAX + 100]]).target_too_long());
}
