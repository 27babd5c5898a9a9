//! Values of fields.

use std::borrow::Cow;

use memchr::memchr2;

use super::Reason;

/// A value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// Finite.
    Float(f64),
    /// With an `i` behind it.
    Int(i64),
    /// With a `u` behind it.
    Uint(u64),
    /// A word.
    Bool(bool),
    /// Between quotes.
    Text(Text<'a>),
}

/// A string as it stands between its quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text<'a> {
    pub(super) raw: &'a str,
    /// Whether there is a backslash in it.
    pub(super) escaped: bool,
}

impl<'a> Text<'a> {
    /// What it says: `\"` is a quote and `\\` a backslash; before any other character a backslash is one itself.
    pub fn unescaped(&self) -> Cow<'a, str> {
        if !self.escaped {
            return Cow::Borrowed(self.raw);
        }
        let mut text = String::with_capacity(self.raw.len());
        let mut characters = self.raw.chars();
        while let Some(character) = characters.next() {
            match (character, characters.clone().next()) {
                ('\\', Some(next @ ('"' | '\\'))) => {
                    text.push(next);
                    characters.next();
                }
                _ => text.push(character),
            }
        }
        Cow::Owned(text)
    }
}

/// How far it is to the closing quote, and whether there is a backslash before it.
pub(super) fn string_length(rest: &[u8]) -> Option<(usize, bool)> {
    let (mut at, mut escaped) = (0, false);
    loop {
        at += memchr2(b'"', b'\\', rest.get(at..)?)?;
        if rest[at] == b'"' {
            return Some((at, escaped));
        }
        escaped = true;
        at += 2;
    }
}

/// So many digits fit into 64 bits whatever they are.
const EXACT_DIGITS: usize = 18;
/// Up to here floats hold all integers.
const EXACT_INTEGER: u64 = 1 << 53;
/// Powers of ten; all of them are exact.
const POWERS: [f64; EXACT_DIGITS + 1] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18];

/// The number that `rest` begins with, and its length, when it is short enough to be exact without much thought: an
/// integer, or a decimal number whose digits fit into a float; one division by an exact power of ten then rounds right.
/// None for everything else, right or wrong.
pub(super) fn short(rest: &[u8]) -> Option<(Value<'static>, usize)> {
    let negative = rest.first() == Some(&b'-');
    let start = usize::from(negative);
    let (mut at, mut number) = (start, 0_u64);
    let mut digits = |at: &mut usize| {
        let start = *at;
        while let Some(digit) = rest.get(*at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit <= 9) {
            number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
            *at += 1;
        }
        *at - start
    };
    let whole = digits(&mut at);
    let point = rest.get(at) == Some(&b'.');
    at += usize::from(point);
    let decimals = if point { digits(&mut at) } else { 0 };
    if whole + decimals == 0 || whole + decimals > EXACT_DIGITS {
        return None;
    }
    let suffix = rest.get(at).copied().filter(|byte| !matches!(byte, b',' | b' '));
    let value = match suffix {
        None if number <= EXACT_INTEGER => {
            let value = number as f64 / POWERS[decimals];
            return Some((Value::Float(if negative { -value } else { value }), at));
        }
        Some(b'i') if !point => Value::Int(if negative { -(number as i64) } else { number as i64 }),
        Some(b'u') if !point && !negative => Value::Uint(number),
        _ => return None,
    };
    at += 1;
    matches!(rest.get(at), None | Some(b',' | b' ')).then_some((value, at))
}

/// The value that a whole token is.
pub(super) fn scalar(token: &[u8]) -> Result<Value<'static>, Reason> {
    match token {
        b"t" | b"T" | b"true" | b"True" | b"TRUE" => Ok(Value::Bool(true)),
        b"f" | b"F" | b"false" | b"False" | b"FALSE" => Ok(Value::Bool(false)),
        [digits @ .., b'i'] => integer(digits, without_sign(digits)).map(Value::Int),
        [digits @ .., b'u'] => integer(digits, digits).map(Value::Uint),
        _ => float(token).map(Value::Float),
    }
}

fn without_sign(token: &[u8]) -> &[u8] {
    token.strip_prefix(b"-").unwrap_or(token)
}

/// The number that `token` is, whose `digits` must be digits.
fn integer<T: std::str::FromStr>(token: &[u8], digits: &[u8]) -> Result<T, Reason> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(Reason::InvalidValue);
    }
    ascii(token)?.parse().map_err(|_| Reason::ValueOutOfRange)
}

fn float(token: &[u8]) -> Result<f64, Reason> {
    if !is_decimal(without_sign(token)) {
        return Err(Reason::InvalidValue);
    }
    let value: f64 = ascii(token)?.parse().map_err(|_| Reason::InvalidValue)?;
    if value.is_finite() { Ok(value) } else { Err(Reason::ValueOutOfRange) }
}

/// Whether a number without its sign is `( D+ [ '.' D* ] | '.' D+ ) [ ('e'|'E') ['+'|'-'] D+ ]`. What the library
/// reads besides, such as `inf` and `+1`, is no value.
fn is_decimal(token: &[u8]) -> bool {
    let (whole, rest) = split_digits(token);
    let (decimals, rest) = match rest {
        [b'.', rest @ ..] => split_digits(rest),
        rest => (0, rest),
    };
    let exponent = match rest {
        [] => return whole + decimals > 0,
        [b'e' | b'E', b'+' | b'-', exponent @ ..] | [b'e' | b'E', exponent @ ..] => exponent,
        _ => return false,
    };
    let (digits, rest) = split_digits(exponent);
    whole + decimals > 0 && digits > 0 && rest.is_empty()
}

/// How many digits it begins with, and the rest.
fn split_digits(token: &[u8]) -> (usize, &[u8]) {
    let count = token.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (count, &token[count..])
}

fn ascii(token: &[u8]) -> Result<&str, Reason> {
    std::str::from_utf8(token).map_err(|_| Reason::InvalidValue)
}
