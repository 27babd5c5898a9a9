//! JSON as far as the engine knows it: what two texts share, and what strings say.

use serde_json::Value;

use crate::json;

/// Deeper texts are refused by the parser that is compared with, and not by us.
const DEPTH: usize = 100;

pub(super) fn canonical(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let spelled = json::string(text);
    let inner = &spelled[1..spelled.len() - 1];
    assert_eq!(json::unescaped(inner).as_deref(), Some(text.as_bytes()));
    assert_eq!(serde_json::from_slice::<String>(&spelled).ok().as_deref(), Some(text));
    assert_eq!(json::canonical(&spelled), spelled);

    if serde_json::from_str::<&serde_json::value::RawValue>(text).is_err() {
        return;
    }
    let raw = text.trim_ascii();
    let canonical = json::canonical(raw.as_bytes());
    assert!(canonical.len() <= raw.len());
    assert_eq!(json::canonical(&canonical), canonical, "{raw}");
    if text.matches(['[', '{']).count() > DEPTH {
        return;
    }
    // A half of a surrogate pair is refused by this parser, in both texts.
    match (serde_json::from_str::<Value>(raw), serde_json::from_slice::<Value>(&canonical)) {
        (Ok(before), Ok(after)) => assert_eq!(before, after),
        (Err(_), Err(_)) => {}
        (before, after) => panic!("{raw}: {before:?} is not {after:?}"),
    }
    if let Some(inner) = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        let said = json::unescaped(inner.as_bytes());
        assert_eq!(said, serde_json::from_str::<String>(raw).ok().map(String::into_bytes), "{raw}");
    }
}
