use super::*;

#[test]
fn lengths_are_read_in_every_unit() {
    for (text, nanos) in [
        ("0", 0),
        ("0s", 0),
        ("1ns", 1),
        ("2us", 2_000),
        ("2µs", 2_000),
        ("1.5ms", 1_500_000),
        ("1.5s", 1_500_000_000),
        (".5s", 500_000_000),
        ("1m30s", 90_000_000_000),
        ("1h1m1s1ms", 3_661_001_000_000),
        ("30d", 2_592_000_000_000_000),
        ("0.5d", 43_200_000_000_000),
        ("2w", 1_209_600_000_000_000),
        (" 1s ", 1_000_000_000),
    ] {
        assert_eq!(text.parse(), Ok(Span(Duration::from_nanos(nanos))), "{text}");
    }
}

#[test]
fn what_is_no_length_is_refused() {
    for text in
        ["", "1", "60", "1.5", "-1s", "s", "1x", "1 s", "1d12h", "12h1d", "1..5s", ".s", "1e3s", "99999999999w", "µ"]
    {
        let refused = text.parse::<Span>().unwrap_err();
        assert!(refused.starts_with(&format!("{text:?} is no length of time")), "{refused}");
    }
}

#[test]
fn a_length_prints_as_it_is_read() {
    for (text, shown) in
        [("0", "0"), ("90s", "1m30s"), ("1.5s", "1s500ms"), ("30d", "720h"), ("60m", "1h"), ("1us", "1us")]
    {
        let span: Span = text.parse().unwrap();
        assert_eq!(span.to_string(), shown);
        assert_eq!(shown.parse(), Ok(span));
    }
}

#[test]
fn of_bare_numbers_only_nothing_is_a_length() {
    #[derive(Debug, Deserialize)]
    struct One {
        span: Span,
    }
    let read = |text: &str| toml::from_str::<One>(text).map(|one| one.span);
    assert_eq!(read("span = 0").unwrap(), Span::default());
    assert_eq!(read("span = \"1m\"").unwrap(), Span::seconds(60));
    for text in ["span = 60", "span = 1.5", "span = -1", "span = true"] {
        assert!(read(text).is_err(), "{text}");
    }
}
