use tokio::io::AsyncBufReadExt;

use super::*;
use crate::outbound::AllowList;

const LIMITS: Limits = Limits { connections: 4, bytes: 1 << 20, connect: Duration::from_secs(5) };

/// A server that says back each line it hears.
async fn echo() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (from, mut to) = stream.split();
                let mut lines = tokio::io::BufReader::new(from).lines();
                while let Ok(Some(line)) = lines.next_line().await {
                    to.write_all(format!("{line}\n").as_bytes()).await.expect("takes it");
                }
            });
        }
    });
    port
}

fn loopback() -> Guard {
    Guard::new(AllowList::parse(["localhost", "127.0.0.0/8", "::1"]))
}

async fn proxy(limits: Limits) -> Proxy {
    Proxy::open(loopback(), limits).await.expect("a free port")
}

/// Says hello and asks for a connection; the reply.
async fn ask(proxy: &Proxy, request: &[u8]) -> (TcpStream, u8) {
    let mut stream = TcpStream::connect(proxy.address).await.expect("listens");
    stream.write_all(&[5, 1, 0]).await.expect("takes a greeting");
    let mut method = [0; 2];
    stream.read_exact(&mut method).await.expect("a method");
    assert_eq!(method, [5, 0]);
    stream.write_all(request).await.expect("takes a request");
    let mut reply = [0; 10];
    stream.read_exact(&mut reply).await.expect("a reply");
    assert_eq!((reply[0], &reply[2..]), (5, &[0, 1, 0, 0, 0, 0, 0, 0][..]));
    (stream, reply[1])
}

fn to_name(name: &str, port: u16) -> Vec<u8> {
    let mut request = vec![5, 1, 0, 3, name.len() as u8];
    request.extend_from_slice(name.as_bytes());
    request.extend_from_slice(&port.to_be_bytes());
    request
}

fn to_v4(address: [u8; 4], port: u16) -> Vec<u8> {
    [&[5, 1, 0, 1][..], &address, &port.to_be_bytes()].concat()
}

async fn round_trip(stream: &mut TcpStream, line: &str) -> String {
    stream.write_all(line.as_bytes()).await.expect("takes it");
    let mut back = vec![0; line.len()];
    stream.read_exact(&mut back).await.expect("says it back");
    String::from_utf8(back).expect("UTF-8")
}

#[tokio::test]
async fn names_and_addresses_are_connected_to() {
    let (port, proxy) = (echo().await, proxy(LIMITS).await);
    for request in [to_name("localhost", port), to_name("127.0.0.1", port), to_v4([127, 0, 0, 1], port)] {
        let (mut stream, reply) = ask(&proxy, &request).await;
        assert_eq!(reply, 0);
        assert_eq!(round_trip(&mut stream, "there and back\n").await, "there and back\n");
        // Its end is carried on, and comes back.
        stream.shutdown().await.expect("ends");
        assert_eq!(stream.read(&mut [0; 1]).await.expect("an end"), 0);
    }
}

#[tokio::test]
async fn what_the_guard_does_not_let_pass_is_refused() {
    let proxy = proxy(LIMITS).await;
    let mut v6 = vec![5, 1, 0, 4];
    v6.extend_from_slice(&Ipv6Addr::UNSPECIFIED.octets());
    v6.extend_from_slice(&[0, 80]);
    for request in [to_v4([169, 254, 169, 254], 80), to_name("10.0.0.1", 80), to_name("[fe80::1]", 80), v6] {
        assert_eq!(ask(&proxy, &request).await.1, Reply::NotAllowed as u8, "{request:?}");
    }
}

#[tokio::test]
async fn what_does_not_work_says_why() {
    let proxy = proxy(LIMITS).await;
    let nobody = TcpListener::bind("127.0.0.1:0").await.expect("a free port").local_addr().expect("an address").port();
    assert_eq!(ask(&proxy, &to_v4([127, 0, 0, 1], nobody)).await.1, Reply::ConnectionRefused as u8);
    let mut not_utf_8 = to_name("xx", 80);
    not_utf_8[5] = 0xff;
    assert_eq!(ask(&proxy, &not_utf_8).await.1, Reply::HostUnreachable as u8);
    let bind = [&[5, 2][..], &to_v4([127, 0, 0, 1], 80)[2..]].concat();
    assert_eq!(ask(&proxy, &bind).await.1, Reply::CommandNotSupported as u8);
    let kind = [5, 1, 0, 9];
    assert_eq!(ask(&proxy, &kind).await.1, Reply::AddressNotSupported as u8);
}

#[tokio::test]
async fn what_is_not_spoken_here_ends_the_connection() {
    let proxy = proxy(LIMITS).await;
    for greeting in [&[4, 1, 0][..], b"GET / HTTP/1.1\r\n\r\n", &[5, 1, 2]] {
        let mut stream = TcpStream::connect(proxy.address).await.expect("listens");
        stream.write_all(greeting).await.expect("takes it");
        let mut said = Vec::new();
        // Bytes that nobody read make a reset of the end.
        stream.read_to_end(&mut said).await.ok();
        assert!(said.is_empty() || said == [5, NO_METHOD], "{greeting:?}: {said:?}");
    }
}

#[tokio::test]
async fn a_page_has_no_more_than_its_share_of_bytes() {
    let (port, proxy) = (echo().await, proxy(Limits { bytes: 12, ..LIMITS }).await);
    let (mut first, _) = ask(&proxy, &to_name("localhost", port)).await;
    let (mut second, _) = ask(&proxy, &to_name("localhost", port)).await;
    assert_eq!(round_trip(&mut first, "12345\n").await, "12345\n");
    second.write_all(b"6\n").await.expect("takes it");
    assert_eq!(second.read(&mut [0; 9]).await.unwrap_or(0), 0, "two connections share it");
}

#[tokio::test]
async fn more_connections_than_allowed_wait() {
    let (port, proxy) = (echo().await, proxy(Limits { connections: 1, ..LIMITS }).await);
    let (first, _) = ask(&proxy, &to_name("localhost", port)).await;
    let request = to_name("localhost", port);
    let mut second = Box::pin(ask(&proxy, &request));
    let early = timeout(Duration::from_millis(100), &mut second).await;
    assert!(early.is_err(), "it was served beside the first");
    drop(first);
    assert_eq!(second.await.1, 0);
}

#[tokio::test]
async fn connections_end_with_the_page() {
    let (port, proxy) = (echo().await, proxy(LIMITS).await);
    let (mut stream, _) = ask(&proxy, &to_name("localhost", port)).await;
    let address = proxy.address;
    drop(proxy);
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap_or(0), 0);
    assert!(TcpStream::connect(address).await.is_err(), "it still listens");
}
