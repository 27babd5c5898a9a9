//! A site that the tests play: each request is written down and answered as the test says, over as many connections as
//! come. What it says and when is up to the test; how HTTP is spoken is here.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use flate2::{Compression, write::GzEncoder};

use crate::harness::eventually;

/// A request that came.
#[derive(Debug, Clone)]
pub struct Received {
    /// When its head was complete.
    pub at: Instant,
    pub method: String,
    /// Path and query, as sent.
    pub target: String,
    /// Names in lower case, in the order they came.
    pub headers: Vec<(String, String)>,
}

impl Received {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The path, as sent.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

/// What goes back.
#[derive(Debug, Clone)]
pub struct Answer {
    wait: Duration,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    Page { status: u16, headers: Vec<(String, String)>, body: Vec<u8> },
    Raw(Vec<u8>),
    Silence,
    Reset,
}

impl Answer {
    /// A 200 with HTML.
    pub fn html(body: impl Into<Vec<u8>>) -> Answer {
        Answer::status(200, body).header("Content-Type", "text/html; charset=utf-8")
    }

    /// This status, with a body of no said type.
    pub fn status(status: u16, body: impl Into<Vec<u8>>) -> Answer {
        Answer::of(What::Page { status, headers: Vec::new(), body: body.into() })
    }

    /// A redirect.
    pub fn redirect(status: u16, location: &str) -> Answer {
        Answer::status(status, "").header("Location", location)
    }

    /// These bytes, then the end of the connection.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Answer {
        Answer::of(What::Raw(bytes.into()))
    }

    /// None at all: the connection stays open until the client leaves.
    pub fn silence() -> Answer {
        Answer::of(What::Silence)
    }

    /// A connection that breaks.
    pub fn reset() -> Answer {
        Answer::of(What::Reset)
    }

    fn of(what: What) -> Answer {
        Answer { wait: Duration::ZERO, what }
    }

    /// Only after a while.
    pub fn after(self, wait: Duration) -> Answer {
        Answer { wait, ..self }
    }

