//! What is refused, and how the process says so.

use super::*;

#[test]
fn damaged_backups_are_refused_with_65_and_leave_nothing() {
    let server = Server::with(Settings::fast());
    server.put("/api/v1/kv/a/k", "\"value\"").expect(200);
    let shelf = Shelf::new();
    let file = shelf.back_up("good.mfb", &server.data_dir());
    let whole = fs::read(&file).expect("the backup");
    let bad = shelf.path("bad.mfb");
    let restored = shelf.path("restored");
    for at in [0, 300, 600, whole.len() / 2, whole.len() - 2000, whole.len() - 1] {
        let mut turned = whole.clone();
        turned[at] ^= 4;
        for bytes in [&turned[..], &whole[..at]] {
            fs::write(&bad, bytes).expect("write");
            let (code, output) = shelf.run("restore", &bad, &restored);
            assert_eq!(code, Some(65), "byte {at}\n{output}");
            assert!(output.contains("bad.mfb"), "{output}");
            assert!(output.contains("at byte") || output.contains("no backup"), "{output}");
        }
    }
    assert_eq!(shelf.listed(), ["bad.mfb", "good.mfb"]);
}

#[test]
fn a_directory_in_use_and_one_that_is_full_are_no_targets() {
    let server = Server::with(Settings::fast());
    server.put("/api/v1/kv/a/k", "1").expect(200);
    let shelf = Shelf::new();
    let file = shelf.back_up("good.mfb", &server.data_dir());
    let (code, output) = shelf.run("restore", &file, &server.data_dir());
    assert_eq!(code, Some(73), "{output}");
    let (code, output) = shelf.run("backup", &file, &server.data_dir());
    assert_eq!(code, Some(73), "{output}");
    assert!(output.contains("exists already"), "{output}");
    server.get("/api/v1/kv/a/k").expect(200);
}

#[test]
fn a_damaged_directory_is_not_backed_up() {
    let mut server = Server::with(Settings::fast());
    for n in 0..20 {
        server.put(&format!("/api/v1/kv/a/k{n}"), &format!("\"{}\"", "x".repeat(500))).expect(200);
    }
    server.stop();
    let segment = server.data_dir().join("log-0000000001.seg");
    let mut bytes = fs::read(&segment).expect("the log");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&segment, bytes).expect("write");
    let shelf = Shelf::new();
    let (code, output) = shelf.run("backup", &shelf.path("b"), &server.data_dir());
    assert_eq!(code, Some(65), "{output}");
    assert!(output.contains("log-0000000001.seg is damaged at byte"), "{output}");
    let (code, output) = shelf.run("backup", &shelf.path("b"), &shelf.path("nothing"));
    assert_eq!(code, Some(74), "{output}");
    assert_eq!(shelf.listed(), [""; 0]);
}

#[test]
fn a_directory_whose_process_has_no_socket_is_in_use() {
    let server = Server::with(Settings::fast());
    server.put("/api/v1/kv/a/k", "1").expect(200);
    // The process answers requests a moment before it has its socket.
    let socket = server.data_dir().join("control.sock");
    eventually("the socket", PATIENCE, || fs::remove_file(&socket).ok());
    let shelf = Shelf::new();
    let (code, output) = shelf.run("backup", &shelf.path("b"), &server.data_dir());
    assert_eq!(code, Some(69), "{output}");
    assert!(output.contains("in use by another process"), "{output}");
}

#[test]
fn the_moment_before_a_process_has_its_socket_is_waited_for() {
    let server = Server::with(Settings::fast());
    server.put("/api/v1/kv/a/k", "1").expect(200);
    let (socket, aside) = (server.data_dir().join("control.sock"), server.data_dir().join("aside.sock"));
    eventually("the socket", PATIENCE, || fs::rename(&socket, &aside).ok());
    let shelf = Shelf::new();
    std::thread::scope(|scope| {
        let backup = scope.spawn(|| shelf.run("backup", &shelf.path("b"), &server.data_dir()));
        std::thread::sleep(Duration::from_millis(300));
        fs::rename(&aside, &socket).expect("a socket");
        let (code, output) = backup.join().expect("a backup");
        assert_eq!(code, Some(0), "{output}");
    });
}

#[test]
fn a_socket_that_cannot_be_used_is_named_with_its_directory() {
    let shelf = Shelf::new();
    let data = shelf.path("data");
    fs::create_dir(&data).expect("a directory");
    // As for a user without rights, and also where the tests run as root: a link that leads to itself.
    let socket = data.join("control.sock");
    std::os::unix::fs::symlink("control.sock", &socket).expect("a link");
    for verb in ["backup", "export"] {
        let (code, output) = shelf.run(verb, &shelf.path("b"), &data);
        assert_eq!(code, Some(74), "{output}");
        assert!(output.contains(&format!("manifold: {}: ", socket.display())), "{output}");
    }
}
