//! Compressed bodies: bounded whatever they claim to be, and what was compressed comes back.

use bytes::Bytes;
use hyper::{
    HeaderMap,
    header::{CONTENT_ENCODING, HeaderValue},
};

use super::input::Input;
use crate::http::{
    coding,
    gzip::{self, BadCoding},
};

const LIMIT: usize = 1 << 20;

pub(super) fn decode(data: &[u8]) {
    let mut input = Input::new(data);
    let names = input.until(b'\n');
    let body = input.rest();
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(names) {
        headers.insert(CONTENT_ENCODING, value);
    }
    for limit in [LIMIT, 100] {
        if let Ok(codings) = coding::codings(&headers) {
            let decoded = coding::decode(&codings, Bytes::copy_from_slice(body), limit);
            assert!(codings.is_empty() || decoded.is_err() || decoded.is_ok_and(|decoded| decoded.len() <= limit));
        }
        if gzip::coding(&headers) == Some(gzip::Coding::Gzip)
            && let Ok(decoded) = gzip::decode(body, limit)
        {
            assert!(decoded.len() <= limit);
        }
    }
    let packed = gzip::encode(body);
    assert_eq!(gzip::decode(&packed, body.len()).as_deref(), Ok(body));
    if let Some(short) = body.len().checked_sub(1) {
        assert_eq!(gzip::decode(&packed, short), Err(BadCoding::TooLarge));
    }
}
