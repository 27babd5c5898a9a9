use proptest::prelude::*;

use super::*;
use crate::{Batch, Table};

const SALT: u32 = 0x1234_5678;

fn header() -> Header {
    Header { len: 77, kind: Kind::Move, seq: 1 << 40, lag: 3, body_crc: 0xdead_beef }
}

#[test]
fn header_round_trips_and_says_what_was_synced() {
    let bytes = header().encode(SALT);
    assert_eq!(Header::parse(&bytes, SALT), Some(header()));
    assert_eq!(header().synced(), (1 << 40) - 3);
    assert_eq!(Header::parse(&bytes, SALT + 1), None, "another log's salt");
    assert_eq!(Header::parse(&[0; HEADER], 0), None, "zeros are the end of the log");
}

#[test]
fn every_single_bit_of_a_header_is_recognised_as_rot() {
    for bit in 0..HEADER * 8 {
        let mut bytes = header().encode(SALT);
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(Header::parse(&bytes, SALT), None, "bit {bit}");
        assert!(Header::one_bit_away(&bytes, SALT), "bit {bit}");
    }
    assert!(!Header::one_bit_away(&[0; HEADER], SALT));
}

#[test]
fn every_single_bit_of_a_body_is_recognised_as_rot() {
    let body: Vec<u8> = (0..200).map(|i| (i * 7) as u8).collect();
    let crc = crc32c::crc32c(&body);
    for bit in 0..body.len() * 8 {
        let mut rotten = body.clone();
        rotten[bit / 8] ^= 1 << (bit % 8);
        assert!(one_bit_explains(&rotten, crc), "bit {bit}");
    }
    let mut torn = body.clone();
    torn[100..].fill(0);
    assert!(!one_bit_explains(&torn, crc));
}

proptest! {
    #[test]
    fn operations_round_trip(ops in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..40),
        prop::option::of((prop::collection::vec(any::<u8>(), 0..20), prop::collection::vec(any::<u8>(), 0..300)))), 1..8)) {
        let mut batch = Batch::new();
        for (table, key, put) in &ops {
            match put {
                Some((head, body)) => batch.put(Table(*table), key, head, body),
                None => batch.delete(Table(*table), key),
            }
        }
        let bytes = &batch.bytes()[HEADER..];
        let read: Vec<_> = Ops::new(bytes).collect::<Result<_, _>>().expect("what was encoded decodes");
        prop_assert_eq!(read.len(), ops.len());
        for (op, (table, key, put)) in read.iter().zip(&ops) {
            prop_assert_eq!(op.key[0], *table);
            prop_assert_eq!(&op.key[1..], &key[..]);
            prop_assert_eq!(op.put.map(|p| (p.head.to_vec(), p.body.to_vec())), put.clone());
            if let Some(put) = op.put {
                prop_assert_eq!(&bytes[put.body_at..][..put.body.len()], put.body);
            }
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Ops::new(&bytes).count() <= bytes.len());
    }
}
