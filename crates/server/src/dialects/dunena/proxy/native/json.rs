//! Values that have no JSON type of their own, as JSON: bytes, floats that JSON has no number for, JSON inside a column, and
//! dates and times by ISO 8601.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::http::json;

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// Appends `{"$base64":"..."}`.
pub(super) fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(br#"{"$base64":""#);
    out.extend_from_slice(STANDARD.encode(bytes).as_bytes());
    out.extend_from_slice(br#""}"#);
}

/// Appends a number, or the name of what is none.
pub(super) fn write_f64(out: &mut Vec<u8>, number: f64) {
    match not_finite(number) {
        Some(name) => json::write_str(out, name),
        None => json::write_f64(out, number),
    }
}

/// Appends the shortest number that reads back as this one in its own precision: 0.1 is not 0.10000000149011612.
pub(super) fn write_f32(out: &mut Vec<u8>, number: f32) {
    match not_finite(f64::from(number)) {
        Some(name) => json::write_str(out, name),
        None => serde_json::to_writer(out, &number).expect("writing to memory cannot fail and a float is always JSON"),
    }
}

fn not_finite(number: f64) -> Option<&'static str> {
    match number {
        _ if number.is_finite() => None,
        _ if number.is_nan() => Some("NaN"),
        _ if number > 0.0 => Some("Infinity"),
        _ => Some("-Infinity"),
    }
}

/// Appends the JSON of a column: without white space, because answers have none. What is no JSON, which a database should
/// not call so, becomes a string.
pub(super) fn write_json(out: &mut Vec<u8>, text: &[u8]) {
    let checked = std::str::from_utf8(text).ok().filter(|text| serde_json::from_str::<&json::RawValue>(text).is_ok());
    match checked {
        Some(checked) => json::write_compact(out, checked),
        None => json::write_bytes_as_str(out, text),
    }
}

/// A time zone, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zone {
    Local,
    Utc,
}

impl Zone {
    fn suffix(self) -> &'static str {
        match self {
            Zone::Local => "",
            Zone::Utc => "Z",
        }
    }
}

/// `2024-02-29`, from days since 1970-01-01.
pub(super) fn date(days: i64) -> String {
    let (year, month, day) = civil(days);
    match year {
        0..=9999 => format!("{year:04}-{month:02}-{day:02}"),
        // ISO 8601 has a sign and agreed-on digits for what four digits cannot say.
        _ => format!("{year:+07}-{month:02}-{day:02}"),
    }
}

/// `13:14:15.123`, from microseconds since midnight. The end of a day is `24:00:00`.
pub(super) fn time(micros: i64, zone: Zone) -> String {
    let (seconds, fraction) = (micros / MICROS_PER_SECOND, micros % MICROS_PER_SECOND);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let mut text = format!("{hour:02}:{minute:02}:{second:02}");
    if fraction > 0 {
        text.push_str(format!(".{fraction:06}").trim_end_matches('0'));
    }
    text + zone.suffix()
}

/// `2024-02-29T13:14:15.123`, from microseconds since 1970-01-01.
pub(super) fn date_time(micros: i64, zone: Zone) -> String {
    let (days, rest) = (micros.div_euclid(MICROS_PER_DAY), micros.rem_euclid(MICROS_PER_DAY));
    format!("{}T{}", date(days), time(rest, zone))
}

/// A time of day at an offset, in UTC.
pub(super) fn time_to_utc(micros: i64, seconds_west: i64) -> i64 {
    micros.saturating_add(seconds_west * MICROS_PER_SECOND).rem_euclid(MICROS_PER_DAY)
}

/// Year, month and day of a day in the Gregorian calendar, also before it began. Years are shifted to start in March, so
/// that the leap day is the last one (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests;
