//! Points that are printed as lines are read back.

use proptest::{collection::vec, prelude::*};

use super::*;

fn name() -> impl Strategy<Value = String> {
    // Much that is special, and nothing that no name can hold: control characters and a backslash at its end.
    let names = prop_oneof![4 => "[a-c,= \\\\\"#é日]{1,8}", 1 => "[^\\p{Cc}]{1,12}"];
    names.prop_map(|name| if name.ends_with('\\') { format!("{name}x") } else { name })
}

fn told() -> impl Strategy<Value = Told> {
    let float = any::<f64>().prop_filter("finite", |value| value.is_finite());
    prop_oneof![
        float.prop_map(|value| Told::Float(value.to_bits())),
        (-100_000_i64..100_000).prop_map(|cents| Told::Float((cents as f64 / 100.0).to_bits())),
        any::<i64>().prop_map(Told::Int),
        any::<u64>().prop_map(Told::Uint),
        any::<bool>().prop_map(Told::Bool),
        "[a\\\\\", =\\n\\r\\t日]{0,10}".prop_map(Told::Text),
        any::<String>().prop_map(Told::Text),
    ]
}

fn point() -> impl Strategy<Value = Point> {
    let tags =
        proptest::collection::btree_map(name(), name(), 0..5).prop_map(|tags| tags.into_iter().collect::<Vec<_>>());
    let measurement = name().prop_filter("would be a comment", |name| !name.starts_with('#'));
    (measurement, tags.prop_shuffle(), vec((name(), told()), 1..6), any::<i64>())
        .prop_map(|(measurement, tags, fields, time)| Point { measurement, tags, fields, time })
}

fn escaped(name: &str, special: &[char]) -> String {
    let each = name.chars().map(|c| if special.contains(&c) { format!("\\{c}") } else { c.to_string() });
    each.collect()
}

fn print(point: &Point) -> String {
    let key = |name: &str| escaped(name, &[',', '=', ' ']);
    let mut line = escaped(&point.measurement, &[',', ' ']);
    for (tag, value) in &point.tags {
        line += &format!(",{}={}", key(tag), key(value));
    }
    for (at, (name, value)) in point.fields.iter().enumerate() {
        let value = match value {
            Told::Float(bits) => format!("{:?}", f64::from_bits(*bits)),
            Told::Int(value) => format!("{value}i"),
            Told::Uint(value) => format!("{value}u"),
            Told::Bool(value) => value.to_string(),
            Told::Text(text) => format!("\"{}\"", escaped(text, &['"', '\\'])),
        };
        line += &format!("{}{}={value}", if at == 0 { ' ' } else { ',' }, key(name));
    }
    line + &format!(" {}", point.time)
}

proptest! {
    #[test]
    fn points_are_read_back(points in vec(point(), 0..8), ends in vec(prop_oneof![Just("\n"), Just("\r\n"), Just(" \n\n#x\n")], 8)) {
        let body: String = points.iter().zip(&ends).map(|(point, end)| print(point) + end).collect();
        prop_assert_eq!(good(body.as_bytes()), points);
    }

    #[test]
    fn any_bytes_are_good_lines_or_bad_ones(body in vec(prop_oneof![
        Just(b','), Just(b'='), Just(b' '), Just(b'\n'), Just(b'\r'), Just(b'"'), Just(b'\\'), Just(b'm'), Just(b'1'),
        Just(b'-'), Just(b'i'), Just(b'#'), any::<u8>(),
    ], 0..200)) {
        let (points, parsed) = read(&body, Precision::NANOSECOND);
        for fault in &parsed.faults {
            prop_assert!(fault.line <= fault.token.start && fault.token.end <= body.len());
        }
        // What was understood is understood again.
        let again: String = points.iter().map(|point| print(point) + "\n").collect();
        prop_assert_eq!(good(again.as_bytes()), points);
    }

    #[test]
    fn numbers_are_those_of_the_library(digits in "-?[0-9]{0,20}(\\.[0-9]{0,20})?(e[-+]?[0-9]{1,3})?") {
        let (points, parsed) = read(format!("m v={digits}").as_bytes(), Precision::NANOSECOND);
        let expected: Option<f64> = digits.parse().ok();
        match expected {
            Some(value) if value.is_finite() => {
                prop_assert_eq!(&points[0].fields[0].1, &Told::Float(value.to_bits()));
            }
            _ => prop_assert_eq!(parsed.bad, 1),
        }
    }
}
