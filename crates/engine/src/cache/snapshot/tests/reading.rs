//! Files that others wrote, and files that something happened to.

use super::*;

/// A file with these entries of the program that does not say who it is.
fn older(entries: &str) -> String {
    format!(r#"{{"version":1,"timestamp":1,"entries":[{entries}]}}"#)
}

fn own(entries: &str) -> String {
    format!(r#"{{"version":1,"timestamp":1,"writer":"manifold","entries":[{entries}]}}"#)
}

/// The keys and values that a file comes to.
fn loaded(text: &str) -> Vec<(String, String)> {
    let house = House::with_text(text);
    house.file.load(|_| true);
    assert_eq!(house.aside(), None, "{text}");
    house.entries().into_iter().map(|(space, key, value, _)| (format!("{space}|{key}"), value)).collect()
}

fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec()
}

#[test]
fn the_older_program_kept_things_of_its_own_and_compressed_values() {
    let entries = [
        r#"{"key":"plain","value":"v"}"#,
        r#"{"key":"ns\u0000k","value":"v"}"#,
        r#"{"key":"__qcache__\u0000q","value":"{}"}"#,
        r#"{"key":"__lock__\u0000l","value":"{}"}"#,
        r#"{"key":"__lock__:l","value":"{}"}"#,
        r#"{"key":"ns\u0000__lock__","value":"not its own"}"#,
        // ab, five times c, d; the byte of the mark itself is a run too.
        r#"{"key":"runs","value":"\u0000CMP\u0000YWL/BWNk"}"#,
        r#"{"key":"utf8","value":"\u0000CMP\u0000w6nDqf8DIQ=="}"#,
        r#"{"key":"unpadded","value":"\u0000CMP\u0000w6nDqf8DIQ"}"#,
        r#"{"key":"nothing","value":"\u0000CMP\u0000"}"#,
        r#"{"key":"none of a byte","value":"\u0000CMP\u0000/wBhYg=="}"#,
        // Not what they say they are.
        r#"{"key":"no base64","value":"\u0000CMP\u0000***"}"#,
        r#"{"key":"cut off","value":"\u0000CMP\u0000YWL/BQ=="}"#,
        r#"{"key":"no text","value":"\u0000CMP\u0000w6nD"}"#,
    ];
    let expected = pairs([
        ("|plain", "v"),
        ("ns|k", "v"),
        ("ns|__lock__", "not its own"),
        ("|runs", "abcccccd"),
        ("|utf8", "éé!!!"),
        ("|unpadded", "éé!!!"),
        ("|nothing", ""),
        ("|none of a byte", "b"),
    ]);
    assert_eq!(loaded(&older(&entries.join(","))), expected);
}

#[test]
fn our_own_values_are_what_they_are() {
    let entries = r#"{"key":"a","value":"\u0000CMP\u0000YWL/BWNk"},{"key":"__lock__","value":"v"},{"key":"__qcache__\u0000q","value":"v"}"#;
    let expected = pairs([("|a", "\0CMP\0YWL/BWNk"), ("|__lock__", "v"), ("__qcache__|q", "v")]);
    assert_eq!(loaded(&own(entries)), expected);
    // Whoever wrote it may be told at the end.
    let text = format!(r#"{{"entries":[{entries}],"other":[{{}}],"version":1,"writer":"manifold"}}"#);
    assert_eq!(loaded(&text), expected);
}

/// A short text must not come to gigabytes.
#[test]
fn what_was_compressed_has_an_end() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let runs = |bytes: usize| {
        let value = STANDARD.encode([0xFF, 255, b'x'].repeat(bytes / 255));
        loaded(&older(&format!(r#"{{"key":"k","value":"\u0000CMP\u0000{value}"}}"#)))
    };
    assert_eq!(runs(4 << 20).first().map(|(_, value)| value.len()), Some((4 << 20) / 255 * 255));
    assert!(runs(5 << 20).is_empty());
}

#[test]
fn an_entry_that_is_none_is_left_out_and_no_other() {
    let entries = [
        "5",
        "null",
        "[]",
        "{}",
        r#"{"key":5,"value":"v"}"#,
        r#"{"key":"k"}"#,
        r#"{"key":"k","value":null}"#,
        r#"{"key":"k","value":["v"]}"#,
        r#"{"key":"k","value":"v","expiresAt":"soon"}"#,
        r#"{"key":"k","value":"v","expiresAt":1e999}"#,
        r#"{"key":"past","value":"v","expiresAt":1}"#,
        r#"{"key":"long past","value":"v","expiresAt":-5.5}"#,
        r#"{"key":"a\u0000b\u0000c","value":"split at the last"}"#,
        r#"{"key":"half","value":"\ud800a\udc00\ud83d\ude00","other":{"deep":[[[]]]}}"#,
        r#"{"key":"never","value":"v","expiresAt":null}"#,
        r#"{"key":"twice","value":"first"}"#,
        r#"{"key":"between","value":"v"}"#,
        r#"{"key":"twice","value":"second"}"#,
    ];
    let expected = pairs([
        ("a\0b|c", "split at the last"),
        ("|half", "\u{FFFD}a\u{FFFD}😀"),
        ("|never", "v"),
        ("|between", "v"),
        ("|twice", "second"),
    ]);
    assert_eq!(loaded(&own(&entries.join(","))), expected);
}

#[test]
fn who_loads_says_what_may_be() {
    let house = House::with_text(own(r#"{"key":"a","value":"v"},{"key":"b","value":"v"}"#));
    house.file.load(|entry| entry.key != "a");
    assert_eq!(house.entries(), [shown("", "b", "v", None)]);
}

#[test]
fn a_fraction_of_a_millisecond_counts_as_one() {
    let house = House::with_text(own(&format!(r#"{{"key":"a","value":"v","expiresAt":{NOW}.25}}"#)));
    house.file.load(|_| true);
    assert_eq!(house.entries(), [shown("", "a", "v", Some(1))]);
}

#[tokio::test]
async fn what_is_no_snapshot_is_put_aside_whole_and_saving_goes_on() {
    let entry = r#"{"key":"k","value":"v"}"#;
    let mut unended = own(entry);
    unended.pop();
    for text in [
        String::new(),
        "null".into(),
        "[]".into(),
        "{}".into(),
        "\0".repeat(100),
        unended,
        format!("{} x", own(entry)),
        r#"{"version":1}"#.into(),
        r#"{"entries":[]}"#.into(),
        r#"{"version":1,"entries":{}}"#.into(),
        r#"{"version":1,"entries":null}"#.into(),
        format!(r#"{{"version":2,"writer":"manifold","entries":[{entry}]}}"#),
        format!(r#"{{"version":"1","writer":"manifold","entries":[{entry}]}}"#),
        own(&format!("{entry},")),
    ] {
        let house = House::with_text(text.clone());
        house.file.load(|_| true);
        assert!(house.entries().is_empty(), "{text}");
        assert_eq!(house.aside(), Some(text.clone().into_bytes()), "{text}");
        assert!(house.disk.read(&path()).is_none(), "{text}");
        assert!(house.file.save().await, "{text}");
        assert_eq!(house.aside(), Some(text.into_bytes()));
    }
}

#[tokio::test]
async fn what_is_damaged_and_cannot_be_put_aside_is_never_overwritten() {
    let house = House::with_text("{");
    // The first change of a name fails, and all later ones.
    house.disk.fault_at(house.disk.calls() + 1, Fault::Fail);
    house.file.load(|_| true);
    assert!(house.entries().is_empty() && house.aside().is_none());
    let house = House { disk: house.disk.clone(), ..house };
    assert!(!house.file.save().await);
    assert_eq!(house.text(), "{");
}

/// What a flip makes of a value cannot be seen; everything else is put aside as it is, or loses single entries.
#[tokio::test]
async fn a_flipped_bit_breaks_one_entry_or_all_and_is_never_lost() {
    let house = House::new();
    house.set("s", "a", "1", Ttl::Never);
    house.set("", "b", "é", Ttl::Millis(100_000));
    assert!(house.file.save().await);
    let bytes = house.text().into_bytes();
    for bit in 0..bytes.len() as u64 * 8 {
        let flipped = House::on(house.disk.fork(), NOW, 100);
        flipped.disk.flip(&path(), bit);
        let text = flipped.disk.read(&path()).unwrap();
        flipped.file.load(|_| true);
        match flipped.aside() {
            Some(aside) => assert!(aside == text && flipped.entries().is_empty(), "bit {bit}"),
            None => {
                let kept = flipped.entries().iter().filter(|entry| house.entries().contains(entry)).count();
                let in_head =
                    bit / 8 < r#"{"version":1,"timestamp":1795213658075,"writer":"manifold","entries":["#.len() as u64;
                assert!(kept == 2 || (kept == 1 && !in_head), "bit {bit}: {kept} of 2 as they were");
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(200, 10))]

    #[test]
    fn the_model_of_a_file_is_what_was_saved(entries in vec(("[a-c]{0,2}", "[ -~]{1,3}", any::<String>(), 0u64..3), 0..20)) {
        let house = House::new();
        for (space, key, value, ttl) in &entries {
            house.set(space, key, value, if *ttl == 0 { Ttl::Never } else { Ttl::Millis(ttl * 1000) });
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        prop_assert!(runtime.block_on(house.file.save()));
        prop_assert_eq!(house.restarted(NOW, 100).entries(), house.entries());
    }

    #[test]
    fn no_text_is_too_odd_to_be_read(text in vec(any::<u8>(), 0..60), entry in "\\PC{0,40}") {
        House::with_text(text).file.load(|_| true);
        House::with_text(own(&entry)).file.load(|_| true);
    }
}
