use super::*;

/// Whether a body with these members beside `a` is let in.
fn is_let_in(members: &str) -> bool {
    let body = Body(format!(r#"{{"a":1,{members}}}"#).into());
    match body.members(&["a"]) {
        Ok([a]) => a.is_some_and(|a| a.get() == "1"),
        Err(error) => {
            assert_eq!(error, Error::invalid("Request body is nested too deep"));
            false
        }
    }
}

fn nested(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}

#[test]
fn members_that_nobody_reads_may_be_nested_but_not_without_end() {
    assert!(is_let_in(&format!(r#""x":{}"#, nested(127))));
    assert!(!is_let_in(&format!(r#""x":{}"#, nested(128))));
    assert!(!is_let_in(&format!(r#""x":{}"#, nested(100_000))));
    assert!(!is_let_in(&format!(r#""a":{},"a":1"#, nested(128))), "of two the first is not read");
    assert!(is_let_in(&format!(r#""x":"{}""#, "[".repeat(1000))));
    assert!(is_let_in(&format!(r#""x":[{}0]"#, "[],".repeat(1000))));
}

#[test]
fn what_lies_around_an_object_counts() {
    let object = |depth| format!(r#"{{"x":{}}}"#, nested(depth));
    assert!(check_depth(&object(125), &[None], 2).is_ok());
    assert!(check_depth(&object(126), &[None], 2).is_err());
}
