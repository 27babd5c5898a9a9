//! A reader of `text/event-stream`.

use std::{
    io::{ErrorKind, Result},
    time::Duration,
};

use super::{Connection, Endpoint, Request, Response};

/// One event; comments are not events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Event {
    pub event: String,
    pub id: String,
    pub data: String,
    /// How many `data:` lines it came in.
    pub data_lines: usize,
}

/// An open event stream.
pub struct EventStream {
    connection: Connection,
    unread: Vec<u8>,
}

impl Event {
    /// The data as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.data).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }
}

impl EventStream {
    /// Opens a stream, or gives the answer that refused it.
    pub fn open(to: impl Into<Endpoint>, request: &Request) -> Result<std::result::Result<EventStream, Response>> {
        let mut connection = Connection::try_open(to)?;
        connection.write(request)?;
        let head = connection.read_head()?;
        if head.status == 200 {
            let kind = head.header("content-type").unwrap_or_default().to_owned();
            assert!(kind.starts_with("text/event-stream"), "an event stream of type {kind:?}");
            return Ok(Ok(EventStream { connection, unread: Vec::new() }));
        }
        Ok(Err(connection.read_body(&request.method, head)?))
    }

    /// Opens a stream that must be granted.
    pub fn start(to: impl Into<Endpoint>, request: &Request) -> EventStream {
        match EventStream::open(to, request).unwrap_or_else(|error| panic!("{request}: {error}")) {
            Ok(stream) => stream,
            Err(refused) => panic!("{request}: {} {}", refused.status, refused.text()),
        }
    }

    /// The longest time that `next` waits from now on.
    pub fn patience(&mut self, timeout: Duration) {
        self.connection.read_timeout(timeout).expect("a timeout can be set");
    }

    /// The next event; `None` when the server ended the stream.
    pub fn next(&mut self) -> Result<Option<Event>> {
        loop {
            while let Some(end) = self.unread.windows(2).position(|two| two == b"\n\n") {
                let block: Vec<u8> = self.unread.drain(..end + 2).collect();
                if let Some(event) = parse(&String::from_utf8_lossy(&block)) {
                    return Ok(Some(event));
                }
            }
            match self.connection.read_chunk() {
                Ok(Some(chunk)) => self.unread.extend_from_slice(&chunk),
                Ok(None) => return Ok(None),
                Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => {
                    return Ok(None);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The next event, which must come.
    #[track_caller]
    pub fn expect(&mut self) -> Event {
        self.next().expect("an event in time").expect("an event, not the end of the stream")
    }
}

fn parse(block: &str) -> Option<Event> {
    let mut event = Event::default();
    for line in block.lines() {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => event.event = value.to_owned(),
            "id" => event.id = value.to_owned(),
            "data" => {
                if event.data_lines > 0 {
                    event.data.push('\n');
                }
                event.data.push_str(value);
                event.data_lines += 1;
            }
            _ => {}
        }
    }
    (event.data_lines > 0).then_some(event)
}
