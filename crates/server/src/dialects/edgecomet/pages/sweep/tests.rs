use std::{collections::BTreeSet, os::unix::fs::symlink, path::PathBuf};

use super::*;

/// 2025-01-18T10:30:00Z.
const NOW: i64 = 1_737_196_200;
const PAGE: &str = "699babd209aa8b92_2.html";

struct Directory(tempfile::TempDir);

impl Directory {
    fn with(files: &[&str]) -> Directory {
        let home = tempfile::tempdir().expect("a directory");
        for file in files {
            let path = home.path().join(file);
            fs::create_dir_all(path.parent().expect("a directory")).expect("created");
            fs::write(path, b"page").expect("written");
        }
        Directory(home)
    }

    fn sweep(&self) -> u64 {
        sweep(self.0.path(), NOW, &AtomicBool::new(false)).expect("readable")
    }

    /// Files, links and empty directories that are there.
    fn found(&self) -> BTreeSet<String> {
        fn collect(base: &Path, directory: &Path, found: &mut BTreeSet<String>) {
            let entries: Vec<DirEntry> = fs::read_dir(directory).expect("readable").map(Result::unwrap).collect();
            if entries.is_empty() && directory != base {
                found.insert(directory.strip_prefix(base).expect("below").display().to_string());
            }
            for entry in entries {
                if is_directory(&entry) {
                    collect(base, &entry.path(), found);
                } else {
                    found.insert(entry.path().strip_prefix(base).expect("below").display().to_string());
                }
            }
        }
        let mut found = BTreeSet::new();
        collect(self.0.path(), self.0.path(), &mut found);
        found
    }
}

fn set(paths: &[&str]) -> BTreeSet<String> {
    paths.iter().map(|path| (*path).to_owned()).collect()
}

#[test]
fn minutes_that_ended_go_with_directories_that_become_empty() {
    let files: Vec<String> = [
        "1/2025/01/18/10/29/699babd209aa8b92_2.html.snappy",
        "1/2025/01/18/10/29/699babd209aa8b92_3.html.lz4.tmp",
        "1/2024/12/31/23/59/699babd209aa8b92_2.html",
        "1/2025/01/18/10/30/699babd209aa8b92_2.html",
        "1/2025/01/18/11/00/699babd209aa8b92_2.html",
        "1/2026/01/01/00/00/699babd209aa8b92_2.html",
        "2/1999/12/31/00/00/699babd209aa8b92_0.html",
    ]
    .map(str::to_owned)
    .to_vec();
    let directory = Directory::with(&files.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(directory.sweep(), 4);
    let left = [&files[3], &files[4], &files[5], "2"].map(|path| path as &str);
    assert_eq!(directory.found(), set(&left));
    assert_eq!(directory.sweep(), 0);
}

#[test]
fn what_is_not_of_our_layout_stays() {
    let files = [
        format!("example.com/2020/01/01/00/00/{PAGE}"),
        format!("01/2020/01/01/00/00/{PAGE}"),
        format!("1/20/01/01/00/00/{PAGE}"),
        format!("1/2020/13/01/00/00/{PAGE}"),
        format!("1/2020/02/31/00/00/{PAGE}"),
        format!("1/2020/01/01/24/00/{PAGE}"),
        format!("1/2020/01/01/00/60/{PAGE}"),
        format!("1/2020/01/01/00/{PAGE}"),
        format!("1/2020/01/01/00/00/below/{PAGE}"),
        "1/2020/01/01/00/00/index.html".to_owned(),
        "1/readme".to_owned(),
        PAGE.to_owned(),
    ];
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let directory = Directory::with(&files);
    assert_eq!(directory.sweep(), 0);
    assert_eq!(directory.found(), set(&files));
}

#[test]
fn links_are_not_followed_and_not_removed() {
    let elsewhere = Directory::with(&["2020/01/01/00/00/699babd209aa8b92_2.html", "page"]);
    let directory = Directory::with(&["1/2020/01/01/00/00/699babd209aa8b92_2.html"]);
    let base = directory.0.path();
    symlink(elsewhere.0.path(), base.join("2")).expect("linked");
    symlink(elsewhere.0.path().join("2020"), base.join("1/2019")).expect("linked");
    symlink(elsewhere.0.path().join("2020/01/01/00/00"), base.join("1/2020/01/01/00/01")).expect("linked");
    let link = format!("1/2020/01/01/00/00/{}", PAGE.replace('2', "3"));
    symlink(elsewhere.0.path().join("page"), base.join(&link)).expect("linked");
    let before = elsewhere.found();
    assert_eq!(directory.sweep(), 1);
    assert_eq!(elsewhere.found(), before);
    assert_eq!(directory.found(), set(&["2", "1/2019", "1/2020/01/01/00/01", &link]));
}

#[test]
fn a_directory_that_is_not_there_is_no_error() {
    let nowhere = PathBuf::from("/no/such/directory");
    assert_eq!(sweep(&nowhere, NOW, &AtomicBool::new(false)).expect("no error"), 0);
}

#[test]
fn it_stops_when_told() {
    let directory = Directory::with(&["1/2020/01/01/00/00/699babd209aa8b92_2.html"]);
    assert_eq!(sweep(directory.0.path(), NOW, &AtomicBool::new(true)).expect("readable"), 0);
    assert_eq!(directory.found().len(), 1);
}
