//! Addresses in normal form, over the golden cases.
