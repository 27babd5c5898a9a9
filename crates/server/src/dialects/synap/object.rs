//! Writing a JSON object, member by member.

use bytes::Bytes;
use manifold_engine::kv::{Encoding, Value};

use crate::http::json::{self, RawValue};

/// An object that is being written. Nothing closes it by itself.
#[derive(Debug)]
pub(super) struct Object<'o> {
    out: &'o mut Vec<u8>,
    opened: bool,
}

impl<'o> Object<'o> {
    pub(super) fn new(out: &'o mut Vec<u8>) -> Self {
        Object { out, opened: false }
    }

    /// Begins with the members of an object that is there as text.
    pub(super) fn continuing(out: &'o mut Vec<u8>, object: &str) -> Self {
        let members = object[1..object.len() - 1].trim_ascii();
        let opened = !members.is_empty();
        if opened {
            out.push(b'{');
            out.extend_from_slice(members.as_bytes());
        }
        Object { out, opened }
    }

    /// A member whose value `write` appends.
    pub(super) fn with(mut self, name: &str, write: impl FnOnce(&mut Vec<u8>)) -> Self {
        self.open(|out| json::write_str(out, name));
        write(self.out);
        self
    }

    /// A member whose value is there as text.
    pub(super) fn raw(self, name: &str, raw: &RawValue) -> Self {
        self.with(name, |out| out.extend_from_slice(raw.get().as_bytes()))
    }

    fn open(&mut self, name: impl FnOnce(&mut Vec<u8>)) {
        self.out.push(if std::mem::replace(&mut self.opened, true) { b',' } else { b'{' });
        name(self.out);
        self.out.push(b':');
    }

    pub(super) fn text(self, name: &str, text: &str) -> Self {
        self.with(name, |out| json::write_str(out, text))
    }

    /// A text that should be UTF-8.
    pub(super) fn name(self, name: &str, bytes: &[u8]) -> Self {
        self.with(name, |out| json::write_bytes_as_str(out, bytes))
    }

    pub(super) fn number(self, name: &str, number: u64) -> Self {
        self.with(name, |out| json::write_u64(out, number))
    }

    pub(super) fn signed(self, name: &str, number: i64) -> Self {
        self.with(name, |out| out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()))
    }

    pub(super) fn flag(self, name: &str, flag: bool) -> Self {
        self.with(name, |out| out.extend_from_slice(if flag { b"true" } else { b"false" }))
    }

    pub(super) fn float(self, name: &str, number: f64) -> Self {
        self.with(name, |out| json::write_f64(out, number))
    }

    pub(super) fn number_or_null(self, name: &str, number: Option<u64>) -> Self {
        match number {
            Some(number) => self.number(name, number),
            None => self.null(name),
        }
    }

    pub(super) fn null(self, name: &str) -> Self {
        self.with(name, |out| out.extend_from_slice(b"null"))
    }

    /// A stored value, or null.
    pub(super) fn value(self, name: &str, value: Option<&Value>) -> Self {
        match value {
            Some(value) => self.with(name, |out| write_value(out, value)),
            None => self.null(name),
        }
    }

    /// A text of JSON, or null.
    pub(super) fn json_or_null(self, name: &str, text: Option<&Bytes>) -> Self {
        self.with(name, |out| write_json(out, text))
    }

    /// A list of texts of JSON.
    pub(super) fn jsons<'n>(self, name: &str, texts: impl IntoIterator<Item = Option<&'n Bytes>>) -> Self {
        self.with(name, |out| json::write_array(out, texts, write_json))
    }

    /// A text of JSON under a name that should be UTF-8.
    pub(super) fn json_under(mut self, name: &[u8], text: &[u8]) -> Self {
        self.open(|out| json::write_bytes_as_str(out, name));
        self.out.extend_from_slice(text);
        self
    }

    /// A list of names.
    pub(super) fn names<'n>(self, name: &str, names: impl IntoIterator<Item = &'n [u8]>) -> Self {
        self.with(name, |out| json::write_array(out, names, json::write_bytes_as_str))
    }

    pub(super) fn close(self) {
        if !self.opened {
            self.out.push(b'{');
        }
        self.out.push(b'}');
    }
}

fn write_json(out: &mut Vec<u8>, text: Option<&Bytes>) {
    out.extend_from_slice(text.map_or(b"null", |text| text));
}

/// Appends a stored value as JSON: its own text, byte for byte; bytes of another dialect as a string, or as base64 when
/// they are none.
pub(super) fn write_value(out: &mut Vec<u8>, value: &Value) {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    match (value.encoding, std::str::from_utf8(&value.bytes)) {
        (Encoding::Json, _) => out.extend_from_slice(&value.bytes),
        (Encoding::Binary, Ok(text)) => json::write_str(out, text),
        (Encoding::Binary, Err(_)) => {
            out.extend_from_slice(b"{\"$base64\":");
            json::write_str(out, &STANDARD.encode(&value.bytes));
            out.push(b'}');
        }
    }
}

/// Appends the text of a value as an array of bytes: what a string says, anything else as it is stored.
pub(super) fn write_text_bytes(out: &mut Vec<u8>, value: &Value) {
    write_bytes(out, value.text().as_ref().unwrap_or(&value.bytes));
}

/// Appends an array of bytes.
pub(super) fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    json::write_array(out, bytes, |out, byte| json::write_u64(out, (*byte).into()));
}

/// Appends a body of a message or an event: what another dialect wrote is parsed first.
pub(super) fn write_body(out: &mut Vec<u8>, value: &Value) {
    if value.encoding == Encoding::Binary
        && let Ok(raw) = serde_json::from_slice::<&RawValue>(&value.bytes)
    {
        return out.extend_from_slice(raw.get().as_bytes());
    }
    write_value(out, value);
}
