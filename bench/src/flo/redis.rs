//! What people build on Redis instead, over one connection: a list for a queue (LPUSH, RPOPLPUSH to a list of what is
//! being worked on, LREM from it) and a stream (XADD, XRANGE). A batch is pipelined.

use std::{path::Path, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{PAYLOAD, Step};
use crate::{Result, http::server::Server};

/// A server and the connection to it.
pub struct Redis {
    stream: TcpStream,
    answer: Vec<u8>,
    /// Behind which record the next read begins.
    after: String,
    _server: Server,
}

impl Redis {
    /// None where Redis is not installed.
    pub async fn open(level: &str, scratch: &Path) -> Result<Option<Redis>> {
        const PATIENCE: u32 = 100;
        const PAUSE: Duration = Duration::from_millis(100);
        let Some(server) = Server::redis(level, scratch)? else { return Ok(None) };
        for _ in 0..PATIENCE {
            if let Ok(stream) = TcpStream::connect(server.address).await {
                stream.set_nodelay(true)?;
                return Ok(Some(Redis { stream, answer: Vec::new(), after: "-".to_owned(), _server: server }));
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err("redis-server does not become ready".into())
    }

    pub async fn step(&mut self, step: Step, batch: usize) -> Result<usize> {
        let payload = "x".repeat(PAYLOAD);
        match step {
            Step::Cycle => {
                let steps: [&[&str]; 3] =
                    [&["LPUSH", "q", &payload], &["RPOPLPUSH", "q", "work"], &["LREM", "work", "-1", &payload]];
                for step in steps {
                    self.pipeline(step, batch, |_| ()).await?;
                }
                Ok(batch)
            }
            Step::Append => {
                self.pipeline(&["XADD", "s", "*", "p", &payload], batch, |_| ()).await?;
                Ok(batch)
            }
            Step::Read => self.read(batch).await,
        }
    }

    async fn read(&mut self, batch: usize) -> Result<usize> {
        let (after, count) = (std::mem::take(&mut self.after), batch.to_string());
        // A record is its id, the name of its one field, and the field's value.
        let (mut leaves, mut id) = (0, Vec::new());
        let command = ["XRANGE", "s", &after, "+", "COUNT", &count];
        self.pipeline(&command, 1, |leaf| {
            if leaves % 3 == 0 {
                leaf.clone_into(&mut id);
            }
            leaves += 1;
        })
        .await?;
        self.after = if leaves == 0 { "-".to_owned() } else { format!("({}", String::from_utf8(id)?) };
        Ok(leaves / 3)
    }

    /// Sends a command `count` times at once and reads all replies; `leaf` sees every string and number in them.
    async fn pipeline(&mut self, command: &[&str], count: usize, mut leaf: impl FnMut(&[u8])) -> Result<()> {
        let mut request = format!("*{}\r\n", command.len());
        for word in command {
            request.push_str(&format!("${}\r\n{word}\r\n", word.len()));
        }
        self.stream.write_all(request.repeat(count).as_bytes()).await?;
        self.answer.clear();
        let mut at = 0;
        for _ in 0..count {
            let end = loop {
                match extent(&self.answer, at)? {
                    Some(end) => break end,
                    None if self.stream.read_buf(&mut self.answer).await? == 0 => {
                        return Err("redis-server closed the connection".into());
                    }
                    None => {}
                }
            };
            leaves(&self.answer[at..end], &mut leaf);
            at = end;
        }
        Ok(())
    }
}

/// Where the reply that begins at `at` ends, once all of it is there.
fn extent(answer: &[u8], mut at: usize) -> Result<Option<usize>> {
    let mut pending = 1u64;
    while pending > 0 {
        let Some(line) = line(&answer[at..]) else { return Ok(None) };
        at += line.len() + 2;
        pending -= 1;
        match line.first() {
            Some(b'-') => return Err(format!("redis: {}", String::from_utf8_lossy(line)).into()),
            Some(b'*') => pending += size(line).unwrap_or_default(),
            Some(b'$') => at += size(line).map_or(0, |bytes| bytes as usize + 2),
            _ => {}
        }
        if at > answer.len() {
            return Ok(None);
        }
    }
    Ok(Some(at))
}

/// Visits the strings and numbers of whole replies.
fn leaves(mut replies: &[u8], leaf: &mut impl FnMut(&[u8])) {
    while let Some(line) = line(replies) {
        replies = &replies[line.len() + 2..];
        match (line.first(), size(line)) {
            (Some(b'*'), _) => {}
            (Some(b'$'), Some(bytes)) => {
                leaf(&replies[..bytes as usize]);
                replies = &replies[bytes as usize + 2..];
            }
            _ => leaf(&line[1..]),
        }
    }
}

fn line(bytes: &[u8]) -> Option<&[u8]> {
    memchr::memmem::find(bytes, b"\r\n").map(|end| &bytes[..end])
}

/// The length in a line of a string or an array; none for what is null.
fn size(line: &[u8]) -> Option<u64> {
    std::str::from_utf8(line.get(1..)?).ok()?.parse().ok()
}
