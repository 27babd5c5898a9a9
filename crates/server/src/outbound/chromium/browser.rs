//! One process of the browser, and the connection to it.

use std::{path::Path, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::{runtime::Handle, task::spawn_blocking, time::timeout};

use super::{
    Bounds,
    connection::Connection,
    process::Process,
    protocol::{GetVersion, Version},
};

/// Longest time for a browser to come up, on a machine that is busy with other things.
const START: Duration = Duration::from_secs(30);
/// Bytes that a unit of a document's text may take in a message.
const ESCAPED: usize = 6;
/// Longest message besides documents. A page that makes the browser say more ends it.
const LONGEST_EVENT: usize = 32 << 20;

/// A running browser. Ends with the value.
#[derive(Debug)]
pub(super) struct Browser {
    connection: Connection,
    process: Arc<Mutex<Option<Process>>>,
}

impl Browser {
    /// Starts a browser and waits until it answers.
    pub(super) async fn start(program: &Path, bounds: &Bounds) -> Result<Browser, String> {
        let path = program.to_owned();
        let started = spawn_blocking(move || Process::start(&path)).await.map_err(|error| error.to_string())?;
        let (process, commands, answers) = started.map_err(|error| error.to_string())?;
        let longest = bounds.document_bytes.saturating_mul(ESCAPED).saturating_add(LONGEST_EVENT);
        let connection = Connection::open(commands, answers, longest).map_err(|error| error.to_string())?;
        match timeout(START, connection.call(None, &GetVersion {})).await {
            Ok(Ok(Version { product })) => tracing::info!(product, "the browser runs"),
            Ok(Err(_ended)) => return Err(process.last_words()),
            Err(_) => return Err(format!("no answer in {} s: {}", START.as_secs(), process.last_words())),
        }
        let browser = Browser { connection, process: Arc::new(Mutex::new(Some(process))) };
        browser.bury_when_ended();
        Ok(browser)
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(super) fn is_running(&self) -> bool {
        !self.connection.has_ended()
    }

    #[cfg(test)]
    pub(super) fn supervisor(&self) -> Option<i32> {
        self.process.lock().as_ref().map(Process::supervisor)
    }

    /// Ends it, whatever it does.
    pub(super) async fn end(&self) {
        let process = self.process.lock().take();
        // Removing a profile takes a while.
        if spawn_blocking(move || drop(process)).await.is_err() {
            tracing::error!("ending the browser panicked");
        }
    }

    /// A browser that ends by itself leaves a profile, and what supervises it.
    fn bury_when_ended(&self) {
        let (ended, process) = (self.connection.ended(), Arc::downgrade(&self.process));
        tokio::spawn(async move {
            ended.await;
            let Some(process) = process.upgrade().and_then(|process| process.lock().take()) else { return };
            tracing::warn!(last_words = process.last_words(), "the browser ended; the next page starts another");
            spawn_blocking(move || drop(process));
        });
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Beside whoever drops it, where there is such a place: removing a profile takes a while.
        if let (Some(process), Ok(runtime)) = (self.process.lock().take(), Handle::try_current()) {
            runtime.spawn_blocking(move || drop(process));
        }
    }
}
