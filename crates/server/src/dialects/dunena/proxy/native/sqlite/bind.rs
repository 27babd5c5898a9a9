//! Parameters of SQLite statements.

use rusqlite::{Statement, types::Value};

use super::refused;
use crate::dialects::dunena::proxy::{Failure, native::param::Param};

/// How a parameter is bound. A number that is no 64-bit integer is a float, as SQLite reads it in a statement.
pub(super) fn value(param: &Param<'_>) -> Value {
    match param {
        Param::Null => Value::Null,
        Param::Bool(truth) => Value::Integer(i64::from(*truth)),
        Param::Int(whole) => Value::Integer(*whole),
        Param::Number(number) => number.get().parse().map_or(Value::Null, Value::Real),
        Param::Text(text) => Value::Text(text.clone().into_owned()),
    }
}

/// Binds what each placeholder asks for: `?3` and `$3` the third one, `?` and a name the one at its own place.
pub(super) fn all(statement: &mut Statement<'_>, params: &[Value]) -> Result<(), Failure> {
    let mut wanted = Vec::with_capacity(statement.parameter_count());
    for place in 1..=statement.parameter_count() {
        wanted.push(numbered(statement.parameter_name(place)).unwrap_or(place));
    }
    let asked_for = wanted.iter().copied().max().unwrap_or(0);
    if asked_for != params.len() {
        return Err(super::super::param::mismatch(super::Kind::Sqlite, asked_for, params.len()));
    }
    for (place, number) in (1..).zip(wanted) {
        let param = params.get(number - 1).ok_or_else(|| refused("placeholders count from 1"))?;
        statement.raw_bind_parameter(place, param).map_err(|error| super::statement::explain(&error))?;
    }
    Ok(())
}

/// The number in a name like `$12`.
fn numbered(name: Option<&str>) -> Option<usize> {
    name?.strip_prefix(['$', '?'])?.parse().ok()
}
