//! Where a server that is asked to call somebody calls nobody. Metadata services and the like cannot be built in a test; so
//! all but one network that nobody has is forbidden, and a listener on loopback stands for what must not be reached.

use std::net::TcpListener;

use super::Client;
use crate::{
    dunena::upstream::{Answer, Upstream},
    harness::{Request, Server, Settings},
};

const TOKEN: &str = "token";

fn query(client: &mut Client, name: &str, kind: &str, address: &str) -> String {
    let register = serde_json::json!({ "name": name, "type": kind, "connectionString": address });
    let answer = client.send(&Request::post("/db-proxy/register", register.to_string()).key(Some(TOKEN)));
    if answer.status == 400 {
        return answer.text();
    }
    assert_eq!(answer.status, 201, "{address}: {}", answer.text());
    let query = serde_json::json!({ "connector": name, "query": "SELECT 1" });
    let answer = client.send(&Request::post("/db-proxy/query", query.to_string()).key(Some(TOKEN)));
    assert!(matches!(answer.status, 400 | 502), "{address}: {} {}", answer.status, answer.text());
    answer.text()
}

#[test]
fn no_spelling_of_an_address_gets_around_the_list_of_hosts() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("a socket option");
    let port = listener.local_addr().expect("an address").port();
    let settings = Settings::fast()
        .set("dunena.auth_token", TOKEN)
        .set("dunena.rate_max", 0)
        .set("dunena.proxy_connect_timeout", 500)
        .set("dunena.proxy_allow_hosts", toml::Value::from(vec!["allowed.example", "192.0.2.0/24"]));
    let server = Server::with(settings);
    let mut client = Client::to(server.dunena());
    let hosts = [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0x7f.1",
        "127.0.0.1.",
        "localhost",
        "localhost.",
        "LOCALHOST",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "0.0.0.0",
        "0",
        "192.0.2.1@127.0.0.1",
        "allowed.example@127.0.0.1",
        "allowed.example:80@127.0.0.1",
        "127.0.0.1%2eallowed.example",
        "\u{ff11}\u{ff12}\u{ff17}.0.0.1",
        "127\u{3002}0\u{3002}0\u{3002}1",
        "allowed.example%00@127.0.0.1",
    ];
    let mut number = 0;
    for host in hosts {
        for (kind, scheme, rest) in [
            ("http", "http", "/"),
            ("http", "https", "/"),
            ("elasticsearch", "http", ""),
            ("postgresql", "postgres", "/db"),
            ("mysql", "mysql", "/db"),
        ] {
            number += 1;
            let address = format!("{scheme}://{host}:{port}{rest}");
            let said = query(&mut client, &format!("c{number}"), kind, &address);
            assert!(said.contains("error"), "{address}: {said}");
        }
    }
    for (kind, address) in [
        ("http", format!("http://127.0.0.1:{port}#@allowed.example/")),
        ("http", format!("http://127.0.0.1:{port}\\@allowed.example/")),
        ("http", format!("http:127.0.0.1:{port}/")),
        ("http", format!("http:///127.0.0.1:{port}/")),
        ("http", format!("\thttp://127.0.0.1:{port}/")),
        ("http", format!("http://127.0.0.1\n:{port}/")),
        ("http", format!("ftp://127.0.0.1:{port}/")),
        ("http", format!("gopher://127.0.0.1:{port}/_x")),
        ("http", "file:///etc/passwd".to_owned()),
        ("http", "unix:///var/run/docker.sock".to_owned()),
        ("elasticsearch", "file:///etc/passwd".to_owned()),
        ("postgresql", format!("host=127.0.0.1 port={port} user=u")),
        ("postgresql", format!("host=allowed.example hostaddr=127.0.0.1 port={port} user=u")),
        ("postgresql", format!("postgres://u@allowed.example:{port}/db?host=127.0.0.1")),
        ("postgresql", format!("postgres://u@allowed.example:{port}/db?hostaddr=127.0.0.1")),
        ("postgresql", format!("postgres://u@allowed.example:{port},127.0.0.1:{port}/db")),
        ("postgresql", "postgres://u@%2Fvar%2Frun%2Fpostgresql/db".to_owned()),
        ("postgresql", "host=/var/run/postgresql user=u".to_owned()),
        ("mysql", format!("mysql://u@allowed.example:{port}/db?socket=/var/run/mysqld/mysqld.sock")),
        ("mysql", format!("mysql://u@127.0.0.1:{port}/db?prefer_socket=true")),
    ] {
        number += 1;
        let said = query(&mut client, &format!("c{number}"), kind, &address);
        assert!(said.contains("error"), "{address}: {said}");
    }
    let knocked = listener.accept();
    assert!(knocked.is_err(), "{knocked:?}");
}

#[test]
fn a_redirect_leads_nowhere() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("a socket option");
    let forbidden = listener.local_addr().expect("an address");
    let server = Server::with(Settings::fast().set("dunena.auth_token", TOKEN));
    let mut client = Client::to(server.dunena());
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        let location = format!("Location: http://{forbidden}/");
        let upstream = Upstream::start(move |_| Some(Answer::status(status, &[&location], "gone")));
        let said = query(&mut client, &status[..3], "http", &upstream.url());
        assert!(said.contains("error"), "{status}: {said}");
        assert_eq!(upstream.count(), 1, "{status}");
    }
    let knocked = listener.accept();
    assert!(knocked.is_err(), "a redirect was followed: {knocked:?}");
}
