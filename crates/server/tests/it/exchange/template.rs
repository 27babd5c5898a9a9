//! Texts with holes: `{{name}}` puts a variable in, `{{time}}` and its kin match what an answer holds at that place.
//! Everything outside the holes is compared byte for byte, so an expected body also fixes member order and white space.

use std::collections::HashMap;

use crate::harness::now_ms;

/// Values captured so far, as the text that stood in the answer.
pub type Variables = HashMap<String, String>;

/// A clock of the server may be this far from the test's: it is the same clock, but the answer may be old by now.
const TIME_TOLERANCE_MS: u64 = 120_000;

enum Part<'a> {
    Literal(&'a str),
    Hole(Hole<'a>),
}

enum Hole<'a> {
    /// Matches by kind; `name=kind` also captures.
    Match { kind: Kind, capture: Option<&'a str> },
    /// `>=name` and `>name`: an integer in that relation to a variable.
    Above { name: &'a str, or_equal: bool },
    /// `name`, `name+5`, `name-5`: the value of a variable, computed if asked.
    Value { name: &'a str, offset: i64 },
    /// `rep text n`: the text n times.
    Repeat { text: &'a str, times: usize },
}

#[derive(Clone, Copy)]
enum Kind {
    /// An integer.
    Int,
    /// An integer that is about now in epoch milliseconds.
    Time,
    /// The same in seconds.
    Seconds,
    /// A JSON string, quotes included.
    String,
    /// Any JSON value.
    Any,
    /// Any text up to what follows in the template.
    Text,
}

/// Puts variables into a text that is sent.
pub fn render(template: &str, variables: &Variables) -> Result<String, String> {
    let mut out = String::with_capacity(template.len());
    for part in parse(template)? {
        match part {
            Part::Literal(text) => out.push_str(text),
            Part::Hole(hole) => out.push_str(&value_of(&hole, variables)?),
        }
    }
    Ok(out)
}

/// Compares an answer with a template; captures on the way. The error names the place where they part.
pub fn compare(template: &str, actual: &str, variables: &mut Variables) -> Result<(), String> {
    let parts = parse(template)?;
    let mut rest = actual;
    for (index, part) in parts.iter().enumerate() {
        let at = actual.len() - rest.len();
        match part {
            Part::Literal(text) => {
                rest = rest.strip_prefix(text).ok_or_else(|| {
                    let same = text.bytes().zip(rest.bytes()).take_while(|(a, b)| a == b).count();
                    format!("they part at byte {}", at + same)
                })?;
            }
            Part::Hole(Hole::Match { kind, capture }) => {
                let next = match parts.get(index + 1) {
                    Some(Part::Literal(text)) => Some(*text),
                    _ => None,
                };
                let length = kind.matches(rest, next).map_err(|why| format!("byte {at}: {why}"))?;
                if let Some(name) = capture {
                    variables.insert((*name).to_owned(), rest[..length].to_owned());
                }
                rest = &rest[length..];
            }
            Part::Hole(Hole::Above { name, or_equal }) => {
                let length = Kind::Int.matches(rest, None).map_err(|why| format!("byte {at}: {why}"))?;
                let (found, floor) = (integer(&rest[..length])?, integer(variable(name, variables)?)?);
                if found < floor || (found == floor && !or_equal) {
                    return Err(format!("byte {at}: {found} is not above {name} = {floor}"));
                }
                rest = &rest[length..];
            }
            Part::Hole(hole) => {
                let wanted = value_of(hole, variables)?;
                rest = rest.strip_prefix(wanted.as_str()).ok_or_else(|| {
                    format!("byte {at}: expected {} there", wanted.chars().take(100).collect::<String>())
                })?;
            }
        }
    }
    if rest.is_empty() { Ok(()) } else { Err(format!("more text from byte {}", actual.len() - rest.len())) }
}

fn value_of(hole: &Hole<'_>, variables: &Variables) -> Result<String, String> {
    match hole {
        Hole::Value { name: "now", offset } => Ok((now_ms() as i64 + offset).to_string()),
        Hole::Value { name: "now_s", offset } => Ok((now_ms() as i64 / 1000 + offset).to_string()),
        Hole::Value { name, offset: 0 } => Ok(variable(name, variables)?.to_owned()),
        Hole::Value { name, offset } => Ok((integer(variable(name, variables)?)? + offset).to_string()),
        Hole::Repeat { text, times } => Ok(text.repeat(*times)),
        Hole::Match { .. } | Hole::Above { .. } => Err("a matcher has no place in a text that is sent".to_owned()),
    }
}

fn variable<'a>(name: &str, variables: &'a Variables) -> Result<&'a str, String> {
    variables.get(name).map(String::as_str).ok_or_else(|| format!("nothing was captured as {name:?}"))
}

fn integer(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| format!("{text:?} is not an integer"))
}

impl Kind {
    /// Length of the match at the start of `text`.
    fn matches(self, text: &str, next: Option<&str>) -> Result<usize, String> {
        match self {
            Kind::Int => int_length(text),
            Kind::Time | Kind::Seconds => {
                let length = int_length(text)?;
                let unit_ms = if matches!(self, Kind::Seconds) { 1000 } else { 1 };
                let time = integer(&text[..length])?.unsigned_abs();
                if time.saturating_mul(unit_ms).abs_diff(now_ms()) <= TIME_TOLERANCE_MS {
                    Ok(length)
                } else {
                    Err(format!("{time} is not about now"))
                }
            }
            Kind::String if !text.starts_with('"') => Err("expected a string".to_owned()),
            Kind::String | Kind::Any => {
                let mut values = serde_json::Deserializer::from_str(text).into_iter::<&serde_json::value::RawValue>();
                match values.next() {
                    Some(Ok(_)) => Ok(values.byte_offset()),
                    _ => Err("expected a JSON value".to_owned()),
                }
            }
            Kind::Text => match next {
                Some(next) => text.find(next).ok_or_else(|| format!("{next:?} does not follow")),
                None => Ok(text.len()),
            },
        }
    }
}

fn int_length(text: &str) -> Result<usize, String> {
    let sign = usize::from(text.starts_with('-'));
    match text[sign..].bytes().take_while(u8::is_ascii_digit).count() {
        0 => Err("expected an integer".to_owned()),
        digits => Ok(sign + digits),
    }
}

fn parse(template: &str) -> Result<Vec<Part<'_>>, String> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some((literal, tail)) = rest.split_once("{{") {
        let (hole, tail) = tail.split_once("}}").ok_or_else(|| format!("a hole without end in {template:?}"))?;
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        parts.push(Part::Hole(parse_hole(hole)?));
        rest = tail;
    }
    if !rest.is_empty() {
        parts.push(Part::Literal(rest));
    }
    Ok(parts)
}

