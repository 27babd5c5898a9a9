use super::*;

#[test]
fn a_string_says_who_where_and_what() {
    let dsn = Dsn::parse("mysql://ann:p%40ss@db.example:3307/shop?charset=utf8mb4").unwrap();
    assert_eq!((dsn.host.as_str(), dsn.port), ("db.example", 3307));
    assert_eq!((dsn.user.as_deref(), dsn.password.as_deref()), (Some("ann"), Some("p@ss")));
    assert_eq!((dsn.database.as_deref(), dsn.tls), (Some("shop"), Tls::Preferred));
    let bare = Dsn::parse("mysql://[::1]").unwrap();
    assert_eq!((bare.host.as_str(), bare.port, bare.user, bare.database), ("::1", 3306, None, None));
}

#[test]
fn what_is_no_string_for_tcp_is_refused() {
    for dsn in [
        "",
        "postgres://h/d",
        "mysql:",
        "mysql://",
        "mysql:///d",
        "mysql:h",
        "mysql://h:port/",
        "mysql://h/?ssl-mode=x",
    ] {
        assert!(Dsn::parse(dsn).is_none(), "{dsn}");
    }
}

#[test]
fn the_connection_is_encrypted_as_the_mode_says() {
    let file = Roots::File(PathBuf::from("/etc/ca.pem"));
    for (options, tls) in [
        ("ssl-mode=DISABLED", Tls::Never),
        ("sslmode=disable", Tls::Never),
        ("ssl-mode=PREFERRED", Tls::Preferred),
        ("ssl_mode=Required", Tls::Always(Trust::Anyone)),
        ("ssl-mode=VERIFY_CA", Tls::Always(Trust::Authority(Roots::Public))),
        ("ssl-mode=VERIFY_IDENTITY", Tls::Always(Trust::Name(Roots::Public))),
        ("ssl-ca=/etc/ca.pem&ssl-mode=verify-full", Tls::Always(Trust::Name(file))),
    ] {
        assert_eq!(Dsn::parse(&format!("mysql://h/d?{options}")).unwrap().tls, tls, "{options}");
    }
}

#[test]
fn the_password_is_a_secret_as_written_and_as_meant() {
    let dsn = Dsn::parse("mysql://u:se%2Fcret@h/d").unwrap();
    assert_eq!(dsn.secrets.hide("se/cret se%2Fcret mysql://u:se%2Fcret@h/d"), "*** *** ***");
    assert!(!format!("{dsn:?}").contains("cret@"), "{dsn:?}");
}
