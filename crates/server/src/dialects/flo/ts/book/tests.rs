use manifold_engine::series::{Points, SeriesKey};

use super::*;

/// Some numbers of series and fields, all different.
fn numbers() -> (Vec<SeriesRef>, Vec<FieldRef>) {
    let mut points = Points::new(1);
    let key = || SeriesKey::new("m", &[]).unwrap();
    let series = (0..4).map(|_| points.end_new(key(), 0)).collect();
    (series, (0..4).map(|_| points.new_field("f")).collect())
}

fn found(book: &mut Book, last: Option<usize>, rest: &str) -> Option<(SeriesRef, bool, usize)> {
    book.series(last, rest.as_bytes()).map(|found| (found.series, found.known, found.length))
}

#[test]
fn a_series_is_found_by_all_of_its_bytes() {
    let (series, _) = numbers();
    let mut book = Book::new(1);
    let m = book.measurement("m");
    let head = book.learn_series(br"m,a=x\ y", m, series[0], true);
    book.learn_series(b"m", m, series[1], true);
    for last in [None, Some(head)] {
        assert_eq!(found(&mut book, last, r"m,a=x\ y v=1"), Some((series[0], true, 8)));
        assert_eq!(found(&mut book, last, r"m,a=x\ y"), Some((series[0], true, 8)), "no fields, which the parser says");
        assert_eq!(found(&mut book, last, "m v=1"), Some((series[1], true, 1)));
        for other in [r"m,a=x v=1", r"m,a=x\ y\ z v=1", r"m,a=x\ yz v=1", "n v=1", r"m\ v=1", "m,v=1", ""] {
            assert_eq!(found(&mut book, last, other), None, "{other}");
        }
    }
}

#[test]
fn the_order_of_lines_is_only_a_hint() {
    let (series, _) = numbers();
    let mut book = Book::new(1);
    let m = book.measurement("m");
    let heads: Vec<_> = (0..3).map(|i| book.learn_series(format!("m,a={i}").as_bytes(), m, series[i], true)).collect();
    for order in [[0, 1, 2], [0, 1, 2], [2, 1, 0], [0, 0, 1]] {
        let mut last = None;
        for i in order {
            assert_eq!(found(&mut book, last, &format!("m,a={i} v=1")), Some((series[i], true, 5)));
            last = Some(heads[i]);
        }
    }
}

#[test]
fn what_only_a_request_knows_ends_with_it() {
    let (series, fields) = numbers();
    let mut book = Book::new(1);
    book.begin();
    let m = book.measurement("m");
    book.learn_series(b"m", m, series[0], false);
    let field = book.learn_field(m, b"f", fields[0], false);
    assert_eq!(found(&mut book, None, "m f=1"), Some((series[0], false, 1)));
    assert_eq!(book.field(m, 0, b"f=1"), Some((field, 1)));
    assert_eq!(book.field_number(m, field, true), Some(fields[0]));
    book.begin();
    assert_eq!(found(&mut book, None, "m f=1"), None);
    assert_eq!(book.field_number(m, field, true), None);
    // Then the engine has both.
    book.learn_series(b"m", m, series[1], true);
    assert_eq!(book.learn_field(m, b"f", fields[1], true), field);
    book.begin();
    assert_eq!(found(&mut book, None, "m f=1"), Some((series[1], true, 1)));
    assert_eq!(book.field_number(m, field, true), Some(fields[1]));
    assert_eq!(book.field_number(m, field, false), None, "a series that the engine has not takes names only");
    book.learn_field(m, b"f", fields[2], false);
    assert_eq!(book.field_number(m, field, false), Some(fields[2]));
    assert_eq!(book.field_number(m, field, true), Some(fields[1]));
    book.unsay_field(m, field);
    assert_eq!(book.field_number(m, field, false), None);
}

#[test]
fn a_field_is_found_wherever_it_stands() {
    let (_, fields) = numbers();
    let mut book = Book::new(1);
    let (m, n) = (book.measurement("m"), book.measurement("n"));
    for (at, name) in ["a", r"a\=b", "ab"].into_iter().enumerate() {
        assert_eq!(book.learn_field(m, name.as_bytes(), fields[at], true), at);
    }
    for likely in 0..5 {
        assert_eq!(book.field(m, likely, b"a=1"), Some((0, 1)));
        assert_eq!(book.field(m, likely, br"a\=b=1"), Some((1, 4)));
        assert_eq!(book.field(m, likely, b"ab=1,a=2"), Some((2, 2)));
        for other in [&b"b=1"[..], b"a", b"ab", b"", br"a\=", b"a =1"] {
            assert_eq!(book.field(m, likely, other), None, "{}", other.escape_ascii());
        }
        assert_eq!(book.field(n, likely, b"a=1"), None, "another measurement");
    }
}

#[test]
fn a_full_book_begins_anew_with_the_next_request() {
    let (series, _) = numbers();
    let mut book = Book::new(7);
    let m = book.measurement("m");
    let raw = [&b"m,a="[..], &vec![b'x'; BOOK_BYTES]].concat();
    book.learn_series(&raw, m, series[0], true);
    assert!(!book.begin_line());
    book.begin();
    assert_eq!((book.epoch, book.request, book.heads.len()), (7, 1, 0));
    book.bytes = MOST_BYTES + 1;
    assert!(book.begin_line() && !book.begin_line());
}

#[test]
fn a_shelf_keeps_books_of_their_epoch_and_within_its_bound() {
    let namespace = |name: &'static str| Namespace::new(name).unwrap();
    let shelf = Shelf::default();
    let marked = |bytes| {
        let mut book = Book::new(1);
        book.begin();
        book.bytes = bytes;
        book
    };
    shelf.give_back(&namespace("a"), marked(SHELF_BYTES / 2));
    assert_eq!(shelf.take(&namespace("b"), 1).request, 0, "of another namespace");
    assert_eq!(shelf.take(&namespace("a"), 1).request, 1);
    assert_eq!(shelf.take(&namespace("a"), 1).request, 0, "taken by somebody else");
    shelf.give_back(&namespace("a"), marked(100));
    assert_eq!(shelf.take(&namespace("a"), 2).request, 0, "of another epoch");
    assert_eq!(shelf.0.lock().bytes, 0);
    shelf.give_back(&namespace("a"), marked(SHELF_BYTES / 2));
    shelf.give_back(&namespace("b"), marked(SHELF_BYTES / 2));
    shelf.give_back(&namespace("c"), marked(1));
    assert_eq!(shelf.0.lock().bytes, 1);
    assert_eq!(shelf.take(&namespace("a"), 1).request, 0, "forgotten");
    assert_eq!(shelf.take(&namespace("c"), 1).request, 1);
}
