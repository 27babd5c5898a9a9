use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use hyper::header::HeaderValue;

use super::*;

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_body_is_decoded_up_to_the_limit() {
    assert_eq!(decode(&gzip(b"hello"), 5).unwrap(), "hello");
    assert_eq!(decode(&gzip(b"hello"), 4), Err(BadCoding::TooLarge));
    assert_eq!(decode(&gzip(&vec![0; 10 << 20]), 1 << 20), Err(BadCoding::TooLarge), "a bomb");
    assert_eq!(decode(&gzip(b""), 0).unwrap(), "");
}

#[test]
fn a_stream_cut_off_or_of_another_kind_is_damaged() {
    let whole = gzip(b"hello, hello, hello");
    for cut in [1, 10, whole.len() - 1] {
        assert_eq!(decode(&whole[..cut], 100), Err(BadCoding::Damaged), "{cut}");
    }
    assert_eq!(decode(b"hello", 100), Err(BadCoding::Damaged));
}

#[test]
fn codings_other_than_gzip_are_not_read() {
    let named = |names: &[&str]| {
        let mut headers = HeaderMap::new();
        for name in names {
            headers.append(CONTENT_ENCODING, HeaderValue::from_str(name).unwrap());
        }
        coding(&headers)
    };
    assert_eq!(named(&[]), Some(Coding::Identity));
    assert_eq!(named(&["identity"]), Some(Coding::Identity));
    assert_eq!(named(&["GZip"]), Some(Coding::Gzip));
    for other in [&["br"][..], &["gzip, gzip"], &["gzip", "gzip"], &["deflate"]] {
        assert_eq!(named(other), None, "{other:?}");
    }
}

#[test]
fn what_was_encoded_is_decoded_again() {
    let body = b"x".repeat(10_000);
    let encoded = encode(&body);
    assert!(encoded.len() < 200);
    assert_eq!(decode(&encoded, 10_000).unwrap(), body);
}

#[test]
fn a_client_takes_gzip_when_it_says_so_with_a_weight() {
    let says = |text: &str| {
        let value = hyper::header::HeaderValue::from_str(text).unwrap();
        accepted(&[(ACCEPT_ENCODING, value)].into_iter().collect())
    };
    for text in ["gzip", "br, GZIP", "deflate;q=1, gzip;q=0.5", "gzip;q=0.05"] {
        assert!(says(text), "{text}");
    }
    for text in ["", "br", "gzip;q=0", "gzip; q=0.0", "x-gzip"] {
        assert!(!says(text), "{text}");
    }
}
