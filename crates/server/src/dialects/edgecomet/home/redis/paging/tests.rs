use super::*;

const HOST: HostId = HostId(1);

fn page(dimension: u64, hash: u64) -> PageKey {
    PageKey { host: HOST, dimension: DimensionId(dimension), hash }
}

#[test]
fn a_cursor_reads_back() {
    for cursor in [
        Cursor { scan: Some(17), carried: Vec::new() },
        Cursor { scan: Some(u64::MAX), carried: vec![page(1, 0), page(22, u64::MAX)] },
        Cursor { scan: None, carried: vec![page(0, 7)] },
    ] {
        let text = cursor.text().expect("it goes on");
        assert_eq!(Cursor::parse(HOST, &text), Ok(cursor), "{text}");
    }
    assert_eq!(Cursor::default().text(), None, "nothing carried and the scan is through");
}

#[test]
fn what_was_never_given_out_is_refused() {
    for text in [
        "",
        "x",
        "-1",
        "+1",
        "1 ",
        "1.",
        "1.1",
        "1.1-00",
        "1.x-0000000000000001",
        "end",
        "18446744073709551616",
        "1.1-+000000000000001",
    ] {
        assert_eq!(Cursor::parse(HOST, text), Err(HomeError::BadCursor), "{text:?}");
    }
    let long = Cursor { scan: Some(1), carried: vec![page(1, 1); MOST_CARRIED + 1] }.text().expect("it goes on");
    assert_eq!(Cursor::parse(HOST, &long), Err(HomeError::BadCursor));
}
