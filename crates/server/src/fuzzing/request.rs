//! Requests written as text, and the answers to them.
//!
//! An input is a script of requests with a byte 30 between two of them. A request is a line with method and target, lines
//! with headers, an empty line, and the body. What cannot stand in a request is left out or escaped, so that nearly every
//! input is one: the target `connection` is there for those that are none.

use serde_json::Value;

use super::input::Input;

/// Between two requests.
const SEPARATOR: u8 = 0x1e;
/// Requests of one input.
const MOST: usize = 6;
/// Headers that are ours to set.
const OURS: [&str; 5] = ["host", "content-length", "transfer-encoding", "connection", "expect"];

#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// All requests of an input.
pub(super) fn script(data: &[u8]) -> Vec<Request> {
    data.split(|byte| *byte == SEPARATOR).take(MOST).map(Request::read).collect()
}

impl Request {
    fn read(text: &[u8]) -> Self {
        let mut input = Input::new(text);
        let line = input.until(b'\n');
        let mut words = line.splitn(2, |byte| *byte == b' ');
        let method: String = letters(words.next().unwrap_or_default()).take(16).collect();
        let target = words.next().unwrap_or_default();
        let target = target.strip_prefix(b"/").unwrap_or(target);
        let mut escaped = String::from("/");
        for byte in target {
            match byte {
                b'!' | b'$'..=b';' | b'=' | b'?'..=b'[' | b']'..=b'_' | b'a'..=b'z' | b'~' => {
                    escaped.push(*byte as char)
                }
                other => escaped += &format!("%{other:02X}"),
            }
        }
        let mut headers = Vec::new();
        loop {
            let line = input.until(b'\n');
            if line.is_empty() {
                break;
            }
            let mut parts = line.splitn(2, |byte| *byte == b':');
            let name: String = letters(parts.next().unwrap_or_default()).collect();
            let value = parts.next().unwrap_or_default().trim_ascii();
            let value: String =
                value.iter().filter(|byte| byte.is_ascii_graphic() || **byte == b' ').map(|b| *b as char).collect();
            if !name.is_empty() && !OURS.iter().any(|ours| name.eq_ignore_ascii_case(ours)) {
                headers.push((name, value));
            }
        }
        let method = if method.is_empty() { "GET".to_owned() } else { method };
        Request { method, target: escaped, headers, body: input.rest().to_vec() }
    }

    /// With a header that the input need not know.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        if !self.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
            self.headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    pub(super) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let Request { method, target, headers, body } = self;
        let mut bytes = format!("{method} {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n").into_bytes();
        for (name, value) in headers {
            bytes.extend(format!("{name}: {value}\r\n").into_bytes());
        }
        bytes.extend(format!("content-length: {}\r\n\r\n", body.len()).into_bytes());
        bytes.extend_from_slice(body);
        bytes
    }
}

fn letters(bytes: &[u8]) -> impl Iterator<Item = char> {
    bytes.iter().filter(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').map(|byte| char::from(*byte))
}

#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Response {
    /// A whole answer; none when it is not.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut head = httparse::Response::new(&mut headers);
        let httparse::Status::Complete(len) = head.parse(bytes).expect("a head of ours is one") else { return None };
        let headers = head.headers.iter().map(|header| {
            let value = String::from_utf8(header.value.to_vec()).expect("our headers are ASCII");
            (header.name.to_ascii_lowercase(), value)
        });
        let headers: Vec<_> = headers.collect();
        let response = Response { status: head.code.expect("complete"), headers, body: bytes[len..].to_vec() };
        let declared = response.header("content-length").map(|len| len.parse::<usize>().expect("a length"));
        // Without a length it may be a stream, which is never whole.
        let whole = response.body.is_empty() || declared == Some(response.body.len());
        whole.then_some(response)
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON, which all of them are that say so.
    pub(super) fn json(&self) -> Option<Value> {
        let kind = self.header("content-type").unwrap_or_default();
        let said = kind.starts_with("application/json") && self.header("content-encoding").is_none();
        if !said || self.body.is_empty() {
            return None;
        }
        // Values of clients may be nested deeper than this parser follows.
        let raw: &serde_json::value::RawValue = serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("no JSON: {error}: {}", String::from_utf8_lossy(&self.body)));
        serde_json::from_str(raw.get()).ok()
    }
}
