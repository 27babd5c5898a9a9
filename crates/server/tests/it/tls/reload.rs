//! New certificates while the process serves.

use std::path::Path;

use rustix::process::Signal;

use super::{Encrypted, SOON, shown};
use crate::harness::{Authority, Connection, Request, Server, Settings, eventually};

const READ: &str = "tls: the certificate was read again";
const KEPT: &str = "tls: the certificate stays as it was";
/// Listeners of a server of the tests.
const LISTENERS: usize = 6;

fn health() -> Request {
    Request::get("/api/v1/health").key(None)
}

/// SIGHUP, and wait until the log has a text so many times.
#[track_caller]
fn hang_up(server: &Server, text: &str, times: usize) {
    server.signal(Signal::HUP);
    eventually(text, SOON, || (server.log.text().matches(text).count() >= times).then_some(()));
}

#[test]
fn who_is_connected_stays_and_who_comes_sees_the_new_certificate() {
    let encrypted = Encrypted::start();
    let mut open = Connection::open(encrypted.unison());
    open.send(&health()).expect("an answer").expect(200);
    let old = shown(&mut open);
    // One client, so that it would resume its session if it could.
    let endpoint = encrypted.unison();
    drop(Connection::open(endpoint.clone()));

    encrypted.authority.sign_until("server", 2080);
    hang_up(&encrypted.server, READ, LISTENERS);
    for _ in 0..2 {
        open.send(&health()).expect("the connection goes on").expect(200);
    }
    let mut fresh = Connection::open(endpoint);
    fresh.send(&health()).expect("an answer").expect(200);
    assert_ne!(shown(&mut fresh), old);
    assert_eq!(encrypted.sample(r#"manifold_tls_certificate_expires_seconds{listener="unison"}"#), 3_471_292_800);
}

#[test]
fn files_that_cannot_be_used_change_nothing() {
    let mut encrypted = Encrypted::start();
    let pair = encrypted.authority.pair("server");
    let old = shown(&mut Connection::open(encrypted.unison()));
    let break_it: [(&str, &dyn Fn()); 4] = [
        ("is not the private key", &|| {
            let other = encrypted.authority.sign("other");
            std::fs::copy(other.key, &pair.key).expect("copy");
        }),
        ("there is no private key in it", &|| std::fs::write(&pair.key, "nothing").expect("write")),
        ("there is no certificate in it", &|| std::fs::write(&pair.cert, "").expect("write")),
        ("No such file", &|| std::fs::remove_file(&pair.cert).expect("remove")),
    ];
    for (round, (why, break_it)) in break_it.iter().enumerate() {
        break_it();
        hang_up(&encrypted.server, KEPT, LISTENERS * (round + 1));
        assert!(encrypted.server.log.text().contains(why), "{why}\n{}", encrypted.server.log.tail());
        assert_eq!(shown(&mut Connection::open(encrypted.unison())), old);
    }
    encrypted.authority.sign("server");
    hang_up(&encrypted.server, READ, LISTENERS);
    assert_ne!(shown(&mut Connection::open(encrypted.unison())), old);
    encrypted.server.assert_alive();
}

#[test]
fn certificates_and_hosts_are_read_whether_the_other_can_be_or_not() {
    let encrypted = Encrypted::start();
    let server = &encrypted.server;
    let pair = encrypted.authority.pair("server");
    std::fs::write(&pair.key, "nothing").expect("write");
    hang_up(server, "edgecomet: the hosts were read again", 1);
    assert_eq!(server.log.text().matches(KEPT).count(), LISTENERS);

    encrypted.authority.sign("server");
    let config = server.data_dir().with_file_name("manifold.toml");
    std::fs::write(&config, "[edgecomet\n").expect("write");
    hang_up(server, READ, LISTENERS);
    let log = server.log.text();
    assert!(log.contains("the configuration cannot be used as it is now"), "{log}");
    eventually("the hosts stay", SOON, || server.log.text().contains("the hosts stay as they were").then_some(()));
}

#[test]
fn other_files_may_be_named_but_tls_does_not_begin_or_end() {
    let authority = Authority::new();
    let pair = authority.sign("server");
    let mut settings = Settings::default().over_tls(&authority, &pair).set("dunena.tls.enabled", false);
    let server = Server::with(settings.clone());
    let config = server.data_dir().with_file_name("manifold.toml");
    let unison = authority.at(server.unison());
    let old = shown(&mut Connection::open(unison.clone()));

    let next = authority.sign("next");
    let path = |path: &Path| path.display().to_string();
    settings = settings.set("tls.cert", path(&next.cert)).set("tls.key", path(&next.key));
    settings = settings.set("dunena.tls.enabled", true).set("flo.tls.enabled", false);
    std::fs::write(config, settings.file.to_string()).expect("write");
    hang_up(&server, READ, LISTENERS - 1);
    assert_ne!(shown(&mut Connection::open(unison)), old);
    let decided = "whether a listener speaks TLS is decided when the process starts";
    assert_eq!(server.log.text().matches(decided).count(), 2, "{}", server.log.tail());
    let health = Request::get("/health").key(None);
    Connection::open(server.dunena()).send(&health).expect("plain, as before").expect(200);
    Connection::open(authority.at(server.flo())).send(&health).expect("TLS, as before").expect(200);
}
