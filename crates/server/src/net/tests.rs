//! The listener over real sockets, and one connection over a pipe with a clock that tests move.

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::body::Body;
use bytes::Bytes;
use futures_util::{Stream, stream};
use hyper::{
    HeaderMap, Request, Response, StatusCode,
    header::{ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_TYPE, HeaderName, HeaderValue, ORIGIN},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    net::TcpStream,
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use super::{
    Budget, Connections, Hosts, Incoming, Listener, Options, Refusal, Service,
    connection::{self, Below, Shared},
    pulse::{Patience, Pulse},
};
use crate::http::body::{BodyError, BodyTime, collect};

/// Answers by path; enough to see every branch of the listener.
struct Echo;

static REPEATED: [HeaderName; 1] = [ORIGIN];

impl Service for Echo {
    async fn call(self: Arc<Self>, request: Request<Incoming>, _: IpAddr) -> Response<Body> {
        let path = request.uri().path().to_owned();
        match path.as_str() {
            "/panic" => panic!("a handler's defect"),
            "/slow" => {
                sleep(Duration::from_millis(300)).await;
                Response::new(Body::from("slow"))
            }
            "/forever" => std::future::pending().await,
            "/unread" => status(StatusCode::UNAUTHORIZED),
            "/big" => Response::new(Body::from(vec![b'x'; 8 << 20])),
            "/list" => Response::new(Body::from_stream(endless())),
            "/events" => {
                let mut response = Response::new(Body::from_stream(endless()));
                response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
                response
            }
            "/broken" => Response::new(Body::from_stream(stream::iter([
                Ok(Bytes::from_static(b"begin")),
                Err(std::io::Error::other("the source failed")),
            ]))),
            _ => match collect(request.into_body(), 1 << 20, BodyTime::Paced(Duration::from_secs(10))).await {
                Ok(body) => Response::new(Body::from(format!("{path}:{}", body.len()))),
                Err(BodyError::NoRoom) => status(StatusCode::SERVICE_UNAVAILABLE),
                Err(_) => status(StatusCode::PAYLOAD_TOO_LARGE),
            },
        }
    }

    fn refuse(&self, refusal: Refusal) -> Response<Body> {
        let mut response = Response::new(Body::from(format!("refused {refusal:?}")));
        *response.status_mut() = StatusCode::IM_A_TEAPOT;
        response
    }

    fn repeated(&self) -> &'static [HeaderName] {
        &REPEATED
    }

    fn complete(&self, headers: &HeaderMap, mut response: Response<Body>) -> Response<Body> {
        if let Some(origin) = headers.get(ORIGIN) {
            response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        }
        response
    }
}

fn endless() -> impl Stream<Item = Result<Bytes, std::io::Error>> {
    stream::repeat_with(|| Ok(Bytes::from_static(&[b'x'; 1000])))
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

struct Server {
    listener: JoinHandle<()>,
    address: std::net::SocketAddr,
    connections: Arc<Connections>,
    shutdown: watch::Sender<bool>,
}

fn start(options: Options) -> Server {
    let (shutdown, down) = watch::channel(false);
    let listener = Listener::bind("test", "127.0.0.1:0".parse().unwrap(), options).unwrap();
    let (address, connections) = (listener.address(), listener.connections());
    Server { listener: tokio::spawn(listener.serve(Arc::new(Echo), down)), address, connections, shutdown }
}

impl Server {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends these bytes and reads until the server closes.
    async fn exchange(&self, request: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect().await;
        // The server may stop reading, and say why, before it has everything.
        stream.write_all(request.as_ref()).await.ok();
        rest(&mut stream).await
    }
}

async fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    timeout(Duration::from_secs(8), stream.read_to_end(&mut answer)).await.expect("the server closes").unwrap();
    String::from_utf8(answer).unwrap()
}

/// Reads an answer of a connection that stays open; every body here ends with `end`.
async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut answer = Vec::new();
    while !answer.ends_with(end.as_bytes()) {
        let read = timeout(Duration::from_secs(8), stream.read_buf(&mut answer)).await.expect("an answer").unwrap();
        assert!(read > 0, "closed after {:?}", String::from_utf8_lossy(&answer));
    }
    String::from_utf8(answer).unwrap()
}

