//! `numeric` as text with all its digits. It comes as digits of base 10,000 and the place of the first one.

use super::value::{Malformed, Reader};

const BASE_DIGITS: i32 = 4;
const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;
const INFINITY: u16 = 0xD000;
const NEGATIVE_INFINITY: u16 = 0xF000;

pub(super) fn text(raw: &[u8]) -> Result<String, Malformed> {
    let mut reader = Reader(raw);
    let (count, weight) = (reader.i16()?, i32::from(reader.i16()?));
    let (sign, scale) = (reader.i16()? as u16, reader.i16()?);
    let mut digits = Vec::new();
    for _ in 0..count {
        digits.push(reader.i16()?);
    }
    let digit = |place: i32| usize::try_from(place).ok().and_then(|place| digits.get(place)).copied().unwrap_or(0);
    let mut text = match sign {
        0 => String::new(),
        NEGATIVE => "-".to_owned(),
        NAN => return Ok("NaN".to_owned()),
        INFINITY => return Ok("Infinity".to_owned()),
        NEGATIVE_INFINITY => return Ok("-Infinity".to_owned()),
        _ => return Err(Malformed),
    };
    // Before the point: the digits up to the one that counts ones, without leading zeros.
    text.push_str(&digit(if weight < 0 { -1 } else { 0 }).to_string());
    for place in 1..=weight {
        text.push_str(&format!("{:04}", digit(place)));
    }
    if scale > 0 {
        let mut fraction = String::new();
        let after = (i32::from(scale) + BASE_DIGITS - 1) / BASE_DIGITS;
        for place in weight + 1..=weight + after {
            fraction.push_str(&format!("{:04}", digit(place)));
        }
        fraction.truncate(scale as usize);
        text.push('.');
        text.push_str(&fraction);
    }
    Ok(text)
}
