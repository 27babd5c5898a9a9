use std::os::unix::fs::symlink;

use super::*;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("is there").permissions().mode() & 0o7777
}

#[test]
fn a_file_is_written_readable_by_others_and_nothing_else_is_left() {
    let home = tempfile::tempdir().expect("a directory");
    let base = home.path().join("not/yet");
    write(&base, "1/2025/01/a.html", b"page").expect("written");
    write(&base, "1/2025/01/a.html", b"newer").expect("written over");
    let path = base.join("1/2025/01/a.html");
    assert_eq!(read(&path, 5).expect("is there"), b"newer");
    assert_eq!(mode(&path), 0o644);
    for directory in ["1", "1/2025", "1/2025/01"] {
        assert_eq!(mode(&base.join(directory)), 0o755, "{directory}");
    }
    assert_eq!(fs::read_dir(base.join("1/2025/01")).expect("is there").count(), 1);
}

#[test]
fn what_a_crash_left_is_no_hindrance_and_a_link_is_not_written_through() {
    let home = tempfile::tempdir().expect("a directory");
    let other = home.path().join("other");
    fs::write(&other, b"precious").expect("written");
    fs::create_dir(home.path().join("1")).expect("created");
    fs::write(home.path().join("1/a.html.tmp"), b"half a pa").expect("written");
    symlink(&other, home.path().join("1/b.html.tmp")).expect("linked");
    for name in ["1/a.html", "1/b.html"] {
        write(home.path(), name, b"page").expect("written");
        assert_eq!(fs::read(home.path().join(name)).expect("is there"), b"page");
    }
    assert_eq!(fs::read(other).expect("is there"), b"precious");
}

#[test]
fn what_cannot_be_written_leaves_nothing() {
    let home = tempfile::tempdir().expect("a directory");
    // A directory is in the place of the file.
    fs::create_dir_all(home.path().join("1/a.html/b")).expect("created");
    assert!(write(home.path(), "1/a.html", b"page").is_err());
    assert!(!home.path().join("1/a.html.tmp").exists());
    fs::write(home.path().join("2"), b"no directory").expect("written");
    assert!(write(home.path(), "2/a.html", b"page").is_err());
}

#[test]
fn only_files_of_a_bearable_length_are_read() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("a");
    fs::write(&path, b"12345").expect("written");
    assert_eq!(read(&path, 5).expect("is there"), b"12345");
    assert_eq!(read(&path, 4).unwrap_err().to_string(), "the page is too long");
    assert_eq!(read(home.path(), 5).unwrap_err().to_string(), "not a file");
    assert_eq!(read(&home.path().join("b"), 5).unwrap_err().kind(), io::ErrorKind::NotFound);
    symlink(&path, home.path().join("link")).expect("linked");
    assert!(read(&home.path().join("link"), 5).is_err());
    let pipe = home.path().join("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).expect("a pipe");
    assert_eq!(read(&pipe, 5).unwrap_err().to_string(), "not a file", "nobody waits for its other end");
}