fn parse_hole(hole: &str) -> Result<Hole<'_>, String> {
    if let Some(rest) = hole.strip_prefix("rep ") {
        let (text, times) = rest.rsplit_once(' ').ok_or_else(|| format!("{{{{{hole}}}}} needs a text and a number"))?;
        let times = times.parse().map_err(|_| format!("{times:?} is not a number of times"))?;
        return Ok(Hole::Repeat { text, times });
    }
    if let Some(name) = hole.strip_prefix(">=") {
        return Ok(Hole::Above { name, or_equal: true });
    }
    if let Some(name) = hole.strip_prefix('>') {
        return Ok(Hole::Above { name, or_equal: false });
    }
    let (capture, name) = hole.split_once('=').map_or((None, hole), |(capture, kind)| (Some(capture), kind));
    let kind = match name {
        "int" => Some(Kind::Int),
        "time" => Some(Kind::Time),
        "seconds" => Some(Kind::Seconds),
        "string" => Some(Kind::String),
        "any" => Some(Kind::Any),
        "text" => Some(Kind::Text),
        _ => None,
    };
    match (kind, capture) {
        (Some(kind), capture) => Ok(Hole::Match { kind, capture }),
        (None, Some(_)) => Err(format!("{name:?} is no kind of value")),
        (None, None) => {
            let (name, offset) = match name.find(['+', '-']) {
                Some(at) => (&name[..at], integer(&name[at..])?),
                None => (name, 0),
            };
            Ok(Hole::Value { name, offset })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn text_outside_holes_is_compared_byte_for_byte() {
        let mut none = Variables::new();
        assert_eq!(compare(r#"{"a":1,"b":2}"#, r#"{"a":1,"b":2}"#, &mut none), Ok(()));
        assert!(compare(r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#, &mut none).is_err());
        assert!(compare(r#"{"a":1}"#, r#"{"a": 1}"#, &mut none).is_err());
        assert!(compare("ab", "abc", &mut none).is_err());
        assert!(compare("abc", "ab", &mut none).is_err());
    }

    #[test]
    fn holes_match_by_kind() {
        let mut none = Variables::new();
        assert_eq!(compare("[{{int}},{{string}},{{any}}]", r#"[-5,"a\"b",{"x":[1, 2]}]"#, &mut none), Ok(()));
        assert!(compare("[{{int}}]", r#"["5"]"#, &mut none).is_err());
        assert!(compare("[{{string}}]", "[5]", &mut none).is_err());
        assert!(compare("{{time}}", "1710700000000", &mut none).is_err());
        assert_eq!(compare("{{seconds}}", &(now_ms() / 1000).to_string(), &mut none), Ok(()));
        assert!(compare("{{seconds}}", &now_ms().to_string(), &mut none).is_err());
        assert_eq!(compare("{{time}}", &now_ms().to_string(), &mut none), Ok(()));
        assert_eq!(compare("a{{text}}c", "abbbc", &mut none), Ok(()));
    }

    #[test]
    fn captured_values_are_compared_and_computed() {
        let mut captured = Variables::new();
        assert_eq!(compare(r#"{"t":{{t=int}},"e":{{t+60}}}"#, r#"{"t":100,"e":160}"#, &mut captured), Ok(()));
        assert_eq!(captured["t"], "100");
        assert_eq!(compare("{{>=t}}", "100", &mut captured), Ok(()));
        assert!(compare("{{>t}}", "100", &mut captured).is_err());
        assert!(compare("{{t}}", "101", &mut captured).is_err());
        assert!(compare("{{unknown}}", "1", &mut captured).is_err());
    }

    #[test]
    fn texts_to_send_take_variables_and_repetitions() {
        let variables = variables(&[("head", "41")]);
        assert_eq!(render("after={{head+1}}&x={{rep ab 3}}", &variables), Ok("after=42&x=ababab".to_owned()));
        assert!(render("{{int}}", &variables).is_err());
        assert!(render("{{head", &variables).is_err());
    }
}
