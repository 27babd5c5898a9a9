//! JSON objects whose member values stay text, and writing JSON into one buffer.
//!
//! A request body is read once by serde_json; the members asked for come back as borrowed slices of the body, so that a
//! user's value is stored byte for byte as it was sent. Nothing here builds a tree of values.

use std::{borrow::Cow, collections::HashSet, fmt};

use serde::{
    Serialize, Serializer,
    de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor},
};
pub use serde_json::value::RawValue;

/// Integers in JSON are exact up to here (2^53 - 1).
pub const MAX_INTEGER: i64 = (1 << 53) - 1;

/// Why a text was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// Not one complete JSON text in UTF-8.
    Syntax,
    /// JSON, but neither an object nor an array, whichever was asked for.
    OtherType,
}

/// The text of a body: UTF-8, without the byte order mark some clients put in front.
pub fn text(body: &[u8]) -> Result<&str, Malformed> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    std::str::from_utf8(body).map_err(|_| Malformed::Syntax)
}

/// The values of the members called `names`, in that order; other members are ignored, of several members of one name
/// the last one counts. The whole text is checked before anything is returned.
pub fn members<'a, const N: usize>(text: &'a str, names: &[&str; N]) -> Result<[Option<&'a RawValue>; N], Malformed> {
    typed(text, b'{', |json| json.deserialize_map(Members(names)))
}

/// The elements of an array.
#[derive(Debug)]
pub struct Elements<'a> {
    /// The first ones, at most as many as were asked for.
    pub kept: Vec<&'a RawValue>,
    /// How many there are.
    pub total: usize,
}

/// The elements of an array, holding on to the first `max` only: a body of a million commas costs no memory.
pub fn elements(text: &str, max: usize) -> Result<Elements<'_>, Malformed> {
    typed(text, b'[', |json| json.deserialize_seq(FirstElements(max)))
}

/// The members of an object.
#[derive(Debug)]
pub struct Entries<'a> {
    /// The first ones, at most as many as were asked for.
    pub kept: Vec<(String, &'a RawValue)>,
    /// How many there are.
    pub total: usize,
}

/// The members of an object in their order, holding on to the first `max` only.
pub fn entries(text: &str, max: usize) -> Result<Entries<'_>, Malformed> {
    typed(text, b'{', |json| json.deserialize_map(FirstEntries(max)))
}

/// Whether the text opens more than `limit` containers inside each other. For texts whose syntax was checked.
pub fn nested_deeper_than(limit: usize, text: &str) -> bool {
    let bytes = text.as_bytes();
    // Hardly any body has that many brackets in all, and counting them is much cheaper than following strings.
    if memchr::memchr2_iter(b'[', b'{', bytes).take(limit + 1).count() <= limit {
        return false;
    }
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => {
                depth += 1;
                if depth > limit {
                    return true;
                }
            }
            b']' | b'}' => depth -= 1,
            _ => {}
        }
    }
    false
}

/// The member, unless it is absent or `null`.
pub fn given(member: Option<&RawValue>) -> Option<&RawValue> {
    member.filter(|value| value.get() != "null")
}

/// The members of an object whose values are all strings, in their order; none for anything else. Of several members of
/// one name the last one counts.
pub fn string_members(value: &RawValue) -> Option<Vec<(String, String)>> {
    serde_json::Deserializer::from_str(value.get()).deserialize_map(StringMembers).ok()
}

struct StringMembers;

impl<'de> Visitor<'de> for StringMembers {
    type Value = Vec<(String, String)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members: Vec<(String, String)> = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        let mut later = HashSet::with_capacity(members.len());
        let counts: Vec<bool> = members.iter().rev().map(|(name, _)| later.insert(name.as_str())).collect();
        drop(later);
        let mut counts = counts.into_iter().rev();
        members.retain(|_| counts.next() == Some(true));
        Ok(members)
    }
}

/// Why a value is no usable string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotText {
    /// It is another type.
    OtherType,
    /// It escapes half of a surrogate pair, so it stands for no text at all.
    LoneSurrogate,
}

/// The text of a string value.
pub fn string(value: &RawValue) -> Result<Cow<'_, str>, NotText> {
    let raw = value.get();
    let Some(inner) = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return Err(NotText::OtherType);
    };
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Ok(Cow::Borrowed(inner));
    }
    serde_json::from_str(raw).map(Cow::Owned).map_err(|_| NotText::LoneSurrogate)
}

/// The number, when it is integral and its magnitude at most 2^53 - 1, however it is spelled: `5`, `5.0`, `50e-1`.
pub fn integer(value: &RawValue) -> Option<i64> {
    let text = value.get();
    let number =
        if text.bytes().all(|b| b.is_ascii_digit() || b == b'-') { text.parse().ok()? } else { integral(text)? };
    (-MAX_INTEGER..=MAX_INTEGER).contains(&number).then_some(number)
}

