use manifold_engine::recache::{DimensionId, HostId};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;
use crate::dialects::edgecomet::config::Span;

fn job(url: &str) -> Job {
    Job { host: HostId(1), url: url.into(), dimension: DimensionId(2) }
}

fn client(whole: Duration) -> Client {
    let mut config = Config { internal_auth_key: "secret".into(), ..Config::default() };
    config.recache.timeout_per_url = Span(whole);
    Client::new(&config)
}

fn at(address: String, registered: bool) -> Gateway {
    Gateway { id: "eg1".to_owned(), address, registered }
}

/// A gateway that answers its first request with these bytes and gives back what it was sent.
async fn gateway(answer: &'static str) -> (Gateway, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    let received = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut received = String::new();
        while !received.ends_with('}') {
            let mut chunk = [0; 4096];
            let read = stream.read(&mut chunk).await.expect("bytes");
            assert!(read > 0, "closed after {received:?}");
            received.push_str(std::str::from_utf8(&chunk[..read]).expect("a text"));
        }
        stream.write_all(answer.as_bytes()).await.expect("takes the answer");
        received
    });
    (at(address, false), received)
}

#[test]
fn a_body_has_the_bytes_that_other_programs_send() {
    let sent = String::from_utf8(body(&job("https://example.com/page?a=1&b=<2>"))).expect("a text");
    let expected = r#"{"url":"https://example.com/page?a=1\u0026b=\u003c2\u003e","host_id":1,"dimension_id":2}"#;
    assert_eq!(sent, expected);
}

#[tokio::test]
async fn a_job_is_one_request_with_the_key() {
    let (gateway, received) = gateway("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno").await;
    let done = client(Duration::from_secs(5)).run(&gateway, &job("https://a.b/")).await;
    assert_eq!(done, (Outcome::Done, Contact::Answered));
    let received = received.await.expect("no panic");
    let (head, body) = received.split_once("\r\n\r\n").expect("a head");
    assert_eq!(body, r#"{"url":"https://a.b/","host_id":1,"dimension_id":2}"#);
    let mut lines = head.lines();
    assert_eq!(lines.next(), Some("POST /internal/cache/recache HTTP/1.1"));
    let headers: Vec<String> = lines.map(str::to_lowercase).collect();
    for header in ["x-internal-auth: secret", "content-type: application/json"] {
        assert!(headers.iter().any(|found| found == header), "{header} in {head}");
    }
}

#[tokio::test]
async fn a_200_counts_whatever_becomes_of_its_body() {
    let (gateway, _received) = gateway("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\ncut off").await;
    let done = client(Duration::from_secs(5)).run(&gateway, &job("https://a.b/")).await;
    assert_eq!(done, (Outcome::Done, Contact::Answered));
}

#[tokio::test]
async fn a_redirect_is_no_success_and_is_not_followed() {
    let (gateway, _received) =
        gateway("HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n").await;
    let done = client(Duration::from_secs(5)).run(&gateway, &job("https://a.b/")).await;
    assert_eq!(done, (Outcome::Temporary("the gateway answered 307".to_owned()), Contact::Answered));
}

#[tokio::test]
async fn a_refused_connection_is_no_attempt_unless_the_gateway_said_it_was_there() {
    let closed = TcpListener::bind("127.0.0.1:0").await.expect("a free port").local_addr().expect("an address");
    let reason = "gateway eg1: cannot reach upstream: connection refused".to_owned();
    let client = client(Duration::from_secs(5));
    let done = client.run(&at(closed.to_string(), false), &job("https://a.b/")).await;
    assert_eq!(done, (Outcome::NotTried(reason.clone()), Contact::Refused));
    let done = client.run(&at(closed.to_string(), true), &job("https://a.b/")).await;
    assert_eq!(done, (Outcome::Temporary(reason), Contact::Refused));
}

#[tokio::test]
async fn what_breaks_off_or_takes_too_long_may_work_later() {
    let (broken, _received) = gateway("").await;
    let done = client(Duration::from_secs(5)).run(&broken, &job("https://a.b/")).await;
    let reason = "gateway eg1: cannot reach upstream: connection ended before the answer".to_owned();
    assert_eq!(done, (Outcome::Temporary(reason), Contact::Broke));

    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let silent_at = at(silent.local_addr().expect("an address").to_string(), false);
    let done = client(Duration::from_millis(50)).run(&silent_at, &job("https://a.b/")).await;
    assert_eq!(done, (Outcome::Temporary("gateway eg1: timed out".to_owned()), Contact::Broke));

    let done = client(Duration::from_secs(5)).run(&at("no address".to_owned(), false), &job("https://a.b/")).await;
    assert_eq!(done.1, Contact::Broke);
}
