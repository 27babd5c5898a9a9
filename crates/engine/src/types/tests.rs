use bytes::Bytes;

use super::*;
use crate::{
    keys,
    tests::{House, k, ns, refused},
};

mod crash;
mod hash;
mod large;
mod list;
mod model;
mod set;
mod whole;
mod zset;

pub(crate) fn b(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

pub(crate) fn all_of(texts: &[&str]) -> Vec<Bytes> {
    texts.iter().map(|text| b(text)).collect()
}

/// Rows that elements have, and rows that say what is left of collections.
pub(crate) fn element_rows(house: &House) -> u64 {
    let live = house.live().expect("live");
    let tables = [
        keys::HASH_FIELD,
        keys::LIST_ELEMENT,
        keys::SET_MEMBER,
        keys::SET_SLOT,
        keys::ZSET_MEMBER,
        keys::ZSET_ORDER,
        keys::COLLECTION_GONE,
    ];
    tables.into_iter().map(|table| live.store.rows(table)).sum()
}