/// The boolean.
pub fn boolean(value: &RawValue) -> Option<bool> {
    match value.get() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// Appends a JSON string.
pub fn write_str(out: &mut Vec<u8>, text: &str) {
    if is_plain(text.as_bytes()) {
        write_plain(out, text.as_bytes());
    } else {
        serde_json::to_writer(out, text).expect("writing to memory cannot fail and a str is always JSON");
    }
}

/// Appends the text of a name that should be UTF-8; what is not becomes U+FFFD.
pub fn write_bytes_as_str(out: &mut Vec<u8>, bytes: &[u8]) {
    if is_plain(bytes) {
        write_plain(out, bytes);
    } else {
        write_str(out, &String::from_utf8_lossy(bytes));
    }
}

/// Whether a text is its own JSON text but for the quotes, as nearly all names are. Looks at every byte: without an early
/// end many go at a time.
fn is_plain(bytes: &[u8]) -> bool {
    bytes.iter().fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~') & (*byte != b'"') & (*byte != b'\\'))
}

fn write_plain(out: &mut Vec<u8>, bytes: &[u8]) {
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    out.extend_from_slice(bytes);
    out.push(b'"');
}

/// Appends a JSON text without the white space between its tokens.
pub fn write_compact(out: &mut Vec<u8>, text: &str) {
    out.reserve(text.len());
    let (mut in_string, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_string = !in_string,
            b' ' | b'\t' | b'\r' | b'\n' if !in_string => continue,
            _ => {}
        }
        out.push(byte);
    }
}

/// Appends an integer.
pub fn write_u64(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends an integer.
pub fn write_i64(out: &mut Vec<u8>, number: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends the shortest text that reads back as this number; a whole one ends in `.0`. What is not finite is `null`.
pub fn write_f64(out: &mut Vec<u8>, number: f64) {
    serde_json::to_writer(out, &number).expect("writing to memory cannot fail and a float is always JSON");
}

/// A number that is written without a fraction where it has none, as JavaScript writes it. What is not finite is `null`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Number(pub f64);

impl Number {
    /// With so many decimals at most.
    pub fn rounded(number: f64, decimals: i32) -> Self {
        let shift = 10_f64.powi(decimals);
        Number((number * shift).round() / shift)
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Number(number) = *self;
        let whole = number.fract() == 0.0 && number.abs() <= MAX_INTEGER as f64;
        if whole { serializer.serialize_i64(number as i64) } else { serializer.serialize_f64(number) }
    }
}

/// Appends an array; `write` appends one element.
pub fn write_array<T>(out: &mut Vec<u8>, items: impl IntoIterator<Item = T>, mut write: impl FnMut(&mut Vec<u8>, T)) {
    out.push(b'[');
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b']');
}

/// Exact decimal arithmetic for the rare spellings: a float would take `5.00000000000000000001` for 5.
fn integral(text: &str) -> Option<i64> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    let significant = digits.trim_end_matches('0');
    let trimmed = digits.len() - significant.len();
    let significant = significant.trim_start_matches('0');
    if significant.is_empty() {
        return Some(0);
    }
    let shift = exponent.parse::<i64>().ok()?.checked_add(trimmed as i64)?.checked_sub(fraction.len() as i64)?;
    let shift = u32::try_from(shift).ok()?;
    let number = 10_i64.checked_pow(shift)?.checked_mul(significant.parse().ok()?)?;
    Some(if negative { -number } else { number })
}

/// Runs `read` over the whole text when its value begins with `opening`; otherwise tells bad syntax from another type.
fn typed<'a, T>(
    text: &'a str,
    opening: u8,
    read: impl FnOnce(&mut serde_json::Deserializer<serde_json::de::StrRead<'a>>) -> serde_json::Result<T>,
) -> Result<T, Malformed> {
    let mut json = serde_json::Deserializer::from_str(text);
    let first = text.bytes().find(|b| !matches!(b, b' ' | b'\t' | b'\n' | b'\r'));
    if first == Some(opening) {
        let found = read(&mut json).map_err(|_| Malformed::Syntax)?;
        json.end().map_err(|_| Malformed::Syntax)?;
        return Ok(found);
    }
    // `RawValue` is checked without recursion, so that depth costs no stack.
    serde_json::from_str::<&RawValue>(text).map_err(|_| Malformed::Syntax)?;
    Err(Malformed::OtherType)
}

struct Members<'n, const N: usize>(&'n [&'n str; N]);

impl<'de, const N: usize> Visitor<'de> for Members<'_, N> {
    type Value = [Option<&'de RawValue>; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = [None; N];
        while let Some(at) = map.next_key_seed(Position(self.0))? {
            let value: &RawValue = map.next_value()?;
            if let Some(at) = at {
                found[at] = Some(value);
            }
        }
        Ok(found)
    }
}

/// Finds a member's name among those asked for without allocating it.
struct Position<'n>(&'n [&'n str]);

impl<'de> DeserializeSeed<'de> for Position<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, name: D) -> Result<Self::Value, D::Error> {
        name.deserialize_str(self)
    }
}

impl Visitor<'_> for Position<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|wanted| *wanted == name))
    }
}

struct FirstElements(usize);

impl<'de> Visitor<'de> for FirstElements {
    type Value = Elements<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut elements = Elements { kept: Vec::new(), total: 0 };
        while elements.kept.len() < self.0 {
            let Some(element) = seq.next_element()? else { return Ok(elements) };
            elements.kept.push(element);
            elements.total += 1;
        }
        // The rest is checked as raw text too: `IgnoredAny` would follow nesting by recursion.
        while seq.next_element::<&RawValue>()?.is_some() {
            elements.total += 1;
        }
        Ok(elements)
    }
}

struct FirstEntries(usize);

impl<'de> Visitor<'de> for FirstEntries {
    type Value = Entries<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Entries { kept: Vec::new(), total: 0 };
        while let Some((name, value)) = map.next_entry::<Cow<'de, str>, &RawValue>()? {
            if entries.kept.len() < self.0 {
                entries.kept.push((name.into_owned(), value));
            }
            entries.total += 1;
        }
        Ok(entries)
    }
}

#[cfg(test)]
mod tests;
