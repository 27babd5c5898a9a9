//! Under which key the result of a query is kept when the client names none.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::http::json::{self, RawValue};

#[cfg(test)]
mod tests;

/// What tells one query from another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Identity<'q> {
    pub(super) connector: &'q str,
    pub(super) kind: &'q str,
    pub(super) connection_string: &'q str,
    pub(super) query: &'q str,
    /// An array; none is an empty one.
    pub(super) params: Option<&'q RawValue>,
}

/// `qc_` and 32 hexadecimal digits. Clients choose queries, and nobody may find two that share a result, so the hash is a
/// cryptographic one, and each part goes in with its length.
pub(super) fn derive(identity: Identity<'_>) -> String {
    let Identity { connector, kind, connection_string, query, params } = identity;
    let mut hash = Sha256::new();
    for part in [connector, kind, connection_string, query] {
        add(&mut hash, part.as_bytes());
    }
    // Clients that lay out the same parameters in another way ask the same.
    let mut compact = Vec::new();
    json::write_compact(&mut compact, params.map_or("[]", RawValue::get));
    add(&mut hash, &compact);
    let digest = hash.finalize();
    let mut key = String::with_capacity(35);
    key.push_str("qc_");
    for byte in &digest[..16] {
        write!(key, "{byte:02x}").expect("writing to memory cannot fail");
    }
    key
}

fn add(hash: &mut Sha256, part: &[u8]) {
    hash.update((part.len() as u64).to_le_bytes());
    hash.update(part);
}
