//! Files that cannot be used, and imports that are interrupted.

use std::process::{Command, Stdio};

use super::*;

/// A server with some keys, and its export.
fn filled(keys: usize) -> (Server, Exported) {
    let server = Server::start();
    let mut connection = server.connect();
    for i in 0..keys {
        let put = Request::put(format!("/api/v1/kv/n/{i:06}"), format!(r#"{{"value":"{}"}}"#, "x".repeat(200)));
        connection.send(&put).expect("an answer").expect(200);
    }
    drop(connection);
    let file = Exported::of(&server, &[]);
    (server, file)
}

#[test]
fn a_file_that_cannot_be_used_is_refused_with_its_line_and_changes_nothing() {
    let (_, file) = filled(3);
    let whole = file.text();
    let lines: Vec<&str> = whole.lines().collect();
    let kv = lines.iter().position(|line| line.starts_with("{\"type\":\"kv\"")).expect("a key");
    let with = |at: usize, line: &str| {
        let mut lines = lines.clone();
        lines[at] = line;
        lines.join("\n") + "\n"
    };
    let mut swapped = lines.clone();
    swapped.swap(kv, kv + 1);
    let number = kv + 1;
    let deep = format!(r#"{{"type":"kv","namespace":{}"#, "[".repeat(200_000));
    let base64 = r#"{"type":"kv","namespace":"n","key":{"base64":"!"},"value":{"json":1},"version":1,"actor":"a","updated_at":1}"#;
    let huge = format!(r#"{{"type":"floor","namespace":"{}","version":1}}"#, "n".repeat(110 << 20));
    let twice = [&lines[..=kv], &lines[kv..]].concat().join("\n");
    let cases = [
        (whole[..whole.len() / 2].to_owned(), "line".to_owned()),
        (lines[..lines.len() - 1].join("\n") + "\n", format!("line {}: the file ends", lines.len())),
        (whole.replacen("xxx", "xxy", 1), format!("line {}: the bytes before", lines.len())),
        (swapped.join("\n"), format!("line {}: the bytes before", lines.len())),
        (twice, format!("line {}: the lines are not as many", lines.len() + 1)),
        (with(kv, "{}"), format!("line {number}: a line is an object")),
        (with(kv, "{\"type\":\"new\"}"), format!("line {number}: there is no type")),
        (with(kv, &deep), format!("line {number}: ")),
        (with(kv, base64), format!("line {number}: invalid base64")),
        (with(kv, &huge), format!("line {number}: the line is longer than")),
        (
            with(0, r#"{"manifold":"export","format":9,"id":"i","sequence":1,"at":1}"#),
            "line 1: the format is 9".to_owned(),
        ),
        (String::new(), "line 1: it is not the first line".to_owned()),
    ];
    let target = Server::start();
    let bad = file.path.with_extension("bad");
    for (text, wrong) in cases {
        fs::write(&bad, text).expect("write the file");
        let refused = verb("import", &bad, &target.data_dir(), &[]);
        expect(&refused, 65);
        assert!(refused.output.contains(&wrong), "{:?} is not {wrong:?}", refused.output);
        assert!(!refused.output.contains("panicked"));
    }
    assert_eq!(target.get("/api/v1/kv/n").json()["items"].as_array().map(Vec::len), Some(0));
    expect(&verb("import", &file.path, &target.data_dir(), &["--dry-run"]), 0);
    assert_eq!(target.get("/api/v1/kv/n").json()["items"].as_array().map(Vec::len), Some(0));
    expect(&verb("import", &file.path.with_extension("absent"), &target.data_dir(), &[]), 74);
}

#[test]
fn an_import_goes_on_when_the_process_was_killed_in_the_middle() {
    let (_, file) = filled(3000);
    let mut target = Server::start();
    // The first half is imported, and then nothing more can be read: as if whoever sends it had been killed.
    let text = file.text();
    let mut import = Command::new(env!("CARGO_BIN_EXE_manifold"))
        .args(["import", "-", "--data-dir", target.data_dir().to_str().expect("a path")])
        .env_clear()
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("start the binary");
    let half = text[..text.len() / 2].rfind('\n').expect("a line") + 1;
    std::io::Write::write_all(&mut import.stdin.take().expect("stdin is piped"), &text.as_bytes()[..half])
        .expect("the import reads");
    let ended = import.wait_with_output().expect("it ends by itself");
    assert_eq!(ended.status.code(), Some(65), "{}", String::from_utf8_lossy(&ended.stderr));
    target.kill();
    target.start_again();
    let some = target.metrics_text();
    assert!(some.contains("unison_kv_entries"), "{some}");
    let on = verb("import", &file.path, &target.data_dir(), &[]);
    expect(&on, 0);
    assert!(on.output.contains("going on behind line"), "{}", on.output);
    let again = Exported::of(&target, &[]);
    assert_eq!(again.lines("kv"), file.lines("kv"));
    // A second time there is nothing to do, from the first line on.
    let whole = verb("import", &file.path, &target.data_dir(), &["--restart"]);
    expect(&whole, 0);
    assert!(whole.output.contains(": 0 written"), "{}", whole.output);
}

#[test]
fn an_export_writes_nothing_to_standard_output_but_data() {
    let (server, file) = filled(10);
    let piped = Command::new(env!("CARGO_BIN_EXE_manifold"))
        .args(["export", "--data-dir", server.data_dir().to_str().expect("a path")])
        .env_clear()
        .output()
        .expect("start the binary");
    assert!(piped.status.success());
    let text = String::from_utf8(piped.stdout).expect("text");
    assert!(text.lines().skip(1).take(10).eq(file.text().lines().skip(1).take(10)));
    assert!(text.lines().last().expect("a last line").starts_with("{\"type\":\"end\""));
    assert!(String::from_utf8_lossy(&piped.stderr).contains("exported 1"));
}

#[test]
fn an_export_leaves_a_pipe_a_pipe_and_a_link_a_link() {
    use std::os::unix::fs::{FileTypeExt, symlink};
    let (server, file) = filled(10);
    let home = tempfile::tempdir().expect("a temporary directory");
    let [pipe, old, link] = ["pipe", "old", "link"].map(|name| home.path().join(name));
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("start mkfifo").success());
    let reader = {
        let pipe = pipe.clone();
        thread::spawn(move || fs::read_to_string(pipe).expect("read the pipe"))
    };
    expect(&verb("export", &pipe, &server.data_dir(), &[]), 0);
    let read = reader.join().expect("the reader ends");
    assert_eq!(read.lines().count(), file.text().lines().count());
    assert!(fs::metadata(&pipe).expect("it is there").file_type().is_fifo());

    fs::write(&old, "old").expect("write a file");
    symlink(&old, &link).expect("make a link");
    expect(&verb("export", &link, &server.data_dir(), &[]), 0);
    assert!(fs::symlink_metadata(&link).expect("it is there").is_symlink());
    assert_eq!(fs::read_to_string(&old).expect("an export").lines().count(), read.lines().count());
}
