use super::*;

fn header(name: &str, len: u64) -> Header {
    Header { name: name.to_owned(), mode: Mode::Private, len, modified: 1_700_000_000 }
}

#[test]
fn a_header_reads_as_it_was_written() {
    let long = format!("{}/{}", "d".repeat(150), "f".repeat(99));
    for name in ["log-0000000001.seg", "pages/cache/1/2026/a.html", &long] {
        for len in [0, 1, 511, 512, OCTAL_END - 1, OCTAL_END, u64::MAX] {
            let shared = Header { mode: Mode::Shared, ..header(name, len) };
            for header in [header(name, len), shared] {
                assert_eq!(Header::parse(&header.encode().unwrap()), Some(header));
            }
        }
    }
}

#[test]
fn no_turned_bit_passes() {
    for len in [12_345, OCTAL_END] {
        let block = header("pages/cache/page", len).encode().unwrap();
        for bit in 0..BLOCK * 8 {
            let mut turned = block;
            turned[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Header::parse(&turned), None, "bit {bit}");
        }
    }
}

#[test]
fn paths_that_lead_elsewhere_are_none() {
    let long = "n".repeat(256);
    let unsplittable = format!("a/{}", "n".repeat(120));
    for name in [
        "",
        "/",
        "/etc/passwd",
        "..",
        "../a",
        "a/../../b",
        "a/..",
        "./a",
        "a/",
        "a//b",
        "a/./b",
        "a\nb",
        "a\0b",
        &long,
        &unsplittable,
    ] {
        assert!(!fits(name), "{name:?}");
        assert_eq!(header(name, 1).encode(), None, "{name:?}");
    }
    assert!(fits("a") && fits("a/b") && fits("..a") && fits("ä/b..c"));
}
