use super::*;

#[test]
fn a_cursor_reads_as_it_was_written_and_no_other_text_is_one() {
    for key in [(DimensionId(0), 0), (DimensionId(17), 0xab), (DimensionId(u64::MAX), u64::MAX)] {
        assert_eq!(read_cursor(&cursor_text(key)), Some(key));
    }
    let none = ["", "0", "-", "1", "1-2", "-1-0000000000000002", "+1-0000000000000002", "01-0000000000000002"];
    for text in none.into_iter().chain([
        "1-000000000000000g",
        "1-00000000000000002",
        "1-0000000000000002 ",
        "A-0000000000000002",
    ]) {
        assert_eq!(read_cursor(text), None, "{text:?}");
    }
}

#[test]
fn only_a_full_queue_is_told_as_full() {
    let told = |kind| HomeError::from(Error::new(kind, "why"));
    assert_eq!(told(Kind::Busy), HomeError::Full);
    for kind in [Kind::Full, Kind::Storage, Kind::Closed, Kind::TooLarge, Kind::Invalid, Kind::Bug] {
        assert_eq!(told(kind), HomeError::Unavailable("why".to_owned()));
    }
}
