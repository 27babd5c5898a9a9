//! Disks that are full, failing, damaged or read-only, and memory that is used up.

use std::{
    collections::BTreeMap,
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::{
    export::{expect, verb},
    harness::{Connection, Request, Server, Settings, eventually},
};

/// A small file system of its own, unmounted at the end.
struct SmallDisk {
    path: tempfile::TempDir,
}

impl SmallDisk {
    /// `None` when this user may not mount.
    fn mount(size: &str) -> Option<SmallDisk> {
        let path = tempfile::tempdir().expect("a temporary directory");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(path.path())
            .output()
            .is_ok_and(|output| output.status.success());
        if !mounted {
            println!("skipped: a file system can only be mounted by root");
        }
        mounted.then(|| SmallDisk { path })
    }

    fn path(&self) -> &Path {
        self.path.path()
    }

    fn remount(&self, option: &str) -> bool {
        let options = format!("remount,{option}");
        Command::new("mount")
            .args(["-o", &options])
            .arg(self.path())
            .output()
            .is_ok_and(|output| output.status.success())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Nothing can be done about a failure, and the directory would tell.
        Command::new("umount").arg("-l").arg(self.path()).output().ok();
    }
}

#[test]
fn a_full_disk_refuses_growth_and_heals() {
    let Some(disk) = SmallDisk::mount("96m") else { return };
    let filler = disk.path().join("filler");
    std::fs::write(&filler, vec![0; 48 << 20]).expect("write the filler");
    let mut server = Server::at(disk.path(), Settings::default());
    let mut connection = server.connect();
    let value = format!(r#"{{"value":"{}"}}"#, "x".repeat(100_000));
    let mut acknowledged = BTreeMap::new();
    let put = |connection: &mut Connection, n: u32| {
        connection.send(&Request::put(format!("/api/v1/kv/full/k{n}"), value.clone())).expect("an answer")
    };
    let refusal = (0..2000).find_map(|n| {
        let answer = put(&mut connection, n);
        if answer.status == 200 {
            acknowledged.insert(n, answer.json()["version"].as_u64());
            return None;
        }
        Some((n, answer))
    });
    let (refused, answer) = refusal.expect("the disk is never full");
    assert_eq!((answer.status, answer.text().as_str()), (503, r#"{"error":"Store unavailable"}"#));
    assert!(refused > 50, "refused already at {refused}");
    // Not ready, but alive: reads go on, and so do deletes.
    let ready = connection.send(&Request::get("/api/v1/ready")).expect("an answer");
    assert_eq!((ready.status, ready.text().as_str()), (503, r#"{"ok":false}"#));
    assert_eq!(connection.send(&Request::get("/api/v1/health")).expect("an answer").status, 200);
    let status = connection.send(&Request::get("/api/v1/cluster/status")).expect("an answer").expect(200);
    assert_eq!(status.json()["ok"], false);
    for n in acknowledged.keys() {
        connection.send(&Request::get(format!("/api/v1/kv/full/k{n}"))).expect("an answer").expect(200);
    }
    for n in 0..5 {
        let answer = connection.send(&Request::delete(format!("/api/v1/kv/full/k{n}"))).expect("an answer").expect(200);
        assert_eq!(answer.text(), r#"{"deleted":true}"#);
        acknowledged.remove(&n);
    }
    // It heals by itself once there is space.
    std::fs::remove_file(&filler).expect("remove the filler");
    eventually("ready again", Duration::from_secs(10), || (server.get("/api/v1/ready").status == 200).then_some(()));
    eventually("writes again", Duration::from_secs(10), || (put(&mut connection, 5000).status == 200).then_some(()));
    acknowledged.insert(5000, None);
    // However many were refused, the log says once when it began and when it was over.
    for line in ["the disk is full", "there is space on the disk again"] {
        eventually(line, Duration::from_secs(10), || (server.log.text().matches(line).count() == 1).then_some(()));
    }
    server.restart();
    let list = server.get("/api/v1/kv/full?keysOnly=1").expect(200).json();
    let present: Vec<&str> =
        list["items"].as_array().expect("items").iter().filter_map(|i| i["key"].as_str()).collect();
    for n in acknowledged.keys() {
        assert!(present.contains(&format!("k{n}").as_str()), "k{n} was acknowledged");
    }
    for n in 0..5 {
        assert!(!present.contains(&format!("k{n}").as_str()), "k{n} was deleted");
    }
    server.stop();
}

#[test]
fn documents_on_a_full_disk_refuse_growth_and_heal() {
    let Some(disk) = SmallDisk::mount("16m") else { return };
    let path = disk.path().join("documents.db");
    let settings = Settings::default().set("dunena.db_path", path.display().to_string()).set("dunena.rate_max", 0);
    let mut server = Server::with(settings);
    let mut connection = Connection::open(server.dunena());
    let body = format!(r#"{{"value":"{}"}}"#, "x".repeat(100_000));
    let mut set = |n: u32| connection.send(&Request::post(format!("/db/k{n}"), body.clone())).expect("an answer");
    let acknowledged = (0..1000).take_while(|n| set(*n).status == 201).count();
    assert!((10..1000).contains(&acknowledged), "{acknowledged} writes");
    // Everybody is told, again and again, and what does not grow goes on.
    assert_eq!(set(2000).text(), r#"{"error":"Internal server error"}"#);
    let mut others = Connection::open(server.dunena());
    let get =
        |connection: &mut Connection, n: usize| connection.send(&Request::get(format!("/db/k{n}"))).expect("an answer");
    (0..acknowledged).for_each(|n| assert_eq!(get(&mut others, n).status, 200, "k{n}"));
    others.send(&Request::post("/cache/k", body.clone())).expect("an answer").expect(201);
    assert!(disk.remount("size=64m"));
    assert_eq!(set(2000).status, 201);
    server.kill();
    server.start_again();
    let mut connection = Connection::open(server.dunena());
    (0..acknowledged).chain([2000]).for_each(|n| assert_eq!(get(&mut connection, n).status, 200, "k{n}"));
    server.stop();
}

#[test]
fn a_full_disk_survives_a_kill() {
    let Some(disk) = SmallDisk::mount("64m") else { return };
    let filler = disk.path().join("filler");
    std::fs::write(&filler, vec![0; 32 << 20]).expect("write the filler");
    let mut server = Server::at(disk.path(), Settings::default());
    let value = "x".repeat(200_000);
    let written = (0..1000)
        .take_while(|n| server.put(&format!("/api/v1/kv/full/k{n}"), &format!("\"{value}\"")).status == 200)
        .count();
    assert!(written > 10 && written < 1000, "{written} writes");
    server.kill();
    std::fs::remove_file(&filler).expect("remove the filler");
    server.start_again();
    for n in 0..written {
        server.get(&format!("/api/v1/kv/full/k{n}")).expect(200);
    }
    server.put("/api/v1/kv/full/after", "1").expect(200);
    server.stop();
}

#[test]
fn a_failed_write_ends_all_writes_until_a_restart_and_the_process_with_74() {
    let mut server = Server::with(Settings { file_size_limit_kib: Some(20 << 10), ..Settings::default() });
    let mut connection = server.connect();
    let value = format!(r#"{{"value":"{}"}}"#, "x".repeat(100_000));
    let mut written = 0;
    let refused = loop {
        let put = Request::put(format!("/api/v1/kv/fail/k{written}"), value.clone());
        let answer = connection.send(&put).expect("an answer");
        if answer.status != 200 {
            break answer;
        }
        written += 1;
        assert!(written < 1000, "no write ever failed");
    };
    assert_eq!((refused.status, refused.text().as_str()), (503, r#"{"error":"Store unavailable"}"#));
    assert!(written > 50, "{written} writes");
    // Unlike on a full disk, nothing is written any more, deletes neither. Reads of what is durable go on.
    let refused = Some(503);
    for request in [
        Request::put("/api/v1/kv/fail/small", r#"{"value":1}"#),
        Request::delete("/api/v1/kv/fail/k0"),
        Request::post("/api/v1/batch", r#"{"operations":[{"op":"delete","namespace":"fail","key":"k1"}]}"#),
        Request::get("/api/v1/ready"),
    ] {
        assert_eq!(connection.send(&request).ok().map(|answer| answer.status), refused, "{request}");
    }
    let status = connection.send(&Request::get("/api/v1/cluster/status")).expect("an answer").expect(200);
    assert_eq!(status.json()["ok"], false);
    assert_eq!(connection.send(&Request::get("/api/v1/health")).expect("an answer").status, 200);
    for n in 0..written {
        connection.send(&Request::get(format!("/api/v1/kv/fail/k{n}"))).expect("an answer").expect(200);
    }
    let head = connection.send(&Request::get("/api/v1/changes?keysOnly=1&limit=1000")).expect("an answer").expect(200);
    assert_eq!(head.json()["lastSeq"], written, "what was not acknowledged is not in the feed");
    server.signal(rustix::process::Signal::TERM);
    server.expect_exit(74);
    server.start_again_unlimited();
    for n in 0..written {
        server.get(&format!("/api/v1/kv/fail/k{n}")).expect(200);
    }
    server.put("/api/v1/kv/fail/after", "1").expect(200);
    server.stop();
}

#[test]
fn at_the_memory_limit_growth_is_refused_and_the_server_stays_ready() {
    let mut server = Server::with(Settings::fast().set("limits.memory_bytes", 4 << 20));
    let mut connection = server.connect();
    let mut put = |n: u32| {
        let value = "x".repeat(500);
        let request = Request::put(format!("/api/v1/kv/mem/k{n}"), format!(r#"{{"value":"{value}"}}"#));
        connection.send(&request).expect("an answer")
    };
    let refused = (0..50_000).find(|n| put(*n).status != 200).expect("memory is never used up");
    let answer = put(refused);
    assert_eq!((answer.status, answer.text().as_str()), (503, r#"{"error":"Store unavailable"}"#));
    assert!(refused > 500, "refused already at {refused}");
    server.get("/api/v1/ready").expect(200);
    server.get("/api/v1/kv/mem/k0").expect(200);
    // Deletes go on, and make room.
    for n in 0..refused / 2 {
        server.send(&Request::delete(format!("/api/v1/kv/mem/k{n}"))).expect(200);
    }
    eventually("room again", Duration::from_secs(10), || (put(refused).status == 200).then_some(()));
    // All of it: what is remembered of removed keys takes none of it.
    assert_eq!((0..refused / 2 - 1).find(|n| put(*n).status != 200), None);
    server.restart();
    server.get(&format!("/api/v1/kv/mem/k{refused}")).expect(200);
    server.stop();
}

#[test]
fn on_a_read_only_directory_reads_go_on_and_writes_are_refused() {
    for level in ["always", "interval", "os"] {
        let Some(disk) = SmallDisk::mount("64m") else { return };
        // A database that cannot be opened ends the start; what has none goes on.
        let settings = Settings::default().set("durability.level", level).set("dunena.db", false);
        let mut server = Server::at(disk.path(), settings);
        server.put("/api/v1/kv/a/k", "1").expect(200);
        server.stop();
        if !disk.remount("ro") {
            println!("skipped: the file system cannot be made read-only");
            return;
        }
        let finished = read_only_start(&server);
        disk.remount("rw");
        if let Err(why) = finished {
            panic!("{level}: {why}");
        }
    }
}

#[test]
fn a_stopped_directory_on_a_read_only_disk_is_verified_and_backed_up() {
    let Some(disk) = SmallDisk::mount("64m") else { return };
    let mut server = Server::at(disk.path(), Settings::default());
    server.put("/api/v1/kv/a/k", "1").expect(200);
    let put = Request::post("/db/k", r#"{"value":"v"}"#).key(None);
    Connection::open(server.dunena()).send(&put).expect("an answer").expect(201);
    server.stop();
    if !disk.remount("ro") {
        println!("skipped: the file system cannot be made read-only");
        return;
    }
    let data = server.data_dir();
    let verified = crate::harness::run_to_exit(&["verify", data.to_str().expect("a path")], &[], Path::new("/"));
    expect(&verified, 0);
    assert!(verified.output.contains("dunena.db: SQLite finds nothing wrong with it"), "{}", verified.output);
    let elsewhere = tempfile::tempdir().expect("a temporary directory");
    expect(&verb("backup", &elsewhere.path().join("backup.mfb"), &data, &[]), 0);
    assert_eq!(names(elsewhere.path()), ["backup.mfb"]);
    let home = elsewhere.path().join("home");
    std::fs::create_dir(&home).expect("a directory");
    expect(&verb("restore", &elsewhere.path().join("backup.mfb"), &home.join("data"), &[]), 0);
    let restored = Server::at(&home, Settings::default());
    restored.get("/api/v1/kv/a/k").expect(200);
    Connection::open(restored.dunena()).send(&Request::get("/db/k").key(None)).expect("an answer").expect(200);
}

fn read_only_start(server: &Server) -> Result<(), String> {
    let mut process = server.process_without_new_config();
    let address = server.unison();
    let found = (|| {
        let start = std::time::Instant::now();
        loop {
            if let Some(status) = process.try_wait().map_err(|error| error.to_string())? {
                return Err(format!("the process ended with {status}"));
            }
            let health = Connection::try_open(address).and_then(|mut c| c.send(&Request::get("/api/v1/kv/a/k")));
            if health.is_ok_and(|response| response.status == 200) {
                break;
            }
            if start.elapsed() > Duration::from_secs(15) {
                return Err("no read was answered".to_owned());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let ready = server.get("/api/v1/ready");
        let put = server.put("/api/v1/kv/a/k", "2");
        let statuses = (ready.status, put.status, server.get("/api/v1/kv/a/k").status);
        if statuses == (503, 503, 200) { Ok(()) } else { Err(format!("ready, put, get: {statuses:?}")) }
    })();
    process.kill().ok();
    process.wait().ok();
    found
}

/// The largest file of the data directory: a segment of the log.
fn segment(directory: &Path) -> PathBuf {
    fn files(directory: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { files(&path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    files(directory, &mut found);
    found.into_iter().max_by_key(|path| path.metadata().expect("metadata").len()).expect("a file")
}

fn flip_bit(path: &Path, offset: u64) {
    let mut file = std::fs::OpenOptions::new().read(true).write(true).open(path).expect("open the segment");
    let mut byte = [0];
    file.seek(SeekFrom::Start(offset)).expect("seek");
    file.read_exact(&mut byte).expect("read");
    byte[0] ^= 0x10;
    file.seek(SeekFrom::Start(offset)).expect("seek");
    file.write_all(&byte).expect("write");
}

/// Where the text lies in the file: inside a frame that has others behind it.
fn offset_of(path: &Path, text: &str) -> u64 {
    let bytes = std::fs::read(path).expect("read the segment");
    let at = bytes.windows(text.len()).position(|window| window == text.as_bytes());
    at.unwrap_or_else(|| panic!("{text} is not in {}", path.display())) as u64
}

#[test]
fn a_row_that_rots_while_it_is_served_is_an_error_and_the_log_says_where() {
    let server = Server::start();
    for n in 0..3 {
        server.put(&format!("/api/v1/kv/rot/k{n}"), &format!("\"needle-{n}-{}\"", "x".repeat(4000))).expect(200);
    }
    let segment = segment(&server.data_dir());
    let name = segment.file_name().expect("a name").to_string_lossy().into_owned();
    let bytes = std::fs::read(&segment).expect("read the segment");
    // Of the row and of its change.
    let found = bytes.windows(9).enumerate().filter(|(_, window)| *window == b"needle-1-");
    let places: Vec<u64> = found.map(|(at, _)| at as u64 + 20).collect();
    places.iter().for_each(|at| flip_bit(&segment, *at));
    // The value stays in memory until its version is settled.
    let refused = eventually("the damage is met", Duration::from_secs(10), || {
        Some(server.get("/api/v1/kv/rot/k1")).filter(|answer| answer.status != 200)
    })
    .expect(503);
    assert!(!refused.text().contains(&name), "{}", refused.text());
    let told = |line: &str| line.contains("a row cannot be read") && line.contains(&name);
    assert!(server.log.text().lines().any(told), "{}", server.log.text());
    for n in [0, 2] {
        server.get(&format!("/api/v1/kv/rot/k{n}")).expect(200);
    }
    places.iter().for_each(|at| flip_bit(&segment, *at));
    server.get("/api/v1/kv/rot/k1").expect(200);
}

#[test]
fn a_damaged_log_refuses_to_start_and_names_file_and_offset() {
    let mut server = Server::start();
    for n in 0..200 {
        server.put(&format!("/api/v1/kv/log/k{n}"), &format!("\"needle-{n:03}-{}\"", "x".repeat(200))).expect(200);
    }
    server.stop();
    let segment = segment(&server.data_dir());
    let offset = offset_of(&segment, "needle-100-");
    flip_bit(&segment, offset + 20);
    let refused = server.start_refused();
    assert!(!refused.status.success(), "it started on a damaged log");
    assert!(!refused.output.contains("panicked"), "{}", refused.output);
    let name = segment.file_name().expect("a name").to_string_lossy().into_owned();
    let line = refused.output.lines().find(|line| line.contains(&name)).unwrap_or_default();
    assert!(!line.is_empty(), "no line names {name}\n{}", refused.output);
    let named: Vec<u64> = line
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|digits| digits.parse().ok())
        .filter(|number| (offset.saturating_sub(4096)..=offset).contains(number))
        .collect();
    assert!(!named.is_empty(), "the damage lies at {offset}, the line says: {line}");
    let verify = crate::harness::run_to_exit(
        &["verify", server.data_dir().to_str().expect("a path")],
        &[],
        std::path::Path::new("/"),
    );
    assert!(!verify.status.success() && verify.output.contains(&name), "{}", verify.output);
    // Nothing was changed by the refusal: the bit flipped back, all is there.
    flip_bit(&segment, offset + 20);
    server.start_again();
    assert_eq!(server.get("/api/v1/kv/log").expect(200).json()["items"].as_array().map(Vec::len), Some(200));
}

#[test]
fn a_torn_tail_is_cut_with_a_line_in_the_log() {
    let mut server = Server::start();
    for n in 0..20 {
        server.put(&format!("/api/v1/kv/log/k{n:02}"), &format!("\"needle-{n:03}-{}\"", "x".repeat(200))).expect(200);
    }
    server.kill();
    let segment = segment(&server.data_dir());
    // Whatever lies behind the last frame: it ends in the middle of a value now.
    let offset = offset_of(&segment, "needle-019-");
    let file = std::fs::OpenOptions::new().write(true).open(&segment).expect("open the segment");
    file.set_len(offset + 50).expect("cut the segment");
    server.start_again();
    let name = segment.file_name().expect("a name").to_string_lossy().into_owned();
    assert!(server.log.text().lines().any(|line| line.contains(&name)), "no line names {name}\n{}", server.log.text());
    let list = server.get("/api/v1/kv/log?keysOnly=1").expect(200).json();
    assert_eq!(list["items"].as_array().map(Vec::len), Some(19));
    assert_eq!(server.put("/api/v1/kv/log/k19", "1").expect(200).json()["version"], 1);
    server.restart();
    assert_eq!(server.get("/api/v1/kv/log?keysOnly=1").json()["items"].as_array().map(Vec::len), Some(20));
}

/// Names in a directory.
fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).expect("a directory").flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn a_backup_that_has_no_room_is_none() {
    let Some(disk) = SmallDisk::mount("8m") else { return };
    let mut server = Server::with(Settings::fast());
    let value = format!("\"{}\"", "x".repeat(1 << 20));
    for n in 0..12 {
        server.put(&format!("/api/v1/kv/room/k{n}"), &value).expect(200);
    }
    for name in ["directory", "file.mfb"] {
        let finished = verb("backup", &disk.path().join(name), &server.data_dir(), &[]);
        expect(&finished, 74);
        assert!(finished.output.contains("No space left on device"), "{}", finished.output);
        assert_eq!(names(disk.path()), [""; 0]);
    }
    server.put("/api/v1/kv/room/k", &value).expect(200);
    server.stop();
}

#[test]
fn a_backup_of_a_directory_whose_disk_is_full_is_refused_and_later_made() {
    let Some(disk) = SmallDisk::mount("64m") else { return };
    let mut server = Server::at(disk.path(), Settings::default());
    let value = "x".repeat(1 << 20);
    for n in 0..12 {
        let put = Request::post(format!("/db/k{n}"), format!(r#"{{"value":"{value}"}}"#)).key(None);
        Connection::open(server.dunena()).send(&put).expect("an answer").expect(201);
    }
    // Documents are copied beside themselves, so that nobody waits for whoever reads the backup.
    let filler = disk.path().join("filler");
    let mut file = std::fs::File::create(&filler).expect("a filler");
    while file.write_all(&[0; 64 << 10]).is_ok() {}
    drop(file);
    let elsewhere = tempfile::tempdir().expect("a temporary directory");
    let target = elsewhere.path().join("backup.mfb");
    let finished = verb("backup", &target, &server.data_dir(), &[]);
    expect(&finished, 74);
    assert_eq!(names(elsewhere.path()), [""; 0]);
    assert!(!names(&server.data_dir()).iter().any(|name| name.starts_with(".backup")));
    std::fs::remove_file(&filler).expect("removed");
    expect(&verb("backup", &target, &server.data_dir(), &[]), 0);
    server.stop();
}
