use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn a_card_is_read_as_it_was_written(
        kind in prop_oneof![Just(KeyType::Hash), Just(KeyType::List), Just(KeyType::Set), Just(KeyType::SortedSet)],
        (id, count, bytes) in any::<(u64, u64, u64)>(),
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
