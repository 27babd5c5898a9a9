//! Counting: a key whose value is an integer takes another one. The key keeps its deadline.

use bytes::Bytes;

use crate::{
    Namespace, Result, keys,
    kv::{Encoding, Increment, Incremented, Value, slot::Slot},
    live::Live,
    txn::{self, Deadline, Txn},
};

/// No integer has a longer text: what is longer is not even read.
const LONGEST: usize = "\"-9223372036854775808\"".len();

/// Adds to the integer of a key.
pub(crate) async fn increment(live: &Live, namespace: &Namespace, increment: Increment) -> Result<Incremented> {
    live.store.room().await;
    let row = keys::kv(namespace, &increment.key);
    let decided = {
        let _held = live.locks.lock(&row);
        txn::decide(live, |txn| {
            let mut slot = Slot::load(txn, namespace.clone(), increment.key.clone())?;
            apply(txn, &mut slot, increment)
        })
    };
    Ok(live.settle(decided).await?.0)
}

/// The rule. An absent key counts from 0.
fn apply(txn: &mut Txn<'_>, slot: &mut Slot, increment: Increment) -> Result<Incremented> {
    let (current, deadline) = match slot.live_row(txn) {
        None => (Some(0), Deadline::Never),
        Some(row) if row.body_len() > LONGEST => (None, Deadline::Never),
        Some(row) => (integer(&row.body()?), slot.deadline()),
    };
    let Some(current) = current else { return Ok(Incremented::NotAnInteger) };
    let Some(sum) = current.checked_add(increment.by) else { return Ok(Incremented::Overflow) };
    txn.grow()?;
    slot.expire_if_due(txn);
    let value = Value { encoding: Encoding::Json, bytes: Bytes::from(sum.to_string()) };
    slot.set(txn, value, deadline, increment.actor);
    Ok(Incremented::To(sum))
}

/// The integer of a JSON number without fraction or exponent, or of a string of its digits, with the quotes of JSON or
/// as plain bytes.
fn integer(value: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(value).ok()?;
    let text = text.strip_prefix('"').map_or(Some(text), |rest| rest.strip_suffix('"'))?;
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    let zero_first = digits.len() > 1 && digits.starts_with('0');
    if plain && !zero_first { text.parse().ok() } else { None }
}
