use super::*;

fn targets_of(dsn: &str) -> Vec<(String, String, u16)> {
    let parsed = Dsn::parse(dsn).unwrap_or_else(|| panic!("{dsn} is refused"));
    parsed.targets.into_iter().map(|target| (target.name, target.address, target.port)).collect()
}

#[test]
fn hosts_are_where_the_string_says() {
    for (dsn, name, address, port) in [
        ("postgres://u:p@db.example/d", "db.example", "db.example", 5432),
        ("postgresql://u@127.0.0.1:6000/d?connect_timeout=3", "127.0.0.1", "127.0.0.1", 6000),
        ("postgres://u@[::1]:6000/d", "::1", "::1", 6000),
        ("postgres://u@db.example/d?hostaddr=10.0.0.1", "db.example", "10.0.0.1", 5432),
        ("postgres:///d?host=db.example&port=7", "db.example", "db.example", 7),
    ] {
        assert_eq!(targets_of(dsn), [(name.to_owned(), address.to_owned(), port)], "{dsn}");
    }
    let two = [("a".to_owned(), "a".to_owned(), 1), ("b".to_owned(), "b".to_owned(), 2)];
    assert_eq!(targets_of("postgres://u@a:1,b:2/d"), two);
}

#[test]
fn what_is_no_string_for_tcp_or_asks_for_what_is_not_done_is_refused() {
    for dsn in [
        "",
        "mysql://h/d",
        "host=h user=u",
        "postgres:h",
        "postgres://",
        "postgres:///d",
        "postgres://u@%2Fvar%2Frun%2Fpostgresql/d",
        "postgres:///d?host=/tmp",
        "postgres://u@h:port/d",
        "postgres://u@h/d?sslmode=sometimes",
        "postgres://u@h/d?sslmode",
        "postgres://u@h/d?target_session_attrs=read-write",
        "postgres://u@h/d?sslnegotiation=direct&sslmode=require",
        "postgres://u@h/d?unheard_of=1",
    ] {
        assert!(Dsn::parse(dsn).is_none(), "{dsn}");
    }
}

#[test]
fn certificates_are_looked_at_as_far_as_the_mode_says() {
    let file = || Roots::File(PathBuf::from("/etc/ca b.pem"));
    for (options, mode, trust) in [
        ("", SslMode::Prefer, Trust::Anyone),
        ("?sslmode=disable", SslMode::Disable, Trust::Anyone),
        ("?sslmode=allow", SslMode::Prefer, Trust::Anyone),
        ("?sslmode=require", SslMode::Require, Trust::Anyone),
        ("?sslmode=require&sslrootcert=/etc/ca%20b.pem", SslMode::Require, Trust::Authority(file())),
        ("?sslmode=verify-ca", SslMode::Require, Trust::Authority(Roots::Public)),
        ("?sslmode=verify-full", SslMode::Require, Trust::Name(Roots::Public)),
        ("?sslrootcert=/etc/ca%20b.pem&sslmode=verify-full", SslMode::Require, Trust::Name(file())),
        ("?sslrootcert=system&sslmode=verify-full", SslMode::Require, Trust::Name(Roots::Public)),
    ] {
        let dsn = Dsn::parse(&format!("postgres://u@h/d{options}")).unwrap_or_else(|| panic!("{options}"));
        assert_eq!((dsn.config.get_ssl_mode(), dsn.trust), (mode, trust), "{options}");
    }
}

#[test]
fn the_password_is_a_secret_as_written_and_as_meant() {
    let dsn = Dsn::parse("postgres://u:se%2Fcret@h/d").unwrap();
    assert_eq!(dsn.secrets.hide("se/cret postgres://u:se%2Fcret@h/d"), "*** ***");
    assert!(!format!("{dsn:?}").contains("cret@"), "{dsn:?}");
}
