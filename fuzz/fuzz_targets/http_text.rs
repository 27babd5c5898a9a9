//! Everything that reads text from a client before the engine is asked: JSON bodies, paths, queries.
#![no_main]

use libfuzzer_sys::fuzz_target;
use manifold_server::http::{json, path, query::Query};

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = json::text(data)
        && let Ok([value, other]) = json::members(text, &["value", "other"])
    {
        for member in [value, other].into_iter().flatten() {
            assert!(text.contains(member.get()), "a member's text is part of the body");
        }
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(decoded) = path::decode(text) {
        assert!(decoded.len() <= text.len());
    }
    if let Ok(query) = Query::parse(Some(text)) {
        let _unused = query.text("after");
    }
});
