//! A value in binary format as JSON. What is not known here is left to [`Texts`].

use std::error::Error;

use tokio_postgres::types::{FromSql, Kind, Oid, Type};

use super::{array, numeric, texts::Texts};
use crate::{
    dialects::dunena::proxy::native::json::{self as native_json, Zone},
    http::json,
};

const MICROS_PER_DAY: i64 = 86_400_000_000;
/// From 1970-01-01, where JSON counts from, to 2000-01-01, where the server does.
const EPOCH_DAYS: i64 = 10_957;
const EPOCH_MICROS: i64 = EPOCH_DAYS * MICROS_PER_DAY;

/// The bytes are not what their type says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// The bytes of a value.
pub(super) struct Raw<'a>(pub(super) &'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Raw<'a>, Box<dyn Error + Sync + Send>> {
        Ok(Raw(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// Appends a value.
pub(super) fn write(out: &mut Vec<u8>, of: &Type, raw: Option<&[u8]>, texts: &mut Texts) -> Result<(), Malformed> {
    let Some(raw) = raw else {
        out.extend_from_slice(b"null");
        return Ok(());
    };
    let mut reader = Reader(raw);
    match *of {
        Type::BOOL => out.extend_from_slice(if reader.bytes::<1>()? == [0] { b"false" } else { b"true" }),
        Type::INT2 => json::write_i64(out, reader.i16()?.into()),
        Type::INT4 => json::write_i64(out, reader.i32()?.into()),
        Type::INT8 => json::write_i64(out, reader.i64()?),
        Type::OID => json::write_u64(out, u32::from_be_bytes(reader.bytes()?).into()),
        Type::FLOAT4 => native_json::write_f32(out, f32::from_be_bytes(reader.bytes()?)),
        Type::FLOAT8 => native_json::write_f64(out, f64::from_be_bytes(reader.bytes()?)),
        Type::NUMERIC => json::write_str(out, &numeric::text(raw)?),
        Type::JSON => native_json::write_json(out, raw),
        // The first byte is the version of the format.
        Type::JSONB => native_json::write_json(out, raw.get(1..).ok_or(Malformed)?),
        Type::UUID => json::write_str(out, &uuid(&reader.bytes()?)),
        Type::BYTEA => native_json::write_bytes(out, raw),
        Type::DATE => json::write_str(out, &date(reader.i32()?)),
        Type::TIME => json::write_str(out, &native_json::time(reader.i64()?, Zone::Local)),
        Type::TIMETZ => json::write_str(out, &time_with_zone(reader.i64()?, reader.i32()?)),
        Type::TIMESTAMP => json::write_str(out, &date_time(reader.i64()?, Zone::Local)),
        Type::TIMESTAMPTZ => json::write_str(out, &date_time(reader.i64()?, Zone::Utc)),
        Type::VOID => out.extend_from_slice(b"\"\""),
        _ if is_text(of) => json::write_bytes_as_str(out, raw),
        _ => match of.kind() {
            Kind::Array(element) => array::write(out, Some(element), raw, texts)?,
            // Arrays of whatever the query makes them of.
            _ if [Type::RECORD_ARRAY, Type::ANYARRAY].contains(of) => array::write(out, None, raw, texts)?,
            Kind::Domain(base) => write(out, base, Some(raw), texts)?,
            _ => texts.ask_for(out.len(), of, raw),
        },
    }
    Ok(())
}

/// Types whose binary format is their text.
fn is_text(of: &Type) -> bool {
    [Type::TEXT, Type::VARCHAR, Type::BPCHAR, Type::NAME, Type::UNKNOWN, Type::CSTRING, Type::XML, Type::PG_NODE_TREE]
        .contains(of)
        || matches!(of.kind(), Kind::Enum(_))
        || of.name() == "citext"
}

/// A type of which only the number is known. The server knows the rest.
pub(super) fn type_of(oid: Oid) -> Type {
    Type::from_oid(oid).unwrap_or_else(|| Type::new(String::new(), oid, Kind::Simple, String::new()))
}

fn uuid(bytes: &[u8; 16]) -> String {
    let hex = format!("{:032x}", u128::from_be_bytes(*bytes));
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

fn date(days: i32) -> String {
    match days {
        i32::MAX => "infinity".to_owned(),
        i32::MIN => "-infinity".to_owned(),
        _ => native_json::date(i64::from(days) + EPOCH_DAYS),
    }
}

fn date_time(micros: i64, zone: Zone) -> String {
    match micros {
        i64::MAX => "infinity".to_owned(),
        i64::MIN => "-infinity".to_owned(),
        _ => native_json::date_time(micros.saturating_add(EPOCH_MICROS), zone),
    }
}

fn time_with_zone(micros: i64, seconds_west: i32) -> String {
    native_json::time(native_json::time_to_utc(micros, seconds_west.into()), Zone::Utc)
}

/// Takes a value apart from its beginning.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn bytes<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (bytes, rest) = self.0.split_first_chunk().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*bytes)
    }

    pub(super) fn i16(&mut self) -> Result<i16, Malformed> {
        self.bytes().map(i16::from_be_bytes)
    }

    pub(super) fn i32(&mut self) -> Result<i32, Malformed> {
        self.bytes().map(i32::from_be_bytes)
    }

    pub(super) fn i64(&mut self) -> Result<i64, Malformed> {
        self.bytes().map(i64::from_be_bytes)
    }

    /// A length and so many bytes; none for a length of -1.
    pub(super) fn sized(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
        let length = self.i32()?;
        if length == -1 {
            return Ok(None);
        }
        let length = usize::try_from(length).map_err(|_| Malformed)?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(Some(bytes))
    }
}

#[cfg(test)]
mod tests;
