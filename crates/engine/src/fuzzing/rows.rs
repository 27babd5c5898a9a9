//! What rows say: any bytes are read or refused, and what was read is written so that it is read as the same again.

use std::fmt::Debug;

use bytes::Bytes;

use super::input::Input;
use crate::{
    feed::record,
    kv::row::{Floor, Head, Tomb},
    queue::rows as queue,
    series::{
        block,
        chunk::{ChunkReader, ChunkWriter},
    },
    stream::row as stream,
    timers,
    types::card::Card,
};

/// Points of a block: the summary alone, a few bytes, may promise a million.
const POINTS: u32 = 4096;

pub(super) fn read(data: &[u8]) {
    let mut input = Input::new(data);
    let kind = input.byte();
    let head_len = usize::from(input.byte());
    let head = input.bytes(head_len);
    let body = Bytes::copy_from_slice(input.rest());
    match kind % 19 {
        0 => again(head, Tomb::decode, |tomb| tomb.encode()),
        1 => again(head, Floor::decode, |floor| floor.encode()),
        2 => again(head, queue::Card::decode, queue::Card::encode),
        3 => again(head, queue::Tally::decode, queue::Tally::encode),
        4 => again(head, queue::Mark::decode, queue::Mark::encode),
        5 => again(head, queue::Dedup::decode, |dedup| dedup.encode()),
        6 => again(head, stream::Meta::decode, stream::Meta::encode),
        7 => again(head, stream::GroupHead::decode, |group| group.encode()),
        8 => again(head, stream::Pending::decode, |pending| pending.encode()),
        9 => again(head, stream::Number::decode, |number| number.encode()),
        10 => again(head, Card::decode, Card::encode),
        11 => drop(Head::decode(head)),
        12 => message(head, &body),
        13 => change(head, &body),
        14 => records(head, &body),
        15 => timer(head),
        16 => again(head, |head| stream::Span::decode(7, head), stream::Span::encode),
        17 => points(head, &body),
        _ => column(head, &body),
    }
}

fn again<T: PartialEq + Debug>(head: &[u8], decode: impl Fn(&[u8]) -> Option<T>, encode: impl Fn(&T) -> Vec<u8>) {
    let Some(read) = decode(head) else { return };
    assert_eq!(decode(&encode(&read)), Some(read));
}

fn message(head: &[u8], body: &Bytes) {
    let Some(slip) = queue::Slip::decode(head) else { return };
    let written = slip.encode();
    assert_eq!(queue::Slip::decode(&written), Some(slip.clone()));
    if let Ok((headers, value)) = slip.content(body.clone()) {
        assert_eq!([headers, value.bytes].concat(), body[..]);
    }
}

fn change(head: &[u8], body: &Bytes) {
    let seq = head.iter().fold(0, |seq: u64, byte| seq << 8 | u64::from(*byte));
    let Some(change) = record::decode(seq, body) else { return };
    let mut written = Vec::new();
    record::encode(&change, &mut written);
    let again = record::decode(seq, &written.into()).expect("it was read before");
    assert_eq!(format!("{again:?}"), format!("{change:?}"));
}

fn records(head: &[u8], body: &Bytes) {
    let Some(span) = stream::Span::decode(7, head) else { return };
    let mut reader = stream::SpanReader::new(&span, body);
    let mut read = Vec::new();
    while let Ok(Some(record)) = reader.next() {
        read.push(record);
    }
    assert!(read.len() as u64 <= span.count && read.len() <= body.len());
    let mut writer = stream::SpanWriter::new(span.first, span.before);
    read.iter().for_each(|record| writer.push(record));
    let body = Bytes::copy_from_slice(writer.body());
    let mut reader = stream::SpanReader::new(writer.span(), &body);
    for record in &read {
        assert_eq!(reader.next().expect("readable").as_ref(), Some(record));
    }
    let middle = span.first + read.len() as u64 / 2;
    let mut skipping = stream::SpanReader::new(writer.span(), &body);
    skipping.skip_to(middle).expect("readable");
    assert_eq!(skipping.next().expect("readable").as_ref(), read.get(read.len() / 2));
}

fn timer(key: &[u8]) {
    let Some((deadline, target)) = timers::read_row_key(key) else { return };
    assert_eq!(timers::row_key(deadline, target)[..], *key);
}

fn points(head: &[u8], body: &[u8]) {
    let Some(mut reader) = ChunkReader::open(head, body) else { return };
    let (mut writer, mut lines, mut values) = (ChunkWriter::default(), Vec::new(), Vec::new());
    while let Ok(Some((series, time))) = reader.next(&mut values) {
        writer.line(series, time, &values, reader.text());
        let texts = values.iter().map(|value| (value.field, value.kind, value.text(reader.text()).to_vec()));
        let bits = values.iter().filter(|value| !value.kind.is_text()).map(|value| value.bits);
        lines.push((series, time, texts.collect::<Vec<_>>(), bits.collect::<Vec<_>>()));
    }
    let (head, body) = (writer.head(), writer.body());
    let mut reader = ChunkReader::open(&head, body).expect("it was written");
    for (series, time, texts, bits) in lines {
        assert_eq!(reader.next(&mut values).expect("readable"), Some((series, time)));
        for (value, text) in values.iter().zip(texts) {
            assert!(!value.kind.is_text() || value.text(reader.text()) == text.2);
        }
        let again = values.iter().filter(|value| !value.kind.is_text()).map(|value| value.bits);
        assert_eq!(again.collect::<Vec<_>>(), bits);
    }
}

fn column(head: &[u8], body: &[u8]) {
    let Ok(summary) = block::read_head(head) else { return };
    if summary.count > POINTS {
        return;
    }
    let Ok(run) = block::decode(&summary, body) else { return };
    assert_eq!((run.times.len(), run.values.len()), (summary.count as usize, summary.count as usize));
    // Points out of order are not written.
    let Ok(encoded) = block::encode(&run) else { return };
    let summary = block::read_head(&encoded.head).expect("it was written");
    let again = block::decode(&summary, &encoded.body).expect("it was written");
    assert_eq!(again.times, run.times);
    // What is no number is not equal to itself.
    assert_eq!(format!("{:?}", again.values), format!("{:?}", run.values));
}
