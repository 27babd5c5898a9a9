//! How messages lie on the debugging pipe: JSON in UTF-8, each with a zero byte behind it.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Behind every message.
const END: u8 = 0;

/// The next message; none when the other side is gone. One that is longer than allowed, or cut off, is an error: what
/// follows could not be told apart from it.
pub(super) async fn read(from: &mut (impl AsyncBufRead + Unpin), most: usize) -> io::Result<Option<Vec<u8>>> {
    let mut message = Vec::new();
    let bounded = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    from.take(bounded).read_until(END, &mut message).await?;
    match message.pop() {
        None => Ok(None),
        Some(END) => Ok(Some(message)),
        Some(_) if message.len() >= most => Err(io::Error::new(io::ErrorKind::InvalidData, "a message is too long")),
        Some(_) => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// Sends a message. JSON has no zero byte.
pub(super) async fn write(to: &mut (impl AsyncWrite + Unpin), mut message: Vec<u8>) -> io::Result<()> {
    message.push(END);
    to.write_all(&message).await?;
    to.flush().await
}

#[cfg(test)]
mod tests;
