use std::io::Read;

use flate2::read::GzDecoder;

use super::*;

fn rotation() -> Rotation {
    Rotation { max_bytes: 20, max_age: None, max_backups: None, compress: false }
}

fn numbers(path: &Path) -> Vec<(u64, State)> {
    full_files(path).into_iter().map(|full| (full.number, full.state)).collect()
}

fn write(log: &mut Rotating, lines: &[&str]) {
    lines.iter().for_each(|line| log.write_all(format!("{line}\n").as_bytes()).unwrap());
}

#[test]
fn a_full_file_is_set_aside_and_the_next_start_goes_on() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("deep/daemon.log");
    let mut log = Rotating::open(&path, rotation()).unwrap();
    write(&mut log, &["0123456789", "abcdefghi", "first of the next"]);
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        "0123456789\nabcdefghi\n".replace("abcdefghi\n", "abcdefghi\n").split_off(21)
    );
    drop(log);
    let mut log = Rotating::open(&path, rotation()).unwrap();
    write(&mut log, &["x", "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy", "z"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), "z\n");
}
