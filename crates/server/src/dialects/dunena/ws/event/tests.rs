use super::*;

#[test]
fn each_event_has_its_form() {
    for (what, event, members) in [
        (CacheChange::Set(7), "set", r#","size":7"#),
        (CacheChange::Delete, "delete", ""),
        (CacheChange::Expired, "expired", ""),
        (CacheChange::Counted { before: 1, now: -2 }, "incr", r#","value":-2,"delta":-3"#),
        (
            CacheChange::Counted { before: -1, now: i64::MAX },
            "incr",
            r#","value":9223372036854775807,"delta":9223372036854775808"#,
        ),
        (CacheChange::Exchanged(4), "cas", r#","version":4"#),
        (CacheChange::Touched(500), "touch", r#","ttl":500"#),
    ] {
        let told = |space: &'static str| {
            let event = CacheEvent { space: space.into(), key: "k".into(), what };
            String::from_utf8(message(&event, Timestamp(9))).unwrap()
        };
        let bare = format!(
            r#"{{"channel":"cache","event":"{event}","data":{{"key":"k"{members},"ns":"","name":"k"}},"timestamp":9}}"#
        );
        assert_eq!(told(""), bare);
        let named = bare.replace(r#""key":"k""#, r#""key":"a\u0000k""#).replace(r#""ns":"""#, r#""ns":"a""#);
        assert_eq!(told("a"), named);
    }
}

#[test]
fn that_everything_is_gone_needs_no_data() {
    let event = CacheEvent { space: "".into(), key: "".into(), what: CacheChange::Clear };
    assert_eq!(message(&event, Timestamp(9)), br#"{"channel":"cache","event":"clear","data":{},"timestamp":9}"#);
}
