//! Counting: a key whose value is an integer takes another one. The key keeps its deadline.

use crate::{
    Namespace, Result,
    feed::How,
    kv::{Encoding, Increment, Incremented, Value, change::change, slot::Slot},
    live::Live,
    number,
    txn::{Deadline, Txn},
};

/// No integer has a longer text: what is longer is not even read.
const LONGEST: usize = "\"-9223372036854775808\"".len();

/// Adds to the integer of a key.
pub(crate) async fn increment(live: &Live, namespace: &Namespace, increment: Increment) -> Result<Incremented> {
    let done = change(live, namespace, increment.key.clone(), |txn, slot| apply(txn, slot, increment));
    Ok(done.await?.0)
}

/// The rule. An absent key counts from 0.
fn apply(txn: &mut Txn<'_>, slot: &mut Slot, increment: Increment) -> Result<Incremented> {
    let (current, deadline) = match slot.live_row(txn) {
        None => (Some(0), Deadline::Never),
        Some(row) if row.body_len() > LONGEST => (None, Deadline::Never),
        Some(row) => (number::integer(&row.body()?), slot.deadline()),
    };
    let Some(current) = current else { return Ok(Incremented::NotAnInteger) };
    let Some(sum) = current.checked_add(increment.by) else { return Ok(Incremented::Overflow) };
    txn.replace();
    slot.expire_if_due(txn);
    let value = Value { encoding: Encoding::Json, bytes: number::of_integer(sum) };
    slot.set(txn, How::Increment, value, deadline, increment.actor);
    Ok(Incremented::To(sum))
}
