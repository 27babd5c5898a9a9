//! Counting: a key whose value is an integer takes another one. The key keeps its deadline.

use crate::{
    Error, Namespace, Result,
    feed::How,
    kv::{Encoding, Increment, Incremented, Value, change::change, row::Head, slot::Slot},
    live::Live,
    number,
    txn::{Deadline, Txn},
};

/// Adds to the integer of a key.
pub(crate) async fn increment(live: &Live, namespace: &Namespace, increment: Increment) -> Result<Incremented> {
    let done = change(live, namespace, increment.key.clone(), |txn, slot| apply(txn, slot, increment));
    Ok(done.await?.0)
}

/// The rule. An absent key counts from 0.
fn apply(txn: &mut Txn<'_>, slot: &mut Slot, increment: Increment) -> Result<Incremented> {
    let (current, deadline) = match slot.live_row(txn) {
        None => (Some(0), Deadline::Never),
        Some(row) if row.body_len() > number::LONGEST_INTEGER => (None, Deadline::Never),
        Some(row) => {
            let head = Head::read(row)?.ok_or_else(|| Error::unreadable("an entry"))?;
            let value = head.value(row)?;
            let integer = match value.encoding {
                Encoding::Json => number::integer(&value.bytes),
                // Bytes are their own text: quotation marks are a part of it.
                Encoding::Binary => std::str::from_utf8(&value.bytes).ok().and_then(number::of_text),
            };
            (integer, slot.deadline())
        }
    };
    let Some(current) = current else { return Ok(Incremented::NotAnInteger) };
    let Some(sum) = current.checked_add(increment.by) else { return Ok(Incremented::Overflow) };
    txn.replace();
    slot.expire_if_due(txn);
    let value = Value { encoding: Encoding::Json, bytes: number::of_integer(sum) };
    slot.set(txn, How::Increment, value, deadline, increment.actor);
    Ok(Incremented::To(sum))
}
