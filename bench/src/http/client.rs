//! The load generator: keep-alive connections that send finished bytes, one request at a time each, and look at an
//! answer for its status and its length; what a script reads from it is little. One thread serves all of them and costs
//! less than either server.

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

use crate::{Result, measure::now};

/// Room for an answer at first, and at most.
const ANSWER: usize = 8 << 10;
const ANSWER_MAX: usize = 4 << 20;

/// One connection.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
    /// Where the body of the last answer lies.
    body: Range<usize>,
}

impl Connection {
    /// Opens a connection.
    pub async fn open(address: SocketAddr) -> Result<Connection> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream, answer: vec![0; ANSWER], body: 0..0 })
    }

    /// Sends one request and reads its answer; the bytes of its body.
    pub async fn exchange(&mut self, request: &[u8]) -> Result<&[u8]> {
        self.stream.write_all(request).await?;
        let mut filled = 0;
        loop {
            filled += self.receive(filled).await?;
            if let Some((body_at, end)) = extent(&self.answer[..filled])?
                && filled >= end
            {
                self.body = body_at..end;
                return Ok(&self.answer[body_at..end]);
            }
        }
    }

    /// Sends many requests at once and reads all of their answers. The server's answers have to fit the sockets' buffers
    /// until the last request is written.
    pub async fn pipeline(&mut self, requests: &[u8], count: usize) -> Result<()> {
        self.stream.write_all(requests).await?;
        let mut filled = 0;
        for _ in 0..count {
            let end = loop {
                if let Some((_, end)) = extent(&self.answer[..filled])?
                    && filled >= end
                {
                    break end;
                }
                filled += self.receive(filled).await?;
            };
            self.answer.copy_within(end..filled, 0);
            filled -= end;
        }
        Ok(())
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

/// What a connection sends, one request after the other.
pub trait Script {
    /// The next request; `answer` is the body of the answer to the one before, empty at first.
    fn next(&mut self, answer: &[u8]) -> Result<&[u8]>;
}

/// The same requests, round and round.
pub struct Round {
    requests: Rc<[Vec<u8>]>,
    next: usize,
}

impl Round {
    /// For the connection with this number: each begins at another request.
    pub fn script(requests: &Rc<[Vec<u8>]>, connection: usize) -> Box<dyn Script> {
        Box::new(Round { requests: requests.clone(), next: connection * 17 })
    }
}

impl Script for Round {
    fn next(&mut self, _: &[u8]) -> Result<&[u8]> {
        let request = &self.requests[self.next % self.requests.len()];
        self.next += 1;
        Ok(request)
    }
}

/// A connection and what it sends.
pub struct Client {
    connection: Connection,
    script: Box<dyn Script>,
}

impl Client {
    /// Opens connections; `script` knows each by its number.
    pub async fn open(
        address: SocketAddr,
        count: usize,
        script: impl Fn(usize) -> Box<dyn Script>,
    ) -> Result<Vec<Client>> {
        let mut open = Vec::with_capacity(count);
        for n in 0..count {
            open.push(Client { connection: Connection::open(address).await?, script: script(n) });
        }
        Ok(open)
    }

    async fn run(mut self, until: Instant, tally: Rc<RefCell<Tally>>) -> Result<Client> {
        let mut start = now();
        while start < until {
            let body = self.connection.body.clone();
            let request = self.script.next(&self.connection.answer[body])?;
            self.connection.exchange(request).await?;
            let end = now();
            tally.borrow_mut().add(end - start);
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
    const LENGTH: &[u8] = b"\r\ncontent-length: ";
    let at = memmem::find(&answer[..head], LENGTH).ok_or_else(|| format!("no length: {}", shown()))? + LENGTH.len();
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
    /// Nanoseconds of each exchange.
    pub latency: Histogram<u64>,
}

impl Tally {
    /// Nothing yet.
    pub fn new() -> Self {
        let latency = Histogram::new_with_bounds(1_000, 60_000_000_000, 3).expect("the bounds are in order");
        Tally { requests: 0, elapsed: Duration::ZERO, latency }
    }

    fn add(&mut self, took: Duration) {
        self.requests += 1;
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
