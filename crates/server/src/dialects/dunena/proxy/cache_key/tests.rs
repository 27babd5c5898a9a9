use std::collections::HashSet;

use super::*;

const BASE: Identity<'_> =
    Identity { connector: "lite", kind: "sqlite", connection_string: "sqlite:/a", query: "SELECT 1", params: None };

fn raw(json: &str) -> &RawValue {
    serde_json::from_str(json).expect("JSON")
}

fn with_params(json: &str) -> String {
    derive(Identity { params: Some(raw(json)), ..BASE })
}

#[test]
fn a_key_is_a_prefix_and_128_bits() {
    let key = derive(BASE);
    assert_eq!(key.len(), 35);
    assert!(key.starts_with("qc_") && key[3..].bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')), "{key}");
    assert_eq!(key, derive(BASE), "keys outlive the process, so nothing in them may be random");
}

#[test]
fn every_part_counts_and_none_can_pass_for_another() {
    let different = [
        derive(BASE),
        derive(Identity { connector: "other", ..BASE }),
        derive(Identity { kind: "http", ..BASE }),
        derive(Identity { connection_string: "sqlite:/b", ..BASE }),
        derive(Identity { query: "SELECT 2", ..BASE }),
        derive(Identity { query: "SELECT  1", ..BASE }),
        derive(Identity { connector: "lites", kind: "qlite", ..BASE }),
        derive(Identity { connection_string: "sqlite:/aSELECT", query: " 1", ..BASE }),
        with_params("[1]"),
        with_params("[\"1\"]"),
        with_params("[1,2]"),
        with_params("[12]"),
        with_params("[[1],2]"),
        with_params("[\"a b\"]"),
        with_params("[\"ab\"]"),
        with_params("[\"a\\\" b\"]"),
        with_params("[\"a\\\"b\"]"),
    ];
    assert_eq!(different.iter().collect::<HashSet<_>>().len(), different.len());
}

#[test]
fn no_params_are_an_empty_list_however_it_is_laid_out() {
    assert_eq!(with_params("[]"), derive(BASE));
    assert_eq!(with_params("[ \n]"), derive(BASE));
    assert_eq!(with_params("[1, {\"a\" :\t2}]"), with_params("[1,{\"a\":2}]"));
}
