//! Stopping a statement from outside its thread.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use parking_lot::Mutex;
use rusqlite::{Connection, InterruptHandle};

/// SQLite asks after so many instructions whether it is to go on: some microseconds.
const INSTRUCTIONS: i32 = 1_000;

/// Whether a statement is to stop. Clones are about the same statement.
#[derive(Clone, Default)]
pub(super) struct Cancel {
    wanted: Arc<AtomicBool>,
    handle: Arc<Mutex<Option<InterruptHandle>>>,
}

impl Cancel {
    /// Makes all statements of the connection stop when it is wanted. An interrupt alone would miss a statement that begins
    /// after it, and one that waited for a lock could still commit: nobody would know.
    pub(super) fn watch(&self, connection: &mut Connection) -> rusqlite::Result<()> {
        *self.handle.lock() = Some(connection.get_interrupt_handle());
        let wanted = Arc::clone(&self.wanted);
        connection.progress_handler(INSTRUCTIONS, Some(move || wanted.load(Ordering::Relaxed)))?;
        let wanted = Arc::clone(&self.wanted);
        connection.commit_hook(Some(move || wanted.load(Ordering::Relaxed)))
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Relaxed)
    }

    pub(super) fn on_drop(&self) -> CancelOnDrop {
        CancelOnDrop(self.clone())
    }
}

/// Stops the statement when it goes; does nothing to one that has ended.
pub(super) struct CancelOnDrop(Cancel);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.wanted.store(true, Ordering::Relaxed);
        if let Some(handle) = self.0.handle.lock().as_ref() {
            handle.interrupt();
        }
    }
}
