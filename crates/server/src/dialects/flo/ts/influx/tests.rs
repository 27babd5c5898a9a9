use super::*;

#[test]
fn a_database_is_named_bare_or_in_quotes() {
    for (statement, name) in [
        ("CREATE DATABASE telegraf", "telegraf"),
        ("create  database\tmy-db.1", "my-db.1"),
        (" CREATE DATABASE \"my db\" ; ", "my db"),
        (r#"CREATE DATABASE "a\"b\\c""#, r#"a"b\c"#),
    ] {
        assert_eq!(new_database(statement).as_deref(), Some(name), "{statement}");
    }
    for other in [
        "",
        "CREATE",
        "CREATE DATABASE",
        "CREATE DATABASE ",
        "CREATEDATABASE x",
        "CREATE DATABASEx",
        "CREATE DATABASE a b",
        "CREATE DATABASE a; DROP DATABASE b",
        "CREATE DATABASE \"a\" WITH DURATION 1d",
        "CREATE DATABASE \"a",
        r#"CREATE DATABASE "a\"#,
        r#"CREATE DATABASE "a\n""#,
        "SHOW DATABASES",
        "é",
    ] {
        assert_eq!(new_database(other), None, "{other}");
    }
}
