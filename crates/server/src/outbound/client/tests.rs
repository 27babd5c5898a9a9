use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::sleep,
};

use super::*;
use crate::outbound::AllowList;

const LIMITS: Limits =
    Limits { connect: Duration::from_secs(2), whole: Duration::from_secs(5), response_bytes: 100_000 };

/// Answers each connection with these bytes once a request's head has come, then lets `after` go on with it.
async fn upstream<F, Fut>(answer: &'static str, after: F) -> String
where
    F: Fn(TcpStream) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            read_head(&mut stream).await;
            stream.write_all(answer.as_bytes()).await.expect("takes the answer");
            tokio::spawn(after(stream));
        }
    });
    url
}

/// The head of a request, or what begins a TLS handshake.
async fn read_head(stream: &mut TcpStream) -> String {
    let (mut head, mut chunk) = (Vec::new(), [0; 4096]);
    while !head.windows(4).any(|end| end == b"\r\n\r\n") && head.first() != Some(&0x16) {
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => break,
            Ok(read) => head.extend_from_slice(&chunk[..read]),
        }
    }
    String::from_utf8_lossy(&head).into_owned()
}

async fn get(url: &str, limits: Limits) -> Result<Reply, Error> {
    let client = Client::new(Guard::new(None), limits);
    let url = Url::parse(url).expect("an address");
    client
        .send(Request {
            method: Method::GET,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            refusal_bytes: 10,
            repeatable: false,
        })
        .await
}

async fn done(_: TcpStream) {}

/// Writes `piece` without end.
async fn endless(mut stream: TcpStream, piece: &'static [u8], pause: Duration) {
    while stream.write_all(piece).await.is_ok() {
        sleep(pause).await;
    }
}

#[tokio::test]
async fn an_answer_comes_whole() {
    let url = upstream("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", done).await;
    let reply = get(&url, LIMITS).await.expect("an answer");
    assert_eq!((reply.status, &reply.body[..]), (StatusCode::OK, &b"hello"[..]));
    // Through a name instead of a literal address.
    let reply = get(&url.replace("127.0.0.1", "localhost"), LIMITS).await.expect("an answer");
    assert_eq!(&reply.body[..], b"hello");
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let url =
        upstream("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 4\r\n\r\ngone", done).await;
    let reply = get(&url, LIMITS).await.expect("an answer");
    assert_eq!((reply.status, &reply.body[..]), (StatusCode::FOUND, &b"gone"[..]));
}

#[tokio::test]
async fn of_a_refusal_the_beginning_is_kept_however_long_it_is() {
    let url = upstream("HTTP/1.1 500 No\r\n\r\n0123", |stream| endless(stream, b"456789abcdef", Duration::ZERO)).await;
    let reply = get(&url, LIMITS).await.expect("an answer");
    assert_eq!((reply.status.as_u16(), &reply.body[..]), (500, &b"0123456789"[..]));
    let cut_off = upstream("HTTP/1.1 404 No\r\nContent-Length: 100\r\n\r\nabc", done).await;
    assert_eq!(&get(&cut_off, LIMITS).await.expect("an answer").body[..], b"abc");
}

#[tokio::test]
async fn the_status_of_a_refusal_does_not_wait_for_a_slow_body() {
    let (slow, stuck) = (Duration::from_millis(300), Duration::from_secs(60));
    let dripping = upstream("HTTP/1.1 500 No\r\n\r\n", move |stream| endless(stream, b"x", slow)).await;
    let silent = upstream("HTTP/1.1 503 No\r\n\r\nwait", move |stream| endless(stream, b"", stuck)).await;
    let (dripping, silent) = tokio::join!(get(&dripping, LIMITS), get(&silent, LIMITS));
    let (dripping, silent) = (dripping.expect("an answer"), silent.expect("an answer"));
    assert_eq!(dripping.status.as_u16(), 500);
    assert!(dripping.body.starts_with(b"x") && dripping.body.len() < 10, "{:?}", dripping.body);
    assert_eq!((silent.status.as_u16(), &silent.body[..]), (503, &b"wait"[..]));
}

#[tokio::test]
async fn too_much_is_noticed_declared_or_not() {
    let declared = upstream("HTTP/1.1 200 OK\r\nContent-Length: 100001\r\n\r\n", done).await;
    assert_eq!(get(&declared, LIMITS).await.unwrap_err(), Error::TooLarge);
    let endless = upstream("HTTP/1.1 200 OK\r\n\r\n", |stream| endless(stream, &[b'x'; 4096], Duration::ZERO)).await;
    assert_eq!(get(&endless, LIMITS).await.unwrap_err(), Error::TooLarge);
    let exact = upstream("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", |mut stream| async move {
        stream.write_all(&[b'x'; 100_000]).await.expect("takes the answer");
    });
    assert_eq!(get(&exact.await, LIMITS).await.expect("an answer").body.len(), 100_000);
}

