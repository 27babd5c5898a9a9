use std::sync::Arc;

use tokio::{io::AsyncReadExt, net::TcpListener};

use super::*;

#[test]
fn addresses_have_a_host_and_a_port() {
    let some = |host: &str, port| Some((host.to_owned(), port));
    assert_eq!(host_and_port("localhost:6379"), some("localhost", 6379));
    assert_eq!(host_and_port("10.0.0.1:1"), some("10.0.0.1", 1));
    assert_eq!(host_and_port("[::1]:6379"), some("::1", 6379));
    for odd in ["", "localhost", ":6379", "localhost:", "localhost:x", "localhost:70000", "::1:6379", "[]:1"] {
        assert_eq!(host_and_port(odd), None, "{odd}");
    }
}

/// A server that hangs up on whatever it is asked; how often it was asked.
async fn hanging_up() -> (Connection, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("is bound").to_string();
    let asked = Arc::new(AtomicU64::new(0));
    let counting = asked.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            if stream.read(&mut [0; 1024]).await.is_ok_and(|read| read > 0) {
                counting.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    let config = config::Redis { addr: Some(address), ..config::Redis::default() };
    (Connection::new(&config).expect("an address"), asked)
}

#[tokio::test]
async fn what_must_not_be_executed_twice_is_sent_once() {
    let (connection, asked) = hanging_up().await;
    assert!(matches!(connection.one_once::<u64>(redis::cmd("DEL")).await, Err(HomeError::Unavailable(_))));
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    let (connection, asked) = hanging_up().await;
    assert!(matches!(connection.one::<u64>(redis::cmd("EXISTS")).await, Err(HomeError::Unavailable(_))));
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}
