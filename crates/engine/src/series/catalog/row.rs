//! The rows of names. Names may be long and are read at a start only, so they are bodies.

use std::sync::Arc;

use manifold_store::Row;

use crate::{
    Error, Result,
    codec::{Reader, number_head, put_bytes, put_varint, read_number_head},
    series::FieldType,
};

const ENCODING: u8 = 1;

/// The head of a row of [`crate::keys::SERIES_SPACE`]; its body is the namespace.
pub(crate) fn space_head() -> [u8; 1] {
    [ENCODING]
}

pub(super) fn read_space_head(row: &Row) -> Result<()> {
    (row.head() == space_head()).then_some(()).ok_or_else(|| Error::unreadable("the space of a namespace"))
}

/// The head of a measurement: its space. The body is its name.
pub(super) fn measurement_head(space: u64) -> Vec<u8> {
    number_head(ENCODING, space)
}

pub(super) fn read_measurement_head(row: &Row) -> Result<u64> {
    read_number_head(ENCODING, row.head()).ok_or_else(|| Error::unreadable("a measurement"))
}

/// The body of a measurement or a field.
pub(super) fn read_name(row: &Row) -> Result<Arc<str>> {
    let body = row.body()?;
    let name = std::str::from_utf8(&body).map_err(|_| Error::unreadable("the name of a measurement or field"))?;
    Ok(name.into())
}

/// The head of a field: the type of its first value. The body is its name.
pub(super) fn field_head(kind: FieldType) -> [u8; 2] {
    let kind = match kind {
        FieldType::Float => 1,
        FieldType::Int => 2,
        FieldType::Uint => 3,
        FieldType::Bool => 4,
        FieldType::Text => 5,
    };
    [ENCODING, kind]
}

pub(super) fn read_field_head(row: &Row) -> Result<FieldType> {
    match row.head() {
        [ENCODING, 1] => Ok(FieldType::Float),
        [ENCODING, 2] => Ok(FieldType::Int),
        [ENCODING, 3] => Ok(FieldType::Uint),
        [ENCODING, 4] => Ok(FieldType::Bool),
        [ENCODING, 5] => Ok(FieldType::Text),
        _ => Err(Error::unreadable("a field of a measurement")),
    }
}

/// The head of a series: its measurement.
pub(super) fn series_head(measurement: u64) -> Vec<u8> {
    number_head(ENCODING, measurement)
}

/// The body of a series: its tags.
pub(super) fn series_body(tags: &[(Arc<str>, Arc<str>)]) -> Vec<u8> {
    let mut body = Vec::with_capacity(tags.iter().map(|(tag, value)| tag.len() + value.len() + 4).sum::<usize>() + 1);
    put_varint(&mut body, tags.len() as u64);
    for (tag, value) in tags {
        put_bytes(&mut body, tag.as_bytes());
        put_bytes(&mut body, value.as_bytes());
    }
    body
}

pub(super) fn read_series_head(row: &Row) -> Result<u64> {
    read_number_head(ENCODING, row.head()).ok_or_else(|| Error::unreadable("a time series"))
}

/// The tags of a series, each text made by `name`.
pub(super) fn read_tags(row: &Row, mut name: impl FnMut(&str) -> Arc<str>) -> Result<super::Tags> {
    let mut read = |body: &[u8]| {
        let mut reader = Reader::new(body);
        let count = reader.varint()?;
        let mut text = || Some(name(std::str::from_utf8(reader.bytes()?).ok()?));
        let tags = (0..count).map(|_| Some((text()?, text()?))).collect::<Option<Vec<_>>>()?;
        Some(tags.into_boxed_slice())
    };
    read(&row.body()?).ok_or_else(|| Error::unreadable("the tags of a time series"))
}

/// The last id given.
pub(super) fn ids_head(last: u64) -> Vec<u8> {
    number_head(ENCODING, last)
}

pub(super) fn read_ids(row: &Row) -> Result<u64> {
    read_number_head(ENCODING, row.head()).ok_or_else(|| Error::unreadable("the last id of a time series"))
}
