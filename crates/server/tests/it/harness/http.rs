//! A small HTTP/1.1 client that sends exactly what it is told: no path is normalised, no header is added behind the
//! test's back except `Host` and `Content-Length`. Heads are parsed by `httparse`.

use std::{
    fmt,
    io::{Error, ErrorKind, Read, Result, Write},
    net::TcpStream,
    time::Duration,
};

use super::{Endpoint, FULL_KEY, Wire};

/// No answer takes longer, long polls included.
const ANSWER: Duration = Duration::from_secs(60);
const CHUNK: usize = 64 * 1024;

/// A request as it goes on the wire.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    /// The raw target, sent as it is.
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Option<Vec<u8>>,
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Response {
    pub status: u16,
    /// Names as sent, in order.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// A keep-alive connection. After an error it is of no more use.
pub struct Connection {
    stream: Wire,
    unread: Vec<u8>,
}

impl Request {
    /// A request with the full key and no body.
    pub fn new(method: &str, target: impl Into<String>) -> Request {
        Request { method: method.to_owned(), target: target.into(), headers: Vec::new(), body: None }
            .key(Some(FULL_KEY))
    }

    /// `GET target`.
    pub fn get(target: impl Into<String>) -> Request {
        Request::new("GET", target)
    }

    /// `PUT target` with this body.
    pub fn put(target: impl Into<String>, body: impl Into<Vec<u8>>) -> Request {
        Request::new("PUT", target).body(body)
    }

    /// `POST target` with this body.
    pub fn post(target: impl Into<String>, body: impl Into<Vec<u8>>) -> Request {
        Request::new("POST", target).body(body)
    }

    /// `DELETE target`.
    pub fn delete(target: impl Into<String>) -> Request {
        Request::new("DELETE", target)
    }

    /// Replaces the key; `None` sends no `Authorization`.
    pub fn key(mut self, key: Option<&str>) -> Request {
        self.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
        match key {
            Some(key) => self.header("Authorization", format!("Bearer {key}")),
            None => self,
        }
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Request {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Request {
        self.body = Some(body.into());
        self
    }

    /// The bytes of the head, with `Host` and, for a body, `Content-Length`, unless the request brings its own.
    pub fn head(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        let has = |name: &str| self.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
        if !has("host") {
            head.push_str("Host: localhost\r\n");
        }
        if let Some(body) = self.body.as_ref().filter(|_| !has("content-length") && !has("transfer-encoding")) {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        head.into_bytes()
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short: String = self.target.chars().take(200).collect();
        write!(f, "{} {short}", self.method)
    }
}

impl Response {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.text()))
    }

    /// Fails unless this is the status; gives the answer back.
    #[track_caller]
    pub fn expect(self, status: u16) -> Response {
        assert_eq!(self.status, status, "{}", self.text().chars().take(500).collect::<String>());
        self
    }

    fn closes(&self) -> bool {
        self.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }
}

impl Connection {
    /// A connection to a server that is known to listen.
    pub fn open(to: impl Into<Endpoint>) -> Connection {
        let to = to.into();
        let address = to.address;
        Connection::try_open(to).unwrap_or_else(|error| panic!("connect to {address}: {error}"))
    }

    /// A connection, or why there is none.
    pub fn try_open(to: impl Into<Endpoint>) -> Result<Connection> {
        let to = to.into();
        let socket = TcpStream::connect_timeout(&to.address, Duration::from_secs(5))?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(ANSWER))?;
        socket.set_write_timeout(Some(ANSWER))?;
        Ok(Connection { stream: Wire::over(socket, to.tls.as_ref())?, unread: Vec::new() })
    }

    /// What is below HTTP.
    pub fn wire(&mut self) -> &mut Wire {
        &mut self.stream
    }

    /// A connection whose end here holds only a few bytes that are not read.
    pub fn open_narrow(address: SocketAddr) -> Connection {
        let socket = socket2::Socket::new(socket2::Domain::for_address(address), socket2::Type::STREAM, None);
        let socket = socket.expect("a socket");
        socket.set_recv_buffer_size(4096).expect("set a buffer");
        socket.connect(&address.into()).unwrap_or_else(|error| panic!("connect to {address}: {error}"));
        Connection { stream: socket.into(), unread: Vec::new() }
    }

    /// Ends the connection with a reset, as of a client that is gone.
    pub fn reset(self) {
        socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)).expect("set the linger time");
    }

    /// Sends a request and reads the answer to its end.
    pub fn send(&mut self, request: &Request) -> Result<Response> {
        self.write(request)?;
        self.read_response(&request.method)
    }

    /// Sends a request and does not read.
    pub fn write(&mut self, request: &Request) -> Result<()> {
        let mut bytes = request.head();
        bytes.extend_from_slice(request.body.as_deref().unwrap_or_default());
        // A server may refuse before it has read all; its answer is what counts.
        match self.stream.write_all(&bytes).and_then(|()| self.stream.flush()) {
            Err(error) if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => Ok(()),
            other => other,
        }
    }

    /// Sends bytes as they are.
    pub fn write_raw(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    /// Reads one answer to its end.
    pub fn read_response(&mut self, method: &str) -> Result<Response> {
        let head = self.read_head()?;
        self.read_body(method, head)
    }

    /// Reads the body that belongs to a head.
    pub fn read_body(&mut self, method: &str, mut response: Response) -> Result<Response> {
        let bodyless = method == "HEAD" || matches!(response.status, 100..=199 | 204 | 304);
        let chunked = response.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked"));
        let length = response.header("content-length").map(|value| value.parse::<usize>().map_err(|_| bad(value)));
        if bodyless {
            return Ok(response);
        }
        if chunked {
            while let Some(chunk) = self.read_chunk()? {
                response.body.extend_from_slice(&chunk);
            }
        } else if let Some(length) = length {
            let length = length?;
            while self.unread.len() < length {
                self.fill()?;
            }
            response.body = self.take(length);
        } else if response.closes() {
            while !matches!(self.fill(), Err(error) if error.kind() == ErrorKind::UnexpectedEof) {}
            response.body = std::mem::take(&mut self.unread);
        } else {
            return Err(bad("an answer without length on a connection that stays open"));
        }
        Ok(response)
    }

    /// Reads the head of an answer and leaves its body.
    pub fn read_head(&mut self) -> Result<Response> {
        loop {
            let mut headers = [httparse::EMPTY_HEADER; 64];
            let mut head = httparse::Response::new(&mut headers);
            match head.parse(&self.unread).map_err(|error| bad(&format!("{error} in {:?}", lossy(&self.unread))))? {
                httparse::Status::Partial => self.fill()?,
                httparse::Status::Complete(length) => {
                    let status = head.code.ok_or_else(|| bad("no status"))?;
                    let header = |h: &httparse::Header<'_>| (h.name.to_owned(), lossy(h.value));
                    let headers = head.headers.iter().map(header).collect();
                    self.take(length);
                    return Ok(Response { status, headers, body: Vec::new() });
                }
            }
        }
    }

    /// Reads one chunk of a chunked body; `None` after the last.
    pub fn read_chunk(&mut self) -> Result<Option<Vec<u8>>> {
        let (start, length) = loop {
            match httparse::parse_chunk_size(&self.unread).map_err(|_| bad("a chunk size"))? {
                httparse::Status::Partial => self.fill()?,
                httparse::Status::Complete((start, length)) => {
                    break (start, usize::try_from(length).map_err(|_| bad("a chunk size"))?);
                }
            }
        };
        while self.unread.len() < start + length + 2 {
            self.fill()?;
        }
        self.take(start);
        let chunk = self.take(length);
        self.take(2);
        Ok((length > 0).then_some(chunk))
    }

    /// Whether the server closes the connection within this time, without sending anything more.
    pub fn is_closed_within(&mut self, within: Duration) -> Result<bool> {
        self.stream.read_timeout(within)?;
        let closed = match self.fill() {
            Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => Ok(true),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(false),
            Err(error) => Err(error),
            Ok(()) => Err(bad(&format!("unexpected bytes {:?}", lossy(&self.unread)))),
        };
        self.stream.read_timeout(ANSWER)?;
        closed
    }

    /// The longest time that reads wait from now on.
    pub fn read_timeout(&mut self, timeout: Duration) -> Result<()> {
        self.stream.read_timeout(timeout)
    }

    /// Everything until the server closes.
    pub fn read_to_end(&mut self) -> Result<Vec<u8>> {
        loop {
            match self.fill() {
                Ok(()) => {}
                Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => {
                    return Ok(std::mem::take(&mut self.unread));
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn fill(&mut self) -> Result<()> {
        let mut chunk = vec![0; CHUNK];
        let read = self.stream.read(&mut chunk)?;
        if read == 0 {
            return Err(Error::new(ErrorKind::UnexpectedEof, format!("closed after {:?}", lossy(&self.unread))));
        }
        self.unread.extend_from_slice(&chunk[..read]);
        Ok(())
    }

    fn take(&mut self, length: usize) -> Vec<u8> {
        let rest = self.unread.split_off(length);
        std::mem::replace(&mut self.unread, rest)
    }
}

/// Sends bytes on a fresh connection and reads all answers until the server closes, or until it has been silent for
/// `patience`.
pub fn raw_exchange(to: impl Into<Endpoint>, bytes: &[u8], patience: Duration) -> String {
    let mut connection = Connection::open(to);
    // The server may have closed in the middle of our bytes; what it said before is what we came for.
    connection.write_raw(bytes).ok();
    connection.read_timeout(patience).expect("a timeout can be set");
    match connection.read_to_end() {
        Ok(all) => lossy(&all),
        Err(_) => lossy(&std::mem::take(&mut connection.unread)),
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(CHUNK)]).into_owned()
}

fn bad(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}
