//! What rooms cost.

use super::command;
use crate::harness::{Connection, Server, Settings};

const ROOMS: usize = 20_000;

#[test]
fn an_empty_room_costs_less_than_four_kib() {
    let server = Server::with(Settings::fast());
    let mut connection = Connection::open(server.synap());
    let mut make = |from: usize, to: usize| {
        for first in (from..to).step_by(1000) {
            let create = |n| format!(r#"{{"command":"stream.create","payload":{{"room":"room {n}"}}}}"#);
            let commands: Vec<String> = (first..first + 1000).map(create).collect();
            let body = format!(r#"{{"type":"batch","commands":[{}]}}"#, commands.join(","));
            let answer = connection.send(&command(body)).expect("an answer");
            assert!(!answer.expect(200).text().contains("error"));
        }
    };
    // What the process takes for the first of its kind is not theirs.
    make(0, 1000);
    let before = server.resident_bytes();
    make(1000, 1000 + ROOMS);
    let each = server.resident_bytes().saturating_sub(before) / ROOMS as u64;
    assert!(each < 4096, "{each} bytes");
}
