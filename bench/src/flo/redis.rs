//! What people build on Redis instead, over one connection: a list for a queue (LPUSH, RPOPLPUSH to a list of what is
//! being worked on, LREM from it) and a stream (XADD, XRANGE). A batch is pipelined.

use std::path::Path;

use super::{PAYLOAD, Step};
use crate::{
    Result,
    load::{
        answering,
        client::Connection,
        resp::{command, leaves},
        server::Server,
    },
};

/// A server and the connection to it.
pub struct Redis {
    connection: Connection,
    /// Behind which record the next read begins.
    after: String,
    _server: Server,
}

impl Redis {
    /// None where Redis is not installed.
    pub async fn open(level: &str, scratch: &Path) -> Result<Option<Redis>> {
        let Some(server) = Server::redis(level, scratch)? else { return Ok(None) };
        let connection = answering(&server, &command(&["PING"])).await?;
        Ok(Some(Redis { connection, after: "-".to_owned(), _server: server }))
    }

    pub async fn step(&mut self, step: Step, batch: usize) -> Result<usize> {
        let payload = "x".repeat(PAYLOAD);
        match step {
            Step::Cycle => {
                let steps: [&[&str]; 3] =
                    [&["LPUSH", "q", &payload], &["RPOPLPUSH", "q", "work"], &["LREM", "work", "-1", &payload]];
                for step in steps {
                    self.pipeline(step, batch).await?;
                }
                Ok(batch)
            }
            Step::Append => {
                self.pipeline(&["XADD", "s", "*", "p", &payload], batch).await?;
                Ok(batch)
            }
            Step::Read => self.read(batch).await,
        }
    }

    async fn read(&mut self, batch: usize) -> Result<usize> {
        let (after, count) = (std::mem::take(&mut self.after), batch.to_string());
        let page = self.connection.exchange(&command(&["XRANGE", "s", &after, "+", "COUNT", &count])).await?;
        // A record is its id, the name of its one field, and the field's value.
        let (mut seen, mut id) = (0, Vec::new());
        leaves(page, &mut |leaf| {
            if seen % 3 == 0 {
                leaf.clone_into(&mut id);
            }
            seen += 1;
        });
        self.after = if seen == 0 { "-".to_owned() } else { format!("({}", String::from_utf8(id)?) };
        Ok(seen / 3)
    }

    /// Sends a command `count` times at once and reads all replies.
    async fn pipeline(&mut self, words: &[&str], count: usize) -> Result<()> {
        self.connection.pipeline(&command(words).repeat(count), count).await
    }
}
