//! The head of a block: its summary, as short as can be, for it stays in memory.

use super::{ENCODING, POINTS_MAX};
use crate::{
    Error, Result,
    codec::{Reader, put_signed, put_varint},
    series::{
        FieldType, Scalar,
        column::{Numbers, Summary},
        number::Sum,
    },
};

/// What the numbers are: 0 = there are none, 1 to 4 = all of a type, 5 = of several.
const NONE: u8 = 0;
const MIXED: u8 = 5;
/// The sum is an integer.
const EXACT: u8 = 1 << 3;
/// All values are the same: the first stands for the least, the greatest and the last.
const CONSTANT: u8 = 1 << 4;

pub(super) fn encode(summary: &Summary) -> Vec<u8> {
    let mut out = Vec::with_capacity(80);
    out.push(ENCODING);
    put_signed(&mut out, summary.first);
    put_varint(&mut out, summary.last.wrapping_sub(summary.first) as u64);
    put_varint(&mut out, u64::from(summary.count));
    let Some(numbers) = &summary.numbers else {
        out.push(NONE);
        return out;
    };
    let four = [&numbers.first, &numbers.last, &numbers.min, &numbers.max];
    // Several types may be among the values although these four are of one: the reader need not know.
    let shared = Some(code(numbers.first.kind())).filter(|shared| four.iter().all(|it| code(it.kind()) == *shared));
    let constant = four.iter().all(|it| it.order(&numbers.first).is_eq());
    let exact = if numbers.exact.is_some() { EXACT } else { 0 };
    out.push(shared.unwrap_or(MIXED) | exact | if constant { CONSTANT } else { 0 });
    match numbers.exact {
        Some(exact) => put_wide(&mut out, exact),
        None => {
            out.extend_from_slice(&numbers.sum.0.to_le_bytes());
            out.extend_from_slice(&numbers.sum.1.to_le_bytes());
        }
    }
    for number in &four[..if constant { 1 } else { 4 }] {
        if shared.is_none() {
            out.push(code(number.kind()));
        }
        put_number(&mut out, number);
    }
    out
}

/// Reads the head of a block.
pub(crate) fn read_head(head: &[u8]) -> Result<Summary> {
    read(&mut Reader::new(head)).ok_or_else(|| Error::unreadable("the summary of a block of a time series"))
}

fn read(reader: &mut Reader<'_>) -> Option<Summary> {
    (reader.byte()? == ENCODING).then_some(())?;
    let first = reader.signed()?;
    let last = first.wrapping_add(reader.varint()? as i64);
    let count = u32::try_from(reader.varint()?).ok().filter(|count| (1..=POINTS_MAX).contains(count))?;
    let flags = reader.byte()?;
    let numbers = match flags & !(EXACT | CONSTANT) {
        NONE => None,
        shared => Some(read_numbers(reader, shared, flags)?),
    };
    Some(Summary { first, last, count, numbers })
}

fn read_numbers(reader: &mut Reader<'_>, shared: u8, flags: u8) -> Option<Numbers> {
    let exact = if flags & EXACT != 0 { Some(read_wide(reader)?) } else { None };
    let sum = match exact {
        Some(exact) => Sum::from(exact).parts(),
        None => (f64::from_le_bytes(reader.array()?), f64::from_le_bytes(reader.array()?)),
    };
    let mut number = || {
        let code = if shared == MIXED { reader.byte()? } else { shared };
        read_number(reader, code)
    };
    let first = number()?;
    if flags & CONSTANT != 0 {
        return Some(Numbers { sum, exact, min: first.clone(), max: first.clone(), last: first.clone(), first });
    }
    let last = number()?;
    Some(Numbers { sum, exact, min: number()?, max: number()?, first, last })
}

fn code(kind: FieldType) -> u8 {
    match kind {
        FieldType::Float => 1,
        FieldType::Int => 2,
        FieldType::Uint => 3,
        FieldType::Bool => 4,
        FieldType::Text => NONE,
    }
}

fn put_number(out: &mut Vec<u8>, number: &Scalar) {
    match number {
        Scalar::Float(value) => out.extend_from_slice(&value.to_le_bytes()),
        Scalar::Int(value) => put_signed(out, *value),
        Scalar::Uint(value) => put_varint(out, *value),
        Scalar::Bool(value) => out.push(u8::from(*value)),
        Scalar::Text(_) => {}
    }
}

fn read_number(reader: &mut Reader<'_>, code: u8) -> Option<Scalar> {
    Some(match code {
        1 => Scalar::Float(f64::from_le_bytes(reader.array()?)),
        2 => Scalar::Int(reader.signed()?),
        3 => Scalar::Uint(reader.varint()?),
        4 => Scalar::Bool(reader.byte()? != 0),
        _ => return None,
    })
}

/// An integer beyond 64 bits: zigzag, the lower half, the upper half.
fn put_wide(out: &mut Vec<u8>, value: i128) {
    let zigzag = (value.wrapping_shl(1) ^ (value >> 127)) as u128;
    put_varint(out, zigzag as u64);
    put_varint(out, (zigzag >> 64) as u64);
}

fn read_wide(reader: &mut Reader<'_>) -> Option<i128> {
    let zigzag = u128::from(reader.varint()?) | u128::from(reader.varint()?) << 64;
    Some((zigzag >> 1) as i128 ^ -((zigzag & 1) as i128))
}
