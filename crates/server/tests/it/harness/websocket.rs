//! A WebSocket client: tungstenite over a blocking socket.

use std::{io::ErrorKind, net::TcpStream, time::Duration};

use tokio_tungstenite::tungstenite::{
    self, Error, HandshakeError, Message, WebSocket,
    client::IntoClientRequest,
    http::{HeaderName, HeaderValue, header},
};

pub use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::{Endpoint, FULL_KEY, Wire};

/// How a socket is opened.
#[derive(Debug, Clone)]
pub struct SocketOptions {
    /// What is asked for.
    pub target: String,
    /// Sent as `Authorization: Bearer`, if any.
    pub key: Option<String>,
    /// Offered in `Sec-WebSocket-Protocol`, if any.
    pub protocols: Option<String>,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// What the kernel keeps for a client that does not read, about, where that matters.
    pub receive_buffer_bytes: Option<usize>,
}

impl Default for SocketOptions {
    fn default() -> Self {
        let target = "/stream".to_owned();
        SocketOptions {
            target,
            key: Some(FULL_KEY.to_owned()),
            protocols: None,
            headers: Vec::new(),
            receive_buffer_bytes: None,
        }
    }
}

impl SocketOptions {
    /// Without a credential.
    pub fn to(target: &str) -> Self {
        SocketOptions { target: target.to_owned(), key: None, ..SocketOptions::default() }
    }
}

/// An open WebSocket.
pub struct Socket {
    inner: WebSocket<Wire>,
    /// The subprotocol that the server chose.
    pub protocol: Option<String>,
}

/// Why there is no socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The server answered with this status instead.
    Status(u16),
    /// The connection failed before there was an answer.
    NoAnswer,
}

/// What can arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    Text(String),
    /// The close code, if one was given.
    Closed(Option<u16>),
    /// The connection ended without a close frame.
    Gone,
    /// Nothing in the time that was allowed.
    Nothing,
}

impl Socket {
    /// Opens a socket, or says why not.
    pub fn open(to: impl Into<Endpoint>, options: &SocketOptions) -> Result<Socket, Refused> {
        let Endpoint { address, tls } = to.into();
        let mut request = format!("ws://{address}{}", options.target).into_client_request().expect("a request");
        if let Some(key) = &options.key {
            let value = HeaderValue::from_str(&format!("Bearer {key}")).expect("a header value");
            request.headers_mut().insert(header::AUTHORIZATION, value);
        }
        if let Some(protocols) = &options.protocols {
            let value = HeaderValue::from_str(protocols).expect("a header value");
            request.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, value);
        }
        for (name, value) in &options.headers {
            let name = HeaderName::try_from(name.as_str()).expect("a header name");
            request.headers_mut().insert(name, HeaderValue::from_str(value).expect("a header value"));
        }
        let stream = socket2::Socket::new(socket2::Domain::for_address(address), socket2::Type::STREAM, None);
        let stream = stream.expect("a socket");
        if let Some(bytes) = options.receive_buffer_bytes {
            stream.set_recv_buffer_size(bytes).expect("set a buffer");
        }
        stream.connect(&address.into()).map_err(|_| Refused::NoAnswer)?;
        let stream = TcpStream::from(stream);
        stream.set_nodelay(true).expect("set nodelay");
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("set a timeout");
        let wire = Wire::over(stream, tls.as_ref()).map_err(|_| Refused::NoAnswer)?;
        match tungstenite::client(request, wire) {
            Ok((inner, response)) => {
                let protocol = response.headers().get(header::SEC_WEBSOCKET_PROTOCOL);
                let protocol = protocol.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
                Ok(Socket { inner, protocol })
            }
            Err(HandshakeError::Failure(Error::Http(response))) => Err(Refused::Status(response.status().as_u16())),
            Err(_) => Err(Refused::NoAnswer),
        }
    }

    /// Opens a socket with the full key.
    pub fn start(to: impl Into<Endpoint>) -> Socket {
        Socket::open(to, &SocketOptions::default()).unwrap_or_else(|why| panic!("no WebSocket: {why:?}"))
    }

    /// Opens a socket at `target` without a credential.
    pub fn at(to: impl Into<Endpoint>, target: &str) -> Socket {
        Socket::open(to, &SocketOptions::to(target)).unwrap_or_else(|why| panic!("no WebSocket: {why:?}"))
    }

    /// What is below.
    pub fn wire(&mut self) -> &mut Wire {
        self.inner.get_mut()
    }

    /// Sends a text message.
    pub fn send(&mut self, text: &str) {
        self.inner.send(Message::text(text)).expect("send a message");
    }

    /// Sends a text message, unless the server is gone.
    pub fn try_send(&mut self, text: &str) -> bool {
        self.inner.send(Message::text(text)).is_ok()
    }

    /// Sends a binary message.
    pub fn send_binary(&mut self, bytes: &[u8]) {
        self.inner.send(Message::binary(bytes.to_vec())).expect("send a message");
    }

    /// Sends a frame as it is: a piece of a message, or one that breaks a rule.
    pub fn send_frame(&mut self, opcode: OpCode, is_final: bool, bytes: &[u8]) {
        let frame = tungstenite::protocol::frame::Frame::message(bytes.to_vec(), opcode, is_final);
        self.inner.send(Message::Frame(frame)).expect("send a frame");
    }

    /// Says goodbye, with this code.
    pub fn say_goodbye(&mut self, code: u16) {
        let frame = tungstenite::protocol::CloseFrame { code: code.into(), reason: "bye".into() };
        self.inner.close(Some(frame)).expect("send a close frame");
    }

    /// The next frame that is not a ping or pong.
    pub fn receive(&mut self, within: Duration) -> Frame {
        self.inner.get_ref().read_timeout(within).expect("set a timeout");
        loop {
            match self.inner.read() {
                Ok(Message::Text(text)) => return Frame::Text(text.as_str().to_owned()),
                Ok(Message::Close(frame)) => return Frame::Closed(frame.map(|frame| frame.code.into())),
                Ok(Message::Binary(bytes)) => panic!("a binary frame of {} bytes", bytes.len()),
                Ok(_) => {}
                Err(Error::Io(error)) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return Frame::Nothing;
                }
                Err(_) => return Frame::Gone,
            }
        }
    }

    /// The next text message, which must come.
    #[track_caller]
    pub fn expect(&mut self) -> String {
        match self.receive(Duration::from_secs(20)) {
            Frame::Text(text) => text,
            other => panic!("expected a message, got {other:?}"),
        }
    }

    /// The next text message as JSON.
    #[track_caller]
    pub fn expect_json(&mut self) -> serde_json::Value {
        let text = self.expect();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"))
    }

    /// Sends a request and reads one message.
    #[track_caller]
    pub fn call(&mut self, text: &str) -> serde_json::Value {
        self.send(text);
        self.expect_json()
    }
}
