use super::*;

#[test]
fn every_failure_has_its_text() {
    let status = |kind| Failure::status(kind, 500, b"boom").to_string();
    let database = |kind| Failure::Database { kind, message: "no such table: t".into() }.to_string();
    for (text, expected) in [
        (Failure::UnknownConnector("a".into()).to_string(), "Unknown connector: \"a\""),
        (Failure::ReadOnly("a\"b".into()).to_string(), "Connector \"a\"b\" is read-only"),
        (status(Kind::Http), "HTTP database query failed (500): boom"),
        (status(Kind::PostgreSql), "postgresql query failed (500): boom"),
        (status(Kind::MySql), "mysql query failed (500): boom"),
        (status(Kind::Sqlite), "sqlite query failed (500): boom"),
        (status(Kind::Elasticsearch), "Elasticsearch query failed (500): boom"),
        (database(Kind::PostgreSql), "postgresql query failed: no such table: t"),
        (database(Kind::MySql), "mysql query failed: no such table: t"),
        (database(Kind::Sqlite), "sqlite query failed: no such table: t"),
        (Failure::NotJson.to_string(), "Upstream did not return JSON"),
        (Failure::from(Error::TimedOut).to_string(), "Upstream timed out"),
        (Failure::from(Error::TooLarge).to_string(), "Upstream response too large"),
        (Failure::from(Denied::NotAllowed).to_string(), "Upstream address not allowed"),
        (Failure::from(Error::Denied(Denied::Unresolved)).to_string(), "Cannot reach upstream: host not found"),
        (
            Failure::from(Error::Unreachable("connection refused")).to_string(),
            "Cannot reach upstream: connection refused",
        ),
    ] {
        assert_eq!(text, expected);
    }
}

#[test]
fn what_an_upstream_says_is_cut_between_characters() {
    let cut = |body: &[u8]| match Failure::status(Kind::Http, 404, body) {
        Failure::Status { body, .. } => body,
        other => panic!("{other:?}"),
    };
    assert_eq!(cut(&[b'x'; 1024]).len(), 1024);
    assert_eq!(cut(&[b'x'; 1025]).len(), 1024);
    assert_eq!(cut("é".repeat(600).as_bytes()).len(), 1024);
    assert_eq!(cut(format!("x{}", "é".repeat(600)).as_bytes()).len(), 1023);
    assert_eq!(cut(b"a\xffb"), "a\u{fffd}b");
    assert_eq!(cut(b""), "");
}
