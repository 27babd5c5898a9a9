use super::*;

fn table(toml: &str) -> toml::Table {
    toml.parse().unwrap()
}

#[test]
fn a_file_becomes_the_tree_of_ours() {
    let text = "a: 1\nb: [x, 2.5, null, true]\nc: {d: ~, e: 'no', 404: f}\ng: 10s\n";
    assert_eq!(
        parse(text),
        Ok(table("a = 1\nb = [\"x\", 2.5, \"\", true]\nc = { e = \"no\", 404 = \"f\" }\ng = \"10s\""))
    );
    assert_eq!(parse(""), Ok(toml::Table::new()));
    assert_eq!(parse("# nothing"), Ok(toml::Table::new()));
    assert_eq!(parse("\u{feff}# by an editor\na: 1\n"), Ok(table("a = 1")));
    assert_eq!(parse("\u{feff}"), Ok(toml::Table::new()));
}

#[test]
fn aliases_and_merges_are_followed() {
    let text = "base: &base {a: 1, b: 2}\nother: &other {b: 9, c: 3}\none: {<<: *base, b: 5}\ntwo: {<<: [*base, *other]}\nthree: *base";
    let read = parse(text).unwrap();
    assert_eq!(read["one"], toml::Value::Table(table("a = 1\nb = 5")));
    assert_eq!(read["two"], toml::Value::Table(table("a = 1\nb = 2\nc = 3")));
    assert_eq!(read["three"], toml::Value::Table(table("a = 1\nb = 2")));
}

#[test]
fn what_is_no_table_is_refused_in_one_line() {
    for (text, why) in [
        ("- a", "is not a table of keys"),
        ("a: 1\na: 2", "the key \"a\" is there twice"),
        ("a: [1", "did not find expected"),
        ("a: *nowhere", "unknown anchor"),
        ("a: !secret x", "invalid type"),
        ("a: 1\n---\nb: 2", "more than one document"),
        ("a: {<<: 1}", "<< wants tables"),
        ("\t- x", "found character that cannot start any token"),
    ] {
        let refused = parse(text).unwrap_err();
        assert!(refused.contains(why) && !refused.contains('\n'), "{text}: {refused}");
    }
}

#[test]
fn aliases_do_not_fill_the_memory() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let before = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{before}]\n"));
    }
    let refused = parse(&text).unwrap_err();
    assert!(refused.contains("repetition limit") || refused.contains("too many values"), "{refused}");
    let refused = parse(&format!("a: {}", "[".repeat(10_000))).unwrap_err();
    assert!(refused.contains("recursion limit") || refused.contains("did not find"), "{refused}");
}

#[test]
fn a_file_that_is_too_long_or_not_there_is_named() {
    let refused = read(Path::new("/nowhere/a.yaml")).unwrap_err().to_string();
    assert!(refused.starts_with("/nowhere/a.yaml: "), "{refused}");
    let refused = read(Path::new("/dev/zero")).unwrap_err().to_string();
    assert_eq!(refused, "/dev/zero: is longer than 16777216 bytes");
}

#[test]
fn what_aliases_come_to_is_bounded_in_bytes_too() {
    let of = |aliases: usize| format!("a: &a {}\nb: [{}]", "x".repeat(1 << 20), "*a, ".repeat(aliases));
    assert!(parse(&of(8)).is_ok());
    assert!(parse(&of(80)).unwrap_err().contains("there are too many values"));
}
