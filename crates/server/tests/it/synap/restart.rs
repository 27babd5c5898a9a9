//! Whatever was acknowledged is there after a restart, however the process ended, and nothing is there that was taken
//! away: every type, its deadlines, queues in every state a message can be in, rooms.

use std::time::Duration;

use serde_json::{Value, json};

use super::send;
use crate::harness::Server;

/// How far a time that runs on may be from what it was, in seconds: the test itself takes some.
const RUNS_ON: u64 = 60;

#[test]
fn everything_is_there_after_a_clean_stop() {
    matrix(Server::restart, made_at);
}

#[test]
fn everything_is_there_after_a_kill() {
    matrix(kill, made_at);
}

#[test]
fn everything_is_there_after_an_export_and_an_import_elsewhere() {
    matrix(crate::export::move_to_a_fresh_one, created_at);
}

#[test]
fn deadlines_pass_while_the_process_is_down() {
    let mut server = Server::start();
    for fill in [
        r#"{"command":"kv.set","payload":{"key":"brief","value":1,"ttl":1}}"#,
        r#"{"command":"kv.set","payload":{"key":"long","value":1,"ttl":1000}}"#,
        r#"{"command":"list.rpush","payload":{"key":"l","values":[1]}}"#,
        r#"{"command":"kv.expire","payload":{"key":"l","ttl":1}}"#,
        r#"{"command":"queue.publish","payload":{"queue":"q","message":"leased"}}"#,
        r#"{"command":"queue.publish","payload":{"queue":"q","message":"last chance","max_retries":0}}"#,
        r#"{"command":"queue.consume","payload":{"queue":"q","ack_deadline":1}}"#,
        r#"{"command":"queue.consume","payload":{"queue":"q","ack_deadline":1}}"#,
    ] {
        done(&server, fill);
    }
    server.kill();
    std::thread::sleep(Duration::from_millis(1200));
    server.start_again();
    for (read, says) in [
        (r#"{"command":"kv.scan","payload":{}}"#, json!({"keys": ["long"]})),
        (r#"{"command":"kv.dbsize","payload":{}}"#, json!({"size": 1})),
        (
            r#"{"command":"queue.stats","payload":{"queue":"q"}}"#,
            json!({"depth": 1, "consumers": 0, "dead_lettered": 1}),
        ),
        (
            r#"{"command":"queue.consume","payload":{"queue":"q"}}"#,
            json!({"message_id": "msg_1", "message": "leased", "retry_count": 1}),
        ),
        (r#"{"command":"queue.consume","payload":{"queue":"q.dlq"}}"#, json!({"message": "last chance"})),
    ] {
        assert_says(&server, read, &says);
    }
    let changes = server.get("/api/v1/changes").expect(200).json();
    let last = changes["changes"].as_array().and_then(|changes| changes.last()).expect("changes");
    assert_eq!((&last["key"], &last["op"], &last["actor"]), (&"brief".into(), &"delete".into(), &"system:ttl".into()));
}

/// Fills a server, ends its process twice this way, and looks before and after; then goes on with what is there. What was
/// made stays what `made_by` tells of it.
fn matrix(restart: impl Fn(&mut Server), made_by: fn(&Server) -> Vec<Value>) {
    let mut server = Server::start();
    for family in FILL {
        for fill in *family {
            done(&server, fill);
        }
    }
    let made = made_by(&server);
    look(&server);
    restart(&mut server);
    look(&server);
    // What the start itself wrote is there as well.
    restart(&mut server);
    look(&server);
    assert_eq!(made_by(&server), made);
    go_on(&server);
    restart(&mut server);
    look_again(&server);
}

fn kill(server: &mut Server) {
    server.kill();
    server.start_again();
}

/// What makes the state, by family.
const FILL: &[&[&str]] = &[STRINGS, COLLECTIONS, QUEUES, ROOMS];

const STRINGS: &[&str] = &[
    r#"{"command":"kv.mset","payload":{"pairs":{"text":"Käse","object":{"b":1, "a":1.50},"null":null,"yes":true}}}"#,
    r#"{"command":"kv.incr","payload":{"key":"count","amount":5}}"#,
    r#"{"command":"kv.set","payload":{"key":"until","value":1,"ttl":100000}}"#,
    r#"{"command":"kv.incr","payload":{"key":"until"}}"#,
    r#"{"command":"kv.set","payload":{"key":"later","value":"x"}}"#,
    r#"{"command":"kv.expire","payload":{"key":"later","ttl":200000}}"#,
    r#"{"command":"kv.set","payload":{"key":"for good","value":"x","ttl":100000}}"#,
    r#"{"command":"kv.persist","payload":{"key":"for good"}}"#,
    r#"{"command":"kv.set","payload":{"key":"longer","value":"be"}}"#,
    r#"{"command":"kv.append","payload":{"key":"longer","value":"gin"}}"#,
    r#"{"command":"kv.setrange","payload":{"key":"longer","offset":0,"value":"B"}}"#,
    r#"{"command":"kv.set","payload":{"key":"longer","value":"never","nx":true}}"#,
    r#"{"command":"kv.set","payload":{"key":"never","value":"never","xx":true}}"#,
    r#"{"command":"kv.set","payload":{"key":"gone","value":"x"}}"#,
    r#"{"command":"kv.del","payload":{"keys":["gone"]}}"#,
];

const COLLECTIONS: &[&str] = &[
    r#"{"command":"hash.mset","payload":{"key":"h","fields":{"name":"Alice","age":30,"tags":["a"],"gone":1}}}"#,
    r#"{"command":"hash.incrby","payload":{"key":"h","field":"age","increment":1}}"#,
    r#"{"command":"hash.del","payload":{"key":"h","fields":["gone"]}}"#,
    r#"{"command":"list.rpush","payload":{"key":"l","values":["b","d",{"e":1}]}}"#,
    r#"{"command":"list.lpush","payload":{"key":"l","values":["a"]}}"#,
    r#"{"command":"list.insert","payload":{"key":"l","position":"after","pivot":"b","value":"c"}}"#,
    r#"{"command":"list.set","payload":{"key":"l","index":0,"value":"A"}}"#,
    r#"{"command":"list.rpush","payload":{"key":"empty","values":[1]}}"#,
    r#"{"command":"list.lpop","payload":{"key":"empty"}}"#,
    r#"{"command":"set.add","payload":{"key":"s","members":["x","y","z"]}}"#,
    r#"{"command":"set.rem","payload":{"key":"s","members":["y"]}}"#,
    r#"{"command":"sortedset.zadd","payload":{"key":"z","members":[{"member":"m","score":2.5},{"member":"n","score":-1},{"member":"o","score":9}]}}"#,
    r#"{"command":"sortedset.zincrby","payload":{"key":"z","member":"n","increment":4}}"#,
    r#"{"command":"sortedset.zrem","payload":{"key":"z","members":["o"]}}"#,
    r#"{"command":"key.copy","payload":{"source":"h","destination":"h until"}}"#,
    r#"{"command":"key.copy","payload":{"source":"l","destination":"l until"}}"#,
    r#"{"command":"key.copy","payload":{"source":"s","destination":"s until"}}"#,
    r#"{"command":"key.copy","payload":{"source":"z","destination":"z before"}}"#,
    r#"{"command":"kv.expire","payload":{"key":"h until","ttl":100000}}"#,
    r#"{"command":"kv.expire","payload":{"key":"l until","ttl":100000}}"#,
    r#"{"command":"kv.expire","payload":{"key":"s until","ttl":100000}}"#,
    r#"{"command":"kv.expire","payload":{"key":"z before","ttl":100000}}"#,
    r#"{"command":"key.rename","payload":{"source":"z before","destination":"z until"}}"#,
];

const QUEUES: &[&str] = &[
    r#"{"command":"queue.create","payload":{"queue":"empty","config":{"max_depth":7,"ack_deadline_secs":60,"default_max_retries":1,"default_priority":2}}}"#,
    r#"{"command":"queue.publish","payload":{"queue":"q","message":"acked"}}"#,
    r#"{"command":"queue.publish","payload":{"queue":"q","message":"leased"}}"#,
    r#"{"command":"queue.publish","payload":{"queue":"q","message":"leased too","max_retries":0}}"#,
    r#"{"command":"queue.publish","payload":{"queue":"q","message":"dead","headers":{"h":"v"}}}"#,
    r#"{"command":"queue.publish","payload":{"queue":"q","message":"retried","max_retries":2}}"#,
    r#"{"command":"queue.publish","payload":{"queue":"q","message":"ready"}}"#,
    r#"{"command":"queue.publish","payload":{"queue":"q","payload":[255,0],"priority":1}}"#,
    r#"{"command":"queue.consume","payload":{"queue":"q"}}"#,
    r#"{"command":"queue.consume","payload":{"queue":"q","consumer_id":"one","ack_deadline":3600}}"#,
    r#"{"command":"queue.consume","payload":{"queue":"q","consumer_id":"two","ack_deadline":3600}}"#,
    r#"{"command":"queue.consume","payload":{"queue":"q"}}"#,
    r#"{"command":"queue.consume","payload":{"queue":"q"}}"#,
    r#"{"command":"queue.ack","payload":{"queue":"q","message_id":"msg_1"}}"#,
    r#"{"command":"queue.nack","payload":{"queue":"q","message_id":"msg_4","requeue":false}}"#,
    r#"{"command":"queue.nack","payload":{"queue":"q","message_id":"msg_5"}}"#,
    r#"{"command":"queue.publish","payload":{"queue":"q","message":{"urgent": 1},"priority":9}}"#,
    r#"{"command":"queue.publish","payload":{"queue":"deleted","message":1}}"#,
    r#"{"command":"queue.delete","payload":{"queue":"deleted"}}"#,
];

const ROOMS: &[&str] = &[
    r#"{"command":"stream.publish","payload":{"room":"r","event_type":"joined","data":{"u": 1},"metadata":{"by":"me"}}}"#,
    r#"{"command":"stream.publish","payload":{"room":"r","event_type":"left","data":null}}"#,
    r#"{"command":"stream.create","payload":{"room":"small","max_events":2}}"#,
    r#"{"command":"stream.publish","payload":{"room":"small","event_type":"n","data":1}}"#,
    r#"{"command":"stream.publish","payload":{"room":"small","event_type":"n","data":2}}"#,
    r#"{"command":"stream.publish","payload":{"room":"small","event_type":"n","data":3}}"#,
    r#"{"command":"stream.create","payload":{"room":"unused"}}"#,
    r#"{"command":"stream.publish","payload":{"room":"again","event_type":"n","data":1}}"#,
    r#"{"command":"stream.delete","payload":{"room":"again"}}"#,
    r#"{"command":"stream.publish","payload":{"room":"again","event_type":"n","data":2}}"#,
    r#"{"command":"stream.create","payload":{"room":"deleted"}}"#,
    r#"{"command":"stream.delete","payload":{"room":"deleted"}}"#,
    r#"{"command":"pubsub.subscribe","payload":{"topics":["t"],"subscriber_id":"me"}}"#,
];

/// Everything that can be read without changing it.
fn look(server: &Server) {
    let reads = [
        (r#"kv.get","payload":{"key":"text"}"#, json!({"found": true, "value": "Käse", "ttl": null})),
        (r#"kv.get","payload":{"key":"object"}"#, json!({"value": {"b": 1, "a": 1.5}})),
        (r#"kv.get","payload":{"key":"null"}"#, json!({"found": true, "value": null})),
        (r#"kv.get","payload":{"key":"yes"}"#, json!({"value": true})),
        (r#"kv.get","payload":{"key":"count"}"#, json!({"value": 5, "ttl": null})),
        (r#"kv.get","payload":{"key":"until"}"#, json!({"value": 2, "ttl": 100_000})),
        (r#"kv.get","payload":{"key":"later"}"#, json!({"value": "x", "ttl": 200_000})),
        (r#"kv.get","payload":{"key":"for good"}"#, json!({"value": "x", "ttl": null})),
        (r#"kv.get","payload":{"key":"longer"}"#, json!({"value": "Begin"})),
        (r#"kv.mget","payload":{"keys":["never","gone","empty"]}"#, json!({"values": [null, null, null]})),
        (
            r#"hash.getall","payload":{"key":"h"}"#,
            json!({"fields": {"name": "Alice", "age": 31, "tags": ["a"]}, "count": 3}),
        ),
        (r#"hash.len","payload":{"key":"h until"}"#, json!({"length": 3})),
        (r#"list.range","payload":{"key":"l"}"#, json!({"values": ["A", "b", "c", "d", {"e": 1}]})),
        (r#"list.range","payload":{"key":"l until"}"#, json!({"values": ["A", "b", "c", "d", {"e": 1}]})),
        (r#"list.len","payload":{"key":"empty"}"#, json!({"length": 0})),
        (r#"set.card","payload":{"key":"s"}"#, json!({"cardinality": 2})),
        (r#"set.ismember","payload":{"key":"s","member":"x"}"#, json!({"is_member": true})),
        (r#"set.ismember","payload":{"key":"s","member":"y"}"#, json!({"is_member": false})),
        (r#"set.ismember","payload":{"key":"s until","member":"z"}"#, json!({"is_member": true})),
        (
            r#"sortedset.zrange","payload":{"key":"z"}"#,
            json!({"members": [{"member": "m", "score": 2.5}, {"member": "n", "score": 3.0}]}),
        ),
        (r#"sortedset.zcard","payload":{"key":"z until"}"#, json!({"count": 2})),
        (r#"kv.ttl","payload":{"key":"h"}"#, json!({"ttl": null})),
        (r#"kv.ttl","payload":{"key":"h until"}"#, json!({"ttl": 100_000})),
        (r#"kv.ttl","payload":{"key":"l until"}"#, json!({"ttl": 100_000})),
        (r#"kv.ttl","payload":{"key":"s until"}"#, json!({"ttl": 100_000})),
        (r#"kv.ttl","payload":{"key":"z until"}"#, json!({"ttl": 100_000})),
        (r#"kv.dbsize","payload":{}"#, json!({"size": 17})),
        (r#"queue.list","payload":{}"#, json!({"queues": ["empty", "q", "q.dlq"]})),
        (
            r#"queue.stats","payload":{"queue":"q"}"#,
            json!({
                "depth": 4, "published_total": 8, "consumed_total": 5, "acked_total": 1,
                "nacked_total": 2, "dead_lettered_total": 1,
            }),
        ),
        (r#"queue.stats","payload":{"queue":"q.dlq"}"#, json!({"depth": 1})),
        (r#"queue.stats","payload":{"queue":"empty"}"#, json!({"depth": 0, "published_total": 0})),
        (
            r#"queue.create","payload":{"queue":"empty","config":{"max_depth":7,"ack_deadline_secs":60,"default_max_retries":1,"default_priority":2}}"#,
            json!({"created": false}),
        ),
        (r#"stream.rooms","payload":{}"#, json!({"rooms": ["again", "r", "small", "unused"]})),
        (
            r#"stream.history","payload":{"room":"r"}"#,
            json!({
                "events": [
                    {"offset": 1, "event_type": "joined", "data": {"u": 1}},
                    {"offset": 2, "event_type": "left", "data": null},
                ],
                "oldest_offset": 1, "newest_offset": 2,
            }),
        ),
        (
            r#"stream.consume","payload":{"room":"r","limit":1}"#,
            json!({"events": [{"offset": 1, "event": "joined", "metadata": {"by": "me"}}], "next_offset": 2}),
        ),
        (
            r#"stream.stats","payload":{"room":"small"}"#,
            json!({"message_count": 2, "min_offset": 2, "max_offset": 3, "total_published": 3, "dropped": 1}),
        ),
        (r#"stream.stats","payload":{"room":"unused"}"#, json!({"message_count": 0, "min_offset": 0, "max_offset": 0})),
        (
            r#"stream.history","payload":{"room":"again"}"#,
            json!({"events": [{"offset": 1, "event_type": "n", "data": 2}]}),
        ),
    ];
    for (read, says) in reads {
        assert_says(server, &format!(r#"{{"command":"{read}}}"#), &says);
    }
}

/// When each room was made, and which room of its name it is.
fn made_at(server: &Server) -> Vec<Value> {
    let stats = |room: &&str| {
        let stats = format!(r#"{{"command":"stream.stats","payload":{{"room":"{room}"}}}}"#);
        let stats = done(server, &stats);
        assert!(stats["created_at"].as_u64().is_some_and(|at| at > 0), "{stats}");
        json!([stats["created_at"], stats["generation"]])
    };
    ["r", "small", "unused", "again"].iter().map(stats).collect()
}

/// When rooms were made. In another engine they have another generation.
fn created_at(server: &Server) -> Vec<Value> {
    made_at(server).into_iter().map(|made| made[0].clone()).collect()
}

/// Takes up every thread where it was: orders, leases, limits, numbers.
fn go_on(server: &Server) {
    let steps = [
        // Leases that were held over the restarts end as they would have.
        (r#"queue.ack","payload":{"queue":"q","message_id":"msg_2"}"#, json!({"success": true})),
        (r#"queue.nack","payload":{"queue":"q","message_id":"msg_3"}"#, json!({"action": "dead_lettered"})),
        // Highest priority first, then by age; retries count on.
        (
            r#"queue.consume","payload":{"queue":"q"}"#,
            json!({"message_id": "msg_8", "message": {"urgent": 1}, "priority": 9, "retry_count": 0}),
        ),
        (
            r#"queue.consume","payload":{"queue":"q"}"#,
            json!({"message_id": "msg_5", "message": "retried", "priority": 5, "retry_count": 1}),
        ),
        (r#"queue.nack","payload":{"queue":"q","message_id":"msg_5"}"#, json!({"action": "requeued"})),
        (r#"queue.consume","payload":{"queue":"q"}"#, json!({"message_id": "msg_5", "retry_count": 2})),
        (r#"queue.nack","payload":{"queue":"q","message_id":"msg_5"}"#, json!({"action": "dead_lettered"})),
        (r#"queue.consume","payload":{"queue":"q"}"#, json!({"message_id": "msg_6", "message": "ready"})),
        (
            r#"queue.consume","payload":{"queue":"q","consumer_id":"one"}"#,
            json!({"message": {"id": "msg_7", "payload": [255, 0], "priority": 1, "max_retries": 3}}),
        ),
        (r#"queue.consume","payload":{"queue":"q"}"#, json!({"message_id": null})),
        (r#"queue.consume","payload":{"queue":"q.dlq"}"#, json!({"message_id": "msg_3", "message": "leased too"})),
        (r#"queue.ack","payload":{"queue":"q.dlq","message_id":"msg_3"}"#, json!({"success": true})),
        (r#"queue.publish","payload":{"queue":"q","message":"new"}"#, json!({"message_id": "msg_9"})),
        // The configuration of a queue that was empty all the time.
        (r#"queue.publish","payload":{"queue":"empty","message":1}"#, json!({"message_id": "msg_1"})),
        (
            r#"queue.consume","payload":{"queue":"empty","consumer_id":"one"}"#,
            json!({"message": {"priority": 2, "max_retries": 1}}),
        ),
        // A room goes on with its numbers and its bound, a deleted one begins anew.
        (r#"stream.publish","payload":{"room":"r","event_type":"n","data":1}"#, json!({"offset": 3})),
        (r#"stream.publish","payload":{"room":"small","event_type":"n","data":4}"#, json!({"offset": 4})),
        (r#"stream.stats","payload":{"room":"small"}"#, json!({"min_offset": 3, "max_offset": 4})),
        (r#"stream.publish","payload":{"room":"unused","event_type":"n","data":1}"#, json!({"offset": 1})),
        (r#"stream.publish","payload":{"room":"deleted","event_type":"n","data":1}"#, json!({"offset": 1})),
        // Who subscribed is forgotten, and so is the topic.
        (r#"pubsub.topics","payload":{}"#, json!({"topics": []})),
        (r#"pubsub.publish","payload":{"topic":"t","message":1}"#, json!({"subscribers_matched": 0})),
        (r#"list.lpop","payload":{"key":"l","count":2}"#, json!({"values": ["A", "b"]})),
        (r#"sortedset.zpopmin","payload":{"key":"z"}"#, json!({"members": [{"member": "m", "score": 2.5}]})),
        (r#"set.pop","payload":{"key":"s","count":9}"#, json!({})),
        (r#"kv.del","payload":{"keys":["h until","text"]}"#, json!({"deleted": 2})),
    ];
    for (step, says) in steps {
        assert_says(server, &format!(r#"{{"command":"{step}}}"#), &says);
    }
}

/// What was taken stays gone.
fn look_again(server: &Server) {
    let reads = [
        (
            r#"queue.stats","payload":{"queue":"q"}"#,
            json!({"depth": 1, "published_total": 9, "dead_lettered_total": 3}),
        ),
        (r#"queue.consume","payload":{"queue":"q"}"#, json!({"message_id": "msg_9", "message": "new"})),
        (r#"queue.consume","payload":{"queue":"q"}"#, json!({"message_id": null})),
        (
            r#"queue.consume","payload":{"queue":"q.dlq"}"#,
            json!({"message_id": "msg_4", "message": "dead", "headers": {"h": "v"}}),
        ),
        (r#"queue.consume","payload":{"queue":"q.dlq"}"#, json!({"message_id": "msg_5", "message": "retried"})),
        (r#"queue.consume","payload":{"queue":"q.dlq"}"#, json!({"message_id": null})),
        (r#"list.range","payload":{"key":"l"}"#, json!({"values": ["c", "d", {"e": 1}]})),
        (r#"list.len","payload":{"key":"l until"}"#, json!({"length": 5})),
        (r#"sortedset.zcard","payload":{"key":"z"}"#, json!({"count": 1})),
        (r#"kv.exists","payload":{"key":"s"}"#, json!({"exists": false})),
        (r#"kv.dbsize","payload":{}"#, json!({"size": 14})),
        (r#"hash.len","payload":{"key":"h"}"#, json!({"length": 3})),
    ];
    for (read, says) in reads {
        assert_says(server, &format!(r#"{{"command":"{read}}}"#), &says);
    }
    for id in ["msg_1", "msg_2"] {
        let ack = format!(r#"{{"command":"queue.ack","payload":{{"queue":"q","message_id":"{id}"}}}}"#);
        assert_eq!(send(server, &ack)["error"]["code"], "MESSAGE_NOT_FOUND");
    }
}

/// The payload of a command that must succeed.
#[track_caller]
fn done(server: &Server, command: &str) -> Value {
    let mut answer = send(server, command);
    assert_eq!(answer["success"], true, "{command}: {answer}");
    answer["payload"].take()
}

/// The answer has at least these members with these values; times that run may have run.
#[track_caller]
fn assert_says(server: &Server, command: &str, says: &Value) {
    let payload = done(server, command);
    assert!(holds(&payload, says), "{command}\nanswers {payload}\ninstead of {says}");
}

fn holds(got: &Value, want: &Value) -> bool {
    match (got, want) {
        (Value::Object(got), Value::Object(want)) => {
            want.iter().all(|(name, want)| match (name.as_str(), want.as_u64()) {
                ("ttl", Some(most)) => {
                    got.get(name).and_then(Value::as_u64).is_some_and(|left| (most - RUNS_ON..=most).contains(&left))
                }
                _ => got.get(name).is_some_and(|got| holds(got, want)),
            })
        }
        (Value::Array(got), Value::Array(want)) => {
            got.len() == want.len() && got.iter().zip(want).all(|(got, want)| holds(got, want))
        }
        _ => got == want,
    }
}
