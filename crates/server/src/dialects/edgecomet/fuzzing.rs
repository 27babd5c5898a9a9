//! Addresses in their normal form, patterns over them, what other programs wrote into Redis, and pages that were fetched.

use hyper::{
    HeaderMap,
    header::{CONTENT_TYPE, HeaderValue},
};
use manifold_engine::recache::{DimensionId, HostId, PageKey};

use super::{
    config::Compression,
    home::redis::{member, record},
    hosts::Patterns,
    pages::{packing, path},
    url::{Address, cache_key, hash},
    worker::html,
};
use crate::fuzzing::input::Input;

/// What is unpacked may be longer than this, and is refused then.
const LONGEST: u64 = 1 << 20;
const BASE: &str = "/pages";

pub(crate) fn addresses(data: &[u8]) {
    let mut input = Input::new(data);
    let Ok(pattern) = std::str::from_utf8(input.until(b'\n')) else { return };
    let Ok(text) = std::str::from_utf8(input.rest()) else { return };
    normal_form(text);
    match_as_told(pattern, text);
    if let Some(entry) = member::read(data) {
        assert!(!entry.url.is_empty());
    }
}

fn normal_form(text: &str) {
    let none = Patterns::default();
    let Ok(address) = Address::parse(text) else { return };
    let normal = address.normal(&none);
    // The form is what gateways compute, byte by byte, and that is not always its own: a parameter without name and value
    // stays in it and is none when it is read again; so does a dot, or what is no port, that stood before the port that
    // was removed.
    let authority = normal.split("//").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let authority = authority.rsplit('@').next().unwrap_or_default();
    let has_empty = normal.ends_with('&') || normal.contains("?&") || normal.contains("&&");
    // A host of one word is none, though it passes with a dot behind it, which is removed.
    let is_host = authority.contains('.') && !authority.ends_with('.') && !authority.contains(':');
    if !has_empty && is_host {
        let again = Address::parse_known(&normal).unwrap_or_else(|error| panic!("{error}: {text:?} became {normal:?}"));
        assert_eq!(again.normal(&none), normal, "{text:?}");
    }
    assert!(normal.bytes().all(|byte| byte.is_ascii_graphic()) || !text.is_ascii(), "{text:?} became {normal:?}");
    let all = Patterns::parse(&["*".to_owned()]).expect("a pattern");
    let bare = address.normal(&all);
    assert!(bare.len() <= normal.len(), "{text:?}");
    let key = PageKey { host: HostId(1), dimension: DimensionId(2), hash: hash(&normal) };
    assert!(cache_key(key).starts_with("cache:1:2:"));
}

/// Stars, against a matcher that keeps all places it may be at.
fn match_as_told(pattern: &str, text: &str) {
    let parsed = Patterns::parse(&[pattern.to_owned()]);
    let Ok(parsed) = parsed else { return };
    let matches = parsed.matches(text);
    if pattern.starts_with('~') || pattern.len() > 64 || text.len() > 128 {
        return;
    }
    let (pattern, lower) = (pattern.to_lowercase(), text.to_lowercase());
    let lower: Vec<char> = lower.chars().collect();
    let mut at = vec![false; lower.len() + 1];
    at[0] = true;
    for step in pattern.chars() {
        let mut next = vec![false; lower.len() + 1];
        let first = at.iter().position(|reached| *reached).unwrap_or(at.len());
        for place in 0..at.len() {
            next[place] = match step {
                '*' => place >= first,
                other => place > 0 && at[place - 1] && lower[place - 1] == other,
            };
        }
        at = next;
    }
    assert_eq!(matches, at[lower.len()], "{pattern:?} over {text:?}");
}

pub(crate) fn pages(data: &[u8]) {
    let mut input = Input::new(data);
    match input.byte() % 3 {
        0 => document(input),
        1 => files(input),
        _ => records(input),
    }
}

fn document(mut input: Input<'_>) {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(input.until(b'\n')) {
        headers.insert(CONTENT_TYPE, value);
    }
    html::is_html(&headers);
    let page = "https://example.com/a";
    let read = html::read(page, page, true, &headers, input.rest());
    assert!(read.title.chars().count() <= 500 && (1..=4).contains(&read.index_status));
    assert_eq!(html::read(page, page, false, &headers, input.rest()).index_status, 2);
}

fn files(mut input: Input<'_>) {
    let name = String::from_utf8_lossy(input.until(b'\n')).into_owned();
    if let Ok(place) = path::below(BASE.as_ref(), &name) {
        let parts: Vec<_> = place.components().collect();
        assert!(place.starts_with(BASE) && !parts.contains(&std::path::Component::ParentDir), "{name:?}");
    }
    if path::page_of(&name).is_some() {
        let file = name.rsplit('/').next().unwrap_or_default();
        assert!(path::is_page_file(file), "{name:?}");
        assert!(path::below(BASE.as_ref(), &name).is_ok(), "{name:?}");
    }
    let packed = input.rest();
    if let Ok(body) = packing::unpack(packing::Packing::of(&name), packed.to_vec(), LONGEST) {
        assert!(body.len() as u64 <= LONGEST || packing::Packing::of(&name) == packing::Packing::Plain);
    }
    for compression in [Compression::None, Compression::Snappy, Compression::Lz4] {
        let (packing, stored) = packing::pack(compression, packed);
        let body = packing::unpack(packing, stored.into_owned(), packed.len() as u64).expect("it was packed");
        assert_eq!(body, packed);
    }
}

fn records(mut input: Input<'_>) {
    let present = input.number();
    let mut at = 0;
    let values = [(); record::FIELDS.len()].map(|()| {
        at += 1;
        let value = input.until(b'\n').to_vec();
        (present >> (at - 1) & 1 == 1).then_some(value)
    });
    let read = record::from_values(values);
    let key = PageKey { host: HostId(1), dimension: DimensionId(2), hash: 3 };
    let written = record::fields(key, &read);
    let again = record::FIELDS.map(|name| {
        let field = written.iter().find(|(field, _)| *field == name);
        field.map(|(_, value)| value.clone().into_bytes())
    });
    assert_eq!(record::from_values(again), read);
}
