//! The rows of a result as one JSON text, written while they come, so that a result that is too long is noticed before it
//! is held.

use std::collections::HashMap;

use super::Failure;
use crate::http::json;

/// An array of row objects that grows.
pub(super) struct Rows {
    members: Vec<Member>,
    text: Vec<u8>,
    limit: usize,
}

/// A member of every row object.
struct Member {
    /// `"name":`
    name: Vec<u8>,
    /// The column that its value comes from.
    column: usize,
}

impl Rows {
    /// Of several columns of one name the last one gives the value, at the place of the first: an object has a name once.
    pub(super) fn new<'a>(names: impl IntoIterator<Item = &'a str>, limit: usize) -> Rows {
        let mut members: Vec<Member> = Vec::new();
        let mut known = HashMap::new();
        for (column, name) in names.into_iter().enumerate() {
            let place = *known.entry(name).or_insert(members.len());
            match members.get_mut(place) {
                Some(member) => member.column = column,
                None => members.push(Member { name: member_name(name), column }),
            }
        }
        Rows { members, text: vec![b'['], limit }
    }

    /// Appends a row; `write` appends the value of one column.
    pub(super) fn push<E: From<Failure>>(
        &mut self,
        mut write: impl FnMut(usize, &mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.text.len() > 1 {
            self.text.push(b',');
        }
        self.text.push(b'{');
        for (position, member) in self.members.iter().enumerate() {
            if position > 0 {
                self.text.push(b',');
            }
            self.text.extend_from_slice(&member.name);
            write(member.column, &mut self.text)?;
            check(self.text.len(), self.limit)?;
        }
        self.text.push(b'}');
        Ok(())
    }

    /// The JSON text, which keeps to the limit.
    pub(super) fn finish(mut self) -> Result<Vec<u8>, Failure> {
        self.text.push(b']');
        check(self.text.len(), self.limit)?;
        Ok(self.text)
    }
}

/// What a statement without a result set gives back.
pub(super) fn affected(rows: u64) -> Vec<u8> {
    format!("{{\"rowsAffected\":{rows}}}").into_bytes()
}

/// Refuses a text that has become too long.
pub(super) fn check(length: usize, limit: usize) -> Result<(), Failure> {
    if length > limit { Err(Failure::TooLarge) } else { Ok(()) }
}

fn member_name(name: &str) -> Vec<u8> {
    let mut text = Vec::with_capacity(name.len() + 3);
    json::write_str(&mut text, name);
    text.push(b':');
    text
}

#[cfg(test)]
mod tests;
