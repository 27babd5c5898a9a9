//! One of the two ends goes away, or has no space.

use super::*;

/// MiB that take long enough to be in the middle of.
const MEBIBYTES: usize = 24;

#[test]
fn a_server_that_is_killed_leaves_no_backup_behind() {
    let mut server = Server::with(Settings::fast());
    fill(&server, MEBIBYTES);
    let shelf = Shelf::new();
    let begun = shelf.begin("cut.mfb", &server.data_dir());
    shelf.wait_partial("cut.mfb", 1 << 20);
    begun.signal(Signal::STOP);
    server.kill();
    begun.signal(Signal::CONT);
    let (code, said) = begun.end();
    assert_eq!(code, Some(74), "{said}");
    assert!(said.contains("ended before it was whole"), "{said}");
    assert_eq!(shelf.listed(), [""; 0]);
    // What the server had for it goes at the next start.
    server.start_again();
    assert_eq!(staged(&server.data_dir()), 0);
    shelf.back_up("cut.mfb", &server.data_dir());
}

#[test]
fn a_client_that_is_killed_lets_everything_go() {
    let server = Server::with(Settings::fast());
    fill(&server, MEBIBYTES);
    let shelf = Shelf::new();
    let begun = shelf.begin("cut.mfb", &server.data_dir());
    shelf.wait_partial("cut.mfb", 1 << 20);
    begun.kill();
    eventually("nothing of the backup", PATIENCE, || (staged(&server.data_dir()) == 0).then_some(()));
    assert_eq!(shelf.listed(), ["cut.mfb.partial"], "it has no name of a backup");
    // The next one takes its place.
    shelf.back_up("cut.mfb", &server.data_dir());
    assert_eq!(shelf.listed(), ["cut.mfb"]);
}

#[test]
fn a_server_that_stops_finishes_the_backup_or_ends_it_as_none() {
    let mut server = Server::with(Settings::fast());
    fill(&server, MEBIBYTES);
    let shelf = Shelf::new();
    let begun = shelf.begin("stop.mfb", &server.data_dir());
    shelf.wait_partial("stop.mfb", 1 << 20);
    server.stop();
    match begun.end() {
        (Some(0), _) => {
            let restored = shelf.serve(&shelf.path("stop.mfb"), Settings::fast());
            restored.get("/api/v1/kv/fill/k0").expect(200);
        }
        (code, said) => {
            assert_eq!(code, Some(74), "{said}");
            assert_eq!(shelf.listed(), [""; 0]);
        }
    }
}

#[test]
fn without_space_for_it_there_is_no_backup() {
    let server = Server::with(Settings::fast());
    fill(&server, 4);
    let shelf = Shelf::new();
    for name in ["small", "small.mfb"] {
        // Writes beyond the limit fail as on a full disk; the ignored signal and the limit are inherited.
        let script = r#"trap "" XFSZ; ulimit -f 2048; exec "$@""#;
        let mut limited = Command::new("/bin/sh");
        limited.args(["-c", script, "sh", env!("CARGO_BIN_EXE_manifold"), "backup", text(&shelf.path(name))]);
        let output = limited.arg("--data-dir").arg(server.data_dir()).env_clear().output().expect("runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(74), "{said}");
        assert!(said.contains("small"), "{said}");
        assert_eq!(shelf.listed(), [""; 0]);
    }
    eventually("nothing of the backup", PATIENCE, || (staged(&server.data_dir()) == 0).then_some(()));
    server.put("/api/v1/kv/a/k", "1").expect(200);
}

#[test]
fn space_of_what_is_removed_meanwhile_comes_back_with_the_end_of_the_backup() {
    let server = Server::with(Settings::fast());
    // Written twice, so that there is enough to clean once it is deleted.
    fill(&server, MEBIBYTES);
    fill(&server, MEBIBYTES);
    let shelf = Shelf::new();
    let begun = shelf.begin("slow.mfb", &server.data_dir());
    shelf.wait_partial("slow.mfb", 1 << 20);
    begun.signal(Signal::STOP);
    for n in 0..MEBIBYTES {
        server.send(&Request::delete(format!("/api/v1/kv/fill/k{n}"))).expect(200);
    }
    let descriptors = format!("/proc/{}/fd", server.process_id().as_raw_nonzero());
    let removed = || {
        let open = fs::read_dir(&descriptors).expect("/proc").flatten();
        let open = open.filter_map(|entry| fs::read_link(entry.path()).ok());
        open.filter(|path| path.to_string_lossy().ends_with(".seg (deleted)")).count()
    };
    eventually("a segment is cleaned, and still open", PATIENCE, || (removed() == 1).then_some(()));
    begun.signal(Signal::CONT);
    let (code, said) = begun.end();
    assert_eq!(code, Some(0), "{said}");
    eventually("nothing is held", PATIENCE, || (removed() == 0 && staged(&server.data_dir()) == 0).then_some(()));
    // What was deleted later is in the backup.
    let restored = shelf.serve(&shelf.path("slow.mfb"), Settings::fast());
    restored.get(&format!("/api/v1/kv/fill/k{}", MEBIBYTES - 1)).expect(200);
}
