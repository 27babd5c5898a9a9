use proptest::prelude::*;

use super::*;

fn name() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(1u8..=255, 1..40)
}

proptest! {
    #[test]
    fn kv_keys_split_into_their_names_and_keep_their_order(a in (name(), name()), b in (name(), name())) {
        let row = |(ns, key): &(Vec<u8>, Vec<u8>)| {
            kv(&Namespace::new(ns.clone()).expect("name"), &Key::new(key.clone()).expect("name"))
        };
        let row_of_a = row(&a);
        prop_assert_eq!(split_kv(&row_of_a), Some((&a.0[..], &a.1[..])));
        prop_assert_eq!(row(&a).cmp(&row(&b)), a.cmp(&b));
    }

    #[test]
    fn a_prefix_ends_before_its_end_and_after_all_it_starts(prefix: Vec<u8>, more: Vec<u8>, other: Vec<u8>) {
        let inside = [prefix.clone(), more].concat();
        match prefix_end(&prefix) {
            None => prop_assert!(prefix.iter().all(|byte| *byte == 0xff)),
            Some(end) => {
                prop_assert!(inside < end);
                prop_assert_eq!(other.starts_with(&prefix), other >= prefix && other < end);
            }
        }
    }

    #[test]
    fn numbers_sort_as_their_keys(a: u64, b: u64) {
        prop_assert_eq!(number(a).cmp(&number(b)), a.cmp(&b));
        prop_assert_eq!(read_number(&number(a)), Some(a));
    }
}

#[test]
fn the_document_lists_exactly_the_tables_of_the_code() {
    let document = include_str!("../../../../docs/disk-format.md");
    let section = document.split("<!-- tables -->").nth(1).expect("the document marks its list of tables");
    let listed: Vec<(String, String, String)> = section
        .lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let number = cells.get(1)?.parse::<u8>().ok()?;
            Some((number.to_string(), cells.get(2)?.trim_matches('`').to_owned(), (*cells.get(3)?).to_owned()))
        })
        .collect();
    let coded: Vec<(String, String, String)> = TABLES
        .iter()
        .map(|spec| {
            let order = if spec.ordered { "ordered" } else { "point" };
            (spec.table.0.to_string(), spec.name.to_owned(), order.to_owned())
        })
        .collect();
    assert_eq!(listed, coded);
}

#[test]
fn no_table_number_is_given_twice() {
    let mut numbers: Vec<u8> = TABLES.iter().map(|spec| spec.table.0).collect();
    numbers.dedup();
    assert_eq!(numbers.len(), TABLES.len());
    assert!(numbers.is_sorted());
}
