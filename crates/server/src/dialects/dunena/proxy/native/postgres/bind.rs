//! Parameters in text format. Which type the text is read as is the server's decision, made from the statement.

use std::error::Error;

use bytes::BytesMut;
use tokio_postgres::types::{Format, IsNull, ToSql, Type};

use crate::{
    dialects::dunena::proxy::native::param::Param,
    http::json::{self, RawValue},
};

/// A parameter on its way to the server.
#[derive(Debug)]
pub(super) struct Bound<'a>(pub(super) &'a Param<'a>);

impl ToSql for Bound<'_> {
    fn to_sql(&self, expected: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self.0 {
            Param::Null => return Ok(IsNull::Yes),
            Param::Bool(truth) => out.extend_from_slice(if *truth { b"true" } else { b"false" }),
            Param::Int(whole) => out.extend_from_slice(whole.to_string().as_bytes()),
            Param::Number(number) => out.extend_from_slice(spelled_for(expected, number).as_bytes()),
            Param::Text(text) => out.extend_from_slice(text.as_bytes()),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    fn to_sql_checked(&self, expected: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        self.to_sql(expected, out)
    }
}

/// The server takes only digits for an integer, while JSON may say 5 as `5.0` or `5e0`.
fn spelled_for(expected: &Type, number: &RawValue) -> String {
    let wants_whole = [Type::INT2, Type::INT4, Type::INT8, Type::OID].contains(expected);
    match json::integer(number).filter(|_| wants_whole) {
        Some(whole) => whole.to_string(),
        None => number.get().to_owned(),
    }
}

#[cfg(test)]
mod tests;
