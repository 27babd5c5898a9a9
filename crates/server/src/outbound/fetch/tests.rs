use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::sleep,
};

use super::*;
use crate::outbound::PublicOnly;

const CONNECT: Duration = Duration::from_secs(5);

fn fetcher() -> Fetcher {
    let public = PublicOnly::new(true, []).expect("no networks");
    Fetcher::new(Guard::public_only(public), CONNECT)
}

/// Answers requests with these bytes, connection after connection; what was asked comes out of the channel.
async fn site(answer: Vec<u8>) -> (String, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    let (asked, heads) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (mut head, mut chunk) = (Vec::new(), [0; 4096]);
            while let Ok(read @ 1..) = stream.read(&mut chunk).await {
                head.extend_from_slice(&chunk[..read]);
                if head.ends_with(b"\r\n\r\n") {
                    let text = String::from_utf8(std::mem::take(&mut head)).expect("a text");
                    asked.send(text).expect("the test waits");
                    stream.write_all(&answer).await.expect("takes the answer");
                }
            }
        }
    });
    (address, heads)
}

async fn get(uri: &str) -> Result<Bytes, Error> {
    let response = fetcher().get(uri.parse().expect("an address"), HeaderMap::new()).await?;
    collect(response.into_body(), 10).await
}

/// What a site tells that has these lines in its head.
async fn told(lines: &str) -> Result<String, Error> {
    let answer = format!("HTTP/1.1 200 OK\r\n{lines}Content-Length: 0\r\n\r\n");
    let (address, _heads) = site(answer.into_bytes()).await;
    let uri = format!("http://{address}/").parse().expect("an address");
    let response = fetcher().get(uri, HeaderMap::new()).await?;
    let told = response.headers().get("x-told").expect("the site tells it");
    Ok(told.to_str().expect("a text").to_owned())
}

#[tokio::test]
async fn target_and_headers_are_sent_as_given() {
    let (address, mut heads) = site(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi".to_vec()).await;
    let fetcher = fetcher();
    for target in ["/it's/%41/[x]?q='a';b={|}^`\\&c=%zz", "/?", "/a/./b//c/../d"] {
        let mut headers = HeaderMap::new();
        headers.insert("x-one", "1".parse().expect("a value"));
        let uri = format!("http://{address}{target}").parse().expect("an address");
        let response = fetcher.get(uri, headers).await.expect("an answer");
        assert_eq!(collect(response.into_body(), 2).await.expect("a body"), "hi");
        let head = heads.recv().await.expect("was asked");
        assert_eq!(head, format!("GET {target} HTTP/1.1\r\nx-one: 1\r\nhost: {address}\r\n\r\n"));
    }
}

#[tokio::test]
async fn a_body_is_no_longer_than_allowed_declared_or_not() {
    for (answer, body) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789", Ok("0123456789")),
        ("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n", Err(Error::TooLarge)),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n", Ok("0123456789")),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n", Err(Error::TooLarge)),
        ("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", Ok("")),
    ] {
        let (address, _heads) = site(answer.as_bytes().to_vec()).await;
        assert_eq!(get(&format!("http://{address}/")).await, body.map(Bytes::from), "{answer}");
    }
}

#[tokio::test]
async fn heads_as_old_sites_write_them_are_read() {
    let many = "X-Other: 1\r\n".repeat(900);
    for (lines, value) in [
        (format!("{many}X-Told: last\r\n"), "last"),
        ("X-Told: one\r\n  and\r\n\tthe other\r\n".to_owned(), "one and the other"),
        ("X-Told:\r\n below\r\n".to_owned(), "below"),
        ("X-Told : behind a blank\r\n".to_owned(), "behind a blank"),
    ] {
        assert_eq!(told(&lines).await, Ok(value.to_owned()));
    }
    let refused = told(&"X-Told: 1\r\n".repeat(1000)).await;
    assert!(matches!(refused, Err(Error::Unreachable(_))), "{refused:?}");
}

#[tokio::test]
async fn forbidden_addresses_are_not_connected_to_by_number_or_by_name() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("a socket option");
    let port = listener.local_addr().expect("an address").port();
    let strict = Fetcher::new(Guard::public_only(PublicOnly::default()), CONNECT);
    for scheme in ["http", "https"] {
        for host in ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "localhost"] {
            let uri = format!("{scheme}://{host}:{port}/").parse().expect("an address");
            let error = strict.get(uri, HeaderMap::new()).await.unwrap_err();
            assert!(matches!(error, Error::Denied(Denied::NotPublic(_))), "{host}: {error:?}");
        }
    }
    let connection = listener.accept();
    assert!(connection.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock), "{connection:?}");
}

#[tokio::test]
async fn what_went_wrong_is_one_of_a_few_words() {
    let closed = TcpListener::bind("127.0.0.1:0").await.expect("a free port").local_addr().expect("an address");
    let (cut, _cut) = site(b"220 mail.example.com ESMTP\r\n\r\n".to_vec()).await;
    for (uri, expected) in [
        (format!("http://{closed}/"), Error::Unreachable("connection refused")),
        (format!("http://{cut}/"), Error::Unreachable("answer is not HTTP")),
        ("http://no-such-host.invalid/".to_owned(), Error::Denied(Denied::Unresolved)),
    ] {
        assert_eq!(get(&uri).await, Err(expected), "{uri}");
    }
}

#[tokio::test]
async fn connecting_ends_in_its_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let uri = format!("https://{}/", listener.local_addr().expect("an address"));
    let public = PublicOnly::new(true, []).expect("no networks");
    // Nobody answers the handshake.
    let hasty = Fetcher::new(Guard::public_only(public), Duration::from_millis(100));
    let ended = tokio::select! {
        ended = hasty.get(uri.parse().expect("an address"), HeaderMap::new()) => ended.map(drop),
        () = sleep(CONNECT) => panic!("still connecting"),
    };
    assert_eq!(ended, Err(Error::TimedOut));
}
