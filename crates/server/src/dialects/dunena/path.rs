//! The path of a request as the route table knows it.

use std::borrow::Cow;

use crate::http::path;

#[cfg(test)]
mod tests;

/// The path without dot segments and empty segments. A segment that is text of its own stands there decoded; one whose
/// text would have a slash or a percent sign in it, or that is no text, stays as it was sent.
pub(super) fn plain(path: &str) -> Cow<'_, str> {
    let odd =
        path.contains("//") || path.contains("/.") || path.contains('%') || (path.len() > 1 && path.ends_with('/'));
    if !odd {
        return Cow::Borrowed(path);
    }
    let mut kept: Vec<Cow<'_, str>> = Vec::new();
    for segment in path.split('/') {
        let segment = match path::decode(segment) {
            Ok(decoded) if !decoded.contains(['/', '%']) => decoded,
            _ => Cow::Borrowed(segment),
        };
        match &*segment {
            "." => {}
            ".." => drop(kept.pop()),
            _ => kept.push(segment),
        }
    }
    // Not before: `..` behind an empty segment takes that one away.
    kept.retain(|segment| !segment.is_empty());
    Cow::Owned(format!("/{}", kept.join("/")))
}
