//! What the answers that last have in common.

use std::time::Duration;

use tokio::sync::watch;

/// Silence after which a client is told how far the feed is.
pub(super) const PROGRESS_AFTER: Duration = Duration::from_secs(15);

/// Completes when the server stops.
pub(super) async fn stopping(shutdown: &mut watch::Receiver<bool>) {
    // A sender that is gone stops nobody any more, and means the same.
    shutdown.wait_for(|stopping| *stopping).await.ok();
}
