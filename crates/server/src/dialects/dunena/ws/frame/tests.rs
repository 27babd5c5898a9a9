use manifold_engine::{
    Clock,
    cache::{CacheLimits, Ttl},
};

use super::*;

struct Client {
    cache: Cache,
    following: Following,
}

impl Client {
    fn new() -> Self {
        let cache = Cache::new(CacheLimits::default(), Clock::manual(Timestamp(1)));
        Client { following: Following::new(&cache), cache }
    }

    fn ask(&mut self, frame: &[u8]) -> Option<String> {
        let count_for = |namespace: &str| match namespace {
            "full" => Err(Error::NamespaceLimited { namespace: namespace.to_owned(), retry_after: 1 }),
            _ => Ok(()),
        };
        let ground = Ground { cache: &self.cache, count_for: &count_for, now: Timestamp(9) };
        let answer = answer(ground, &mut self.following, frame);
        answer.map(|answer| String::from_utf8(answer).unwrap())
    }

    #[track_caller]
    fn expect(&mut self, frame: &str, kind: &str, data: &str) {
        let expected = format!(r#"{{"type":"{kind}","data":{data},"timestamp":9}}"#);
        assert_eq!(self.ask(frame.as_bytes()), Some(expected), "{frame}");
    }
}

#[test]
fn values_are_written_read_and_deleted() {
    let mut client = Client::new();
    client.expect(r#"{"type":"get","key":"k"}"#, "result", r#"{"key":"k","value":null}"#);
    client.expect(r#"{"type":"set","key":"k","value":"v\u0000"}"#, "result", r#"{"key":"k","ok":true}"#);
    client.expect(r#"{"type":"get","key":"k"}"#, "result", r#"{"key":"k","value":"v\u0000"}"#);
    client.expect(r#"{"type":"get","key":"k","ns":"n"}"#, "result", r#"{"key":"k","value":null}"#);
    client.expect(r#"{"type":"get","key":"k","ns":""}"#, "result", r#"{"key":"k","value":"v\u0000"}"#);
    client.expect(r#"{"type":"set","key":"k","value":"","ttl":5,"ns":"n"}"#, "result", r#"{"key":"k","ok":true}"#);
    assert_eq!(client.cache.look(b"n", b"k").unwrap().left_ms, Some(5));
    client.expect(r#"{"type":"del","key":"k"}"#, "result", r#"{"key":"k","deleted":true}"#);
    client.expect(r#"{"type":"del","key":"k"}"#, "result", r#"{"key":"k","deleted":false}"#);
}

#[test]
fn many_are_one_step() {
    let mut client = Client::new();
    let mset = r#"{"type":"mset","entries":[{"key":"b","value":"1"},{"key":"a","value":"2","ttl":7}],"ns":"n"}"#;
    client.expect(mset, "result", r#"{"stored":2}"#);
    let mget = r#"{"type":"mget","keys":["b","none","a","b"],"ns":"n"}"#;
    client.expect(mget, "result", r#"{"result":{"b":"1","none":null,"a":"2"}}"#);
    let bad = r#"{"type":"mset","entries":[{"key":"c","value":"1"},{"key":"d"}]}"#;
    client.expect(bad, "error", r#""mset value error for \"d\": Value must be a string""#);
    assert_eq!(client.cache.look(b"", b"c"), None);
    for kind in ["mget", "mset"] {
        client.expect(&format!(r#"{{"type":"{kind}"}}"#), "error", r#""Unknown action. Use \"mget\" or \"mset\".""#);
    }
    client.expect(r#"{"type":"mget","keys":[1]}"#, "error", r#""keys must be an array of strings""#);
    client.expect(r#"{"type":"mget","keys":[],"ns":5}"#, "error", r#""Namespace must be a string""#);
}

#[test]
fn a_broken_rule_is_told_in_the_order_of_checks() {
    let mut client = Client::new();
    for (members, text) in [
        (r#""key":5,"value":5,"ttl":-1,"ns":5"#, "Key must be a string"),
        (r#""key":"","value":5"#, "Key must not be empty"),
        (r#""key":"ä","value":5"#, "Key contains invalid characters"),
        (r#""key":"k""#, "Value must be a string"),
        (r#""key":"k","value":null,"ttl":-1"#, "Value must be a string"),
        (r#""key":"k","value":"v","ttl":1.5,"ns":5"#, "TTL must be a non-negative integer (ms)"),
        (r#""key":"k","value":"v","ns":5"#, "Namespace must be a string"),
        (r#""key":"k","value":"v","ns":"\u0000""#, "Namespace contains invalid characters"),
    ] {
        client.expect(&format!(r#"{{"type":"set",{members}}}"#), "error", &format!("{text:?}"));
    }
    assert_eq!(client.cache.stats().puts, 0);
}

#[test]
fn a_namespace_without_room_for_more_requests_refuses_frames_too() {
    let mut client = Client::new();
    for members in [
        r#""type":"get","key":"k""#,
        r#""type":"set","key":"k","value":"v""#,
        r#""type":"del","key":"k""#,
        r#""type":"mget","keys":[]"#,
        r#""type":"mset","entries":[]"#,
    ] {
        let frame = format!(r#"{{{members},"ns":"full"}}"#);
        client.expect(&frame, "error", r#""Namespace rate limit exceeded""#);
    }
    assert_eq!(client.cache.stats().puts, 0);
    client.expect(r#"{"type":"set","key":5,"ns":"full"}"#, "error", r#""Key must be a string""#);
}

#[test]
fn without_what_it_is_about_a_frame_gets_no_answer() {
    let mut client = Client::new();
    for frame in [
        r#"{"type":"get"}"#,
        r#"{"type":"get","key":null}"#,
        r#"{"type":"set","value":"v"}"#,
        r#"{"type":"del","ns":5}"#,
        r#"{"type":"subscribe"}"#,
        r#"{"type":"subscribe","channel":5}"#,
        r#"{"type":"unsubscribe"}"#,
        r#"{"type":"unsubscribe","channel":"news"}"#,
    ] {
        assert_eq!(client.ask(frame.as_bytes()), None, "{frame}");
    }
}

#[test]
fn what_is_no_request_is_said_so() {
    let mut client = Client::new();
    let deep = format!(r#"{{"type":"ping","x":{}{}}}"#, "[".repeat(128), "]".repeat(128));
    for frame in ["", " ", "null", "5", "\"ping\"", "[]", "[{}]", "{", "{}x", "{\"type\":}", "nul", deep.as_str()] {
        client.expect(frame, "error", r#""Invalid JSON""#);
    }
    for (frame, told) in [
        ("{}", "undefined"),
        (r#"{"type":null}"#, "null"),
        (r#"{"type":5}"#, "5"),
        (r#"{"type":""}"#, ""),
        (r#"{"type":"PING"}"#, "PING"),
        (r#"{"type":"ping","type":"x"}"#, "x"),
    ] {
        client.expect(frame, "error", &format!(r#""Unknown message type: {told}""#));
    }
}

#[test]
fn what_is_no_text_is_mended_and_a_byte_order_mark_is_skipped() {
    let mut client = Client::new();
    assert_eq!(client.ask(b"\xEF\xBB\xBF{\"type\":\"ping\"}").unwrap(), r#"{"type":"pong","timestamp":9}"#);
    client.ask(b"{\"type\":\"set\",\"key\":\"k\",\"value\":\"\xFF\\ud800\"}");
    assert_eq!(client.cache.get(b"", b"k").unwrap(), "\u{FFFD}\u{FFFD}");
}

#[test]
fn only_who_follows_hears() {
    let mut client = Client::new();
    let write = |client: &Client| {
        let set = CacheSet { space: b"", key: b"k", value: "v".into(), ttl: Ttl::Default };
        client.cache.set([set]);
    };
    write(&client);
    assert_eq!(client.following.waiting(), 1);
    assert_eq!(client.ask(br#"{"type":"unsubscribe","channel":"cache"}"#), None);
    write(&client);
    assert_eq!(client.following.waiting(), 0);
    client.expect(r#"{"type":"subscribe","channel":"news"}"#, "subscribed", r#"{"channel":"news"}"#);
    write(&client);
    assert_eq!(client.following.waiting(), 0);
    client.expect(r#"{"type":"subscribe","channel":"cache"}"#, "subscribed", r#"{"channel":"cache"}"#);
    client.expect(r#"{"type":"subscribe","channel":"cache-events"}"#, "subscribed", r#"{"channel":"cache-events"}"#);
    write(&client);
    assert_eq!(client.following.waiting(), 1, "two names of one channel");
}