#[track_caller]
fn assert_refused(answer: &str, refusal: Refusal) {
    assert_eq!(answer.split(' ').nth(1), Some("418"), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    assert!(answer.ends_with(&format!("refused {refusal:?}")), "{answer}");
}

#[tokio::test]
async fn requests_follow_each_other_on_one_connection() {
    let server = start(Options::default());
    let mut stream = server.connect().await;
    for _ in 0..3 {
        stream.write_all(b"PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody").await.unwrap();
        assert!(read_until(&mut stream, "/a:4").await.starts_with("HTTP/1.1 200 "));
    }
    assert_eq!((server.connections.open(), server.connections.accepted()), (1, 1));
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let server = start(Options::default());
    let one = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
    let two = "PUT /bb HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nxy";
    let last = "GET /c HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    let answers = server.exchange([one, two, last].concat()).await;
    let bodies: Vec<_> = answers.split("\r\n\r\n").skip(1).map(|body| body.split("HTTP").next().unwrap()).collect();
    assert_eq!(bodies, ["/a:0", "/bb:2", "/c:0"]);
}

#[tokio::test]
async fn exactly_one_valid_host_is_wanted() {
    let server = start(Options::default());
    for bad in [
        "",
        "Host: a\r\nHost: a\r\n",
        "Host:\r\n",
        "Host: a b\r\n",
        "Host: u@h\r\n",
        "Host: h:port\r\n",
        "Host: :80\r\n",
    ] {
        let answer = server.exchange(format!("GET /a HTTP/1.1\r\n{bad}\r\n")).await;
        assert_refused(&answer, Refusal::BadHost);
    }
    for good in ["h", "h:8005", "127.0.0.1:1", "[::1]", "[::1]:80", "example.com"] {
        let answer = server.exchange(format!("GET /a HTTP/1.1\r\nHost: {good}\r\nConnection: close\r\n\r\n")).await;
        assert!(answer.ends_with("/a:0"), "{good}: {answer}");
    }
    assert!(server.exchange("GET /a HTTP/1.0\r\n\r\n").await.ends_with("/a:0"));
    assert_refused(&server.exchange("GET /a HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n").await, Refusal::BadHost);
}

#[tokio::test]
async fn a_target_of_32_kib_is_taken_and_a_longer_one_refused() {
    let server = start(Options::default());
    let get = |bytes: usize| {
        let path = format!("/{}", "a".repeat(bytes - 1));
        format!("GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    };
    assert!(server.exchange(get(32 << 10)).await.starts_with("HTTP/1.1 200 "));
    for bytes in [(32 << 10) + 1, 40 << 10, 70_000, 4 << 20] {
        assert_refused(&server.exchange(get(bytes)).await, Refusal::TargetTooLong);
    }
    let query = format!("GET /?{} HTTP/1.1\r\nHost: h\r\n\r\n", "a".repeat(32 << 10));
    assert_refused(&server.exchange(query).await, Refusal::TargetTooLong);
}

#[tokio::test]
async fn a_request_line_without_end_is_answered_before_it_ends() {
    let server = start(Options::default());
    let mut stream = server.connect().await;
    stream.write_all(format!("GET /{}", "a".repeat(40_000)).as_bytes()).await.unwrap();
    assert_refused(&rest(&mut stream).await, Refusal::TargetTooLong);
}

#[tokio::test]
async fn two_lengths_are_refused_in_either_order() {
    let server = start(Options::default());
    let (length, chunked) = ("Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n");
    for headers in [[length, chunked].concat(), [chunked, length].concat(), [length, length, chunked].concat()] {
        let answer = server.exchange(format!("PUT /a HTTP/1.1\r\nHost: h\r\n{headers}\r\n0\r\n\r\n")).await;
        assert_refused(&answer, Refusal::AmbiguousLength);
    }
    // The same on a connection that was used before.
    let mut stream = server.connect().await;
    stream.write_all(b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    read_until(&mut stream, "/a:0").await;
    stream.write_all(format!("PUT /a HTTP/1.1\r\nHost: h\r\n{length}{chunked}\r\n0\r\n\r\n").as_bytes()).await.unwrap();
    assert_refused(&rest(&mut stream).await, Refusal::AmbiguousLength);
}

#[tokio::test]
async fn a_chunked_request_keeps_its_connection() {
    let server = start(Options::default());
    let mut stream = server.connect().await;
    for _ in 0..2 {
        let put = "PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        stream.write_all(put.as_bytes()).await.unwrap();
        let answer = read_until(&mut stream, "/a:3").await;
        assert!(!answer.contains("connection: close"), "{answer}");
    }
}

#[tokio::test]
async fn a_pipelined_request_with_two_lengths_is_read_by_its_chunks_and_closes() {
    let server = start(Options::default());
    let chunked = "PUT /b HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    let get = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
    let answers = server.exchange([get, chunked, get].concat()).await;
    assert_eq!(answers.matches("HTTP/1.1 200").count(), 2, "{answers}");
    assert!(answers.contains("connection: close"), "{answers}");
}

#[tokio::test]
async fn bytes_that_are_no_http_get_a_plain_400() {
    let server = start(Options::default());
    let garbage = [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"[..],
        b"hello\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /a b HTTP/1.1\r\n\r\n",
        b"GET /\x01 HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET / HTTP/1.1\r\nHo st: h\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n",
    ];
    for bytes in garbage {
        let answer = server.exchange(bytes).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{:?} -> {answer:?}", String::from_utf8_lossy(bytes));
    }
    assert!(server.exchange("GET /a HTTP/1.0\r\n\r\n").await.ends_with("/a:0"), "the server goes on");
}

#[tokio::test]
async fn a_body_may_look_like_another_protocol() {
    let server = start(Options::default());
    let mut stream = server.connect().await;
    stream.write_all(b"PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 24\r\n\r\n").await.unwrap();
    sleep(Duration::from_millis(50)).await;
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    read_until(&mut stream, "/a:24").await;
}

#[tokio::test]
async fn a_head_beyond_its_bounds_gets_431() {
    let server = start(Options::default());
    let many = "a: b\r\n".repeat(101);
    let long = format!("a: {}\r\n", "b".repeat(100 << 10));
    let endless = format!("a: {}", "b".repeat(200 << 10));
    for headers in [many, long, endless] {
        let answer = server.exchange(format!("GET / HTTP/1.1\r\nHost: h\r\n{headers}\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
}

#[tokio::test]
async fn a_panic_is_answered_and_the_server_goes_on() {
    let server = start(Options::default());
    let answer = server.exchange("GET /panic HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert_refused(&answer, Refusal::Panicked);
    assert_eq!(server.connections.panics(), 1);
    assert!(server.exchange("GET /a HTTP/1.0\r\n\r\n").await.ends_with("/a:0"));
}

#[tokio::test]
async fn an_answer_that_no_handler_made_may_repeat_headers_of_its_request() {
    let server = start(Options::default());
    for (target, host, refusal) in
        [("/panic", "h", Refusal::Panicked), ("/a", "a b", Refusal::BadHost), ("/a", "h\r\nHost: h", Refusal::BadHost)]
    {
        let request = |more: &str| format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n");
        let answer = server.exchange(request("X: y\r\nOrigin: http://a\r\n")).await;
        assert_refused(&answer, refusal);
        assert!(answer.contains("access-control-allow-origin: http://a\r\n"), "{answer}");
        let answer = server.exchange(request("")).await;
        assert_refused(&answer, refusal);
        assert!(!answer.contains("access-control"), "{answer}");
    }
    let answer = server.exchange("GET /a HTTP/1.0\r\nOrigin: http://a\r\n\r\n").await;
    assert!(!answer.contains("access-control"), "what its handler made is left alone: {answer}");
}

#[tokio::test]
async fn a_body_that_fails_half_way_ends_only_its_connection() {
    let server = start(Options::default());
    let answer = server.exchange("GET /broken HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert!(!answer.ends_with("0\r\n\r\n"), "a client must not take it for complete: {answer}");
    assert!(server.exchange("GET /a HTTP/1.0\r\n\r\n").await.ends_with("/a:0"));
}

#[tokio::test]
async fn an_answer_reaches_a_client_that_is_still_sending() {
    let server = start(Options::default());
    let head = format!("PUT /unread HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n", 32 << 20);
    let request = [head.into_bytes(), vec![b'x'; 32 << 20]].concat();
    assert!(server.exchange(request).await.starts_with("HTTP/1.1 401 "));
    let head = format!("PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n", 32 << 20);
    let request = [head.into_bytes(), vec![b'x'; 32 << 20]].concat();
    assert!(server.exchange(request).await.starts_with("HTTP/1.1 413 "));
}

#[tokio::test]
async fn over_the_cap_a_client_is_told_and_closed_until_there_is_room() {
    let server = start(Options { connections: 1, ..Options::default() });
    let mut first = server.connect().await;
    first.write_all(b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    read_until(&mut first, "/a:0").await;
    assert_refused(&server.exchange("GET /a HTTP/1.1\r\nHost: h\r\n\r\n").await, Refusal::Overloaded);
    assert_eq!((server.connections.open(), server.connections.refused()), (1, 1));
    drop(first);
    timeout(Duration::from_secs(5), server.connections.all_gone()).await.unwrap();
    assert!(server.exchange("GET /a HTTP/1.0\r\n\r\n").await.ends_with("/a:0"));
}

#[tokio::test]
async fn listeners_that_share_a_budget_have_so_many_connections_together() {
    let budget = Budget::new(1, 0);
    let [one, other] = [(); 2].map(|()| start(Options { budget: budget.clone(), ..Options::default() }));
    let mut first = one.connect().await;
    first.write_all(b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    read_until(&mut first, "/a:0").await;
    assert_refused(&other.exchange("GET /a HTTP/1.1\r\nHost: h\r\n\r\n").await, Refusal::Overloaded);
    assert_eq!((other.connections.open(), other.connections.refused()), (0, 1));
    drop(first);
    timeout(Duration::from_secs(5), one.connections.all_gone()).await.unwrap();
    assert!(other.exchange("GET /a HTTP/1.0\r\n\r\n").await.ends_with("/a:0"));
}

#[tokio::test]
async fn bodies_that_are_too_large_together_are_refused_and_small_ones_are_not() {
    let server = start(Options { budget: Budget::new(10, 300 << 10), ..Options::default() });
    let put = |bytes: usize| {
        let head = format!("PUT /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: {bytes}\r\n\r\n");
        [head.into_bytes(), vec![b'x'; bytes]].concat()
    };
    let mut first = server.connect().await;
    first.write_all(&put(300 << 10)[..250 << 10]).await.unwrap();
    let held = async {
        while server.connections.budget().bodies_bytes() < 200 << 10 {
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(Duration::from_secs(5), held).await.unwrap();
    assert!(server.exchange(put(200 << 10)).await.starts_with("HTTP/1.1 503 "));
    assert!(server.exchange(put(16 << 10)).await.ends_with("/a:16384"));
    drop(first);
    let given_back = async {
        while server.connections.budget().bodies_bytes() > 0 {
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(Duration::from_secs(5), given_back).await.unwrap();
    assert!(server.exchange(put(200 << 10)).await.ends_with("/a:204800"));
    assert_eq!(server.connections.budget().bodies_refused(), 1);
}

#[tokio::test]
async fn several_sockets_share_one_port() {
    let server = start(Options { sockets: 3, ..Options::default() });
    for _ in 0..12 {
        assert!(server.exchange("GET /a HTTP/1.0\r\n\r\n").await.ends_with("/a:0"));
    }
}

#[tokio::test]
async fn an_address_in_use_is_an_error() {
    let server = start(Options::default());
    let error = Listener::bind("second", server.address, Options::default()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
}

#[tokio::test]
async fn the_drain_finishes_running_requests_and_closes_resting_connections() {
    let server = start(Options::default());
    let mut resting = server.connect().await;
    resting.write_all(b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    read_until(&mut resting, "/a:0").await;
    let mut running = server.connect().await;
    running.write_all(b"GET /slow HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    sleep(Duration::from_millis(50)).await;

    server.shutdown.send(true).unwrap();
    assert!(rest(&mut running).await.ends_with("slow"));
    assert_eq!(rest(&mut resting).await, "");
    timeout(Duration::from_secs(2), server.listener).await.expect("drained").unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn a_client_that_never_speaks_is_closed() {
    let server = start(Options { head_timeout: Duration::from_millis(100), ..Options::default() });
    let mut silent = server.connect().await;
    assert_eq!(rest(&mut silent).await, "");
    timeout(Duration::from_secs(2), server.connections.all_gone()).await.unwrap();

    let server = start(Options::default());
    let mut silent = server.connect().await;
    sleep(Duration::from_millis(50)).await;
    server.shutdown.send(true).unwrap();
    assert_eq!(rest(&mut silent).await, "");
    timeout(Duration::from_secs(2), server.listener).await.expect("drained").unwrap();
}

#[tokio::test]
async fn the_drain_does_not_wait_longer_than_it_may() {
    let server = start(Options { drain: Duration::from_millis(200), ..Options::default() });
    let mut running = server.connect().await;
    running.write_all(b"GET /forever HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    sleep(Duration::from_millis(50)).await;
    server.shutdown.send(true).unwrap();
    timeout(Duration::from_secs(2), server.listener).await.expect("drained").unwrap();
}

/// One connection over a pipe; time is paused and moves only when everybody waits.
fn pipe() -> (DuplexStream, JoinHandle<()>, watch::Sender<bool>) {
    pipe_with(None)
}

/// The same with a limit on headers.
fn pipe_with(head_bytes: Option<usize>) -> (DuplexStream, JoinHandle<()>, watch::Sender<bool>) {
    let (client, io) = duplex(64 << 10);
    let (shutdown, down) = watch::channel(false);
    let patience = Patience { head: Duration::from_secs(10), idle: Duration::from_secs(75) };
    let connections = Connections::new(1, Budget::unbounded());
    let permit = connections.admit().unwrap();
    let shared = Arc::new(Shared {
        service: Arc::new(Echo),
        connections,
        patience,
        head_bytes,
        hosts: Hosts::Any,
        tls: None,
        shutdown: down,
    });
    let peer = IpAddr::from([127, 0, 0, 1]);
    (client, tokio::spawn(connection::serve(io, Below::Plain, peer, permit, shared)), shutdown)
}

#[tokio::test(start_paused = true)]
async fn a_head_must_be_complete_ten_seconds_after_its_first_byte() {
    let (mut client, served, _shutdown) = pipe();
    sleep(Duration::from_secs(5)).await;
    let started = Instant::now();
    let dribble = async {
        for byte in b"GET /a HTTP/1.1\r\nHost: h\r\nX: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" {
            if client.write_all(&[*byte]).await.is_err() {
                break;
            }
            sleep(Duration::from_secs(1)).await;
        }
    };
    let (_, served) = tokio::join!(dribble, served);
    served.unwrap();
    assert!(started.elapsed() < Duration::from_secs(12), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_first_byte_must_come_in_ten_seconds() {
    let (_client, served, _shutdown) = pipe();
    let opened = Instant::now();
    served.await.unwrap();
    assert_eq!(opened.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn where_heads_are_cut_a_slow_one_is_answered() {
    for head in
        ["GET /a HTTP/1.1\r\n", "GET /a HTTP/1.1\r\nHost: h\r\nX", "GET /a HTTP/1.1\r\nX: y\r", "GET /a HTTP/1.1\r\nX:"]
    {
        let (mut client, served, _shutdown) = pipe_with(Some(1000));
        client.write_all(head.as_bytes()).await.unwrap();
        let (started, mut answer) = (Instant::now(), String::new());
        client.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("connection: close"), "{head:?}: {answer:?}");
        assert_eq!(started.elapsed().as_secs(), 10);
        served.await.unwrap();
    }
    // A request line without end leaves nothing to answer.
    let (mut client, served, _shutdown) = pipe_with(Some(1000));
    client.write_all(b"GET /a HT").await.unwrap();
    served.await.unwrap();
    assert_eq!(client.read(&mut [0; 10]).await.unwrap(), 0);
}

#[tokio::test]
async fn where_heads_are_cut_a_long_one_is_answered() {
    let server = start(Options { head_bytes: Some(1000), ..Options::default() });
    for filler in ["X: y\r\n".to_owned(), "y".to_owned(), " ".to_owned(), format!("{}: y\r\n", "X".repeat(500))] {
        let answer =
            server.exchange(format!("GET /a HTTP/1.1\r\nX: {}", filler.repeat((200 << 10) / filler.len()))).await;
        assert!(answer.starts_with("HTTP/1.1 431 ") && answer.contains("connection: close"), "{filler:?}: {answer:?}");
    }
    // Shorter ones are the service's to judge, however many lines they have.
    let answer = server
        .exchange(format!("GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{}\r\n", "X: y\r\n".repeat(500)))
        .await;
    assert!(answer.ends_with("/a:0"), "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn a_connection_may_rest_75_seconds_between_requests() {
    let (mut client, served, _shutdown) = pipe();
    let mut answer = vec![0; 4096];
    for _ in 0..3 {
        client.write_all(b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
        assert!(client.read(&mut answer).await.unwrap() > 0);
        sleep(Duration::from_secs(74)).await;
    }
    client.write_all(b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    assert!(client.read(&mut answer).await.unwrap() > 0);
    let rested = Instant::now();
    served.await.unwrap();
    assert_eq!(rested.elapsed().as_secs(), 75);
}

#[tokio::test(start_paused = true)]
async fn a_running_request_has_all_the_time_it_needs() {
    let (mut client, served, _shutdown) = pipe();
    client.write_all(b"GET /forever HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    sleep(Duration::from_secs(3600)).await;
    assert!(!served.is_finished());
}

#[tokio::test(start_paused = true)]
async fn a_slow_download_is_not_taken_for_rest() {
    let (mut client, served, _shutdown) = pipe();
    client.write_all(b"GET /big HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").await.unwrap();
    let (mut total, mut piece) = (0, vec![0; 64 << 10]);
    loop {
        sleep(Duration::from_secs(60)).await;
        match client.read(&mut piece).await.unwrap() {
            0 => break,
            read => total += read,
        }
    }
    assert!(total > 8 << 20, "{total}");
    served.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_client_that_stops_reading_is_cut() {
    for path in ["/big", "/list"] {
        let (mut client, served, _shutdown) = pipe();
        client.write_all(format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes()).await.unwrap();
        let started = Instant::now();
        served.await.unwrap();
        assert_eq!(started.elapsed().as_secs(), 75, "{path}");
        drop(client);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_events_waits_for_its_client() {
    let (mut client, served, _shutdown) = pipe();
    client.write_all(b"GET /events HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    sleep(Duration::from_secs(3600)).await;
    assert!(!served.is_finished());
}

#[tokio::test(start_paused = true)]
async fn a_closing_connection_lingers_for_a_silent_sender_only_briefly() {
    let (mut client, served, _shutdown) = pipe();
    let put = "PUT /unread HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 100\r\n\r\nbegin";
    client.write_all(put.as_bytes()).await.unwrap();
    let started = Instant::now();
    served.await.unwrap();
    assert_eq!(started.elapsed(), Duration::from_millis(500));
}

#[tokio::test(start_paused = true)]
async fn a_closing_connection_does_not_linger_for_ever() {
    let (mut client, served, _shutdown) = pipe();
    let put = "PUT /unread HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 1000000\r\n\r\nbegin";
    client.write_all(put.as_bytes()).await.unwrap();
    let started = Instant::now();
    while !served.is_finished() {
        client.write_all(b"more").await.ok();
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(started.elapsed().as_secs(), 5);
}

#[test]
fn what_follows_an_upgrade_is_taken_for_no_head() {
    let pulse = Pulse::new(None);
    pulse.received(b"GET / HTTP/1.1\r\n\r\n");
    pulse.begin(false, |_| ());
    pulse.upgrade();
    pulse.end(None);
    pulse.received(&[b'x'; 64 << 10]);
    assert!(!pulse.target_too_long());
}

#[test]
fn a_connection_ends_between_answers_when_all_is_written_and_nothing_has_begun() {
    let pulse = Pulse::new(None);
    assert!(pulse.ends_between_answers(), "nothing came yet");
    pulse.received(b"GET / HTTP/1.1\r\n");
    assert!(!pulse.ends_between_answers(), "a head has begun");
    pulse.begin(false, |_| ());
    assert!(!pulse.ends_between_answers(), "the service is asked");
    pulse.answer();
    assert!(!pulse.ends_between_answers(), "the answer has a body");
    pulse.end(None);
    assert!(!pulse.ends_between_answers(), "the end of the answer is not written");
    pulse.flushed();
    assert!(pulse.ends_between_answers());
    pulse.received(b"GET / HTTP/1.1\r\n\r\n");
    pulse.begin(false, |_| ());
    pulse.upgrade();
    assert!(pulse.ends_between_answers(), "another protocol says by itself where it ends");
}
