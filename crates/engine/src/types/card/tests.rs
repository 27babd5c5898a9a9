use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn a_card_is_read_as_it_was_written(
        kind in prop_oneof![Just(KeyType::Hash), Just(KeyType::List), Just(KeyType::Set), Just(KeyType::SortedSet)],
        (id, count, bytes) in (any::<u64>(), 0..=PLAUSIBLE, 0..=PLAUSIBLE),
        deadline in proptest::option::of(0..u64::MAX),
        (first, last, uneven) in any::<(u64, u64, bool)>(),
    ) {
        let expires_at = deadline.map(Timestamp);
        let span = if kind == KeyType::List { Span { first, last, uneven } } else { Span::default() };
        let card = Card { kind, id, count, bytes, expires_at, span, timer: expires_at };
        prop_assert_eq!(Card::decode(&card.encode()), Some(card));
    }

    #[test]
    fn no_bytes_make_the_reader_panic(head: Vec<u8>) {
        Card::decode(&head);
    }
}

#[test]
fn what_was_not_counted_cannot_go() {
    let mut card = Card { count: 2, bytes: 5, ..Card::new(KeyType::Set, 1) };
    card.shrink(1, 5).unwrap();
    assert_eq!((card.count, card.bytes), (1, 0));
    card.shrink(1, 1).unwrap_err();
    card.shrink(2, 0).unwrap_err();
    assert_eq!((card.count, card.bytes), (1, 0));
}

#[test]
fn sums_that_no_collection_has_are_not_read() {
    for card in [
        Card { count: PLAUSIBLE + 1, ..Card::new(KeyType::Hash, 1) },
        Card { bytes: u64::MAX, ..Card::new(KeyType::Hash, 1) },
    ] {
        assert_eq!(Card::decode(&card.encode()), None);
    }
}
