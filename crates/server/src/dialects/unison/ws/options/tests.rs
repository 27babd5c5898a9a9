use super::*;

fn refused(params: &str) -> String {
    Options::parse(params).unwrap_err().text().to_owned()
}

#[test]
fn a_subscription_says_what_and_from_where() {
    let plain = Options::parse(r#"{"namespace":""}"#).unwrap();
    assert_eq!((plain.begin, plain.tree.is_empty(), plain.max_rate), (Begin::Live, true, None));
    assert!(plain.filter().tree.is_none() && plain.filter().prefix.is_none());
    let full = r#"{"namespace":"a/b","since":7,"mode":"all","prefix":"p","keysOnly":true,"notActor":"me","maxRate":2}"#;
    let options = Options::parse(full).unwrap();
    assert_eq!(options.begin, Begin::Since(7));
    assert_eq!(options.filter().tree.as_deref(), Some(&b"a/b"[..]));
    assert_eq!((options.keys_only, options.max_rate), (true, Some(2)));
    assert_eq!(Options::parse(r#"{"namespace":"a","since":-1}"#).unwrap().begin, Begin::Since(0));
    assert_eq!(Options::parse(r#"{"namespace":"a","snapshot":true}"#).unwrap().begin, Begin::Snapshot);
    assert_eq!(Options::parse(r#"{"namespace":"a","maxRate":5000000}"#).unwrap().max_rate, Some(1_000));
}

#[test]
fn wrong_options_are_refused() {
    for (params, text) in [
        ("{}", "Missing required field: namespace"),
        (r#"{"namespace":5}"#, "namespace must be a string"),
        (r#"{"namespace":"\u0000"}"#, "Namespace must not contain NUL"),
        (r#"{"namespace":"a","since":"1"}"#, "since must be an integer"),
        (r#"{"namespace":"a","since":-1,"snapshot":true}"#, "Use either since or snapshot"),
        (r#"{"namespace":"a","snapshot":1}"#, "snapshot must be a boolean"),
        (r#"{"namespace":"a","since":1,"snapshot":true}"#, "Use either since or snapshot"),
        (r#"{"namespace":"a","mode":"some"}"#, "mode must be all"),
        (r#"{"namespace":"a","prefix":1}"#, "prefix must be a string"),
        (r#"{"namespace":"a","keysOnly":"x"}"#, "keysOnly must be a boolean"),
        (r#"{"namespace":"a","notActor":[]}"#, "notActor must be a string"),
        (r#"{"namespace":"a","maxRate":0}"#, "maxRate must be a positive integer"),
    ] {
        assert_eq!(refused(params), text, "{params}");
    }
}
