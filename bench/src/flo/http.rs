//! The Flo dialect over one keep-alive connection. Flo enqueues one message a request: a batch of them is pipelined.
//! Dequeue, ack, append and read carry a batch in one request.

use std::path::Path;

use memchr::memmem;

use super::{PAYLOAD, Step};
use crate::{
    Result,
    load::{
        client::Connection,
        ready,
        server::{Dialect, Server},
    },
};

/// A server and the connection to it.
pub struct Http {
    connection: Connection,
    offset: u64,
    _server: Server,
}

impl Http {
    pub async fn open(binary: &Path, level: &str, scratch: &Path) -> Result<Http> {
        let server = Server::manifold(binary, Dialect::Flo, level, scratch)?;
        let connection = ready(&server, "/api/v1/status").await?;
        Ok(Http { connection, offset: 0, _server: server })
    }

    pub async fn step(&mut self, step: Step, batch: usize) -> Result<usize> {
        match step {
            Step::Cycle => self.cycle(batch).await,
            Step::Append => {
                let record = format!("{{\"payload\":\"{}\"}}", payload());
                let body =
                    if batch == 1 { record } else { format!("{{\"records\":[{}]}}", vec![record; batch].join(",")) };
                self.connection.exchange(&post("stream/bench/s/append", &body)).await?;
                Ok(batch)
            }
            Step::Read => self.read(batch).await,
        }
    }

    async fn cycle(&mut self, batch: usize) -> Result<usize> {
        let enqueue = post("queue/bench/q/enqueue", &format!("{{\"payload\":\"{}\"}}", payload()));
        self.connection.pipeline(&enqueue.repeat(batch), batch).await?;
        let dequeue = post("queue/bench/q/dequeue", &format!("{{\"count\":{batch}}}"));
        let taken = self.connection.exchange(&dequeue).await?;
        let sequences: Vec<String> = numbers(taken, "\"sequence\":").map(|sequence| sequence.to_string()).collect();
        let ack = post("queue/bench/q/ack", &format!("{{\"sequences\":[{}]}}", sequences.join(",")));
        let acked = self.connection.exchange(&ack).await?;
        match numbers(acked, "\"acked\":").next() {
            Some(acked) if acked == batch as u64 => Ok(batch),
            acked => Err(format!("{batch} messages were enqueued, {acked:?} acknowledged").into()),
        }
    }

    async fn read(&mut self, batch: usize) -> Result<usize> {
        let offset = self.offset;
        let request =
            format!("GET /api/v1/stream/bench/s?offset={offset}&count={batch} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
        let page = self.connection.exchange(request.as_bytes()).await?;
        let next = numbers(page, "\"next_offset\":").next().ok_or("a page without its next offset")?;
        self.offset = if next == offset { 0 } else { next };
        Ok((next - offset) as usize)
    }
}

/// The payload as base64: `eHh4` is `xxx`.
fn payload() -> String {
    "eHh4".repeat(PAYLOAD / 3)
}

/// A request with a body.
pub fn post(path: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("POST /api/v1/{path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes()
}

/// The numbers that follow a member's name.
pub fn numbers(body: &[u8], name: &'static str) -> impl Iterator<Item = u64> {
    memmem::find_iter(body, name).map(move |at| {
        let digits = body[at + name.len()..].iter().take_while(|byte| byte.is_ascii_digit());
        digits.fold(0u64, |number, digit| number.saturating_mul(10).saturating_add(u64::from(digit - b'0')))
    })
}
