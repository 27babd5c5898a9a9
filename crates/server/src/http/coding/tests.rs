use std::io::Write;

use flate2::{
    Compression,
    write::{DeflateEncoder, ZlibEncoder},
};

use super::*;

const TEXT: &[u8] = b"hello, world";
/// Ten million letters.
const BROTLI_BOMB: &str = "cbffff3ff825c2e2b14020f7fe2fff2c31f04b00c46111808e2306";

fn headers(values: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(CONTENT_ENCODING, value.parse().expect("a value"));
    }
    headers
}

fn hex(text: &str) -> Bytes {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal")).collect()
}

/// What other programs make of [`TEXT`].
fn brotli() -> Bytes {
    hex("8b058068656c6c6f2c20776f726c6403")
}

fn zstandard() -> Bytes {
    hex("28b52ffd045861000068656c6c6f2c20776f726c6442121b6d")
}

fn zlib() -> Bytes {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(TEXT).expect("to memory");
    encoder.finish().expect("to memory").into()
}

fn deflated() -> Bytes {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(TEXT).expect("to memory");
    encoder.finish().expect("to memory").into()
}

/// Blocks of 128 KiB of one byte.
fn zstandard_bomb(blocks: usize) -> Bytes {
    let mut frame = hex("28b52ffd0068").to_vec();
    for block in 1..=blocks {
        let head = (128_u32 << 10) << 3 | 1 << 1 | u32::from(block == blocks);
        frame.extend_from_slice(&head.to_le_bytes()[..3]);
        frame.push(b'a');
    }
    frame.into()
}

#[test]
fn the_header_is_read_in_every_spelling() {
    for (values, expected) in [
        (&[][..], Ok(vec![])),
        (&[""], Ok(vec![])),
        (&["identity"], Ok(vec![])),
        (&[" GZip "], Ok(vec![Coding::Gzip])),
        (&["x-gzip"], Ok(vec![Coding::Gzip])),
        (&["deflate, identity, br"], Ok(vec![Coding::Deflate, Coding::Brotli])),
        (&["zstd", "gzip"], Ok(vec![Coding::Zstd, Coding::Gzip])),
        (&["compress"], Err(Unknown::Name("compress".to_owned()))),
        (&["gzip, gzip, gzip"], Err(Unknown::TooMany)),
    ] {
        assert_eq!(codings(&headers(values)), expected, "{values:?}");
    }
    assert_eq!(Unknown::Name("x\n".to_owned()).to_string(), r#"content encoding "x\n" is not supported"#);
    assert_eq!(Unknown::TooMany.to_string(), "more than 2 content encodings");
}

#[test]
fn every_coding_is_undone_to_its_limit_and_no_further() {
    let packed = gzip::encode(TEXT).into();
    for (coding, body) in [
        (Coding::Gzip, packed),
        (Coding::Deflate, zlib()),
        (Coding::Deflate, deflated()),
        (Coding::Brotli, brotli()),
        (Coding::Zstd, zstandard()),
    ] {
        assert_eq!(decode(&[coding], body.clone(), TEXT.len()).expect("decoded"), TEXT, "{coding:?}");
        assert_eq!(decode(&[coding], body.clone(), TEXT.len() - 1), Err(BadCoding::TooLarge), "{coding:?}");
        let cut = body.slice(..body.len() / 2);
        assert_eq!(decode(&[coding], cut, 100), Err(BadCoding::Damaged), "{coding:?} cut off");
        assert_eq!(decode(&[coding], Bytes::from_static(b"<html>"), 100), Err(BadCoding::Damaged), "{coding:?}");
        assert_eq!(decode(&[coding], Bytes::new(), 0).expect("empty"), "", "{coding:?}");
    }
    assert_eq!(decode(&[], Bytes::from_static(TEXT), 5).expect("is as it was"), TEXT);
}

#[test]
fn codings_are_undone_from_the_last_to_the_first() {
    let twice = Bytes::from(gzip::encode(&brotli()));
    assert_eq!(decode(&[Coding::Brotli, Coding::Gzip], twice.clone(), 100).expect("decoded"), TEXT);
    assert_eq!(decode(&[Coding::Gzip, Coding::Brotli], twice, 100), Err(BadCoding::Damaged));
}

#[test]
fn frames_of_zstandard_follow_each_other() {
    let skipped = hex("502a4d1803000000aabbcc");
    let frames: Bytes = [zstandard(), skipped.clone(), zstandard()].concat().into();
    assert_eq!(decode(&[Coding::Zstd], frames.clone(), 24).expect("decoded"), "hello, worldhello, world");
    assert_eq!(decode(&[Coding::Zstd], frames, 23), Err(BadCoding::TooLarge), "all frames together");
    assert_eq!(decode(&[Coding::Zstd], skipped.slice(..9), 23), Err(BadCoding::Damaged));
}

#[test]
fn bombs_are_noticed_at_the_limit() {
    let brotli = hex(BROTLI_BOMB);
    assert_eq!(decode(&[Coding::Brotli], brotli.clone(), 10_000_000).expect("decoded").len(), 10_000_000);
    let gzip = Bytes::from(gzip::encode(&vec![0; 10_000_000]));
    let zstandard = zstandard_bomb(80);
    assert_eq!(decode(&[Coding::Zstd], zstandard.clone(), 80 << 17).expect("decoded").len(), 80 << 17);
    for (coding, bomb) in [(Coding::Brotli, brotli), (Coding::Gzip, gzip), (Coding::Zstd, zstandard)] {
        assert!(bomb.len() < 100_000);
        assert_eq!(decode(&[coding], bomb, 1_000_000), Err(BadCoding::TooLarge), "{coding:?}");
    }
    // One that promises a window of 2 GiB.
    let window = hex("28b52ffd00a8010000");
    assert_eq!(decode(&[Coding::Zstd], window, 1_000_000), Err(BadCoding::TooLarge));
}

#[test]
fn brotli_with_a_window_beyond_its_standard_is_refused_before_memory_is_taken() {
    // The mark, then 30 bits of window.
    let body = Bytes::from_static(&[0x11, 30, 0, 0, 0, 0, 0, 0]);
    assert_eq!(decode(&[Coding::Brotli], body, 1 << 20), Err(BadCoding::Damaged));
}
