//! kill -9 under load: what was acknowledged is there, no batch is half there, the feed has no gap and no duplicate.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use serde_json::Value;

use crate::harness::{Connection, Request, Server};

const WRITERS: usize = 8;
/// Together with the second lane: forty kills.
const ROUNDS_PER_LANE: usize = 20;
const KEYS_PER_WRITER: u64 = 6;
const PAIRS_PER_WRITER: u64 = 2;

#[test]
fn kill_under_load_loses_nothing_that_was_acknowledged() {
    kill_rounds(1);
}

#[test]
fn kill_under_load_loses_nothing_that_was_acknowledged_second_lane() {
    kill_rounds(2);
}

fn kill_rounds(seed: u64) {
    let mut server = Server::start();
    let mut writers: Vec<Writer> = (0..WRITERS).map(|number| Writer::new(number, seed)).collect();
    let mut reader = Reader::default();
    for round in 0..ROUNDS_PER_LANE {
        let load = Duration::from_millis(150 + 37 * (round as u64 % 10));
        let idle = (round % 5 == 4).then(|| Duration::from_millis(1000 + 50 * round as u64));
        writers = write_until_killed(&mut server, writers, &mut reader, load, idle);
        server.start_again();
        reader.read_to_head(&mut server.connect()).expect("the feed can be read");
        for writer in &mut writers {
            writer.settle(&server, &reader);
        }
    }
    assert!(writers.iter().map(|w| w.acknowledged).sum::<u64>() > 1000, "the load was no load");
    let mut again = Reader::default();
    again.read_to_head(&mut server.connect()).expect("the feed can be read");
    assert_eq!(again.after, reader.after);
    assert!(again.seen == reader.seen, "the feed from its start tells another story than the reader heard on the way");
    server.stop();
}

/// Runs the writers and the reader until the process is killed in the middle, or after it idled.
fn write_until_killed(
    server: &mut Server,
    writers: Vec<Writer>,
    reader: &mut Reader,
    load: Duration,
    idle: Option<Duration>,
) -> Vec<Writer> {
    let stop = AtomicBool::new(false);
    // Everybody is connected before the clock runs: a thread may be started late.
    let writers: Vec<_> = writers.into_iter().map(|writer| (writer, server.connect())).collect();
    let mut reading = server.connect();
    std::thread::scope(|scope| {
        let writing: Vec<_> = writers
            .into_iter()
            .map(|(mut writer, mut connection)| {
                let stop = &stop;
                scope.spawn(move || {
                    writer.write(&mut connection, stop);
                    writer
                })
            })
            .collect();
        let reading = scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                // The error is the kill.
                let Ok(_) = reader.read_page(&mut reading) else { break };
            }
        });
        std::thread::sleep(load);
        let mut done = Vec::new();
        if let Some(idle) = idle {
            stop.store(true, Ordering::Relaxed);
            done = writing.into_iter().map(|writer| writer.join().expect("a writer")).collect();
            std::thread::sleep(idle);
            server.kill();
        } else {
            server.kill();
            done.extend(writing.into_iter().map(|writer| writer.join().expect("a writer")));
        }
        stop.store(true, Ordering::Relaxed);
        reading.join().expect("the reader");
        done
    })
}

/// One key as its only writer knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Known {
    version: u64,
    /// `None` = absent or deleted.
    value: Option<u64>,
}

/// A writer owns its keys, so it knows what each answer must be.
struct Writer {
    number: usize,
    random: u64,
    counter: u64,
    acknowledged: u64,
    known: HashMap<Name, Known>,
    /// What the request without answer may have done, all of it or nothing.
    pending: Vec<(Name, Known)>,
}

type Name = (String, String);

impl Writer {
    fn new(number: usize, seed: u64) -> Writer {
        let random = (seed << 32) + number as u64 + 1;
        Writer { number, random, counter: 0, acknowledged: 0, known: HashMap::new(), pending: Vec::new() }
    }

