use super::*;

fn read(line: &str) -> Result<Line, String> {
    Line::read(&mut line.as_bytes().to_vec())
}

/// The lines of the document's examples.
fn examples() -> Vec<&'static str> {
    let document = include_str!("../../../../../docs/export-format.md");
    document.lines().filter(|line| line.starts_with("{\"type\"")).collect()
}

#[test]
fn each_type_has_an_example_that_is_written_as_it_is_read() {
    let mut seen = std::collections::BTreeSet::new();
    for example in examples() {
        match read(example).unwrap_or_else(|what| panic!("{what}: {example}")) {
            Line::Record(record) => {
                seen.insert(record.name());
                let mut written = Vec::new();
                record.write(&mut written);
                assert_eq!(String::from_utf8(written).expect("text"), format!("{example}\n"));
            }
            Line::Trailer(_) => {}
            Line::Header => panic!("{example}"),
        }
    }
    let all: std::collections::BTreeSet<_> = Record::NAMES.iter().copied().collect();
    assert_eq!(seen, all);
}

#[test]
fn a_line_may_have_white_space_and_its_members_in_any_order() {
    let line = r#" { "type" : "floor" , "version" : 3, "namespace":"n" } "#;
    assert!(matches!(read(line), Ok(Line::Record(record)) if record.name() == "floor"));
}

#[test]
fn what_is_no_line_is_refused_with_a_reason() {
    for (line, reason) in [
        ("", "first member"),
        ("[]", "first member"),
        ("{}", "first member"),
        (r#"{"namespace":"n","type":"floor","version":3}"#, "first member"),
        (r#"{"type":"floor""#, "first member"),
        (r#"{"type":7}"#, "first member"),
        (r#"{"type":"flor","version":3}"#, "there is no type \"flor\""),
        (r#"{"type":"floor"}"#, "missing field"),
        (r#"{"type":"floor","namespace":"n","version":3,"more":1}"#, "unknown field `more`"),
        (r#"{"type":"floor","namespace":"n","version":3,"version":3}"#, "duplicate field"),
        (r#"{"type":"floor","namespace":"n","version":3,"type":"floor"}"#, "unknown field `type`"),
        (r#"{"type":"floor","namespace":"n","version":-3}"#, "invalid value"),
        (r#"{"type":"floor","namespace":"n","version":3}x"#, "trailing"),
        (r#"{"type":"floor","namespace":"n","version":3"#, "EOF"),
    ] {
        let what = read(line).expect_err(line);
        assert!(what.contains(reason), "{line}: {what}");
    }
}
