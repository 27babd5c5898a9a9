use proptest::prelude::*;

use super::*;
use crate::{Namespace, feed::How};

fn encoding() -> impl Strategy<Value = Encoding> {
    prop_oneof![Just(Encoding::Json), Just(Encoding::Binary)]
}

proptest! {
    #[test]
    fn an_entry_is_read_as_it_was_written(
        encoding in encoding(),
        (version, seq, at) in any::<(u64, u64, u64)>(),
        deadline in proptest::option::of(0..u64::MAX),
        actor in proptest::collection::vec(any::<u8>(), 1..257),
    ) {
        let change = Change {
            seq,
            op: ChangeOp::Set(How::Put),
            namespace: Namespace::new("n").expect("name"),
            key: Key::new("k").expect("name"),
            value: None,
            version,
            actor: Actor::new(actor.clone()).expect("name"),
            at: Timestamp(at),
            expires_at: deadline.map(Timestamp),
            commit: (seq, seq),
            previous: None,
        };
        let head = encode_entry(&change, encoding, change.at);
        let expected = Head {
            encoding,
            version,
            seq,
            updated_at: Timestamp(at),
            expires_at: deadline.map(Timestamp),
            actor: &actor,
        };
        prop_assert_eq!(Head::decode(&head), Some(expected));
    }

    #[test]
    fn tombstones_and_floors_are_read_as_they_were_written(version: u64, seq: u64) {
        let tomb = Tomb { version, seq };
        prop_assert_eq!(Tomb::decode(&tomb.encode()), Some(tomb));
        prop_assert_eq!(Floor::decode(&Floor(version).encode()), Some(Floor(version)));
    }

    #[test]
    fn no_bytes_make_the_readers_panic(head: Vec<u8>) {
        Head::decode(&head);
        Tomb::decode(&head);
        Floor::decode(&head);
    }
}
