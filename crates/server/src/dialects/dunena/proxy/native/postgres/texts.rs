//! Values whose binary format nobody here knows (ranges, geometry, types of extensions), as the text that the server makes
//! of them. The driver asks for binary format only, so their bytes are sent back as parameters: `SELECT $1::text`. That works
//! for every type that can be sent at all; `aclitem`, for instance, cannot, and has to be cast in the query.

use std::{error::Error, pin::pin};

use bytes::BytesMut;
use futures_util::TryStreamExt;
use tokio_postgres::types::{IsNull, ToSql, Type};

use super::{
    session::Session,
    value::{self, Malformed, Reader},
};
use crate::{
    dialects::dunena::proxy::native::{rows, session::Fault},
    http::json,
};

/// Values asked for at a time. A select list ends at 1,664.
const AT_A_TIME: usize = 500;
/// Records inside each other.
const MAX_NESTING: usize = 16;
/// Parameters of one statement are counted in 16 bits.
const MAX_PARAMETERS: usize = 60_000;

/// Values that are missing in a JSON text.
#[derive(Default)]
pub(super) struct Texts {
    missing: Vec<Missing>,
    size_bytes: usize,
}

struct Missing {
    /// Where in the JSON text.
    at: usize,
    of: Type,
    raw: Vec<u8>,
}

impl Texts {
    /// Leaves a place in the JSON text to a value that comes later.
    pub(super) fn ask_for(&mut self, at: usize, of: &Type, raw: &[u8]) {
        self.size_bytes += raw.len() + size_of::<Missing>();
        self.missing.push(Missing { at, of: of.clone(), raw: raw.to_vec() });
    }

    /// What the values hold in memory.
    pub(super) fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    /// The JSON text with all values in it.
    pub(super) async fn insert(self, session: &Session, data: Vec<u8>, limit: usize) -> Result<Vec<u8>, Fault> {
        if self.missing.is_empty() {
            return Ok(data);
        }
        let mut whole = Vec::with_capacity(data.len() + self.size_bytes);
        let mut copied = 0;
        for some in self.missing.chunks(AT_A_TIME) {
            let found = texts(session, some).await?;
            for (missing, text) in some.iter().zip(found) {
                whole.extend_from_slice(&data[copied..missing.at]);
                copied = missing.at;
                json::write_str(&mut whole, &text);
                rows::check(whole.len(), limit)?;
            }
        }
        whole.extend_from_slice(&data[copied..]);
        rows::check(whole.len(), limit)?;
        Ok(whole)
    }
}

#[cfg(any(test, fuzzing))]
impl Texts {
    /// The JSON text with an empty text for each value, after the question for each was put together.
    pub(super) fn insert_nothing(&self, data: &[u8]) -> Vec<u8> {
        let (mut whole, mut copied) = (Vec::new(), 0);
        for missing in &self.missing {
            whole.extend_from_slice(&data[copied..missing.at]);
            copied = missing.at;
            json::write_str(&mut whole, "");
            let mut question = Question::default();
            if question.add(missing).is_ok() {
                assert_eq!(question.types.len(), question.values.len());
            }
        }
        whole.extend_from_slice(&data[copied..]);
        whole
    }
}

async fn texts(session: &Session, missing: &[Missing]) -> Result<Vec<String>, Fault> {
    let mut question = Question::default();
    for missing in missing {
        question.add(missing).map_err(|Malformed| unreadable(&missing.of))?;
    }
    session.allow_more();
    let Question { list, types, values } = question;
    let statement = session.client.prepare_typed(&format!("SELECT {list}"), &types).await;
    let statement = statement.map_err(|error| session.fault(&error))?;
    let results = session.client.query_raw(&statement, &values).await.map_err(|error| session.fault(&error))?;
    let row = pin!(results).try_next().await.map_err(|error| session.fault(&error))?;
    let row = row.ok_or_else(|| unreadable(&Type::RECORD))?;
    let text = |column| row.try_get(column).map_err(|error| session.fault(&error));
    (0..missing.len()).map(text).collect()
}

fn unreadable(of: &Type) -> Fault {
    Fault::Broken(super::refused(format!("a value of type {} cannot be read", of.name())))
}

/// A select list with its parameters.
#[derive(Default)]
struct Question {
    list: String,
    types: Vec<Type>,
    values: Vec<Binary>,
}

impl Question {
    fn add(&mut self, missing: &Missing) -> Result<(), Malformed> {
        if !self.list.is_empty() {
            self.list.push(',');
        }
        self.expression(&missing.of, Some(&missing.raw), 0)?;
        self.list.push_str("::pg_catalog.text");
        Ok(())
    }

    /// A record has no type that a parameter could have, so it is put together from its fields.
    fn expression(&mut self, of: &Type, raw: Option<&[u8]>, nesting: usize) -> Result<(), Malformed> {
        let Some(record) = raw.filter(|_| *of == Type::RECORD) else {
            return self.parameter(of, raw);
        };
        if nesting >= MAX_NESTING {
            return Err(Malformed);
        }
        let mut reader = Reader(record);
        self.list.push_str("ROW(");
        for place in 0..reader.i32()? {
            if place > 0 {
                self.list.push(',');
            }
            let of = match value::type_of(u32::from_be_bytes(reader.bytes()?)) {
                // A literal, whose bytes are its text.
                Type::UNKNOWN => Type::TEXT,
                of => of,
            };
            self.expression(&of, reader.sized()?, nesting + 1)?;
        }
        self.list.push(')');
        Ok(())
    }

    fn parameter(&mut self, of: &Type, raw: Option<&[u8]>) -> Result<(), Malformed> {
        if self.values.len() >= MAX_PARAMETERS {
            return Err(Malformed);
        }
        self.types.push(of.clone());
        self.values.push(Binary(raw.map(<[u8]>::to_vec)));
        self.list.push_str(&format!("${}", self.values.len()));
        Ok(())
    }
}

/// The bytes that the server sent.
#[derive(Debug)]
struct Binary(Option<Vec<u8>>);

impl ToSql for Binary {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let Some(raw) = &self.0 else { return Ok(IsNull::Yes) };
        out.extend_from_slice(raw);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn to_sql_checked(&self, of: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        self.to_sql(of, out)
    }
}
