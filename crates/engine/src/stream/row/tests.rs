use proptest::prelude::*;

use super::*;

fn new_record() -> impl Strategy<Value = NewRecord> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..20);
    let headers = proptest::collection::vec((".{0,4}", ".{0,4}"), 0..3);
    (bytes(), headers, bytes()).prop_map(|(kind, headers, payload)| NewRecord {
        kind: kind.into(),
        headers,
        payload: payload.into(),
    })
}

proptest! {
    #[test]
    fn records_are_read_as_written(
        first in 0u64..1 << 60,
        before in 0u64..1 << 60,
        records in proptest::collection::vec((new_record(), 0u64..1000), 1..20),
        from in 0usize..20,
    ) {
        let mut at = 1_710_700_000_000;
        let records: Vec<Record> = (first..).zip(records).map(|(offset, (record, pause))| {
            at += pause;
            record.at(offset, Timestamp(at))
        }).collect();
        let mut writer = SpanWriter::new(first, before);
        records.iter().for_each(|record| writer.push(record));

        let span = Span::decode(first, &writer.span().encode()).expect("a span");
        prop_assert_eq!(&span, writer.span());
        prop_assert_eq!((span.end(), span.before), (first + records.len() as u64, before));
        prop_assert_eq!((span.first_at, span.last_at), (records[0].at, Timestamp(at)));
        prop_assert_eq!(span.bytes, records.iter().map(size_bytes).sum::<usize>() as u64);

        let body = Bytes::copy_from_slice(writer.body());
        let mut reader = SpanReader::new(&span, &body);
        reader.skip_to(first + from as u64).expect("readable");
        let mut read = Vec::new();
        while let Some(record) = reader.next().expect("readable") {
            read.push((*record).clone());
        }
        prop_assert_eq!(&read[..], &records[from.min(records.len())..]);
    }

    #[test]
    fn no_bytes_make_a_reader_panic(head: Vec<u8>, body: Vec<u8>) {
        let Some(span) = Span::decode(0, &head) else { return Ok(()) };
        let body = Bytes::from(body);
        let mut reader = SpanReader::new(&span, &body);
        while let Ok(Some(_)) = reader.next() {}
    }

    #[test]
    fn heads_are_read_as_written(a: u64, b: u64, c: u32, deadline in proptest::option::of(0u64..u64::MAX)) {
        let bounded = |bound: u64| (bound < u64::MAX).then_some(bound);
        let meta = Meta {
            id: a,
            created_at: Timestamp(b),
            first: b,
            last_at: Timestamp(a),
            next_group: c,
            armed: deadline.map(Timestamp),
            retention: StreamRetention {
                age: deadline.map(Duration::from_millis),
                records: bounded(a),
                bytes: bounded(b),
            },
        };
        prop_assert_eq!(Meta::decode(&meta.encode()), Some(meta));
        let group = GroupHead { number: c, position: a, dead: b };
        prop_assert_eq!(GroupHead::decode(&group.encode()), Some(group));
        let pending = Pending { deliveries: c, deadline: deadline.map(Timestamp) };
        prop_assert_eq!(Pending::decode(&pending.encode()), Some(pending));
        prop_assert_eq!(Number::decode(&Number(a).encode()), Some(Number(a)));
    }
}