    fn write(&mut self, connection: &mut Connection, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            self.counter += 1;
            let (request, effects) = match self.next_random() % 10 {
                0 | 1 => self.pair(),
                2 => self.delete(),
                _ => self.put(),
            };
            self.pending = effects;
            let Ok(response) = connection.send(&request) else { return };
            assert_eq!(response.status, 200, "{request}: {}", response.text());
            if request.method == "PUT" {
                assert_eq!(response.json()["version"], self.pending[0].1.version, "{request}: {}", response.text());
            }
            if request.method == "DELETE" {
                assert_eq!(response.json()["deleted"], !self.pending.is_empty(), "{request}");
            }
            self.acknowledged += 1;
            self.known.extend(self.pending.drain(..));
        }
    }

    fn put(&mut self) -> (Request, Vec<(Name, Known)>) {
        let name = self.single();
        let next = self.next_state(&name, Some(self.counter));
        let target = format!("/api/v1/kv/{}/{}", name.0, name.1);
        (Request::put(target, format!(r#"{{"value":{}}}"#, self.counter)), vec![(name, next)])
    }

    fn delete(&mut self) -> (Request, Vec<(Name, Known)>) {
        let name = self.single();
        let request = Request::delete(format!("/api/v1/kv/{}/{}", name.0, name.1));
        match self.known.get(&name) {
            Some(Known { value: Some(_), .. }) => {
                let next = self.next_state(&name, None);
                (request, vec![(name, next)])
            }
            _ => (request, Vec::new()),
        }
    }

    /// One value under the same key of two namespaces, in one batch.
    fn pair(&mut self) -> (Request, Vec<(Name, Known)>) {
        let key = format!("p{}", self.next_random() % PAIRS_PER_WRITER);
        let names = ["a", "b"].map(|side| (format!("pair{}{side}", self.number), key.clone()));
        let operations: Vec<String> = names
            .iter()
            .map(|(namespace, key)| {
                format!(r#"{{"op":"set","namespace":"{namespace}","key":"{key}","value":{}}}"#, self.counter)
            })
            .collect();
        let effects =
            names.into_iter().map(|name| (name.clone(), self.next_state(&name, Some(self.counter)))).collect();
        (Request::post("/api/v1/batch", format!(r#"{{"operations":[{}]}}"#, operations.join(","))), effects)
    }

    fn single(&mut self) -> Name {
        (format!("w{}", self.number), format!("k{}", self.next_random() % KEYS_PER_WRITER))
    }

    fn next_state(&self, name: &Name, value: Option<u64>) -> Known {
        Known { version: self.known.get(name).map_or(0, |known| known.version) + 1, value }
    }

    /// After the restart: every key is as it was acknowledged, or as the one request without answer made it.
    fn settle(&mut self, server: &Server, reader: &Reader) {
        let number = self.number;
        let mut found: HashMap<Name, Known> = HashMap::new();
        for namespace in [format!("w{number}"), format!("pair{number}a"), format!("pair{number}b")] {
            let list = server.get(&format!("/api/v1/kv/{namespace}")).expect(200).json();
            for item in list["items"].as_array().expect("items") {
                let name = (namespace.clone(), item["key"].as_str().expect("a key").to_owned());
                found.insert(name, Known { version: integer(&item["version"]), value: item["value"].as_u64() });
            }
        }
        let live = |known: &Known| known.value.map(|_| *known);
        let took_effect = self.pending.iter().filter(|(name, after)| found.get(name).copied() == live(after)).count();
        assert!(
            took_effect == 0 || took_effect == self.pending.len(),
            "half of a batch is there: {:?} in {found:?}",
            self.pending
        );
        if took_effect > 0 {
            self.known.extend(self.pending.drain(..));
        }
        self.pending.clear();
        for (name, known) in &self.known {
            assert_eq!(found.get(name).copied(), live(known), "writer {number}: {name:?} was acknowledged");
            assert_eq!(reader.seen.get(name), Some(known), "writer {number}: {name:?} in the feed");
        }
        let expected = self.known.values().filter(|known| known.value.is_some()).count();
        assert_eq!(found.len(), expected, "writer {number} never wrote some of {found:?}");
    }

    fn next_random(&mut self) -> u64 {
        // xorshift: any order will do, as long as it is the same in each run.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }
}

/// Reads the feed from its start, over all kills, and folds it into a state.
#[derive(Default)]
struct Reader {
    after: u64,
    last_timestamp: u64,
    seen: HashMap<Name, Known>,
}

impl Reader {
    /// One page. An error of the connection leaves the cursor where it was.
    fn read_page(&mut self, connection: &mut Connection) -> std::io::Result<bool> {
        let target = format!("/api/v1/changes?after={}&limit=1000&wait=50", self.after);
        let page = connection.send(&Request::get(target))?.expect(200).json();
        assert!(page.get("reset").is_none(), "the head fell behind a record that was shown: {page}");
        let changes = page["changes"].as_array().expect("changes");
        for change in changes {
            self.take(change);
        }
        assert_eq!(integer(&page["lastSeq"]), self.after, "lastSeq of a feed without filter is its last record");
        Ok(changes.len() == 1000)
    }

    fn read_to_head(&mut self, connection: &mut Connection) -> std::io::Result<()> {
        while self.read_page(connection)? {}
        Ok(())
    }

    fn take(&mut self, change: &Value) {
        let seq = integer(&change["seq"]);
        assert_eq!(seq, self.after + 1, "the feed has a gap or a duplicate: {change}");
        self.after = seq;
        let timestamp = integer(&change["timestamp"]);
        assert!(timestamp >= self.last_timestamp, "time goes backwards: {change}");
        self.last_timestamp = timestamp;
        let text = |name: &str| change[name].as_str().expect("a text").to_owned();
        let known = self.seen.entry((text("namespace"), text("key"))).or_default();
        let version = integer(&change["version"]);
        assert_eq!(version, known.version + 1, "a version is missing or given twice: {change}");
        *known = Known { version, value: change["value"].as_u64() };
    }
}

fn integer(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no integer"))
}
