use super::*;

const STALE: Duration = Duration::from_secs(3);

fn now() -> Timestamp {
    Timestamp(1_737_196_200_000)
}

fn service(json: &str) -> Option<RenderService> {
    RenderService::healthy(json.as_bytes(), now(), STALE)
}

fn gateway(json: &str) -> Option<RegisteredGateway> {
    RegisteredGateway::healthy(json.as_bytes(), "from-key")
}

fn address(address: &str) -> Option<String> {
    let json = format!(r#"{{"eg_id":"a","address":{address:?},"sharding_enabled":true}}"#);
    gateway(&json).map(|gateway| gateway.address)
}

#[test]
fn a_render_service_is_healthy_until_it_was_silent_for_too_long() {
    let seen = |at: &str| service(&format!(r#"{{"id":"rs","capacity":10,"load":3,"last_seen":"{at}"}}"#));
    let healthy = Some(RenderService { capacity: 10, load: 3 });
    assert_eq!(seen("2025-01-18T10:30:00Z"), healthy);
    assert_eq!(seen("2025-01-18T10:29:57.001Z"), healthy);
    assert_eq!(seen("2025-01-18T10:29:57Z"), None);
    assert_eq!(seen("2025-01-18T11:30:00.123456789+01:00"), healthy);
    assert_eq!(seen("2035-01-18T10:30:00Z"), healthy, "a clock that runs ahead");
    assert_eq!(seen("now"), None);
}

#[test]
fn numbers_of_tabs_may_be_odd() {
    let tabs = |numbers: &str| service(&format!(r#"{{{numbers}"last_seen":"2025-01-18T10:30:00Z"}}"#));
    assert_eq!(tabs(""), Some(RenderService { capacity: 0, load: 0 }));
    assert_eq!(tabs(r#""capacity":4.0,"load":-2,"#), Some(RenderService { capacity: 4, load: 0 }));
    assert_eq!(tabs(r#""capacity":"4","load":null,"#), Some(RenderService { capacity: 0, load: 0 }));
    assert_eq!(tabs(r#""capacity":1e300,"#), Some(RenderService { capacity: u64::MAX, load: 0 }));
    for json in ["", "{}", "[]", "null", "7", "{\"last_seen\":1}", "\u{0}"] {
        assert_eq!(service(json), None, "{json:?}");
    }
}

#[test]
fn only_gateways_that_share_their_cache_take_jobs() {
    let json = |sharding: &str| format!(r#"{{"eg_id":"eg1","address":"10.0.0.5:10071"{sharding}}}"#);
    let expected = RegisteredGateway { eg_id: "eg1".to_owned(), address: "10.0.0.5:10071".to_owned() };
    assert_eq!(gateway(&json(r#","sharding_enabled":true"#)), Some(expected));
    for not in ["", r#","sharding_enabled":false"#, r#","sharding_enabled":"true""#, r#","sharding_enabled":1"#] {
        assert_eq!(gateway(&json(not)), None, "{not}");
    }
    let nameless = gateway(r#"{"address":"a:1","sharding_enabled":true}"#).expect("healthy");
    assert_eq!(nameless.eg_id, "from-key");
}

#[test]
fn all_interfaces_are_this_machine() {
    for all in [":10071", "0.0.0.0:10071", "[::]:10071"] {
        assert_eq!(address(all).as_deref(), Some("127.0.0.1:10071"), "{all}");
    }
    assert_eq!(address("[2001:db8::1]:10071").as_deref(), Some("[2001:db8::1]:10071"));
    for nowhere in ["", "host", "host:", "host:0", "host:x", "host:70000"] {
        assert_eq!(address(nowhere), None, "{nowhere}");
    }
}
