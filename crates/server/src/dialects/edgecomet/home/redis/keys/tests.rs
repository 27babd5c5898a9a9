use super::*;

const PAGE: PageKey = PageKey { host: HostId(1), dimension: DimensionId(2), hash: 0x0990_babd_209a_a8b9 };

#[test]
fn keys_are_those_of_the_original() {
    assert_eq!(queue(HostId(7), Priority::Autorecache), "recache:7:autorecache");
    assert_eq!(record(PAGE), "meta:cache:1:2:0990babd209aa8b9");
    assert_eq!(page_of("meta:cache:1:2:0990babd209aa8b9"), Some(PAGE));
}

#[test]
fn what_only_looks_like_a_record_is_none() {
    for key in [
        "meta:cache:1:2:990babd209aa8b9",
        "meta:cache:1:2:0990BABD209AA8B9",
        "meta:cache:01:2:0990babd209aa8b9",
        "meta:cache:1:2:0990babd209aa8b9:x",
        "meta:cache:1:+2:0990babd209aa8b9",
        "meta:cache:1:2",
        "cache:1:2:0990babd209aa8b9",
        "",
    ] {
        assert_eq!(page_of(key), None, "{key}");
    }
}
