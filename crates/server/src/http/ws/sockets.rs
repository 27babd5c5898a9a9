//! The open sockets, so that a stopping server can wait for their goodbyes. A listener does not see them: they left HTTP
//! behind.

use tokio::sync::watch;

#[cfg(test)]
mod tests;

/// How many are open.
#[derive(Debug, Default)]
pub struct Sockets(watch::Sender<usize>);

/// One of them; counted until it is dropped.
#[derive(Debug)]
pub struct Open(watch::Sender<usize>);

impl Sockets {
    /// Counts one more.
    pub fn open(&self) -> Open {
        self.0.send_modify(|open| *open += 1);
        Open(self.0.clone())
    }

    /// How many are open now.
    pub fn count(&self) -> usize {
        *self.0.borrow()
    }

    /// Completes when none is open.
    pub async fn closed(&self) {
        // The sender lives in `self`, so the wait cannot end for lack of one.
        self.0.subscribe().wait_for(|open| *open == 0).await.ok();
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.send_modify(|open| *open -= 1);
    }
}
