//! Whether an answer has gone out.

use std::{fmt, sync::Arc};

use parking_lot::Mutex;

#[cfg(test)]
mod tests;

/// Put among the extensions of a response by who must know when its answer is lost: the connection ended before all of
/// it was written. What was written may still be lost on its way.
#[derive(Debug, Clone)]
pub struct Receipt(Arc<Open>);

struct Open {
    lost: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Receipt {
    /// Calls `lost` unless the answer is written.
    pub fn new(lost: impl FnOnce() + Send + 'static) -> Self {
        Receipt(Arc::new(Open { lost: Mutex::new(Some(Box::new(lost))) }))
    }

    /// The answer was written.
    pub fn sign(self) {
        self.0.lost.lock().take();
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(lost) = self.lost.get_mut().take() {
            lost();
        }
    }
}

impl fmt::Debug for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Open").finish_non_exhaustive()
    }
}
