//! Headers: credentials, tags, tokens. Nothing that was not made with the key passes.

use hyper::{
    HeaderMap,
    header::{ACCEPT_ENCODING, AUTHORIZATION, HeaderValue, IF_NONE_MATCH, ORIGIN},
};

use super::input::Input;
use crate::http::{
    auth::{self, Credential},
    browser::Trust,
    etag, gzip, jwt,
};

const SECRET: &[u8] = b"a secret that no input knows";

pub(super) fn read(data: &[u8]) {
    let mut input = Input::new(data);
    let mut headers = HeaderMap::new();
    for name in [AUTHORIZATION, IF_NONE_MATCH, ACCEPT_ENCODING, ORIGIN] {
        if let Ok(value) = HeaderValue::from_bytes(input.until(b'\n')) {
            headers.append(name, value);
        }
    }
    for scheme in ["Bearer", "Basic", "Token"] {
        if let Credential::Key(key) = auth::key(&headers, scheme) {
            assert!(!key.is_empty() && key.trim_ascii() == key);
            assert_eq!(auth::matching(key, &[b"", SECRET]), (key == SECRET).then_some(1));
            assert_eq!(auth::matching(key, &[b"", key]), Some(1));
            assert_eq!(jwt::verified(key, SECRET), None, "nobody signed it");
        }
    }
    let version = u64::from(input.byte());
    let tag = etag::etag(version);
    assert_eq!(etag::tag_version(tag.as_bytes()), Some(version));
    etag::has_version(&headers, version);
    headers.insert(IF_NONE_MATCH, tag);
    assert!(etag::has_version(&headers, version));
    gzip::accepted(&headers);
    let trust = Trust::default();
    if let Some(listed) = trust.listed_origin(&headers) {
        panic!("{listed:?} is in no list");
    }
    if let Some(version) = etag::tag_version(data) {
        assert!(data.len() >= 3, "{version}");
    }
}
