use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::*;

/// A data directory with our files, and a folder of somebody else beside it.
struct Place(TempDir);

impl Place {
    fn new() -> Place {
        let home = tempfile::tempdir().unwrap();
        for folder in ["data", "user", "user/below", "other"] {
            fs::create_dir(home.path().join(folder)).unwrap();
        }
        let place = Place(home);
        for database in
            ["data/own.db", "data/own.db-wal", "data/guest.db", "user/a.db", "user/below/b.db", "other/c.db"]
        {
            fs::write(place.path(database), [MAGIC.as_slice(), b"and so on"].concat()).unwrap();
        }
        for file in ["data/LOCK", "data/log-0000000001.seg"] {
            fs::write(place.path(file), "").unwrap();
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn files(&self, allowed_dirs: &[&str]) -> Files {
        Files {
            data_dir: Some(self.path("data")),
            own: vec![self.path("data/own.db"), self.path("data/not-yet.json")],
            allowed_dirs: allowed_dirs.iter().map(|dir| self.path(dir)).collect(),
        }
    }
}

#[test]
fn our_own_files_are_refused_whatever_leads_there() {
    let place = Place::new();
    let files = place.files(&[]);
    symlink(place.path("data/own.db"), place.path("user/link.db")).unwrap();
    symlink(place.path("data"), place.path("user/folder")).unwrap();
    fs::hard_link(place.path("data/own.db"), place.path("user/hard.db")).unwrap();
    fs::hard_link(place.path("data/own.db-wal"), place.path("user/hard-wal.db")).unwrap();
    fs::hard_link(place.path("data/LOCK"), place.path("user/hard-lock.db")).unwrap();
    for name in [
        "data/own.db",
        "data/own.db-wal",
        "data/LOCK",
        "data/log-0000000001.seg",
        "user/../data/own.db",
        "user/link.db",
        "user/folder/own.db",
        "user/hard.db",
        "user/hard-wal.db",
        "user/hard-lock.db",
    ] {
        assert_eq!(files.check(&place.path(name)), Err(Failure::NotAllowed), "{name}");
    }
}

#[test]
fn files_of_others_may_be_opened() {
    let place = Place::new();
    symlink(place.path("user/a.db"), place.path("other/link.db")).unwrap();
    fs::hard_link(place.path("user/a.db"), place.path("other/hard.db")).unwrap();
    let real = |name| place.path(name).canonicalize().unwrap();
    for (name, opened) in [
        ("user/a.db", "user/a.db"),
        ("other/link.db", "user/a.db"),
        ("other/hard.db", "other/hard.db"),
        ("data/guest.db", "data/guest.db"),
    ] {
        assert_eq!(place.files(&[]).check(&place.path(name)), Ok(real(opened)), "{name}");
    }
}

#[test]
fn where_directories_are_given_files_lie_in_them() {
    let place = Place::new();
    let files = place.files(&["user", "missing"]);
    symlink(place.path("other/c.db"), place.path("user/out.db")).unwrap();
    symlink(place.path("user/a.db"), place.path("other/in.db")).unwrap();
    for name in ["user/a.db", "user/below/b.db", "other/in.db"] {
        assert!(files.check(&place.path(name)).is_ok(), "{name}");
    }
    for name in ["other/c.db", "user/../other/c.db", "user/out.db", "other/missing.db", "nowhere/missing.db"] {
        assert_eq!(files.check(&place.path(name)), Err(Failure::NotAllowed), "{name}");
    }
    assert_eq!(files.check(&place.path("user/missing.db")), Err(refused("the file does not exist")));
}
