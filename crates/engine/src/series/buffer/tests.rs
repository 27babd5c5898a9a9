use super::*;

fn float(value: f64) -> Sample {
    Sample { field: 0, kind: FieldType::Float, bits: value.to_bits() }
}

fn int(value: i64) -> Sample {
    Sample { field: 0, kind: FieldType::Int, bits: value as u64 }
}

#[test]
fn points_of_whole_chunks_are_found_and_leave() {
    let mut buffer = Buffer::default();
    for (chunk, time) in [(3, 9), (3, 8), (5, 7), (8, 6), (8, 5)] {
        buffer.push(chunk, time, &float(time as f64), &[]);
    }
    assert_eq!([2, 3, 4, 5, 7, 8, 9].map(|chunk| buffer.through(chunk)), [0, 2, 2, 3, 3, 5, 5]);
    assert_eq!(buffer.first(3), Run { times: vec![9, 8, 7], values: Values::Float(vec![9.0, 8.0, 7.0]) });
    let dropped = buffer.drop_first(3);
    assert_eq!((dropped.chunks, dropped.points, buffer.len()), (vec![(3, 2), (5, 1)], 3, 2));
    assert_eq!((buffer.oldest_chunk(), buffer.through(7), buffer.through(8)), (Some(8), 0, 2));
    buffer.push(8, 4, &float(4.0), &[]);
    assert_eq!(buffer.drop_first(3).chunks, [(8, 3)]);
}

#[test]
fn a_buffer_that_was_mixed_takes_the_type_of_what_comes_next() {
    let mut buffer = Buffer::default();
    buffer.push(1, 1, &int(1), &[]);
    buffer.push(1, 2, &float(0.5), &[]);
    assert_eq!(buffer.first(2).values, Values::Mixed(vec![Scalar::Int(1), Scalar::Float(0.5)]));
    buffer.drop_first(2);
    buffer.push(2, 3, &int(3), &[]);
    assert_eq!(buffer.first(1).values, Values::Int(vec![3]));
}

#[test]
fn bytes_that_come_are_bytes_that_go() {
    let mut buffer = Buffer::default();
    let text = b"of some length";
    let sample = Sample { field: 0, kind: FieldType::Text, bits: Sample::text_bits(3, 11) };
    let came: usize = (1..=5000).map(|time| buffer.push(1, time, &sample, text)).sum();
    assert_eq!(buffer.first(1).values, Values::Text(vec![Bytes::from_static(b"some length")]));
    assert_eq!(buffer.drop_first(5000).bytes, came);
    let came = buffer.push(2, 1, &float(1.0), &[]) + buffer.push(3, 1, &int(1), &[]);
    assert_eq!(buffer.drop_first(1).bytes + buffer.drop_first(1).bytes, came);
}
