use super::*;

fn end(id: Option<&str>, status: StatusCode) -> (Option<String>, Vec<(&'static str, StatusCode)>) {
    let mut request = Request::builder().uri("/real/path");
    if let Some(id) = id {
        request = request.header(REQUEST_ID, id);
    }
    let observed = Observed::begin(&request.body(()).unwrap());
    let mut response = Response::new(());
    *response.status_mut() = status;
    let mut counted = Vec::new();
    observed.end("test", "/{template}", &mut response, |route, _, status, _| counted.push((route, status)));
    let id = response.headers().get(REQUEST_ID).map(|id| id.to_str().unwrap().to_owned());
    (id, counted)
}

#[test]
fn an_answer_is_counted_once_under_its_template() {
    assert_eq!(end(None, StatusCode::OK).1, [("/{template}", StatusCode::OK)]);
}

#[test]
fn the_id_of_the_client_comes_back() {
    assert_eq!(end(Some("abc-1"), StatusCode::OK).0.as_deref(), Some("abc-1"));
    assert_eq!(end(Some("abc-1"), StatusCode::INTERNAL_SERVER_ERROR).0.as_deref(), Some("abc-1"));
}

#[test]
fn an_id_that_could_spoil_a_log_line_does_not() {
    let long = "a".repeat(ID_MAX + 1);
    for bad in ["", "a b", "a\tb", long.as_str()] {
        assert_eq!(end(Some(bad), StatusCode::OK).0, None, "{bad:?}");
    }
}

#[test]
fn a_defect_gets_an_id_of_its_own_and_nothing_else_does() {
    assert_eq!(end(None, StatusCode::OK).0, None);
    assert_eq!(end(None, StatusCode::SERVICE_UNAVAILABLE).0, None);
    let first = end(None, StatusCode::INTERNAL_SERVER_ERROR).0.unwrap();
    let second = end(None, StatusCode::INTERNAL_SERVER_ERROR).0.unwrap();
    assert_ne!(first, second);
}

#[test]
fn where_every_answer_has_an_id_it_is_the_one_given_or_a_new_one() {
    let of = |id: Option<&'static str>| {
        let headers: HeaderMap = id.map(|id| (REQUEST_ID, HeaderValue::from_static(id))).into_iter().collect();
        id_of(&headers).to_str().unwrap().to_owned()
    };
    assert_eq!(of(Some("a.B_c-9")), "a.B_c-9");
    let mut made = Vec::from([None, Some(""), Some("a/b"), Some("a b")].map(of));
    made.dedup();
    assert!(made.len() == 4 && made.iter().all(|id| !id.is_empty() && !id.contains(['/', ' '])), "{made:?}");
}
