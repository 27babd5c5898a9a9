use std::sync::Arc;

use super::*;
use crate::dialects::flo::ts::line::{Precision, Times};

fn rejection(body: &str, refused: &[Refused], atomic: bool) -> Rejection {
    let parsed = line::parse(body.as_bytes(), Times::new(Precision::NANOSECOND, 0), &mut Values::default());
    Rejection::new(body.as_bytes(), &parsed, refused, atomic)
}

fn conflict(line: usize, field: &str, given: FieldType, exists: FieldType) -> Refused {
    let why = Refusal::Type { field: Arc::from(field), measurement: Arc::from("m"), given, exists };
    Refused { line, value: 0, why }
}

/// `line:column reason` of each.
fn told(rejection: &Rejection) -> Vec<String> {
    let each = |error: &LineError| format!("{}:{} {}", error.line, error.column, error.reason);
    rejection.errors.iter().map(each).collect()
}

#[test]
fn bad_lines_and_refused_ones_are_told_in_their_order() {
    let body = "m v=1\nm v=\n# c\n\n m a=\"x\n\",v=2,v=3\nm v=x\nm v=4\n";
    let refused = [
        conflict(1, "v", FieldType::Float, FieldType::Text),
        Refused { line: 2, value: 0, why: Refusal::TooManySeries { limit: 7 } },
    ];
    let found = rejection(body, &refused, false);
    assert_eq!(
        told(&found),
        [
            "2:5 missing field value",
            "5:17 field type conflict: input field \"v\" on measurement \"m\" is type float, already exists as type string",
            "7:5 invalid field value \"x\"",
            "8:1 series limit of 7 reached",
        ]
    );
    assert_eq!(found.message, "partial write: 4 of 5 lines rejected; line 2: missing field value");
    assert_eq!((found.written, found.rejected), (1, 4));
    assert_eq!(found.errors[1].text, " m a=\"x");
    let atomic = rejection(body, &[], true);
    assert_eq!(atomic.message, "write rejected: 2 of 5 lines invalid; line 2: missing field value");
    assert_eq!((atomic.written, atomic.rejected), (0, 5));
}

#[test]
fn refusals_say_what_and_where() {
    for (given, exists, text) in [
        (FieldType::Text, FieldType::Float, "type string, already exists as type float"),
        (FieldType::Text, FieldType::Int, "type string, already exists as type integer"),
        (FieldType::Text, FieldType::Uint, "type string, already exists as type unsigned"),
        (FieldType::Text, FieldType::Bool, "type string, already exists as type boolean"),
    ] {
        let found = rejection("m,t=1 v=1,\\ w=\"x\"", &[conflict(0, " w", given, exists)], false);
        let expected = format!("1:15 field type conflict: input field \" w\" on measurement \"m\" is {text}");
        assert_eq!(told(&found), [expected]);
    }
    let why = Refusal::TooManyFields { limit: 9 };
    let found = rejection("\t m a=1,b=2,c=3 5", &[Refused { line: 0, value: 2, why }], false);
    assert_eq!(told(&found), ["1:15 field limit of 9 reached"]);
    let why = Refusal::TooManySeries { limit: 9 };
    assert_eq!(
        told(&rejection("\t m a=1", &[Refused { line: 0, value: 0, why }], false)),
        ["1:3 series limit of 9 reached"]
    );
}

#[test]
fn the_first_hundred_of_both_kinds_are_told() {
    let body = "m v=x\nm v=1\n".repeat(150);
    let refused: Vec<_> = (0..150).map(|line| conflict(line, "v", FieldType::Float, FieldType::Text)).collect();
    let found = rejection(&body, &refused, false);
    assert_eq!((found.errors.len(), found.rejected, found.written), (100, 300, 0));
    assert!(found.errors.iter().enumerate().all(|(at, error)| error.line == at + 1));
}

#[test]
fn texts_are_cut_and_mended() {
    let found = rejection(&format!("m v=x{}\r\nm", "é".repeat(200)), &[], false);
    assert_eq!(found.errors[0].text, format!("m v=x{}", "é".repeat(97)));
    assert_eq!(found.errors[1].text, "m");
    let parsed = line::parse(b"m \xff=1\r\n", Times::new(Precision::NANOSECOND, 0), &mut Values::default());
    let found = Rejection::new(b"m \xff=1\r\n", &parsed, &[], false);
    assert_eq!(found.errors[0].text, "m \u{fffd}=1");
}
