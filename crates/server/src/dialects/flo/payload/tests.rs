use super::*;

#[test]
fn both_alphabets_are_read_padded_or_not() {
    for text in ["+/8=", "-_8=", "+_8=", "+/8", "-_8", "-/8"] {
        assert_eq!(decode(text).as_deref(), Some(&[0xfb, 0xff][..]), "{text}");
    }
    assert_eq!(decode("").as_deref(), Some(&b""[..]));
    assert_eq!(decode("QQ").as_deref(), Some(&b"A"[..]));
    assert_eq!(decode("QR==").as_deref(), Some(&b"A"[..]), "trailing bits that are not zero");
    assert_eq!(decode("QUJDRA").as_deref(), Some(&b"ABCD"[..]));
}

#[test]
fn anything_else_is_refused() {
    for text in [
        "A", "AAAAA", "QQ=", "QQ===", "QQ==QQ==", "Q=Q=", "=", "==", "====", "QUI=QQ", " QQ==", "QQ==\n", "Q Q=",
        "QQ!=", "QUJD=", "ä", "QQ\u{0}",
    ] {
        assert_eq!(decode(text), None, "{text:?}");
    }
}

#[test]
fn bytes_are_written_with_the_standard_alphabet_and_padding() {
    let all: Vec<u8> = (0..=255).collect();
    for length in [0, 1, 2, 3, 255, 256] {
        let mut out = Vec::new();
        write(&mut out, &all[..length]);
        let text = std::str::from_utf8(&out).unwrap().trim_matches('"');
        assert_eq!(text, STANDARD.encode(&all[..length]));
        assert_eq!(decode(text).as_deref(), Some(&all[..length]));
    }
}
