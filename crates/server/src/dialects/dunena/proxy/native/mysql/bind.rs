//! Parameters of MySQL statements.

use mysql_async::Value;

use crate::dialects::dunena::proxy::native::param::Param;

/// How a parameter is bound. An integer beyond 64 bits keeps its digits: a server that needs a number reads them exactly.
pub(super) fn value(param: &Param<'_>) -> Value {
    match param {
        Param::Null => Value::NULL,
        Param::Bool(truth) => Value::Int(i64::from(*truth)),
        Param::Int(whole) => Value::Int(*whole),
        Param::Number(number) => {
            let text = number.get();
            let whole = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
            match (text.parse(), text.parse()) {
                (Ok(unsigned), _) => Value::UInt(unsigned),
                (_, Ok(float)) if !whole && f64::is_finite(float) => Value::Double(float),
                _ => Value::Bytes(text.as_bytes().to_vec()),
            }
        }
        Param::Text(text) => Value::Bytes(text.as_bytes().to_vec()),
    }
}

#[cfg(test)]
mod tests;
