//! Sending to a client at its own pace, within bounds.

use std::time::Duration;

use tokio::sync::watch;

use crate::http::ws::{Close, Gone, Socket};

/// What a stopping server allows for the answers that are still under way.
pub(super) const LAST_ANSWERS: Duration = Duration::from_secs(5);

/// How a session ends.
pub(super) enum End {
    Close(Close),
    Gone,
}

impl From<Gone> for End {
    fn from(Gone: Gone) -> Self {
        End::Gone
    }
}

/// Sends texts as the client takes them, until it has fallen behind with what waits for it meanwhile; a stopping server
/// waits a little for it.
pub(super) async fn send(
    socket: &mut Socket,
    texts: impl IntoIterator<Item = Vec<u8>>,
    fell_behind: impl Future<Output = ()>,
    shutdown: &mut watch::Receiver<bool>,
) -> Result<(), End> {
    let send = async {
        for text in texts {
            socket.queue(text).await?;
        }
        socket.flush().await
    };
    let out_of_time = async {
        stopping(shutdown).await;
        tokio::time::sleep(LAST_ANSWERS).await;
    };
    tokio::select! {
        biased;
        sent = send => Ok(sent?),
        () = fell_behind => Err(End::Close(Close::Slow)),
        () = out_of_time => Err(End::Close(Close::GoingAway)),
    }
}

/// Completes when the server begins to stop.
pub(super) async fn stopping(shutdown: &mut watch::Receiver<bool>) {
    // A sender that is gone stops nobody any more, and means the same.
    shutdown.wait_for(|stopping| *stopping).await.ok();
}
