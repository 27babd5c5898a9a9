//! The load generator: keep-alive connections that send finished bytes, one request at a time each or a few at once, and
//! look at an answer for its status and its length; what a script reads from it is little. One thread serves all of them
//! and costs less than the servers do.

use std::{
    cell::RefCell,
    net::SocketAddr,
    ops::Range,
    rc::Rc,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use memchr::memmem;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::LocalSet,
};

use super::{
    resp,
    script::{Script, Scripts},
};
use crate::{Result, measure::now};

/// Room for an answer at first, and at most.
const ANSWER: usize = 8 << 10;
const ANSWER_MAX: usize = 4 << 20;

/// How a server is talked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1.
    Http,
    /// That of Redis.
    Resp,
}

/// One connection.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    protocol: Protocol,
    answer: Vec<u8>,
    /// Where the body of the last answer lies.
    body: Range<usize>,
}

impl Connection {
    /// Opens a connection.
    pub async fn open(address: SocketAddr, protocol: Protocol) -> Result<Connection> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream, protocol, answer: vec![0; ANSWER], body: 0..0 })
    }

    /// Sends one request and reads its answer; the bytes of its body.
    pub async fn exchange(&mut self, request: &[u8]) -> Result<&[u8]> {
        self.stream.write_all(request).await?;
        let mut filled = 0;
        loop {
            filled += self.receive(filled).await?;
            if let Some((body_at, end)) = self.extent(filled)? {
                self.body = body_at..end;
                return Ok(&self.answer[body_at..end]);
            }
        }
    }

    /// Sends many requests at once and reads all of their answers. The server's answers have to fit the sockets' buffers
    /// until the last request is written.
    pub async fn pipeline(&mut self, requests: &[u8], count: usize) -> Result<()> {
        self.pipeline_with(requests, count, |_| ()).await
    }

    /// The same; `look` sees the body of each answer.
    pub async fn pipeline_with(&mut self, requests: &[u8], count: usize, mut look: impl FnMut(&[u8])) -> Result<()> {
        self.stream.write_all(requests).await?;
        let mut filled = 0;
        for _ in 0..count {
            let end = loop {
                if let Some((body_at, end)) = self.extent(filled)? {
                    look(&self.answer[body_at..end]);
                    break end;
                }
                filled += self.receive(filled).await?;
            };
            self.answer.copy_within(end..filled, 0);
            filled -= end;
        }
        Ok(())
    }

    /// Where the body of the answer at the start of what is there begins and ends, once all of it is.
    fn extent(&self, filled: usize) -> Result<Option<(usize, usize)>> {
        let answer = &self.answer[..filled];
        let extent = match self.protocol {
            Protocol::Http => extent(answer)?,
            Protocol::Resp => resp::extent(answer)?.map(|end| (0, end)),
        };
        Ok(extent.filter(|(_, end)| *end <= filled))
    }

    /// Reads on behind what is there; how much came.
    async fn receive(&mut self, filled: usize) -> Result<usize> {
        if filled == self.answer.len() && filled < ANSWER_MAX {
            self.answer.resize(filled * 2, 0);
        }
        match self.stream.read(&mut self.answer[filled..]).await? {
            0 => Err("the server closed the connection, or its answer is too long".into()),
            read => Ok(read),
        }
    }
}

/// A connection and what it sends.
pub struct Client {
    connection: Connection,
    script: Box<dyn Script>,
    /// Requests that go out together.
    at_once: usize,
}

impl Client {
    /// Opens connections; `scripts` knows each by its number. What a script gives are `at_once` requests.
    pub async fn open(
        address: SocketAddr,
        protocol: Protocol,
        count: usize,
        scripts: &Scripts,
        at_once: usize,
    ) -> Result<Vec<Client>> {
        let mut open = Vec::with_capacity(count);
        for n in 0..count {
            let connection = Connection::open(address, protocol).await?;
            open.push(Client { connection, script: scripts(n), at_once });
        }
        Ok(open)
    }

    async fn run(mut self, until: Instant, tally: Rc<RefCell<Tally>>) -> Result<Client> {
        let mut start = now();
        while start < until {
            let Connection { body, answer, .. } = &self.connection;
            let request = self.script.next(&answer[body.clone()])?;
            match self.at_once {
                1 => _ = self.connection.exchange(request).await?,
                at_once => self.connection.pipeline(request, at_once).await?,
            }
            let end = now();
            tally.borrow_mut().add(self.at_once, end - start);
            start = end;
        }
        Ok(self)
    }
}

/// Where the body of an answer begins and ends, once its head is there.
fn extent(answer: &[u8]) -> Result<Option<(usize, usize)>> {
    let Some(head) = memmem::find(answer, b"\r\n\r\n") else { return Ok(None) };
    let shown = || String::from_utf8_lossy(answer).into_owned();
    if !answer.starts_with(b"HTTP/1.1 2") {
        return Err(format!("the server refused: {}", shown()).into());
    }
    // Without the first letter, which servers write either way.
    const LENGTH: &[u8] = b"ontent-";
    const REST: usize = b"length: ".len();
    let at = memmem::find_iter(&answer[..head], LENGTH).map(|at| at + LENGTH.len());
    let mut at = at.filter(|at| answer[*at..].get(..REST).is_some_and(|rest| rest.eq_ignore_ascii_case(b"length: ")));
    let at = at.next().ok_or_else(|| format!("no length: {}", shown()))? + REST;
    let digits = answer[at..].iter().take_while(|byte| byte.is_ascii_digit());
    let length =
        digits.fold(0usize, |length, digit| length.saturating_mul(10).saturating_add(usize::from(digit - b'0')));
    Ok(Some((head + 4, head.saturating_add(4).saturating_add(length))))
}

/// What was counted.
#[derive(Debug)]
pub struct Tally {
    /// Requests answered.
    pub requests: u64,
    /// From the first request to the last answer.
    pub elapsed: Duration,
    /// Nanoseconds of each exchange, be it one request or a few at once.
    pub latency: Histogram<u64>,
}

impl Tally {
    /// Nothing yet.
    pub fn new() -> Self {
        let latency = Histogram::new_with_bounds(1_000, 60_000_000_000, 3).expect("the bounds are in order");
        Tally { requests: 0, elapsed: Duration::ZERO, latency }
    }

    fn add(&mut self, requests: usize, took: Duration) {
        self.requests += requests as u64;
        self.latency.saturating_record(took.as_nanos() as u64);
    }
}

/// Keeps all connections busy for `duration`; gives them back for the next turn.
pub async fn load(clients: Vec<Client>, duration: Duration) -> Result<(Vec<Client>, Tally)> {
    let tally = Rc::new(RefCell::new(Tally::new()));
    let tasks = LocalSet::new();
    let start = now();
    let running: Vec<_> =
        clients.into_iter().map(|client| tasks.spawn_local(client.run(start + duration, tally.clone()))).collect();
    let mut rested = Vec::with_capacity(running.len());
    tasks
        .run_until(async {
            for task in running {
                rested.push(task.await??);
            }
            Result::Ok(())
        })
        .await?;
    let mut tally = tally.replace(Tally::new());
    tally.elapsed = start.elapsed();
    Ok((rested, tally))
}
