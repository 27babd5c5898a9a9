use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn a_slip_is_read_as_written(
        json: bool, priority: i64, at: u64, due in proptest::option::of(0..u64::MAX), max: u32, headers_len: usize, dedup_key: Vec<u8>,
    ) {
        let slip = Slip {
            encoding: if json { Encoding::Json } else { Encoding::Binary },
            priority,
            enqueued_at: Timestamp(at),
            due: due.map(Timestamp),
            max_attempts: Some(max).filter(|max| *max > 0),
            headers_len,
            dedup_key: &dedup_key,
        };
        let head = slip.encode();
        prop_assert_eq!(Slip::decode(&head), Some(slip.clone()));
    }

    #[test]
    fn a_mark_is_read_as_written(attempts: u32, kind in 0..6, a: u64, b: u64, number: u64) {
        let lease = Lease { number, until: Timestamp(b) };
        let fate = match kind {
            0 => Fate::Waiting(Some(Timestamp(a)).filter(|due| due.0 < u64::MAX)),
            1 => Fate::Leased(lease),
            2 => Fate::Dead { at: Timestamp(a), reason: Reason::Expired, held: None },
            3 => Fate::Dead { at: Timestamp(a), reason: Reason::Nack, held: None },
            4 => Fate::Dead { at: Timestamp(a), reason: Reason::Expired, held: Some(lease) },
            _ => Fate::Dead { at: Timestamp(a), reason: Reason::Nack, held: Some(lease) },
        };
        let mark = Mark { attempts, fate };
        prop_assert_eq!(Mark::decode(&mark.encode()), Some(mark));
    }

    #[test]
    fn a_card_is_read_as_written(id: u64, flags in 0..4u8, depth in proptest::option::of(0..u64::MAX), n: u32, p: i64) {
        let settings = Settings {
            max_depth: depth,
            max_attempts: n,
            max_dead: Some(n.into()),
            max_held: depth.map(|depth| depth / 2),
            dedup_window: Duration::from_millis(n.into()),
            lease: Duration::from_millis(id >> 1),
            default_priority: p,
        };
        let card = Card { id, deleted: flags & 1 > 0, configured: flags & 2 > 0, settings };
        prop_assert_eq!(Card::decode(&card.encode()), Some(card));
    }

    #[test]
    fn counters_and_keys_are_read_as_written(
        n in proptest::array::uniform12(0..=PLAUSIBLE),
        armed in proptest::option::of(0..u64::MAX),
    ) {
        let [last, last_lease, enqueued, acked, purged, delivered, returned, died, letters @ ..] = n;
        let letters =
            LetterTally { arrived: letters[0], delivered: letters[1], returned: letters[2], acked: letters[3] };
        let armed = armed.map(Timestamp);
        let tally = Tally { last, last_lease, enqueued, acked, purged, delivered, returned, died, letters, armed };
        prop_assert_eq!(Tally::decode(&tally.encode()), Some(tally));
        let dedup = Dedup { sequence: last, until: Timestamp(acked) };
        prop_assert_eq!(Dedup::decode(&dedup.encode()), Some(dedup));
    }

    #[test]
    fn no_bytes_make_a_reader_panic(head: Vec<u8>) {
        Slip::decode(&head);
        Mark::decode(&head);
        Card::decode(&head);
        Tally::decode(&head);
        Dedup::decode(&head);
    }
}

#[test]
fn rows_of_the_first_version_are_read() {
    // Number 7, configured; depth 100, 4 deliveries, no bound of dead letters, no window, a lease of 30, priority -1.
    let card = Card::decode(&[1, 2, 7, 101, 4, 0, 0, 30, 1]).expect("a card");
    let settings = Settings {
        max_depth: Some(100),
        max_attempts: 4,
        max_dead: None,
        max_held: None,
        dedup_window: Duration::ZERO,
        lease: Duration::from_millis(30),
        default_priority: -1,
    };
    assert_eq!(card, Card { id: 7, deleted: false, configured: true, settings });
    let written = Tally { last: 1, died: 8, ..Tally::default() };
    let mut head = written.encode();
    head[0] = 1;
    head.drain(9..13);
    let letters = LetterTally { arrived: 8, ..LetterTally::default() };
    assert_eq!(Tally::decode(&head), Some(Tally { letters, ..written }));
}

#[test]
fn counters_that_no_queue_has_are_not_read() {
    let tally = Tally { enqueued: PLAUSIBLE + 1, ..Tally::default() };
    assert_eq!(Tally::decode(&tally.encode()), None);
    let letters = LetterTally { acked: u64::MAX, ..LetterTally::default() };
    assert_eq!(Tally::decode(&Tally { letters, ..Tally::default() }.encode()), None);
}
