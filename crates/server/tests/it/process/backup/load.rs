//! Backups while clients write.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::*;

const WRITERS: usize = 4;

/// Ends the writers, also when the test fails.
struct StopOnDrop<'s>(&'s AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn two_backups_under_load_have_what_was_acknowledged_before_and_of_each_writer_a_beginning() {
    let server = Server::with(Settings::fast());
    let (stop, acknowledged) = (AtomicBool::new(false), [const { AtomicU64::new(0) }; WRITERS]);
    let shelf = Shelf::new();
    let mut least = Vec::new();
    std::thread::scope(|scope| {
        let _stops = StopOnDrop(&stop);
        for (writer, acknowledged) in acknowledged.iter().enumerate() {
            let (server, stop) = (&server, &stop);
            scope.spawn(move || {
                let mut connection = server.connect();
                let value = format!(r#"{{"value":"{}"}}"#, "w".repeat(2000));
                for n in 1.. {
                    let put = Request::put(format!("/api/v1/kv/load{writer}/{n:06}"), value.clone());
                    connection.send(&put).expect("an answer").expect(200);
                    acknowledged.store(n, Ordering::SeqCst);
                    if stop.load(Ordering::SeqCst) {
                        return;
                    }
                }
            });
        }
        let all_at = |n: u64| acknowledged.iter().all(|writer| writer.load(Ordering::SeqCst) >= n).then_some(());
        eventually("some writes", PATIENCE, || all_at(50));
        least = acknowledged.iter().map(|writer| writer.load(Ordering::SeqCst)).collect();
        let begun = ["one", "two.mfb"].map(|name| shelf.begin(name, &server.data_dir()));
        for begun in begun {
            let (code, said) = begun.end();
            assert_eq!(code, Some(0), "{said}");
        }
        // Writers never stood still for long.
        let now = acknowledged[0].load(Ordering::SeqCst);
        eventually("more writes", PATIENCE, || (acknowledged[0].load(Ordering::SeqCst) > now).then_some(()));
    });
    for name in ["one", "two.mfb"] {
        let restored = shelf.serve(&shelf.path(name), Settings::fast());
        for (writer, least) in least.iter().enumerate() {
            let list = restored.get(&format!("/api/v1/kv/load{writer}?keysOnly=1")).expect(200).json();
            let keys: Vec<&str> =
                list["items"].as_array().expect("items").iter().filter_map(|item| item["key"].as_str()).collect();
            let count = keys.len() as u64;
            assert!(count >= *least, "{name}: writer {writer} had {least} acknowledged, {count} are there");
            let beginning: Vec<String> = (1..=count).map(|n| format!("{n:06}")).collect();
            assert_eq!(keys, beginning, "{name}: writer {writer}");
        }
    }
    assert_eq!(staged(&server.data_dir()), 0);
}

#[test]
fn a_backup_that_is_asked_for_while_the_log_is_replayed_waits_for_it() {
    let mut server = Server::with(Settings::fast());
    fill(&server, 16);
    server.kill();
    server.spawn_again();
    let socket = server.data_dir().join("control.sock");
    eventually("the socket of the new process", PATIENCE, || {
        std::os::unix::net::UnixStream::connect(&socket).is_ok().then_some(())
    });
    let shelf = Shelf::new();
    shelf.back_up("early.mfb", &server.data_dir());
    server.wait_ready().expect("it is ready");
}
