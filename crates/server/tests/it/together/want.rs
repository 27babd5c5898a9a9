//! What an answer has to be: its status, and of each member that matters the text it must have.

use std::{collections::HashMap, ops::RangeInclusive};

use serde_json::value::RawValue;

/// What a dialect has to answer to one request.
#[derive(Debug, Clone)]
pub struct Want {
    pub status: u16,
    pub members: Vec<(&'static str, Pattern)>,
}

/// An answer as it came, whatever way it came by.
#[derive(Debug, Clone)]
pub struct Answer {
    /// None where the way has no status.
    pub status: Option<u16>,
    pub success: bool,
    /// The object that tells the result, or the error.
    pub body: String,
}

/// A text with holes.
#[derive(Debug, Clone, Default)]
pub struct Pattern(Vec<Part>);

#[derive(Debug, Clone)]
enum Part {
    Text(String),
    Number(RangeInclusive<u64>),
}

impl Want {
    pub fn new(status: u16) -> Want {
        Want { status, members: Vec::new() }
    }

    pub fn member(mut self, name: &'static str, pattern: impl Into<Pattern>) -> Want {
        self.members.push((name, pattern.into()));
        self
    }

    /// Why the answer is not what it has to be.
    pub fn check(&self, answer: &Answer) -> Result<(), String> {
        if answer.success != (self.status < 300) || answer.status.is_some_and(|status| status != self.status) {
            return Err(format!("expected status {} with {:?}, got {answer:?}", self.status, self.members));
        }
        if self.members.is_empty() {
            return Ok(());
        }
        let members = members(&answer.body)?;
        for (name, pattern) in &self.members {
            let text = members.get(*name).map_or("<absent>", |raw| raw.get());
            if !pattern.fits(text) {
                return Err(format!("expected {name:?} to be {pattern:?}, got {answer:?}"));
            }
        }
        Ok(())
    }
}

/// The members of an object as the texts they are.
pub fn members(text: &str) -> Result<HashMap<String, Box<RawValue>>, String> {
    serde_json::from_str(text).map_err(|error| format!("{error} in {text:?}"))
}

/// The elements of an array as the texts they are.
pub fn elements(text: &str) -> Result<Vec<Box<RawValue>>, String> {
    serde_json::from_str(text).map_err(|error| format!("{error} in {text:?}"))
}

/// A text as a JSON string.
pub fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string is JSON")
}

impl Pattern {
    pub fn text(mut self, text: impl AsRef<str>) -> Pattern {
        match self.0.last_mut() {
            Some(Part::Text(before)) => before.push_str(text.as_ref()),
            _ => self.0.push(Part::Text(text.as_ref().to_owned())),
        }
        self
    }

    pub fn number(mut self, range: RangeInclusive<u64>) -> Pattern {
        self.0.push(Part::Number(range));
        self
    }

    /// Adds another one behind it.
    pub fn then(mut self, other: Pattern) -> Pattern {
        for part in other.0 {
            match part {
                Part::Text(text) => self = self.text(text),
                part => self.0.push(part),
            }
        }
        self
    }

    /// `[…,…]`
    pub fn array(of: impl IntoIterator<Item = Pattern>) -> Pattern {
        let mut array = Pattern::default().text("[");
        for (index, element) in of.into_iter().enumerate() {
            array = array.text(if index == 0 { "" } else { "," }).then(element);
        }
        array.text("]")
    }

    /// Whether the whole text fits.
    pub fn fits(&self, text: &str) -> bool {
        fits(&self.0, text)
    }
}

fn fits(parts: &[Part], text: &str) -> bool {
    let Some((first, rest)) = parts.split_first() else { return text.is_empty() };
    match first {
        Part::Text(expected) => text.strip_prefix(expected.as_str()).is_some_and(|left| fits(rest, left)),
        Part::Number(range) => {
            let end = text.find(|byte: char| !byte.is_ascii_digit()).unwrap_or(text.len());
            text[..end].parse().is_ok_and(|number| range.contains(&number)) && fits(rest, &text[end..])
        }
    }
}

impl From<&str> for Pattern {
    fn from(text: &str) -> Pattern {
        Pattern::default().text(text)
    }
}

impl From<String> for Pattern {
    fn from(text: String) -> Pattern {
        Pattern::default().text(text)
    }
}

impl From<u64> for Pattern {
    fn from(number: u64) -> Pattern {
        Pattern::default().text(number.to_string())
    }
}

impl From<bool> for Pattern {
    fn from(flag: bool) -> Pattern {
        Pattern::default().text(flag.to_string())
    }
}

impl From<RangeInclusive<u64>> for Pattern {
    fn from(range: RangeInclusive<u64>) -> Pattern {
        Pattern::default().number(range)
    }
}
