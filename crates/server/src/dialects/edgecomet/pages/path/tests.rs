use super::*;

const KEY: PageKey = PageKey { host: HostId(7), dimension: DimensionId(2), hash: 0x699b_abd2_09aa_8b92 };

#[test]
fn the_path_is_that_of_the_minute_of_expiry_in_utc() {
    for (expires_at, packing, path) in [
        (0, Packing::Plain, "7/1970/01/01/00/00/699babd209aa8b92_2.html"),
        (1_737_196_259, Packing::Snappy, "7/2025/01/18/10/30/699babd209aa8b92_2.html.snappy"),
        (1_737_196_260, Packing::Lz4, "7/2025/01/18/10/31/699babd209aa8b92_2.html.lz4"),
    ] {
        let found = PagePath::new(KEY, expires_at, packing).expect("a path");
        assert_eq!(found.as_str(), path);
        assert_eq!(page_of(path), Some(KEY));
    }
    let short = PagePath::new(PageKey { hash: 0xa, ..KEY }, 0, Packing::Plain).expect("a path");
    assert_eq!(short.as_str(), "7/1970/01/01/00/00/000000000000000a_2.html");
    assert!(PagePath::new(KEY, i64::MAX, Packing::Plain).is_err(), "no such time");
}

#[test]
fn other_paths_are_no_pages() {
    for path in [
        "",
        "7",
        "/7/2025/01/18/10/30/699babd209aa8b92_2.html",
        "7/2025/01/18/10/30/699babd209aa8b92_2.html/",
        "../7/2025/01/18/10/30/699babd209aa8b92_2.html",
        "7/2025/01/18/10/../699babd209aa8b92_2.html",
        "7/2025/1/18/10/30/699babd209aa8b92_2.html",
        "07/2025/01/18/10/30/699babd209aa8b92_2.html",
        "+7/2025/01/18/10/30/699babd209aa8b92_2.html",
        "7/2025/01/18/10/30/699BABD209AA8B92_2.html",
        "7/2025/01/18/10/30/699babd209aa8b9_2.html",
        "7/2025/01/18/10/30/699babd209aa8b92_2.html.gz",
        "7/2025/01/18/10/30/699babd209aa8b92_2.html.snappy.lz4",
        "7/2025/01/18/10/30/699babd209aa8b92_2.html.tmp",
        "7/2025/01/18/10/30/699babd209aa8b92.html",
        "7/2025/01/18/10/30/699babd209aa8b92_-2.html",
    ] {
        assert_eq!(page_of(path), None, "{path}");
    }
}

#[test]
fn unfinished_files_are_ours_too() {
    for name in ["699babd209aa8b92_2.html", "699babd209aa8b92_2.html.snappy", "699babd209aa8b92_2.html.lz4.tmp"] {
        assert!(is_page_file(name), "{name}");
    }
    for name in ["", ".tmp", "index.html", "699babd209aa8b92_2", "699babd209aa8b92_2.html.tmp.tmp"] {
        assert!(!is_page_file(name), "{name}");
    }
}

#[test]
fn a_record_cannot_name_a_file_elsewhere() {
    let base = Path::new("/cache");
    assert_eq!(below(base, "7/a.html").expect("below"), Path::new("/cache/7/a.html"));
    for path in ["/etc/passwd", "../a", "7/../../a", "7/..", "./../a", "/cache/../a", "."] {
        assert!(below(base, path).is_err(), "{path}");
    }
}
