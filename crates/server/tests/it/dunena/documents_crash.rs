//! Kill -9 under load at the default level, forty times: after each, the file is sound, everything acknowledged is in it,
//! and nothing is there by half.

use std::{
    net::SocketAddr,
    path::Path,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use rusqlite::Connection as Sqlite;

use crate::harness::{Connection, Request, Server, Settings};

const ROUNDS: u64 = 40;
const LOAD: Duration = Duration::from_millis(120);
const PATIENCE: Duration = Duration::from_secs(30);

/// One client of the load: what it sends, and what it was told.
struct Client {
    name: &'static str,
    /// The requests of its n-th turn.
    turn: fn(n: u64) -> Vec<Request>,
    /// How many turns the file knows of.
    known: fn(&Sqlite, done: u64) -> u64,
    /// Turns whose every request was acknowledged.
    done: u64,
}

#[test]
fn nothing_acknowledged_is_lost_in_forty_kills() {
    let mut server = Server::with(Settings::default().set("dunena.rate_max", 0));
    let client = |name, turn, known| Client { name, turn, known, done: 0 };
    let mut clients = [
        client("single", single, count),
        client("more", single_again, count_again),
        client("three", three, count_threes),
        client("replace", replace, replaced),
        client("remove", remove, removed),
        client("by_tag", remove_by_tag, removed_by_tag),
    ];
    for round in 0..ROUNDS {
        // Kills at different places of what goes on, also soon after a start.
        load_and_kill(&mut server, &mut clients, LOAD + Duration::from_millis(7 * (round % 5)));
        let copy = tempfile::tempdir().expect("a directory");
        let file = copied(&server.data_dir(), copy.path());
        for client in &mut clients {
            client.settle(&file);
        }
        server.start_again();
    }
    for client in &clients {
        assert!(client.done > ROUNDS, "{}: the load was no load", client.name);
    }
    // The server reads what the file says.
    let stats = Connection::open(server.dunena()).send(&Request::get("/db-stats").key(None)).expect("an answer");
    let expected = clients[0].done + clients[1].done + 3 * clients[2].done + 1;
    let left_over = stats.expect(200).json()["totalEntries"].as_u64().expect("a count") - expected;
    assert!(left_over <= 2, "{left_over} more than was written");
    server.stop();
}

fn post(target: String, body: String) -> Request {
    Request::post(target, body).key(None)
}

fn single(n: u64) -> Vec<Request> {
    vec![post(format!("/db/{n}?ns=single"), format!(r#"{{"value":"{n}","tags":["t{n}","all"]}}"#))]
}

fn single_again(n: u64) -> Vec<Request> {
    vec![post(format!("/db/{n}?ns=more"), format!(r#"{{"value":"{}"}}"#, "x".repeat(3000)))]
}

fn three(n: u64) -> Vec<Request> {
    let entry = |part: char| format!(r#"{{"key":"{n}{part}","value":"{n}"}}"#);
    let entries = ['a', 'b', 'c'].map(entry).join(",");
    vec![post("/db?ns=three".to_owned(), format!(r#"{{"action":"mset","entries":[{entries}]}}"#))]
}

fn replace(n: u64) -> Vec<Request> {
    vec![post("/db/one?ns=replace".to_owned(), format!(r#"{{"value":"{n}","tags":["t{n}"]}}"#))]
}

fn remove(n: u64) -> Vec<Request> {
    vec![
        post(format!("/db/{n}?ns=remove"), r#"{"value":"v","tags":["t"]}"#.to_owned()),
        Request::delete(format!("/db/{n}?ns=remove")).key(None),
    ]
}

fn remove_by_tag(n: u64) -> Vec<Request> {
    vec![
        post(format!("/db/{n}?ns=by_tag"), format!(r#"{{"value":"v","tags":["{n}"]}}"#)),
        post("/db?ns=by_tag".to_owned(), format!(r#"{{"action":"deleteByTags","tags":["{n}"]}}"#)),
    ]
}

fn number(file: &Sqlite, sql: &str) -> u64 {
    let number: i64 = file.query_row(sql, [], |row| row.get(0)).expect(sql);
    number.unsigned_abs()
}

/// All numbers from 0, each with its value and tags.
fn count(file: &Sqlite, _: u64) -> u64 {
    let count = number(file, "SELECT count(*) FROM kv WHERE namespace = 'single' AND value = key");
    let highest = number(file, "SELECT ifnull(max(CAST(key AS INTEGER)) + 1, 0) FROM kv WHERE namespace = 'single'");
    let tags = number(file, "SELECT count(*) FROM kv_tags WHERE namespace = 'single' AND tag IN ('all', 't' || key)");
    assert_eq!((highest, tags), (count, 2 * count));
    count
}

fn count_again(file: &Sqlite, _: u64) -> u64 {
    let count = number(file, "SELECT count(*) FROM kv WHERE namespace = 'more' AND length(value) = 3000");
    let highest = number(file, "SELECT ifnull(max(CAST(key AS INTEGER)) + 1, 0) FROM kv WHERE namespace = 'more'");
    assert_eq!(highest, count);
    count
}

fn count_threes(file: &Sqlite, _: u64) -> u64 {
    let parts = number(file, "SELECT count(*) FROM kv WHERE namespace = 'three'");
    let whole = number(
        file,
        "SELECT count(*) FROM (SELECT value FROM kv WHERE namespace = 'three' GROUP BY value HAVING count(*) = 3)",
    );
    assert_eq!(parts, 3 * whole, "nothing is there by half");
    whole
}

/// One more than what the one document says, whose one tag says the same.
fn replaced(file: &Sqlite, _: u64) -> u64 {
    let said = number(file, "SELECT ifnull(max(CAST(value AS INTEGER)) + 1, 0) FROM kv WHERE namespace = 'replace'");
    let tagged = number(
        file,
        "SELECT ifnull(max(CAST(substr(tag, 2) AS INTEGER)) + 1, 0) FROM kv_tags WHERE namespace = 'replace'",
    );
    let tags = number(file, "SELECT count(*) FROM kv_tags WHERE namespace = 'replace'");
    assert!(said == tagged && tags <= 1, "{said}, {tagged}, {tags}");
    said
}

fn removed(file: &Sqlite, done: u64) -> u64 {
    only_the_last(file, "remove", done)
}

fn removed_by_tag(file: &Sqlite, done: u64) -> u64 {
    only_the_last(file, "by_tag", done)
}

/// Of what is written and deleted in turns, only what was under way may be there.
fn only_the_last(file: &Sqlite, space: &str, done: u64) -> u64 {
    let before =
        number(file, &format!("SELECT count(*) FROM kv WHERE namespace = '{space}' AND CAST(key AS INTEGER) < {done}"));
    assert_eq!(before, 0, "{space}: what was deleted is there again");
    assert!(number(file, &format!("SELECT count(*) FROM kv WHERE namespace = '{space}'")) <= 1);
    done
}

/// Everybody sends, one request after the other, until the process is killed: after this time, and after two turns of each.
fn load_and_kill(server: &mut Server, clients: &mut [Client], load: Duration) {
    let (killed, turned) = (AtomicBool::new(false), AtomicUsize::new(0));
    let everybody = clients.len();
    let (address, pid) = (server.dunena(), server.process_id());
    std::thread::scope(|scope| {
        for client in clients {
            let (killed, turned) = (&killed, &turned);
            scope.spawn(move || client.send_until_killed(address, killed, turned));
        }
        let begun = Instant::now();
        let waits = || turned.load(Ordering::Relaxed) < everybody && begun.elapsed() < PATIENCE;
        while begun.elapsed() < load || waits() {
            std::thread::sleep(Duration::from_millis(5));
        }
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("kill the process");
        killed.store(true, Ordering::Relaxed);
    });
    server.kill();
}

/// A copy of the file as the kill left it, recovered by SQLite itself: the server shall do that for its own.
fn copied(data: &Path, to: &Path) -> Sqlite {
    for name in ["dunena.db", "dunena.db-wal"] {
        let from = data.join(name);
        if from.exists() {
            std::fs::copy(from, to.join(name)).expect("a copy");
        }
    }
    let file = Sqlite::open(to.join("dunena.db")).expect("a database");
    let sound: String = file.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("a check");
    assert_eq!(sound, "ok");
    let dangling = file.prepare("PRAGMA foreign_key_check").expect("a check").exists([]).expect("a check");
    assert!(!dangling, "a tag belongs to no document");
    file
}

impl Client {
    fn send_until_killed(&mut self, address: SocketAddr, killed: &AtomicBool, turned: &AtomicUsize) {
        let mut connection = Connection::open(address);
        let before = self.done;
        while !killed.load(Ordering::Relaxed) {
            for request in (self.turn)(self.done) {
                // The error is the kill.
                let Ok(answer) = connection.send(&request) else { return };
                assert!(matches!(answer.status, 200 | 201), "{request}: {}", answer.text());
            }
            self.done += 1;
            if self.done == before + 2 {
                turned.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Takes over how many turns the file knows of: what was acknowledged, and one more at most, which was under way.
    #[track_caller]
    fn settle(&mut self, file: &Sqlite) {
        let known = (self.known)(file, self.done);
        let possible = self.done..=self.done + 1;
        assert!(possible.contains(&known), "{}: {known} are there, {} were acknowledged", self.name, self.done);
        self.done = known;
    }
}
