use super::*;

#[test]
fn an_instant_is_told_with_milliseconds_whatever_it_is() {
    for (ms, text) in [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_795_213_658_075, "2026-11-20T22:27:38.075Z"),
        (u64::MAX, "9999-12-30T22:00:00.999Z"),
    ] {
        assert_eq!(iso_8601(Timestamp(ms)), text);
    }
}

#[tokio::test]
async fn without_a_database_its_check_is_disabled() {
    let check = database(None, &Checked::default()).await;
    assert_eq!(serde_json::to_string(&check).unwrap(), r#"{"status":"disabled"}"#);
}
