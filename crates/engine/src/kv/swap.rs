//! Writing one key and telling what it held before.

use manifold_store::Row;

use crate::{
    Error, Kind, Namespace, Result,
    kv::{Put, Swapped, Value, When, change::change, delete, put, row::Head, slot::Slot},
    live::Live,
    txn::Txn,
};

/// Writes a value unless its condition fails; either way tells what was there.
pub(crate) async fn swap(live: &Live, namespace: &Namespace, put: Put) -> Result<Swapped> {
    put::check_size(live, &put.value)?;
    let when = put.when;
    let done = change(live, namespace, put.key.clone(), |txn, slot| {
        let previous = slot.live_row(txn).cloned();
        Ok((apply(live, txn, slot, put)?, previous))
    });
    let ((draft, previous), committed) = match done.await {
        Err(error) if when == When::Absent && is_wrong_type(&error) => return Ok(Swapped::default()),
        done => done?,
    };
    let written = draft.map(|draft| delete::changed(&committed, draft));
    Ok(Swapped { previous: previous.map(|row| read(&row)).transpose()?.flatten(), written })
}

/// A key that holds a collection is not absent either: the condition fails, and there is no value to tell of.
fn is_wrong_type(error: &Error) -> bool {
    matches!(error.kind(), Kind::WrongType { .. })
}

/// The rule: that of a put, but a condition that fails is an answer and no error.
fn apply(live: &Live, txn: &mut Txn<'_>, slot: &mut Slot, put: Put) -> Result<Option<usize>> {
    match slot.check(txn, put.when) {
        Ok(()) => put::apply(txn, slot, put).map(Some),
        Err(refused) if matches!(refused.kind(), Kind::Conflict { .. }) => {
            live.counters.refused(&refused);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The content of a long value is read only here, when no lock is held any more.
fn read(row: &Row) -> Result<Option<Value>> {
    Head::read(row)?.map(|head| head.value(row)).transpose()
}
