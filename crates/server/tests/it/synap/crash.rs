//! Kill -9 under load at the default level: what was acknowledged is there, what was taken stays gone, nothing is there
//! by half.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use serde_json::Value;

use super::{command, send};
use crate::harness::{Connection, Server};

const ROUNDS: usize = 3;
const LOAD: Duration = Duration::from_millis(500);

/// One client of the load: what it sends, and what it was told.
struct Client {
    /// The commands of its n-th turn; an answer may be needed for the next of them.
    turn: fn(n: u64) -> Vec<String>,
    /// Turns whose every command was acknowledged.
    done: u64,
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_taken_comes_back() {
    let mut server = Server::start();
    let turns: [fn(u64) -> Vec<String>; 6] = [count, set_three, push, score, take_and_ack, tell];
    let mut clients = turns.map(|turn| Client { turn, done: 0 });
    for _ in 0..ROUNDS {
        load_and_kill(&mut server, &mut clients);
        server.start_again();
        look(&server, &mut clients);
    }
    for client in &clients {
        assert!(client.done > ROUNDS as u64, "the load was no load");
    }
}

fn count(_: u64) -> Vec<String> {
    vec![r#"{"command":"kv.incr","payload":{"key":"count"}}"#.to_owned()]
}

fn set_three(n: u64) -> Vec<String> {
    vec![format!(r#"{{"command":"kv.mset","payload":{{"pairs":{{"{n}:a":{n},"{n}:b":{n},"{n}:c":{n}}}}}}}"#)]
}

fn push(n: u64) -> Vec<String> {
    vec![format!(r#"{{"command":"list.rpush","payload":{{"key":"list","values":[{n}]}}}}"#)]
}

fn score(n: u64) -> Vec<String> {
    vec![format!(r#"{{"command":"sortedset.zadd","payload":{{"key":"scores","member":"m{n}","score":{n}}}}}"#)]
}

/// A message that is published, taken and acknowledged; its number is that of the turn.
fn take_and_ack(n: u64) -> Vec<String> {
    vec![
        format!(r#"{{"command":"queue.publish","payload":{{"queue":"q","message":{n}}}}}"#),
        r#"{"command":"queue.consume","payload":{"queue":"q"}}"#.to_owned(),
        format!(r#"{{"command":"queue.ack","payload":{{"queue":"q","message_id":"msg_{:x}"}}}}"#, n + 1),
    ]
}

fn tell(n: u64) -> Vec<String> {
    vec![format!(r#"{{"command":"stream.publish","payload":{{"room":"room","event_type":"n","data":{n}}}}}"#)]
}

/// Everybody sends, one command after the other, until the process is killed.
fn load_and_kill(server: &mut Server, clients: &mut [Client]) {
    let killed = AtomicBool::new(false);
    let (address, pid) = (server.synap(), server.process_id());
    std::thread::scope(|scope| {
        for client in clients {
            let killed = &killed;
            scope.spawn(move || client.send_until_killed(address, killed));
        }
        std::thread::sleep(LOAD);
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("kill the process");
        killed.store(true, Ordering::Relaxed);
    });
    server.kill();
}

impl Client {
    fn send_until_killed(&mut self, address: SocketAddr, killed: &AtomicBool) {
        let mut connection = Connection::open(address);
        while !killed.load(Ordering::Relaxed) {
            for text in (self.turn)(self.done) {
                // The error is the kill.
                let Ok(answer) = connection.send(&command(&text)) else { return };
                let answer = answer.expect(200).json();
                assert_eq!(answer["success"], true, "{text}: {answer}");
            }
            self.done += 1;
        }
    }

    /// Takes over how many turns the server knows of: what was acknowledged, and one more at most, which was under way.
    #[track_caller]
    fn settle(&mut self, known: u64) {
        assert!((self.done..=self.done + 1).contains(&known), "{known} are there, {} were acknowledged", self.done);
        self.done = known;
    }
}

/// Compares what is there with what the clients were told.
fn look(server: &Server, clients: &mut [Client; 6]) {
    let ask = |text: String| -> Value {
        let answer = send(server, &text);
        assert_eq!(answer["success"], true, "{text}: {answer}");
        answer["payload"].clone()
    };
    let [counts, threes, pushes, scores, takes, tells] = clients;
    counts.settle(ask(r#"{"command":"kv.get","payload":{"key":"count"}}"#.into())["value"].as_u64().expect("a count"));

    let three = |n: u64| format!(r#"{{"command":"kv.mget","payload":{{"keys":["{n}:a","{n}:b","{n}:c"]}}}}"#);
    for n in 0..threes.done {
        assert_eq!(ask(three(n))["values"], serde_json::json!([n, n, n]));
    }
    let under_way = ask(three(threes.done))["values"].clone();
    let there = under_way != serde_json::json!([null, null, null]);
    assert!(!there || under_way == serde_json::json!([threes.done, threes.done, threes.done]), "{under_way}");
    threes.settle(threes.done + u64::from(there));

    let listed = ask(r#"{"command":"list.range","payload":{"key":"list"}}"#.into())["values"].clone();
    let listed = listed.as_array().expect("a list");
    assert!(listed.iter().enumerate().all(|(at, value)| *value == at), "{listed:?}");
    pushes.settle(listed.len() as u64);

    let ranked = ask(r#"{"command":"sortedset.zrange","payload":{"key":"scores"}}"#.into())["members"].clone();
    let ranked = ranked.as_array().expect("members");
    assert!(ranked.iter().enumerate().all(|(at, member)| member["member"] == format!("m{at}")), "{ranked:?}");
    scores.settle(ranked.len() as u64);

    let events = format!(r#"{{"command":"stream.history","payload":{{"room":"room","from_offset":{}}}}}"#, tells.done);
    let told = ask(events);
    tells.settle(told["newest_offset"].as_u64().expect("an offset"));
    let last = told["events"].as_array().and_then(|events| events.last()).expect("events");
    assert_eq!((&last["offset"], &last["data"]), (&tells.done.into(), &(tells.done - 1).into()));

    queue_is_settled(takes, &ask);
}

/// No acknowledged message is there any more. One that was under way is finished, so that the next turn finds it gone.
fn queue_is_settled(takes: &mut Client, ask: &dyn Fn(String) -> Value) {
    let stats = ask(r#"{"command":"queue.stats","payload":{"queue":"q"}}"#.into());
    let count = |name: &str| stats[name].as_u64().expect("a count");
    takes.settle(count("published_total"));
    let acked = count("acked_total");
    assert!(acked <= takes.done && takes.done <= acked + 1, "{stats}");
    if acked < takes.done {
        let id = format!("msg_{:x}", takes.done);
        if count("depth") == 1 {
            let taken = ask(r#"{"command":"queue.consume","payload":{"queue":"q"}}"#.into());
            assert_eq!(taken["message_id"], id.as_str());
        }
        ask(format!(r#"{{"command":"queue.ack","payload":{{"queue":"q","message_id":"{id}"}}}}"#));
    }
    let nothing = ask(r#"{"command":"queue.consume","payload":{"queue":"q"}}"#.into());
    assert_eq!(nothing["message_id"], Value::Null, "{nothing}");
}
