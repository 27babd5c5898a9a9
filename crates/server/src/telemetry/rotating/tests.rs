use std::io::Read;

use flate2::read::GzDecoder;

use super::*;

/// Files of two short lines that stay as they are.
const PLAIN: Rotation = Rotation { max_bytes: 21, max_age: None, max_backups: None, compress: false };

fn lines(log: &mut Rotating, lines: &[&str]) {
    lines.iter().for_each(|line| log.write_all(format!("{line}\n").as_bytes()).unwrap());
}

/// Number, form and content of the files that were set aside.
fn aside(path: &Path) -> Vec<(u64, State, String)> {
    let content = |full: Full| {
        let mut text = String::new();
        let mut file = File::open(&full.path).unwrap();
        match full.state {
            State::Compressed => GzDecoder::new(file).read_to_string(&mut text).unwrap(),
            State::Plain | State::Unfinished => file.read_to_string(&mut text).unwrap(),
        };
        (full.number, full.state, text)
    };
    full_files(path).into_iter().map(content).collect()
}

#[test]
fn a_full_file_is_set_aside_and_the_next_start_goes_on() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("deep/daemon.log");
    let mut log = Rotating::open(&path, PLAIN).unwrap();
    lines(&mut log, &["0123456789", "abcdefghi", "next"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), "next\n");
    drop(log);
    let mut log = Rotating::open(&path, PLAIN).unwrap();
    lines(&mut log, &["x", "longer than a whole file may be", "z"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), "z\n");
    let expected = [
        (1, State::Plain, "0123456789\nabcdefghi\n".to_owned()),
        (2, State::Plain, "next\nx\n".to_owned()),
        (3, State::Plain, "longer than a whole file may be\n".to_owned()),
    ];
    assert_eq!(aside(&path), expected);
}

#[test]
fn full_files_are_compressed_and_the_oldest_go() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("daemon.log");
    for (number, line) in [(1, "first line of many\n"), (2, "second line of many\n"), (3, "third line of many\n")] {
        fs::write(home.path().join(format!("daemon.log.{number}")), line).unwrap();
    }
    fs::write(home.path().join("daemon.log.2.gz.tmp"), "half").unwrap();
    fs::write(home.path().join("daemon.log.other"), "not ours").unwrap();
    tidy(&path, &Rotation { max_backups: Some(2), compress: true, ..PLAIN });
    let expected = [
        (2, State::Compressed, "second line of many\n".to_owned()),
        (3, State::Compressed, "third line of many\n".to_owned()),
    ];
    assert_eq!(aside(&path), expected);
    assert!(home.path().join("daemon.log.other").exists());

    let old = home.path().join("daemon.log.2.gz");
    let long_ago = fs::metadata(&old).unwrap().modified().unwrap() - Duration::from_secs(7200);
    File::options().write(true).open(&old).unwrap().set_modified(long_ago).unwrap();
    tidy(&path, &Rotation { max_age: Some(Duration::from_secs(3600)), ..PLAIN });
    assert_eq!(aside(&path).iter().map(|(number, ..)| *number).collect::<Vec<_>>(), [3]);
}

#[test]
fn lines_that_cannot_be_written_are_counted_and_nobody_is_stopped() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("daemon.log");
    let mut log = Rotating::open(&path, PLAIN).unwrap();
    lines(&mut log, &["0123456789", "abcdefghi"]);
    // A directory in the place of the next full file: it cannot be set aside.
    let in_the_way = home.path().join("daemon.log.1");
    fs::create_dir_all(in_the_way.join("x")).unwrap();
    lines(&mut log, &["lost", "lost too"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), "0123456789\nabcdefghi\n", "the file stays as long as it may be");
    fs::remove_dir_all(&in_the_way).unwrap();
    lines(&mut log, &["back"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), "2 lines were lost: they could not be written\nback\n");
}

#[test]
fn a_full_disk_costs_lines_only() {
    let mut log = Rotating::open(Path::new("/dev/full"), PLAIN).unwrap();
    lines(&mut log, &["lost"]);
    assert_eq!(log.0.lock().lost, 1);
}

#[test]
fn a_file_that_cannot_be_opened_is_told_at_once() {
    let home = tempfile::tempdir().unwrap();
    assert!(Rotating::open(home.path(), PLAIN).is_err());
}

#[test]
fn a_file_that_somebody_took_away_is_begun_anew() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("daemon.log");
    let mut log = Rotating::open(&path, PLAIN).unwrap();
    lines(&mut log, &["0123456789", "abcdefghi"]);
    fs::remove_file(&path).unwrap();
    lines(&mut log, &["after it was gone"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), "after it was gone\n");
}
