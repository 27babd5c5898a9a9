//! Values and payloads: base64 in both directions.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};
use bytes::Bytes;

use super::error::Error;
use crate::http::json::{self, RawValue};

#[cfg(test)]
mod tests;

const PADDED: GeneralPurpose = lenient(DecodePaddingMode::RequireCanonical);
const UNPADDED: GeneralPurpose = lenient(DecodePaddingMode::RequireNone);

const fn lenient(padding: DecodePaddingMode) -> GeneralPurpose {
    let config = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(&alphabet::STANDARD, config.with_decode_padding_mode(padding))
}

/// The bytes that a text stands for: either alphabet, padded as a whole or not at all, trailing bits as they come.
pub(super) fn decode(text: &str) -> Option<Bytes> {
    let engine = if text.ends_with('=') { &PADDED } else { &UNPADDED };
    let standard;
    let text = if memchr::memchr2(b'-', b'_', text.as_bytes()).is_some() {
        standard = text.replace('-', "+").replace('_', "/");
        &standard
    } else {
        text
    };
    engine.decode(text).ok().map(Bytes::from)
}

/// The bytes of a member that must be there, at most `limit` of them.
pub(super) fn member(member: Option<&RawValue>, field: &'static str, limit: usize) -> Result<Bytes, Error> {
    let raw = json::given(member).ok_or(Error::Missing(field))?;
    let decoded = json::string(raw).ok().and_then(|text| decode(&text));
    let bytes = decoded.ok_or(Error::Field { field, rule: "base64" })?;
    if bytes.len() > limit {
        return Err(Error::FieldTooLarge { field, limit });
    }
    Ok(bytes)
}

/// Appends the text of some bytes as a JSON string.
pub(super) fn write(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    let start = out.len();
    out.resize(start + encoded_len(bytes.len()), 0);
    let written = STANDARD.encode_slice(bytes, &mut out[start..]).expect("the room was made for exactly this text");
    out.truncate(start + written);
    out.push(b'"');
}

/// How long the text of so many bytes is.
pub(super) fn encoded_len(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}
