//! Statements: what a database would take for a write is never taken for a read, as far as that can be seen without
//! knowing its language. Values: whatever a database sends comes to JSON.

use super::{Dunena, proxy::fuzzing};
use crate::fuzzing::input::Input;

impl Dunena {
    /// The same, without ways to other databases.
    pub(crate) fn without_proxy(self) -> Self {
        Dunena { proxy: None, ..self }
    }
}

pub(crate) fn statement(data: &[u8]) {
    let mut input = Input::new(data);
    let kind = input.byte();
    let Ok(text) = std::str::from_utf8(input.rest()) else { return };
    fuzzing::statement(kind, text);
    fuzzing::connection_string(text);
}

pub(crate) fn values(data: &[u8]) {
    fuzzing::values(data);
}
