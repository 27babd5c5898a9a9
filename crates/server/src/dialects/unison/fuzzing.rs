//! Cursors of lists: only what was given out for a walk is taken for it.

use bytes::Bytes;

use super::cursor::Cursor;
use crate::fuzzing::input::Input;

pub(crate) fn cursors(data: &[u8]) {
    let mut input = Input::new(data);
    let (namespace, prefix) = (input.until(b'\n'), input.until(b'\n'));
    let text = String::from_utf8_lossy(input.rest());
    if let Some(cursor) = Cursor::decode(&text, namespace, prefix) {
        assert_eq!(cursor.encode(namespace, prefix), text, "one cursor has one text");
    }
    let (at, turned) = (input.number(), input.byte());
    let cursor = Cursor { head: at as u64 * 0x1_0001_0001, after: Bytes::copy_from_slice(input.rest()) };
    let text = cursor.encode(namespace, prefix);
    assert_eq!(Cursor::decode(&text, namespace, prefix).as_ref(), Some(&cursor));
    let other = [prefix, b"x"].concat();
    assert_eq!(Cursor::decode(&text, namespace, &other), None, "it belongs to another walk");
    let mut damaged = text.into_bytes();
    let place = at % damaged.len();
    damaged[place] = turned;
    if let Ok(damaged) = String::from_utf8(damaged) {
        let found = Cursor::decode(&damaged, namespace, prefix);
        assert!(found.is_none_or(|found| found == cursor), "{damaged}");
    }
}
