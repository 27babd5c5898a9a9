//! A value of a MySQL result as JSON.

use mysql_async::{Column, Value, consts::ColumnType};

use crate::{
    dialects::dunena::proxy::native::json::{self as native_json, Zone},
    http::json,
};

/// The character set of what is not text.
const BINARY: u16 = 63;

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// Appends a value.
pub(super) fn write(out: &mut Vec<u8>, column: &Column, value: Value) {
    match value {
        Value::NULL => out.extend_from_slice(b"null"),
        Value::Int(whole) => json::write_i64(out, whole),
        Value::UInt(whole) => json::write_u64(out, whole),
        Value::Float(number) => native_json::write_f32(out, number),
        Value::Double(number) => native_json::write_f64(out, number),
        Value::Bytes(bytes) => write_bytes(out, column, &bytes),
        Value::Date(year, month, day, hour, minute, second, micros) => {
            let time = time_of_day(hour, minute, second, micros);
            json::write_str(out, &date_time(column.column_type(), (year, month, day), time));
        }
        Value::Time(negative, days, hour, minute, second, micros) => {
            let whole_days = i64::from(days).saturating_mul(MICROS_PER_DAY);
            let micros = whole_days.saturating_add(time_of_day(hour, minute, second, micros));
            let sign = if negative { "-" } else { "" };
            json::write_str(out, &format!("{sign}{}", native_json::time(micros, Zone::Local)));
        }
    }
}

fn write_bytes(out: &mut Vec<u8>, column: &Column, bytes: &[u8]) {
    match column.column_type() {
        ColumnType::MYSQL_TYPE_JSON => native_json::write_json(out, bytes),
        // Digits; they have the character set of what is not text all the same.
        ColumnType::MYSQL_TYPE_DECIMAL | ColumnType::MYSQL_TYPE_NEWDECIMAL => json::write_bytes_as_str(out, bytes),
        ColumnType::MYSQL_TYPE_BIT | ColumnType::MYSQL_TYPE_GEOMETRY => native_json::write_bytes(out, bytes),
        _ if column.character_set() == BINARY => native_json::write_bytes(out, bytes),
        _ => json::write_bytes_as_str(out, bytes),
    }
}

fn time_of_day(hour: u8, minute: u8, second: u8, micros: u32) -> i64 {
    let seconds = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
    seconds * 1_000_000 + i64::from(micros)
}

/// A date may be one that does not exist, such as `0000-00-00`, so nothing is computed with it. Of the types only
/// `TIMESTAMP` is a moment; sessions have UTC as their zone.
fn date_time(of: ColumnType, (year, month, day): (u16, u8, u8), micros: i64) -> String {
    let date = format!("{year:04}-{month:02}-{day:02}");
    match of {
        ColumnType::MYSQL_TYPE_DATE | ColumnType::MYSQL_TYPE_NEWDATE => date,
        ColumnType::MYSQL_TYPE_TIMESTAMP | ColumnType::MYSQL_TYPE_TIMESTAMP2 if month > 0 => {
            format!("{date}T{}", native_json::time(micros, Zone::Utc))
        }
        _ => format!("{date}T{}", native_json::time(micros, Zone::Local)),
    }
}

#[cfg(test)]
mod tests;
