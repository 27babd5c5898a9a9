use bytes::Bytes;
use manifold_engine::{Actor, Key, Namespace, feed::How};

use super::*;

fn value(encoding: Encoding, bytes: &'static [u8]) -> Value {
    Value { encoding, bytes: Bytes::from_static(bytes) }
}

fn entry(value: Value) -> Entry {
    Entry {
        key: Key::new("k\"1").unwrap(),
        value,
        version: 3,
        actor: Actor::fixed("api"),
        updated_at: Timestamp(1_710_700_000_000),
        expires_at: None,
        seq: 9,
    }
}

fn change(op: ChangeOp, value: Option<Value>) -> Change {
    Change {
        seq: 9,
        op,
        namespace: Namespace::new("tenant:acme/settings").unwrap(),
        key: Key::new("k").unwrap(),
        value,
        version: 3,
        actor: Actor::fixed("me"),
        at: Timestamp(1_000),
        expires_at: Some(Timestamp(2_000)),
        commit: (8, 9),
        previous: None,
    }
}

fn entry_text(entry: &Entry, keys_only: bool) -> String {
    let mut out = Vec::new();
    write_entry(&mut out, "é".as_bytes(), entry, keys_only);
    String::from_utf8(out).unwrap()
}

fn change_text(change: &Change, form: Form) -> String {
    let mut out = Vec::new();
    write_change(&mut out, change, form);
    String::from_utf8(out).unwrap()
}

#[test]
fn an_entry_has_seven_members_and_its_values_own_text() {
    let json = entry(value(Encoding::Json, b"{\"n\":9007199254740993, \"x\":1.10}"));
    assert_eq!(
        entry_text(&json, false),
        concat!(
            r#"{"namespace":"é","key":"k\"1","value":{"n":9007199254740993, "x":1.10},"#,
            r#""version":3,"updatedBy":"api","updatedAt":1710700000000,"expiresAt":null}"#
        )
    );
    assert_eq!(
        entry_text(&Entry { expires_at: Some(Timestamp(5)), ..json }, true),
        r#"{"namespace":"é","key":"k\"1","version":3,"updatedBy":"api","updatedAt":1710700000000,"expiresAt":5}"#
    );
}

#[test]
fn binary_values_are_text_or_base64() {
    assert!(entry_text(&entry(value(Encoding::Binary, b"a\"b")), false).contains(r#""value":"a\"b","#));
    let bytes = entry_text(&entry(value(Encoding::Binary, b"\xFF\x00")), false);
    assert!(bytes.contains(r#""value":{"$base64":"/wA="},"#), "{bytes}");
}

#[test]
fn a_change_has_nine_members() {
    let set = change(ChangeOp::Set(How::Put), Some(value(Encoding::Json, b"[1]")));
    assert_eq!(
        change_text(&set, Form::default()),
        concat!(
            r#"{"seq":9,"op":"set","namespace":"tenant:acme/settings","key":"k","value":[1],"version":3,"#,
            r#""actor":"me","timestamp":1000,"tenantId":"acme"}"#
        )
    );
}

#[test]
fn an_expiry_is_a_deletion_with_its_reason() {
    assert_eq!(
        change_text(&change(ChangeOp::Expire, None), Form::default()),
        concat!(
            r#"{"seq":9,"op":"delete","namespace":"tenant:acme/settings","key":"k","value":null,"version":3,"#,
            r#""actor":"me","timestamp":1000,"tenantId":"acme","reason":"expired"}"#
        )
    );
    assert!(!change_text(&change(ChangeOp::Delete, None), Form::default()).contains("reason"));
}

#[test]
fn further_members_follow_when_asked_for() {
    let set = change(ChangeOp::Set(How::Put), Some(value(Encoding::Binary, b"x")));
    let detailed = change_text(&set, Form { keys_only: true, detail: true, as_entry: false });
    assert!(!detailed.contains("value"));
    let tail = r#""tenantId":"acme","expiresAt":2000,"encoding":"binary","txn":{"first":8,"last":9}}"#;
    assert!(detailed.ends_with(tail), "{detailed}");
    let watched = change_text(&set, Form { as_entry: true, ..Form::default() });
    let tail = r#""tenantId":"acme","updatedBy":"me","updatedAt":1000,"expiresAt":2000}"#;
    assert!(watched.ends_with(tail), "{watched}");
}
