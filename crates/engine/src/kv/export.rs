//! What is remembered of removed keys, as lines of an export.

use manifold_store::Range;

use crate::{
    Error, Result,
    export::{
        Cut, Record, Sink,
        record::{FloorLine, TombstoneLine},
        text::Text,
    },
    keys,
    kv::row::{Floor, Tomb},
    namespaces,
};

/// Rows read from the store at once.
const ROWS: usize = 512;

/// Tombstones in the order of the removals, then the floors of namespaces: keys take their own versions before.
pub(crate) fn export(cut: &Cut, sink: &mut Sink) -> Result<()> {
    let mut from = Some(Vec::new());
    while let Some(start) = from {
        let range = Range { from: start, to: None, limit: ROWS, reverse: false };
        let chunk = cut.range(keys::TOMB_ORDER, &range);
        for (_, order) in &chunk.rows {
            tombstone(cut, &order.body()?, sink)?;
        }
        from = chunk.resume;
    }
    namespaces::each_row(cut, keys::NAMESPACE, |namespace, _| {
        if !cut.has(namespace) {
            return Ok(());
        }
        let Some(row) = cut.get(keys::FLOOR, namespace) else { return Ok(()) };
        let Floor(version) = Floor::read(&row)?;
        sink.put(&Record::Floor(FloorLine { namespace: Text(namespace.clone()), version }))
    })
}

fn tombstone(cut: &Cut, row_key: &[u8], sink: &mut Sink) -> Result<()> {
    let (namespace, key) = keys::split_kv(row_key).ok_or_else(|| Error::unreadable("a tombstone"))?;
    if !cut.has(namespace) {
        return Ok(());
    }
    let Some(row) = cut.get(keys::TOMB, row_key) else { return Ok(()) };
    let version = Tomb::read(&row)?.version;
    sink.put(&Record::Tombstone(TombstoneLine { namespace: Text::of(namespace), key: Text::of(key), version }))
}
