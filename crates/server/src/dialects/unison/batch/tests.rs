use manifold_engine::kv::{Changed, Expires};

use super::*;

const NOW: Timestamp = Timestamp(1_000);

fn parse(body: &str) -> Result<Vec<Op>, String> {
    let found = json::members(body, &MEMBERS).unwrap();
    operations(found, NOW).map_err(|error| error.text().to_owned())
}

fn refused(operation: &str) -> String {
    let good = r#"{"op":"delete","namespace":"n","key":"k"}"#;
    parse(&format!(r#"{{"operations":[{good},{operation}]}}"#)).unwrap_err()
}

#[test]
fn operations_come_back_in_order_with_the_common_actor() {
    let body = r#"{"actor":"admin","operations":[
        {"op":"set","namespace":"a","key":"k","value":{"x": 1},"ttlMs":5,"cas":0,"actor":"ignored"},
        {"op":"delete","namespace":"b","key":"k","value":1,"ttlMs":"ignored","cas":7}]}"#;
    let operations = parse(body).unwrap();
    let [Op::Put(namespace, put), Op::Delete(other, delete)] = &operations[..] else { panic!("{operations:?}") };
    assert_eq!((namespace.as_bytes(), other.as_bytes()), (&b"a"[..], &b"b"[..]));
    assert_eq!(
        (&put.value.bytes[..], put.when, put.actor.as_bytes()),
        (&b"{\"x\": 1}"[..], When::Absent, &b"admin"[..])
    );
    assert_eq!(put.expires, Expires::In(std::time::Duration::from_millis(5)));
    assert_eq!((delete.when, delete.actor.as_bytes()), (When::Version(7), &b"admin"[..]));
}

#[test]
fn the_array_and_the_actor_are_checked_before_the_operations() {
    assert_eq!(parse("{}").unwrap_err(), "Missing required field: operations");
    assert_eq!(parse(r#"{"operations":{}}"#).unwrap_err(), "operations must be an array");
    assert_eq!(parse(r#"{"operations":null}"#).unwrap_err(), "operations must be an array");
    let many = format!(r#"{{"operations":[{}1],"actor":5}}"#, "1,".repeat(MAX_OPERATIONS));
    assert_eq!(parse(&many).unwrap_err(), "Too many operations (max 10000)");
    assert_eq!(parse(r#"{"operations":[5],"actor":5}"#).unwrap_err(), "actor must be a string");
    assert_eq!(parse(r#"{"operations":[5],"actor":"x"}"#).unwrap_err(), "operations[0] must be an object");
    assert!(parse(r#"{"operations":[]}"#).unwrap().is_empty());
}

#[test]
fn an_operation_is_refused_in_the_order_of_its_members() {
    for (operation, text) in [
        ("[]", "operations[1] must be an object"),
        ("{}", "operations[1].op must be set or delete"),
        (r#"{"op":"move"}"#, "operations[1].op must be set or delete"),
        (r#"{"op":5}"#, "operations[1].op must be set or delete"),
        (r#"{"op":"set"}"#, "Missing required field: operations[1].namespace"),
        (r#"{"op":"set","namespace":""}"#, "operations[1].namespace must be a non-empty string"),
        (r#"{"op":"set","namespace":null}"#, "operations[1].namespace must be a non-empty string"),
        (r#"{"op":"set","namespace":"\u0000"}"#, "operations[1].namespace must not contain NUL"),
        (r#"{"op":"set","namespace":"\ud800"}"#, "Invalid JSON body"),
        (r#"{"op":"set","namespace":"n"}"#, "Missing required field: operations[1].key"),
        (r#"{"op":"set","namespace":"n","key":5}"#, "operations[1].key must be a non-empty string"),
        (r#"{"op":"set","namespace":"n","key":"k"}"#, "Missing required field: operations[1].value"),
        (
            r#"{"op":"set","namespace":"n","key":"k","value":1,"expiresAt":5,"cas":-1}"#,
            "operations[1].expiresAt must be in the future",
        ),
        (
            r#"{"op":"set","namespace":"n","key":"k","value":1,"cas":-1}"#,
            "operations[1].cas must be a non-negative integer",
        ),
        (r#"{"op":"delete","namespace":"n","key":"k","cas":"x"}"#, "operations[1].cas must be a non-negative integer"),
    ] {
        assert_eq!(refused(operation), text, "{operation}");
    }
    let long = refused(&format!(r#"{{"op":"set","namespace":"{}"}}"#, "n".repeat(1025)));
    assert_eq!(long, "operations[1].namespace too long");
    let long = refused(&format!(r#"{{"op":"delete","namespace":"n","key":"{}"}}"#, "k".repeat(4097)));
    assert_eq!(long, "operations[1].key too long");
}

#[test]
fn results_say_what_each_operation_did() {
    let changed = Some(Changed { version: 2, seq: 9 });
    let outcomes = Outcomes { head: 9, is_delete: vec![false, true, true], outcomes: vec![changed, changed, None] };
    assert_eq!(answer(&outcomes, false), b"{\"ok\":true}");
    let expected = concat!(
        r#"{"ok":true,"results":[{"version":2,"seq":9},"#,
        r#"{"deleted":true,"version":2,"seq":9},{"deleted":false,"version":null,"seq":null}]}"#
    );
    assert_eq!(String::from_utf8(answer(&outcomes, true)).unwrap(), expected);
}

#[test]
fn the_outcome_is_asked_for_by_name() {
    assert_eq!(wants_results(None), Ok(false));
    assert_eq!(wants_results(Some("results")), Ok(true));
    assert!(wants_results(Some("yes")).is_err());
}
