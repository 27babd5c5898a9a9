//! `sqlite:<path>` and `sqlite://<path>`, with `?mode=ro` or `?mode=rw`.

use std::path::PathBuf;

use percent_encoding::percent_decode_str;

/// A connection string.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) struct Dsn {
    pub(super) path: PathBuf,
    pub(super) read_only: bool,
}

pub(in super::super) fn parse(dsn: &str) -> Option<Dsn> {
    let rest = dsn.strip_prefix("sqlite:")?;
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let (path, options) = rest.split_once('?').unwrap_or((rest, ""));
    let path = percent_decode_str(path).decode_utf8().ok()?;
    if path.is_empty() || path.contains('\0') || path == ":memory:" {
        return None;
    }
    let mut read_only = false;
    for option in options.split('&').filter(|option| !option.is_empty()) {
        match option {
            "mode=ro" => read_only = true,
            "mode=rw" => read_only = false,
            // A file is never created, and how its cache is shared is not the caller's matter.
            _ => return None,
        }
    }
    Some(Dsn { path: PathBuf::from(path.as_ref()), read_only })
}

#[cfg(test)]
mod tests;
