use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn what_was_put_is_read_back(number: u64, bytes: Vec<u8>, deadline in proptest::option::of(0..u64::MAX), tail: Vec<u8>) {
        let mut out = Vec::new();
        put_varint(&mut out, number);
        put_bytes(&mut out, &bytes);
        put_deadline(&mut out, deadline.map(Timestamp));
        let start_of_tail = out.len();
        out.extend_from_slice(&tail);

        let mut reader = Reader::new(&out);
        prop_assert_eq!(reader.varint(), Some(number));
        prop_assert_eq!(reader.bytes(), Some(&bytes[..]));
        prop_assert_eq!(reader.deadline(), Some(deadline.map(Timestamp)));
        prop_assert_eq!(reader.position(), start_of_tail);
        prop_assert_eq!(reader.rest(), &tail[..]);
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes: Vec<u8>) {
        let mut reader = Reader::new(&bytes);
        while reader.varint().is_some() && reader.bytes().is_some() && reader.deadline().is_some() {}
    }
}

#[test]
fn a_varint_beyond_64_bits_is_refused() {
    assert_eq!(Reader::new(&[0xff; 10]).varint(), None);
    assert_eq!(Reader::new(&[0x80; 11]).varint(), None);
}
