use manifold_engine::recache::{DimensionId, HostId};

use super::*;

const KEY: PageKey = PageKey { host: HostId(1), dimension: DimensionId(2), hash: 0xab };

#[test]
fn what_a_record_does_not_say_is_empty() {
    let said = serde_json::to_string(&Item::new(KEY, &Record::default(), 1000, 0)).expect("a text");
    assert_eq!(
        said,
        r#"{"url":"","title":"","dimension":"","status":"expired","cache_age":0,"size":0,"disk_size":0,"last_access":0,"cache_key":"cache:1:2:00000000000000ab","created_at":0,"expires_at":0,"status_code":0,"source":"","index_status":0}"#
    );
}

#[test]
fn the_members_are_those_of_the_record() {
    let record = Record {
        url: "https://a.b/".to_owned(),
        dimension: "mobile".to_owned(),
        created_at: Some(900),
        expires_at: Some(1001),
        last_access: Some(950),
        size: Some(7),
        disk_size: Some(5),
        source: "render".to_owned(),
        status_code: Some(404),
        last_bot_hit: Some(990),
        index_status: Some(2),
        title: "A \"page\"".to_owned(),
        ..Record::default()
    };
    let said = serde_json::to_string(&Item::new(KEY, &record, 1000, 0)).expect("a text");
    assert_eq!(
        said,
        r#"{"url":"https://a.b/","title":"A \"page\"","dimension":"mobile","status":"active","cache_age":100,"size":7,"disk_size":5,"last_access":950,"cache_key":"cache:1:2:00000000000000ab","created_at":900,"expires_at":1001,"status_code":404,"source":"render","index_status":2,"last_bot_hit":990}"#
    );
    let early = Item::new(KEY, &record, 800, 0);
    assert_eq!(early.cache_age(), 0, "a clock that went back makes no negative age");
}

#[test]
fn a_page_is_active_then_stale_then_expired() {
    let record = Record { expires_at: Some(100), ..Record::default() };
    for (now, stale_ttl, found) in [
        (99, 0, Freshness::Active),
        (100, 0, Freshness::Expired),
        (100, 10, Freshness::Stale),
        (109, 10, Freshness::Stale),
        (110, 10, Freshness::Expired),
        (100, u64::MAX, Freshness::Stale),
        (u64::MAX, 10, Freshness::Expired),
    ] {
        assert_eq!(Freshness::of(&record, now, stale_ttl), found, "{now} {stale_ttl}");
    }
    assert_eq!(serde_json::to_string(&Freshness::Stale).expect("a text"), r#""stale""#);
    assert_eq!(Freshness::Stale.as_str(), "stale");
}
