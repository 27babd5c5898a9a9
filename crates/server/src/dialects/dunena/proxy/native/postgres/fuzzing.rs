//! What the fuzz targets ask of values.

use super::{texts::Texts, value};

/// The JSON text of a value, with an empty text for each that only the server can spell; none when it is malformed.
pub(in crate::dialects::dunena::proxy::native) fn value(oid: u32, raw: &[u8]) -> Option<Vec<u8>> {
    let (mut out, mut texts) = (Vec::new(), Texts::default());
    value::write(&mut out, &value::type_of(oid), Some(raw), &mut texts).ok()?;
    Some(texts.insert_nothing(&out))
}
