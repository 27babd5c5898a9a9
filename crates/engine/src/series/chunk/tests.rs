use proptest::prelude::*;

use super::*;

/// A line: series, time and values, each a field and bits or text.
type Given = (u64, i64, Vec<(u32, FieldType, u64, Vec<u8>)>);

fn given() -> impl Strategy<Value = Given> {
    let number = || prop_oneof![any::<u64>(), 0u64..200, Just(u64::MAX)];
    let kind = prop_oneof![
        Just(FieldType::Float),
        Just(FieldType::Int),
        Just(FieldType::Uint),
        Just(FieldType::Bool),
        Just(FieldType::Text)
    ];
    let value = (prop_oneof![0u32..20, any::<u32>()], kind, number(), proptest::collection::vec(any::<u8>(), 0..40));
    let time = prop_oneof![any::<i64>(), -50i64..50, Just(i64::MIN), Just(i64::MAX)];
    (number(), time, proptest::collection::vec(value, 1..5))
}

fn write(lines: &[Given]) -> ChunkWriter {
    let mut writer = ChunkWriter::default();
    for (series, time, values) in lines {
        let mut text = vec![7];
        let samples: Vec<Sample> = values
            .iter()
            .map(|(field, kind, bits, bytes)| {
                let bits = match kind {
                    FieldType::Bool => bits & 1,
                    FieldType::Text => {
                        text.extend_from_slice(bytes);
                        Sample::text_bits(text.len() - bytes.len(), bytes.len())
                    }
                    _ => *bits,
                };
                Sample { field: *field, kind: *kind, bits }
            })
            .collect();
        writer.line(*series, *time, &samples, &text);
    }
    writer
}

/// Reads until the end or what is no line; how many lines were what they should be.
fn same(head: &[u8], body: &[u8], lines: &[Given]) -> Result<usize> {
    let mut reader = ChunkReader::open(head, body).ok_or_else(unreadable)?;
    let mut values = Vec::new();
    let mut same = 0;
    while let Some((series, time)) = reader.next(&mut values)? {
        let Some((of, at, expected)) = lines.get(same) else { return Ok(same) };
        let is_value = |(value, (field, kind, bits, bytes)): (&Sample, &(u32, FieldType, u64, Vec<u8>))| {
            let content = match kind {
                FieldType::Text => value.text(reader.text()) == &bytes[..],
                FieldType::Bool => value.bits == bits & 1,
                _ => value.bits == *bits,
            };
            content && (value.field, value.kind) == (*field, *kind)
        };
        let values_are = values.len() == expected.len() && values.iter().zip(expected).all(is_value);
        if (series, time) != (*of, *at) || !values_are {
            return Ok(same);
        }
        same += 1;
    }
    Ok(same)
}

proptest! {
    #[test]
    fn lines_come_back_as_they_were(lines in proptest::collection::vec(given(), 0..40)) {
        let writer = write(&lines);
        prop_assert_eq!(same(&writer.head(), writer.body(), &lines).expect("readable"), lines.len());
    }

    #[test]
    fn damaged_bytes_are_refused_or_read_as_something(
        lines in proptest::collection::vec(given(), 1..10),
        at: usize,
        bits in 1u8..,
        cut: bool,
    ) {
        let writer = write(&lines);
        let mut body = writer.body().to_vec();
        let at = at % body.len();
        if cut {
            body.truncate(at);
            prop_assert!(same(&writer.head(), &body, &lines).is_err(), "a chunk without its end");
        } else {
            body[at] ^= bits;
            same(&writer.head(), &body, &lines).ok();
        }
    }
}

#[test]
fn a_line_of_a_series_next_to_the_last_one_takes_few_bytes() {
    let mut writer = ChunkWriter::default();
    for series in 0..1000 {
        let value = Sample { field: 3, kind: FieldType::Float, bits: 0.1f64.to_bits() };
        writer.line(1_000_000 + series, 1_700_000_000_000_000_000, &[value], &[]);
    }
    assert!(writer.body().len() < 1000 * 12 + 20, "{} bytes", writer.body().len());
}
