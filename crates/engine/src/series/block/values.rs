//! The layouts of values.

use std::collections::HashMap;

use bytes::Bytes;

use super::{pack, text_at};
use crate::{
    Result,
    codec::{Reader, put_bytes, put_varint},
    series::{
        FieldType, Scalar,
        column::{Summary, Values},
    },
};

/// All are what the summary says of the first; nothing is stored.
const CONSTANT: u8 = 0;
const FLOAT: u8 = 1;
const INT: u8 = 2;
const UINT: u8 = 3;
/// A bit each.
const BOOL: u8 = 4;
/// Lengths, then all texts.
const TEXT: u8 = 5;
/// The distinct texts, then for each value which of them.
const TEXTS: u8 = 6;
/// Types, four bits each; what is left of each, 64 bits; all texts.
const MIXED: u8 = 7;

pub(super) fn put(out: &mut Vec<u8>, values: &Values) -> Result<()> {
    match values {
        Values::Float(values) if all_same(values.iter().map(|value| value.to_bits())) => out.push(CONSTANT),
        Values::Int(values) if all_same(values.iter()) => out.push(CONSTANT),
        Values::Uint(values) if all_same(values.iter()) => out.push(CONSTANT),
        Values::Bool(values) if all_same(values.iter()) => out.push(CONSTANT),
        Values::Float(values) => put_packed(out, FLOAT, pack::numbers(values)?),
        Values::Int(values) => put_packed(out, INT, pack::numbers(values)?),
        Values::Uint(values) => put_packed(out, UINT, pack::numbers(values)?),
        Values::Bool(values) => {
            out.push(BOOL);
            out.extend(
                values
                    .chunks(8)
                    .map(|bits| bits.iter().enumerate().fold(0, |byte, (at, bit)| byte | u8::from(*bit) << at)),
            );
        }
        Values::Text(values) => put_texts(out, values)?,
        Values::Mixed(values) => put_mixed(out, values)?,
    }
    Ok(())
}

pub(super) fn read(reader: &mut Reader<'_>, summary: &Summary) -> Option<Values> {
    let count = summary.count as usize;
    Some(match reader.byte()? {
        CONSTANT => match &summary.numbers.as_ref()?.first {
            Scalar::Float(value) => Values::Float(vec![*value; count]),
            Scalar::Int(value) => Values::Int(vec![*value; count]),
            Scalar::Uint(value) => Values::Uint(vec![*value; count]),
            Scalar::Bool(value) => Values::Bool(vec![*value; count]),
            Scalar::Text(_) => return None,
        },
        FLOAT => Values::Float(pack::read(reader.bytes()?, count)?),
        INT => Values::Int(pack::read(reader.bytes()?, count)?),
        UINT => Values::Uint(pack::read(reader.bytes()?, count)?),
        BOOL => {
            let bytes = reader.take(count.div_ceil(8))?;
            Values::Bool((0..count).map(|at| bytes[at / 8] >> (at % 8) & 1 != 0).collect())
        }
        TEXT => {
            let lengths: Vec<u32> = pack::read(reader.bytes()?, count)?;
            let all = Bytes::copy_from_slice(reader.bytes()?);
            let mut at = 0;
            Values::Text(lengths.iter().map(|len| text_at(&all, &mut at, *len as usize)).collect::<Option<_>>()?)
        }
        TEXTS => {
            let distinct = read_distinct(reader)?;
            let which: Vec<u32> = pack::read(reader.bytes()?, count)?;
            Values::Text(which.iter().map(|which| distinct.get(*which as usize).cloned()).collect::<Option<_>>()?)
        }
        MIXED => Values::Mixed(read_mixed(reader, count)?),
        _ => return None,
    })
}

fn all_same<T: PartialEq>(mut values: impl Iterator<Item = T>) -> bool {
    values.next().is_none_or(|first| values.all(|value| value == first))
}

fn put_packed(out: &mut Vec<u8>, layout: u8, packed: Vec<u8>) {
    out.push(layout);
    put_bytes(out, &packed);
}

/// Texts are often states or names that come again and again.
fn put_texts(out: &mut Vec<u8>, values: &[Bytes]) -> Result<()> {
    let mut numbers: HashMap<&[u8], u32, foldhash::quality::RandomState> = HashMap::default();
    let mut distinct: Vec<&[u8]> = Vec::new();
    let mut which: Vec<u32> = Vec::with_capacity(values.len());
    for value in values {
        which.push(*numbers.entry(value).or_insert_with(|| {
            distinct.push(value);
            distinct.len() as u32 - 1
        }));
    }
    if distinct.len() * 2 <= values.len() {
        out.push(TEXTS);
        put_varint(out, distinct.len() as u64);
        distinct.iter().for_each(|text| put_bytes(out, text));
        put_bytes(out, &pack::numbers(&which)?);
    } else {
        let lengths: Vec<u32> = values.iter().map(|value| value.len() as u32).collect();
        put_packed(out, TEXT, pack::numbers(&lengths)?);
        put_bytes(out, &values.concat());
    }
    Ok(())
}

fn read_distinct(reader: &mut Reader<'_>) -> Option<Vec<Bytes>> {
    let count = reader.varint()?;
    (0..count).map(|_| reader.bytes().map(Bytes::copy_from_slice)).collect()
}

fn put_mixed(out: &mut Vec<u8>, values: &[Scalar]) -> Result<()> {
    out.push(MIXED);
    let code = |value: &Scalar| match value.kind() {
        FieldType::Float => FLOAT,
        FieldType::Int => INT,
        FieldType::Uint => UINT,
        FieldType::Bool => BOOL,
        FieldType::Text => TEXT,
    };
    out.extend(values.chunks(2).map(|pair| code(&pair[0]) | pair.get(1).map_or(0, code) << 4));
    let bits = |value: &Scalar| match value {
        Scalar::Float(value) => value.to_bits(),
        Scalar::Int(value) => *value as u64,
        Scalar::Uint(value) => *value,
        Scalar::Bool(value) => u64::from(*value),
        Scalar::Text(text) => text.len() as u64,
    };
    let bits: Vec<u64> = values.iter().map(bits).collect();
    put_bytes(out, &pack::numbers(&bits)?);
    let texts = values.iter().filter_map(|value| if let Scalar::Text(text) = value { Some(&text[..]) } else { None });
    put_bytes(out, &texts.collect::<Vec<_>>().concat());
    Ok(())
}

fn read_mixed(reader: &mut Reader<'_>, count: usize) -> Option<Vec<Scalar>> {
    let codes = reader.take(count.div_ceil(2))?;
    let bits: Vec<u64> = pack::read(reader.bytes()?, count)?;
    let texts = Bytes::copy_from_slice(reader.bytes()?);
    let mut at = 0;
    let value = |(index, bits): (usize, u64)| {
        Some(match codes[index / 2] >> (index % 2 * 4) & 0xf {
            FLOAT => Scalar::Float(f64::from_bits(bits)),
            INT => Scalar::Int(bits as i64),
            UINT => Scalar::Uint(bits),
            BOOL => Scalar::Bool(bits != 0),
            TEXT => Scalar::Text(text_at(&texts, &mut at, usize::try_from(bits).ok()?)?),
            _ => return None,
        })
    };
    bits.into_iter().enumerate().map(value).collect()
}
