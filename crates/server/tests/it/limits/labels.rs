//! Names that clients make up, and what they make of the metrics.

use std::collections::BTreeSet;

use crate::harness::{Connection, Request, Server, Settings};

/// More than have labels of their own.
const NAMES: usize = 1010;

/// Every series that is shown, without its value.
fn series(server: &Server) -> BTreeSet<String> {
    let text = server.metrics_text();
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples.filter_map(|line| Some(line.rsplit_once(' ')?.0.to_owned())).collect()
}

fn make_up(server: &Server, names: std::ops::Range<usize>) {
    let mut flo = Connection::open(server.flo());
    let mut synap = Connection::open(server.synap());
    let mut others = [server.unison(), server.dunena(), server.edgecomet()].map(Connection::open);
    let send = |connection: &mut Connection, request: Request| connection.send(&request).expect("an answer");
    let publish = |n| format!(r#"{{"command":"queue.publish","payload":{{"queue":"queue{n}","message":1}}}}"#);
    let look = |n| format!(r#"{{"command":"stream.history","payload":{{"room":"room{n}"}}}}"#);
    let all: Vec<usize> = names.collect();
    for some in all.chunks(500) {
        let commands: Vec<String> = some.iter().flat_map(|n| [publish(n), look(n)]).collect();
        let batch = format!(r#"{{"type":"batch","commands":[{}]}}"#, commands.join(","));
        send(&mut synap, Request::post("/api/v1/command", batch).key(None)).expect(200);
    }
    for n in all {
        send(&mut flo, Request::get(format!("/api/v1/kv/namespace{n}/k")).key(None));
        send(&mut flo, Request::post(format!("/api/v1/queue/n/queue{n}/dequeue"), "").key(None)).expect(200);
        if n.is_multiple_of(50) {
            let made_up = Request::new(&format!("METHOD{n}"), format!("/route{n}?ns=namespace{n}"));
            for connection in others.iter_mut().chain([&mut flo, &mut synap]) {
                send(connection, made_up.clone());
            }
        }
    }
}

#[test]
fn made_up_names_do_not_make_the_metrics_longer_for_ever() {
    let server = Server::with(Settings::fast());
    make_up(&server, 0..NAMES);
    let full = series(&server);
    assert!(full.iter().any(|line| line.contains(r#"="_other_""#)), "all others are one");
    make_up(&server, NAMES..NAMES + 100);
    let more = series(&server);
    let new: Vec<_> = more.difference(&full).collect();
    // Which names of the engine's have labels of their own follows their order, not the time they came.
    let of_names = |line: &&&String| line.contains("queue") || line.contains("room");
    let swapped = new.iter().filter(of_names).count();
    assert_eq!(new.len(), swapped, "{new:?}");
    assert_eq!(more.len(), full.len(), "{new:?}");
    let invented: Vec<_> = more.iter().filter(|line| line.contains("METHOD") || line.contains("/route")).collect();
    assert!(invented.is_empty(), "{invented:?}");
    // The page of a dialect is made of the same.
    for (address, target) in [(server.synap(), "/metrics"), (server.dunena(), "/metrics")] {
        let page = super::ask(address, &Request::get(target).key(None)).expect(200).text();
        assert!(page.lines().count() < 20_000, "{} lines", page.lines().count());
    }
}