    /// With one more header.
    pub fn header(mut self, name: &str, value: &str) -> Answer {
        if let What::Page { headers, .. } = &mut self.what {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// With its body in this coding: `gzip`, `br` or `zstd`.
    pub fn encoded(mut self, coding: &str) -> Answer {
        if let What::Page { body, .. } = &mut self.what {
            *body = encode(coding, body);
        }
        self.header("Content-Encoding", coding)
    }
}

/// The site. It listens until the test's process ends.
pub struct Origin {
    address: SocketAddr,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    received: Mutex<Vec<Received>>,
    connections: AtomicUsize,
    running: AtomicUsize,
    most_at_once: AtomicUsize,
}

impl Origin {
    /// Starts one that answers with what `answer` makes of a request.
    pub fn start(answer: impl Fn(&Received) -> Answer + Send + Sync + 'static) -> Origin {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let origin = Origin { address: listener.local_addr().expect("an address"), seen: Arc::default() };
        let (seen, answer) = (origin.seen.clone(), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (seen, answer) = (seen.clone(), answer.clone());
                seen.connections.fetch_add(1, Ordering::SeqCst);
                thread::spawn(move || serve(stream.expect("a connection"), &seen, &*answer));
            }
        });
        origin
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of a page, whose host is `127.0.0.1`.
    pub fn url(&self, target: &str) -> String {
        self.url_at("127.0.0.1", target)
    }

    /// The address of a page under another name of this machine.
    pub fn url_at(&self, name: &str, target: &str) -> String {
        format!("http://{name}:{}{target}", self.address.port())
    }

    /// All requests that came, in their order.
    pub fn received(&self) -> Vec<Received> {
        self.seen.received.lock().expect("no panic").clone()
    }

    /// The requests for one path and query.
    pub fn received_for(&self, target: &str) -> Vec<Received> {
        self.received().into_iter().filter(|request| request.target == target).collect()
    }

    /// How many requests came.
    pub fn count(&self) -> usize {
        self.seen.received.lock().expect("no panic").len()
    }

    /// How many requests for one path and query came.
    pub fn count_of(&self, target: &str) -> usize {
        self.seen.received.lock().expect("no panic").iter().filter(|request| request.target == target).count()
    }

    /// Waits until so many requests for one path and query came.
    #[track_caller]
    pub fn wait_for(&self, target: &str, count: usize, within: Duration) {
        eventually(target, within, || (self.count_of(target) >= count).then_some(()));
    }

    /// How many connections were opened.
    pub fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// How many requests wait for their answers now.
    pub fn running(&self) -> usize {
        self.seen.running.load(Ordering::SeqCst)
    }

    /// The most requests that waited for their answers at one time.
    pub fn most_at_once(&self) -> usize {
        self.seen.most_at_once.load(Ordering::SeqCst)
    }
}

fn serve(mut stream: TcpStream, seen: &Seen, answer: &(dyn Fn(&Received) -> Answer + Send + Sync)) {
    stream.set_nodelay(true).expect("a socket option");
    let mut unread = Vec::new();
    while let Some(request) = read(&mut stream, &mut unread) {
        let running = seen.running.fetch_add(1, Ordering::SeqCst) + 1;
        seen.most_at_once.fetch_max(running, Ordering::SeqCst);
        seen.received.lock().expect("no panic").push(request.clone());
        let answer = answer(&request);
        thread::sleep(answer.wait);
        // No longer running when the client sees the answer: it may send the next one at once.
        seen.running.fetch_sub(1, Ordering::SeqCst);
        if !give(&mut stream, answer.what) {
            return;
        }
    }
}

/// Whether the connection can take another request.
fn give(stream: &mut TcpStream, what: What) -> bool {
    match what {
        What::Page { status, headers, body } => {
            let mut bytes = format!("HTTP/1.1 {status} Said\r\nContent-Length: {}\r\n", body.len());
            for (name, value) in headers {
                bytes.push_str(&format!("{name}: {value}\r\n"));
            }
            bytes.push_str("\r\n");
            let mut bytes = bytes.into_bytes();
            bytes.extend_from_slice(&body);
            stream.write_all(&bytes).is_ok()
        }
        What::Raw(bytes) => {
            // A client that has heard enough may be gone.
            stream.write_all(&bytes).ok();
            false
        }
        What::Silence => {
            while matches!(stream.read(&mut [0; 1024]), Ok(1..)) {}
            false
        }
        What::Reset => {
            socket2::SockRef::from(&*stream).set_linger(Some(Duration::ZERO)).expect("a socket option");
            false
        }
    }
}

fn read(stream: &mut TcpStream, unread: &mut Vec<u8>) -> Option<Received> {
    let end = loop {
        if let Some(end) = unread.windows(4).position(|end| end == b"\r\n\r\n") {
            break end;
        }
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return None,
            Ok(read) => unread.extend_from_slice(&chunk[..read]),
        }
    };
    let head = String::from_utf8_lossy(&unread.drain(..end + 4).collect::<Vec<u8>>()).into_owned();
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers = lines
        .filter_map(|line| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned())))
        .collect();
    Some(Received { at: Instant::now(), method, target, headers })
}

/// Bytes in a coding of HTTP.
pub fn encode(coding: &str, plain: &[u8]) -> Vec<u8> {
    match coding {
        "gzip" => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(plain).expect("writing to memory cannot fail");
            encoder.finish().expect("writing to memory cannot fail")
        }
        "br" => brotli(plain),
        "zstd" => ruzstd::encoding::compress_to_vec(plain, ruzstd::encoding::CompressionLevel::Fastest),
        other => panic!("the origin does not know {other}"),
    }
}

/// A Brotli stream that stores without compressing (RFC 7932, section 9.2).
fn brotli(plain: &[u8]) -> Vec<u8> {
    let mut stream = Vec::new();
    // The window's bit stands before the first block.
    let mut before = 1;
    for block in plain.chunks(1 << 16) {
        let length = u32::try_from(block.len() - 1).expect("at most 16 bits");
        // Not the last one, four nibbles of length, stored.
        let head = length << (3 + before) | 1 << (19 + before);
        stream.extend_from_slice(&head.to_le_bytes()[..3]);
        stream.extend_from_slice(block);
        before = 0;
    }
    stream.push(if before == 1 { 0b110 } else { 0b11 });
    stream
}
