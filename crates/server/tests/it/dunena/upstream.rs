//! A small HTTP server that stands for somebody else's: it writes down what it is asked and answers as it is told.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use serde_json::Value;

/// What came.
#[derive(Debug, Clone)]
pub struct Received {
    pub method: String,
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Received {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.body))
    }
}

/// What goes back, as raw bytes: what stands before a pause, then what comes after it, so often.
#[derive(Debug, Clone)]
pub struct Answer {
    wait: Duration,
    raw: Vec<u8>,
    dripping: Option<(Vec<u8>, Duration)>,
    hangs_up: bool,
}

impl Answer {
    /// A 200 with this body.
    pub fn json(body: impl Into<String>) -> Answer {
        Answer::status("200 OK", &[], body)
    }

    /// Another status, with further headers.
    pub fn status(status: &str, headers: &[&str], body: impl Into<String>) -> Answer {
        let body = body.into();
        let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
        let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
        Answer::raw(format!("{head}{body}"))
    }

    /// These bytes.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Answer {
        Answer { wait: Duration::ZERO, raw: bytes.into(), dripping: None, hangs_up: false }
    }

    /// Only after a while.
    pub fn after(self, wait: Duration) -> Answer {
        Answer { wait, ..self }
    }

    /// And then closes the connection, without having said so.
    pub fn hanging_up(self) -> Answer {
        Answer { hangs_up: true, ..self }
    }

    /// And then this piece again and again.
    pub fn dripping(self, piece: &[u8], pause: Duration) -> Answer {
        Answer { dripping: Some((piece.to_vec(), pause)), ..self }
    }
}

/// The server. It listens until the test's process ends.
pub struct Upstream {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Upstream {
    /// Starts one that answers with what `answer` makes of a request; a closed connection where it makes nothing.
    pub fn start(answer: impl Fn(&Received) -> Option<Answer> + Send + Sync + 'static) -> Upstream {
        Upstream::start_at(([127, 0, 0, 1], 0).into(), answer)
    }

    /// The same where a test wants it to be.
    pub fn start_at(
        address: SocketAddr,
        answer: impl Fn(&Received) -> Option<Answer> + Send + Sync + 'static,
    ) -> Upstream {
        let listener = TcpListener::bind(address).expect("a free port");
        let upstream = Upstream { address: listener.local_addr().expect("an address"), received: Arc::default() };
        let (received, answer) = (upstream.received.clone(), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (received, answer) = (received.clone(), answer.clone());
                thread::spawn(move || serve(stream.expect("a connection"), &received, &*answer));
            }
        });
        upstream
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its address, with user and password or whatever belongs before the host.
    pub fn url_of(&self, credentials: &str, path: &str) -> String {
        format!("http://{credentials}{}{path}", self.address)
    }

    /// Its address.
    pub fn url(&self) -> String {
        self.url_of("", "/query")
    }

    /// How many requests came.
    pub fn count(&self) -> usize {
        self.received.lock().expect("no panic").len()
    }

    /// All requests that came.
    pub fn all(&self) -> Vec<Received> {
        self.received.lock().expect("no panic").clone()
    }

    /// The request that came last.
    #[track_caller]
    pub fn last(&self) -> Received {
        self.received.lock().expect("no panic").last().cloned().expect("a request came")
    }
}

fn serve(
    mut stream: TcpStream,
    received: &Mutex<Vec<Received>>,
    answer: &(dyn Fn(&Received) -> Option<Answer> + Send + Sync),
) {
    let mut unread = Vec::new();
    while let Some(request) = read(&mut stream, &mut unread) {
        received.lock().expect("no panic").push(request.clone());
        let Some(answer) = answer(&request) else { return };
        thread::sleep(answer.wait);
        if stream.write_all(&answer.raw).is_err() {
            return;
        }
        if let Some((piece, pause)) = answer.dripping {
            while stream.write_all(&piece).is_ok() {
                thread::sleep(pause);
            }
            return;
        }
        if answer.hangs_up {
            return;
        }
    }
}

fn read(stream: &mut TcpStream, unread: &mut Vec<u8>) -> Option<Received> {
    let end = loop {
        match unread.windows(4).position(|end| end == b"\r\n\r\n") {
            Some(end) => break end,
            None => more(stream, unread)?,
        }
    };
    let head = String::from_utf8(unread.drain(..end + 4).collect()).ok()?;
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned())))
        .collect();
    let mut request = Received { method, target, headers, body: String::new() };
    let length = request.header("content-length").map_or(0, |length| length.parse().expect("a length"));
    while unread.len() < length {
        more(stream, unread)?;
    }
    request.body = String::from_utf8(unread.drain(..length).collect()).expect("a text");
    Some(request)
}

fn more(stream: &mut TcpStream, unread: &mut Vec<u8>) -> Option<()> {
    let mut chunk = [0; 16 * 1024];
    match stream.read(&mut chunk) {
        Ok(0) | Err(_) => None,
        Ok(read) => {
            unread.extend_from_slice(&chunk[..read]);
            Some(())
        }
    }
}
