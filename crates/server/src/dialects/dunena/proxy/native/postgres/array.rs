//! Arrays, nested as they have dimensions.

use tokio_postgres::types::Type;

use super::{
    texts::Texts,
    value::{self, Malformed, Reader},
};

/// The server knows no more.
const MAX_DIMENSIONS: i32 = 6;

/// Appends an array. Its elements say by number what they are; `element` is given where that is known better.
pub(super) fn write(out: &mut Vec<u8>, element: Option<&Type>, raw: &[u8], texts: &mut Texts) -> Result<(), Malformed> {
    let mut reader = Reader(raw);
    let (count, _has_nulls) = (reader.i32()?, reader.i32()?);
    let numbered = value::type_of(u32::from_be_bytes(reader.bytes()?));
    let element = element.unwrap_or(&numbered);
    if !(0..=MAX_DIMENSIONS).contains(&count) {
        return Err(Malformed);
    }
    let mut lengths = Vec::new();
    for _ in 0..count {
        lengths.push(reader.i32()?);
        let _lower_bound = reader.i32()?;
    }
    if lengths.is_empty() {
        out.extend_from_slice(b"[]");
        return Ok(());
    }
    // Every element takes bytes, so that there cannot be more of them than came; an empty dimension would repeat for free.
    if lengths.iter().any(|length| *length <= 0) {
        return Err(Malformed);
    }
    nested(out, &lengths, element, &mut reader, texts)
}

fn nested(
    out: &mut Vec<u8>,
    lengths: &[i32],
    element: &Type,
    reader: &mut Reader<'_>,
    texts: &mut Texts,
) -> Result<(), Malformed> {
    let Some((length, inner)) = lengths.split_first() else {
        return value::write(out, element, reader.sized()?, texts);
    };
    out.push(b'[');
    for place in 0..*length {
        if place > 0 {
            out.push(b',');
        }
        nested(out, inner, element, reader, texts)?;
    }
    out.push(b']');
    Ok(())
}
