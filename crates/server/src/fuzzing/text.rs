//! Everything that reads text from a client before the engine is asked: JSON bodies, paths, queries.

use serde_json::Value;

use crate::http::{
    json::{self, RawValue},
    lossy, path,
    query::Query,
};

/// The parser that is compared with follows no deeper.
const DEPTH: usize = 100;

pub(super) fn read(data: &[u8]) {
    if let Ok(text) = json::text(data) {
        objects(text);
        arrays(text);
        values(text);
        written(text);
    }
    let mended = lossy::text(data);
    assert!(lossy::is_sound(&mended), "{mended}");
    assert_eq!(lossy::text(mended.as_bytes()), mended.strip_prefix('\u{feff}').unwrap_or(&mended));
    if let Ok(text) = std::str::from_utf8(data) {
        paths(text);
    }
}

fn objects(text: &str) {
    let Ok([value, other]) = json::members(text, &["value", "other"]) else { return };
    for member in [value, other].into_iter().flatten() {
        assert!(text.contains(member.get()), "a member's text is part of the body");
    }
    let entries = json::entries(text, usize::MAX).expect("it is an object");
    assert_eq!(entries.kept.len(), entries.total);
    let last = |name: &str| entries.kept.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.get());
    assert_eq!(last("value"), value.map(RawValue::get));
    assert_eq!(last("other"), other.map(RawValue::get));
    let few = json::entries(text, 1).expect("it is an object");
    assert_eq!((few.kept.len(), few.total), (entries.total.min(1), entries.total));
}

fn arrays(text: &str) {
    let Ok(elements) = json::elements(text, usize::MAX) else { return };
    assert_eq!(elements.kept.len(), elements.total);
    assert_eq!(json::elements(text, 1).expect("it is an array").total, elements.total);
    if !json::nested_deeper_than(DEPTH, text) {
        let known: Vec<Value> = serde_json::from_str(text).unwrap_or_default();
        assert!(known.is_empty() || known.len() == elements.total);
    }
}

fn values(text: &str) {
    let Ok(value) = serde_json::from_str::<&RawValue>(text) else { return };
    let text = value.get();
    if let Ok(said) = json::string(value) {
        assert_eq!(serde_json::from_str::<String>(text).ok().as_deref(), Some(&*said));
    }
    if let Some(number) = json::integer(value) {
        assert!(number.unsigned_abs() <= json::MAX_INTEGER.unsigned_abs());
        assert_eq!(text.parse::<f64>().ok(), Some(number as f64), "{text}");
    }
    if let Some(flag) = json::boolean(value) {
        assert_eq!(text, flag.to_string());
    }
    let mut compact = Vec::new();
    json::write_compact(&mut compact, text);
    let mut again = Vec::new();
    json::write_compact(&mut again, std::str::from_utf8(&compact).expect("it was text before"));
    assert_eq!(compact, again);
    let deep = json::nested_deeper_than(DEPTH, text);
    let known = serde_json::from_str::<Value>(text);
    if !deep && let (Ok(known), Ok(after)) = (known, serde_json::from_slice::<Value>(&compact)) {
        assert_eq!(known, after, "{text}");
    }
    for limit in [1, 3] {
        assert_eq!(json::nested_deeper_than(limit, text), depth(text) > limit, "{text}");
    }
    if let Some(members) = json::string_members(value) {
        // Of several members of one name the last one counts.
        assert!(members.len() <= json::entries(text, 0).expect("it is an object").total);
    }
}

/// How many containers are open at one time, counted without a shortcut.
fn depth(text: &str) -> usize {
    let (mut depth, mut most, mut chars) = (0_usize, 0, text.chars());
    let mut inside = false;
    while let Some(character) = chars.next() {
        match character {
            '\\' => drop(chars.next()),
            '"' => inside = !inside,
            '[' | '{' if !inside => {
                depth += 1;
                most = most.max(depth);
            }
            ']' | '}' if !inside => depth -= 1,
            _ => {}
        }
    }
    most
}

fn written(text: &str) {
    let mut out = Vec::new();
    json::write_str(&mut out, text);
    assert_eq!(serde_json::from_slice::<String>(&out).ok().as_deref(), Some(text));
    out.clear();
    json::write_bytes_as_str(&mut out, text.as_bytes());
    assert_eq!(serde_json::from_slice::<String>(&out).ok().as_deref(), Some(text));
}

fn paths(text: &str) {
    let naive = percent_encoding::percent_decode_str(text).decode_utf8();
    match path::decode(text) {
        Ok(decoded) => {
            assert!(decoded.len() <= text.len());
            assert_eq!(naive.ok(), Some(decoded), "{text}");
        }
        Err(_) => assert!(naive.is_err() || text.contains('%'), "{text}"),
    }
    if let Ok(query) = Query::parse(Some(text)) {
        let after = query.text("after").map(str::to_owned);
        let spelled = format!("{text}&after=1");
        let more = Query::parse(Some(&spelled)).expect("another parameter changes nothing");
        assert!(after.is_none() || more.text("after").is_some());
    }
}
