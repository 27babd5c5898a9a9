use std::sync::Arc;

use super::*;
use crate::{
    dialects::dunena::proxy::native,
    outbound::{Client, Guard, Limits},
};

fn reach() -> Reach {
    let second = Duration::from_secs(1);
    let limits = Limits { connect: second, whole: second, response_bytes: 1000 };
    let guard = Guard::new(None);
    let native = native::Limits { outbound: limits, files: Arc::default() };
    Reach { client: Client::new(guard.clone(), limits), guard, limits: native }
}

fn row(kind: &str, connection_string: &str) -> documents::Connector {
    documents::Connector {
        name: "n".into(),
        kind: kind.into(),
        connection_string: connection_string.into(),
        read_only: false,
        max_cache_ttl_ms: None,
        default_tags: Vec::new(),
        headers: Vec::new(),
    }
}

#[tokio::test]
async fn the_time_to_live_stays_within_the_bound_of_the_connector() {
    for (most, asked, kept) in [
        (None, None, 60_000),
        (None, Some(0), 0),
        (None, Some(5), 5),
        (Some(0), None, 60_000),
        (Some(0), Some(0), 0),
        (Some(0), Some(1_000_000), 1_000_000),
        (Some(100), None, 100),
        (Some(100), Some(0), 100),
        (Some(100), Some(99), 99),
        (Some(100), Some(101), 100),
        (Some(1_000_000), None, 1_000_000),
    ] {
        let row = documents::Connector { max_cache_ttl_ms: most, ..row("http", "http://h/") };
        let connector = Connector::open(1, &row, &reach()).expect("usable");
        assert_eq!(connector.ttl_ms(asked, 60_000), kept, "{most:?} {asked:?}");
    }
}

#[tokio::test]
async fn connection_strings_have_the_form_of_their_type() {
    let web = ["http://h", "https://h:8443/q?key=1", "HTTP://u:p@h/", "http://127.0.0.1:1/x", "http://[::1]/"];
    let wrong = [
        "",
        "h",
        "ftp://h/",
        "http://",
        "http:h",
        "http:///",
        "http:\\\\h",
        " http://h",
        "http://h /",
        "http://h\n",
        "redis://h",
        "http://h:99999",
        "http://[::1",
        "file:///etc/passwd",
        "gopher://h",
    ];
    for kind in ["http", "elasticsearch", "postgresql", "mysql", "sqlite"] {
        for good in web {
            assert!(Connector::open(1, &row(kind, good), &reach()).is_ok(), "{kind} {good}");
        }
        for bad in wrong {
            let opened = Connector::open(1, &row(kind, bad), &reach());
            assert_eq!(opened.err(), Some(Unusable::ConnectionString), "{kind} {bad:?}");
        }
    }
    for (kind, good) in [
        ("postgresql", "postgres://u:p@h/d"),
        ("postgresql", "postgresql://u@h:5432/d?sslmode=disable"),
        ("mysql", "mysql://u:p@h:3306/d"),
        ("sqlite", "sqlite:/tmp/a.db"),
        ("sqlite", "sqlite:///tmp/a.db?mode=ro"),
    ] {
        for other in ["http", "elasticsearch", "postgresql", "mysql", "sqlite"] {
            let opened = Connector::open(1, &row(other, good), &reach());
            assert_eq!(opened.is_ok(), other == kind, "{other} {good}");
        }
    }
    assert_eq!(Connector::open(1, &row("redis", "http://h"), &reach()).err(), Some(Unusable::Kind));
}

#[tokio::test]
async fn nothing_secret_is_shown() {
    let row = documents::Connector {
        headers: vec![("x-key".into(), "hush".into())],
        ..row("http", "http://user:hush@h/hush?key=hush")
    };
    let connector = Connector::open(1, &row, &reach()).expect("usable");
    let shown = format!("{connector:?}");
    assert!(shown.contains("\"n\"") && !shown.contains("hush"), "{shown}");
}
