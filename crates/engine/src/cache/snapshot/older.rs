//! What only files of the older program have in them: entries of its own among those of its clients, and values that it
//! compressed.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// With and without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// What a compressed value begins with.
const COMPRESSED: &str = "\0CMP\0";
/// What a run begins with.
const RUN: u8 = 0xFF;
/// It never took a longer value. Without an end a short text could stand for gigabytes.
const LONGEST: usize = 4 << 20;

/// Whether the key of an entry was no client's.
pub(super) fn is_internal(joined: &str) -> bool {
    joined.starts_with("__qcache__\0") || joined.starts_with("__lock__")
}

/// The value that a text in the file stands for; none when it is said to be compressed and is not.
pub(super) fn value(text: String) -> Option<String> {
    let Some(encoded) = text.strip_prefix(COMPRESSED) else { return Some(text) };
    let runs = BASE64.decode(encoded).ok()?;
    String::from_utf8(expanded(&runs)?).ok()
}

/// A run is its mark, a length, and the byte that it repeats; any other byte stands for itself.
fn expanded(mut runs: &[u8]) -> Option<Vec<u8>> {
    let mut value = Vec::new();
    while let Some((byte, rest)) = runs.split_first() {
        runs = rest;
        if *byte == RUN {
            let [length, byte, rest @ ..] = rest else { return None };
            value.resize(value.len() + usize::from(*length), *byte);
            runs = rest;
        } else {
            value.push(*byte);
        }
        if value.len() > LONGEST {
            return None;
        }
    }
    Some(value)
}