#[tokio::test]
async fn the_whole_call_ends_in_its_time() {
    let short = Limits { whole: Duration::from_millis(200), ..LIMITS };
    let silent = upstream("", |stream| endless(stream, b"", Duration::from_secs(1))).await;
    assert_eq!(get(&silent, short).await.unwrap_err(), Error::TimedOut);
    // A body that comes a byte at a time is never silent, and still too slow.
    let dripping = upstream("HTTP/1.1 200 OK\r\n\r\n", |stream| endless(stream, b" ", Duration::from_millis(10))).await;
    assert_eq!(get(&dripping, short).await.unwrap_err(), Error::TimedOut);
    let refusing = upstream("HTTP/1.1 500 No\r\n\r\n", |stream| endless(stream, b"", Duration::from_secs(1))).await;
    assert_eq!(get(&refusing, short).await.unwrap_err(), Error::TimedOut);
}

#[tokio::test]
async fn connecting_ends_in_its_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("https://{}/", listener.local_addr().expect("an address"));
    // Nobody answers the handshake.
    let short = Limits { connect: Duration::from_millis(200), ..LIMITS };
    assert_eq!(get(&url, short).await.unwrap_err(), Error::TimedOut);
}

#[tokio::test]
async fn forbidden_addresses_are_not_called_by_number_or_by_name() {
    let denied = Error::Denied(Denied::NotAllowed);
    for url in [
        "http://169.254.169.254/latest",
        "http://0xa9fea9fe/",
        "http://2852039166/",
        "http://[fe80::1]/",
        "http://[::ffff:169.254.169.254]/",
        "http://0/",
        "https://100.100.100.200/",
    ] {
        assert_eq!(get(url, LIMITS).await.unwrap_err(), denied, "{url}");
    }
    let listed = Client::new(Guard::new(AllowList::parse(["db.internal"])), LIMITS);
    for url in ["http://localhost:1/", "http://127.0.0.1:1/"] {
        let url = Url::parse(url).expect("an address");
        let request = Request {
            method: Method::GET,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            refusal_bytes: 0,
            repeatable: true,
        };
        assert_eq!(listed.send(request).await.unwrap_err(), denied, "seen through the layers of the HTTP client");
    }
}

#[tokio::test]
async fn what_went_wrong_is_said_without_the_address() {
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        listener.local_addr().expect("an address")
    };
    let cut = upstream("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", done).await;
    let silent = upstream("", done).await;
    let other = upstream("220 mail.example.com ESMTP\r\n\r\n", done).await;
    let plain = other.replace("http:", "https:");
    for (url, reason) in [
        (format!("http://{closed}/"), "connection refused"),
        (cut, "connection broke"),
        (silent, "connection ended before the answer"),
        (other, "answer is not HTTP"),
        (plain, "TLS handshake failed"),
        ("http://no-such-host.invalid/".to_owned(), "host not found"),
    ] {
        let error = get(&url, LIMITS).await.unwrap_err();
        let said = match error {
            Error::Unreachable(reason) => reason.to_owned(),
            Error::Denied(denied) => denied.to_string(),
            other => panic!("{url}: {other:?}"),
        };
        assert_eq!(said, reason, "{url}");
    }
}

#[tokio::test]
async fn no_proxy_of_the_environment_and_no_compression_is_asked_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/path?q=1", listener.local_addr().expect("an address"));
    let calling = tokio::spawn(async move { get(&url, LIMITS).await });
    let (mut stream, _) = listener.accept().await.expect("a connection");
    let head = read_head(&mut stream).await.to_lowercase();
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.expect("takes the answer");
    calling.await.expect("ends").expect("an answer");
    assert!(head.starts_with("get /path?q=1 http/1.1\r\n"), "{head}");
    assert!(!head.contains("accept-encoding") && !head.contains("referer"), "{head}");
}

#[test]
fn user_and_password_become_basic_authentication() {
    for (given, left, sent) in [
        ("http://h/q?a=1", "http://h/q?a=1", None),
        ("http://u:p@h/", "http://h/", Some("u:p")),
        ("http://u@h/", "http://h/", Some("u:")),
        ("http://:p@h/", "http://h/", Some(":p")),
        ("https://u%40x:p%3A%2F@h:8443/", "https://h:8443/", Some("u@x:p:/")),
    ] {
        let mut url = Url::parse(given).expect("an address");
        let value = take_credentials(&mut url);
        assert_eq!(url.as_str(), left);
        assert!(value.as_ref().is_none_or(HeaderValue::is_sensitive), "shown by Debug");
        let expected = sent.map(|pair| format!("Basic {}", BASE64_STANDARD.encode(pair)));
        assert_eq!(value.map(|value| value.to_str().expect("ASCII").to_owned()), expected, "{given}");
    }
}
