//! Collections: hashes, lists, sets, sorted sets. What changes one and what reads one are files of their own.

mod element;
pub(super) mod hash;
pub(super) mod hash_read;
pub(super) mod list;
pub(super) mod list_read;
pub(super) mod set;
pub(super) mod set_combine;
pub(super) mod sorted_set;
pub(super) mod sorted_set_combine;
pub(super) mod sorted_set_read;
pub(super) mod stats;
