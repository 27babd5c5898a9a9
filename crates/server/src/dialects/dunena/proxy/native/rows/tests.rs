use super::*;

fn rows(names: &[&str], limit: usize, values: &[&[u64]]) -> Result<String, Failure> {
    let mut rows = Rows::new(names.iter().copied(), limit);
    for row in values {
        rows.push(|column, out| {
            json::write_u64(out, row[column]);
            Ok::<_, Failure>(())
        })?;
    }
    rows.finish().map(|text| String::from_utf8(text).unwrap())
}

#[test]
fn members_are_in_the_order_of_the_columns() {
    assert_eq!(rows(&["b", "a"], 99, &[&[1, 2], &[3, 4]]).unwrap(), r#"[{"b":1,"a":2},{"b":3,"a":4}]"#);
    assert_eq!(rows(&["a", "b"], 99, &[]).unwrap(), "[]");
}

#[test]
fn of_several_columns_of_one_name_the_last_one_counts() {
    assert_eq!(rows(&["a", "b", "a"], 99, &[&[1, 2, 3]]).unwrap(), r#"[{"a":3,"b":2}]"#);
    assert_eq!(
        rows(&["10", "9", "__proto__", "9"], 99, &[&[1, 2, 3, 4]]).unwrap(),
        r#"[{"10":1,"9":4,"__proto__":3}]"#
    );
}

#[test]
fn a_text_may_be_as_long_as_its_limit() {
    let text = r#"[{"a":1},{"a":22}]"#;
    assert_eq!(rows(&["a"], text.len(), &[&[1], &[22]]).unwrap(), text);
    assert_eq!(rows(&["a"], text.len() - 1, &[&[1], &[22]]), Err(Failure::TooLarge));
    assert_eq!(rows(&["a"], 5, &[&[1], &[22]]), Err(Failure::TooLarge));
}
