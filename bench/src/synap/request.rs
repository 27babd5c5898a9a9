//! Commands as bytes of HTTP.

use memchr::memmem;

use crate::{Result, load::client::Connection};

/// A command as clients send it.
pub fn command(name: &str, payload: &str) -> Vec<u8> {
    let body = format!("{{\"request_id\":\"bench-0001\",\"command\":\"{name}\",\"payload\":{payload}}}");
    let length = body.len();
    format!(
        "POST /api/v1/command HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// Sends a command whose answer must be a success with `expected` in it.
pub async fn expect(connection: &mut Connection, request: &[u8], expected: &str) -> Result<()> {
    let answer = connection.exchange(request).await?;
    match memmem::find(answer, expected.as_bytes()) {
        Some(_) => Ok(()),
        None => Err(format!("no {expected} in {}", String::from_utf8_lossy(answer)).into()),
    }
}
