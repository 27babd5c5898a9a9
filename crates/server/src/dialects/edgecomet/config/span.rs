//! Lengths of time as the original's files spell them.

use std::{fmt, str::FromStr, time::Duration};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, Visitor},
};

#[cfg(test)]
mod tests;

/// `0`, numbers with units (`1m30s`, `1.5s`), or one number of days or weeks (`30d`, `2w`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

/// Units that may follow each other, in nanoseconds, the longest first.
const UNITS: [(&str, u64); 7] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("µs", 1_000),
    ("ns", 1),
];
/// Units that stand alone, in nanoseconds.
const LONG_UNITS: [(&str, u64); 2] = [("d", 86_400_000_000_000), ("w", 604_800_000_000_000)];
/// Digits after the point that can mean anything.
const FRACTION_DIGITS: usize = 18;

impl Span {
    /// So many seconds.
    pub const fn seconds(seconds: u64) -> Span {
        Span(Duration::from_secs(seconds))
    }

    /// Whether it is no time at all.
    pub fn is_zero(&self) -> bool {
        self.0.is_zero()
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let length = if text.trim() == "0" { Some(0) } else { nanos(text.trim()) };
        length
            .map(|length| Span(Duration::from_nanos(length)))
            .ok_or_else(|| format!("{text:?} is no length of time: write it as 1m30s, 1.5s, 500ms or 30d"))
    }
}

/// The length of a text that is not `0`; none when it is no length, or one of more than five hundred years.
fn nanos(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut sum = 0_u64;
    while !rest.is_empty() {
        let number = &rest[..rest.find(|c: char| !c.is_ascii_digit() && c != '.')?];
        rest = &rest[number.len()..];
        let unit = &rest[..rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len())];
        rest = &rest[unit.len()..];
        let alone = number.len() + unit.len() == text.len();
        let long = LONG_UNITS.iter().filter(|_| alone);
        let (_, unit) = UNITS.iter().chain(long).find(|(name, _)| *name == unit)?;
        sum = sum.checked_add(times(number, *unit)?)?;
    }
    (!text.is_empty()).then_some(sum).filter(|sum| i64::try_from(*sum).is_ok())
}

/// A decimal number of units.
fn times(number: &str, unit: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let whole = if whole.is_empty() { 0 } else { whole.parse::<u64>().ok()? };
    let fraction = &fraction[..fraction.len().min(FRACTION_DIGITS)];
    let scale = 10_u128.pow(fraction.len() as u32);
    let part = if fraction.is_empty() { 0 } else { fraction.parse::<u128>().ok()? * u128::from(unit) / scale };
    whole.checked_mul(unit)?.checked_add(u64::try_from(part).ok()?)
}

impl fmt::Display for Span {
    /// In the largest units that leave nothing over, so that it reads back the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_zero() {
            return f.write_str("0");
        }
        let mut left = self.0.as_nanos();
        for (name, unit) in UNITS {
            let count = left / u128::from(unit);
            if count > 0 {
                write!(f, "{count}{name}")?;
                left -= count * u128::from(unit);
            }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl Reader {
    fn number<E: de::Error>(number: impl fmt::Display) -> Result<Span, E> {
        number.to_string().parse().map_err(E::custom)
    }
}

impl Visitor<'_> for Reader {
    type Value = Span;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a length of time such as 1m30s")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Span, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Span, E> {
        Self::number(number)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Span, E> {
        Self::number(number)
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Span, E> {
        Self::number(format_args!("{number:?}"))
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
