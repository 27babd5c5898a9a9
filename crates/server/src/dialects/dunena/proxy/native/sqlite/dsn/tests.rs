use super::*;

#[test]
fn a_string_is_a_path_and_a_mode() {
    for (dsn, path, read_only) in [
        ("sqlite:/srv/a.db", "/srv/a.db", false),
        ("sqlite:///srv/a.db", "/srv/a.db", false),
        ("sqlite:a.db", "a.db", false),
        ("sqlite://folder/a.db?mode=ro", "folder/a.db", true),
        ("sqlite:/srv/a.db?mode=rw", "/srv/a.db", false),
        ("sqlite:/srv/my%20shop.db?", "/srv/my shop.db", false),
    ] {
        assert_eq!(parse(dsn), Some(Dsn { path: PathBuf::from(path), read_only }), "{dsn}");
    }
}

#[test]
fn what_is_no_existing_file_or_another_mode_is_refused() {
    for dsn in [
        "",
        "sqlite",
        "sqlite:",
        "sqlite://",
        "sqlite::memory:",
        "file:/srv/a.db",
        "/srv/a.db",
        "sqlite:?mode=ro",
        "sqlite:/srv/a.db?mode=rwc",
        "sqlite:/srv/a.db?mode=memory",
        "sqlite:/srv/a.db?mode=ro&vfs=unix-none",
        "sqlite:/srv/a%00.db",
        "sqlite:/srv/a%ff.db",
    ] {
        assert_eq!(parse(dsn), None, "{dsn}");
    }
}
