//! Bodies: JSON objects whose members have types (1.2 of the contract). A body may have millions of addresses, so a list
//! is checked where it stands, and an address is decoded when its turn comes.

use std::{borrow::Cow, fmt};

use serde::de::{Deserializer as _, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Deserializer;

use super::super::error::Error;
use crate::http::{
    json::{self, RawValue},
    lossy,
};

#[cfg(test)]
mod tests;

/// What an endpoint knows of a body.
pub(in super::super) trait Fields<'a>: Default {
    /// Takes a member, whose name is in lower case and whose value is not `null`, unless it does not know it. Of several
    /// members of one name the last counts.
    fn take(&mut self, name: &str, value: &'a RawValue) -> Result<(), Mistyped>;
}

/// What a member should have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Mistyped(pub(in super::super) &'static str);

/// Reads a body.
pub(in super::super) fn read<'a, F: Fields<'a>>(body: &'a [u8]) -> Result<F, Error> {
    let text = std::str::from_utf8(body).map_err(|_| invalid("the body is not UTF-8"))?;
    if !lossy::is_sound(text) {
        return Err(invalid("a string escapes half of a surrogate pair"));
    }
    let mut fields = F::default();
    let mut json = Deserializer::from_str(text);
    json.deserialize_any(Members(&mut fields)).and_then(|()| json.end()).map_err(invalid)?;
    Ok(fields)
}

fn invalid(why: impl fmt::Display) -> Error {
    Error::invalid(format!("invalid json: {why}"))
}

/// A whole number, written without a fraction or an exponent.
pub(in super::super) fn integer(value: &RawValue) -> Result<i64, Mistyped> {
    value.get().parse().map_err(|_| Mistyped("an integer"))
}

/// A string.
pub(in super::super) fn text(value: &RawValue) -> Result<Cow<'_, str>, Mistyped> {
    json::string(value).map_err(|_| Mistyped("a string"))
}

/// A list of integers.
pub(in super::super) fn integers(value: &RawValue) -> Result<List<'_>, Mistyped> {
    List::checked(value, |item| integer(item).is_ok()).ok_or(Mistyped("an array of integers"))
}

/// A list of strings; `null` in it is the empty one.
pub(in super::super) fn texts(value: &RawValue) -> Result<List<'_>, Mistyped> {
    List::checked(value, |item| item.get() == "null" || text(item).is_ok()).ok_or(Mistyped("an array of strings"))
}

/// A list of strings or integers that was checked and still is the text of the body.
#[derive(Debug, Clone, Copy, Default)]
pub(in super::super) struct List<'a> {
    rest: &'a str,
    len: usize,
}

impl<'a> List<'a> {
    fn checked(value: &'a RawValue, fits: impl FnMut(&RawValue) -> bool) -> Option<Self> {
        let len = Deserializer::from_str(value.get()).deserialize_seq(Counted(fits)).ok()?;
        Some(List { rest: value.get(), len })
    }

    pub(in super::super) fn len(&self) -> usize {
        self.len
    }

    pub(in super::super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// As strings.
    pub(in super::super) fn texts(self) -> impl Iterator<Item = Cow<'a, str>> {
        self.values().map(|item| text(item).unwrap_or_default())
    }

    /// As integers.
    pub(in super::super) fn integers(self) -> impl Iterator<Item = i64> {
        self.values().map(|item| integer(item).unwrap_or_default())
    }

    fn values(mut self) -> impl Iterator<Item = &'a RawValue> {
        std::iter::from_fn(move || {
            let rest = self.rest.trim_start_matches(['[', ',', ' ', '\t', '\n', '\r']);
            let mut values = Deserializer::from_str(rest).into_iter::<&RawValue>();
            // The bracket at the end is no value.
            let item = values.next()?.ok()?;
            self.rest = &rest[values.byte_offset()..];
            Some(item)
        })
    }
}

/// Counts the items of an array, all of which must fit.
struct Counted<F>(F);

impl<'de, F: FnMut(&RawValue) -> bool> Visitor<'de> for Counted<F> {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<usize, A::Error> {
        let mut len = 0;
        while let Some(item) = seq.next_element::<&RawValue>()? {
            if !(self.0)(item) {
                return Err(A::Error::custom("an item of another type"));
            }
            len += 1;
        }
        Ok(len)
    }
}

/// Gives the members of an object to what knows them.
struct Members<'f, F>(&'f mut F);

impl<'de, F: Fields<'de>> Visitor<'de> for Members<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    /// `null` is an object without members.
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        // `RawValue` is read without recursion, so that the depth of what nobody knows costs no stack.
        while let Some((mut name, value)) = map.next_entry::<String, &RawValue>()? {
            name.make_ascii_lowercase();
            if value.get() != "null" {
                let mistyped = |Mistyped(what)| A::Error::custom(format_args!("{name} must be {what}"));
                self.0.take(&name, value).map_err(mistyped)?;
            }
        }
        Ok(())
    }
}
