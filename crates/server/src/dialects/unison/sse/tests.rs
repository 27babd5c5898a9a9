use hyper::header::HeaderValue;

use super::*;

#[test]
fn data_is_one_line_whatever_the_value_looks_like() {
    let mut out = Vec::new();
    write_event(&mut out, "change", 7, |out| out.extend_from_slice(b"{\"value\":[1,\r\n 2]}"));
    assert_eq!(out, b"event: change\nid: 7\ndata: {\"value\":[1,   2]}\n\n");
}

#[test]
fn the_last_event_id_is_an_integer_or_absent() {
    let parse = |text: &'static str| {
        let headers = [(LAST_EVENT_ID, HeaderValue::from_static(text))].into_iter().collect();
        last_event_id(&headers).map_err(|error| error.text().to_owned())
    };
    assert_eq!(last_event_id(&HeaderMap::new()), Ok(None));
    assert_eq!(parse(""), Ok(None));
    assert_eq!(parse("17"), Ok(Some(17)));
    assert_eq!(parse("-1"), Ok(Some(0)));
    for bad in ["x", "1.5", "1 2", "99999999999999999999"] {
        assert_eq!(parse(bad), Err("Last-Event-ID must be an integer".to_owned()), "{bad}");
    }
}
