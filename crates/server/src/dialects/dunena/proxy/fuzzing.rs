//! What the fuzz targets ask of statements and connection strings.

use super::{Kind, native, statement};

pub(in crate::dialects::dunena) use native::fuzzing::values;

pub(in crate::dialects::dunena) fn statement(kind: u8, text: &str) {
    let kinds = [Kind::Http, Kind::PostgreSql, Kind::MySql, Kind::Sqlite];
    let kind = kinds[usize::from(kind) % kinds.len()];
    let mutates = statement::is_mutation(kind, text);
    // White space, comments and a semicolon at the ends change nothing for the better.
    for spelled in [format!(" \n{text}"), format!("/* x */{text}"), format!("-- x\n{text}")] {
        assert!(!mutates || statement::is_mutation(kind, &spelled), "{kind:?} {text:?}");
    }
    // Another statement behind it is seen, wherever the first one may be thought to end.
    if kind != Kind::Http && is_closed(text) {
        let more = format!("{text};\nDELETE FROM t");
        assert!(statement::is_mutation(kind, &more), "{kind:?} {text:?}");
        assert!(text.trim().is_empty() || statement::may_be_several(kind, &more), "{kind:?} {text:?}");
    }
    if kind == Kind::Sqlite {
        asked(text, mutates);
    }
}

/// Whether it has nothing that could swallow what comes behind it.
fn is_closed(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'\n' | b',' | b'.' | b'(' | b')' | b'='))
}

/// SQLite itself knows: what it would write to a database that is there is a mutation.
fn asked(text: &str, mutates: bool) {
    if mutates {
        return;
    }
    native::fuzzing::prepared(text);
}

pub(in crate::dialects::dunena) fn connection_string(text: &str) {
    native::fuzzing::connection_string(text);
}
