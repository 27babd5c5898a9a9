//! Servers that mean harm, and places where none may be asked.

use std::{
    io::Write,
    net::{TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use super::Proxied;
use crate::harness::Settings;

/// Answers every connection with these bytes, again and again.
fn endless(bytes: &'static [u8]) -> u16 {
    served(move |mut stream| while stream.write_all(bytes).is_ok() {})
}

/// Takes connections and says nothing.
fn silent() -> u16 {
    served(|stream| {
        thread::sleep(Duration::from_secs(30));
        drop(stream);
    })
}

/// A port of loopback on which every connection is given to `serve`, until the test ends.
fn served(serve: impl Fn(TcpStream) + Send + Copy + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || serve(stream));
        }
    });
    port
}

#[test]
fn addresses_that_nobody_may_reach_are_not_connected_to() {
    let proxied = Proxied::start();
    for host in
        ["169.254.169.254", "0.0.0.0", "[::]", "[fe80::1]", "[::ffff:169.254.169.254]", "100.100.100.200", "224.0.0.1"]
    {
        for (kind, dsn) in
            [("postgresql", format!("postgres://u:p@{host}/d")), ("mysql", format!("mysql://u:p@{host}/d"))]
        {
            proxied.register("x", kind, &dsn, false);
            assert_eq!(proxied.ask("x", "SELECT 1", "[]").unwrap_err(), "Upstream address not allowed", "{dsn}");
        }
    }
    proxied.register("x", "postgresql", "postgres://u:p@localhost/d?hostaddr=169.254.169.254", false);
    assert_eq!(proxied.ask("x", "SELECT 1", "[]").unwrap_err(), "Upstream address not allowed");
    let listed = Proxied::with(Settings::default().set("dunena.proxy_allow_hosts", vec!["10.0.0.0/8"]));
    for (kind, scheme) in [("postgresql", "postgres"), ("mysql", "mysql")] {
        listed.register("x", kind, &format!("{scheme}://u:p@127.0.0.1:{}/d", silent()), false);
        assert_eq!(listed.ask("x", "SELECT 1", "[]").unwrap_err(), "Upstream address not allowed");
    }
}

#[test]
fn a_server_that_says_nothing_is_left_in_time() {
    let port = silent();
    let proxied = Proxied::with(Settings::default().set("dunena.proxy_connect_timeout", 400));
    for (kind, scheme) in [("postgresql", "postgres"), ("mysql", "mysql")] {
        proxied.register("x", kind, &format!("{scheme}://u:p@127.0.0.1:{port}/d"), false);
        let start = Instant::now();
        assert_eq!(proxied.ask("x", "SELECT 1", "[]").unwrap_err(), "Upstream timed out");
        assert!(start.elapsed() < Duration::from_secs(3), "{kind}: {:?}", start.elapsed());
    }
}

#[test]
fn a_server_that_speaks_nonsense_without_end_does_no_harm() {
    let mut proxied = Proxied::with(Settings::default().set("dunena.proxy_connect_timeout", 1500));
    let speeches: [&'static [u8]; 6] = [
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"\0",
        b"\xff",
        // PostgreSQL: no encryption, then a notice of two gigabytes.
        b"NN\x7f\xff\xff\xff",
        // PostgreSQL: no encryption, then notices.
        b"NN\0\0\0\x05\0",
        // MySQL: a packet of 16 megabytes.
        b"\xff\xff\xff\0",
    ];
    for bytes in speeches {
        let port = endless(bytes);
        for (kind, scheme) in [("postgresql", "postgres"), ("mysql", "mysql")] {
            proxied.register("x", kind, &format!("{scheme}://u:p@127.0.0.1:{port}/d"), false);
            assert!(proxied.ask("x", "SELECT 1", "[]").is_err(), "{kind} {bytes:?}");
        }
    }
    proxied.server.assert_alive();
    assert!(!proxied.server.log.text().contains("panicked"), "{}", proxied.server.log.text());
}
