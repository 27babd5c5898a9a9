use super::*;

#[test]
fn times_are_positive_numbers_without_a_fraction() {
    let raw = |text: &str| serde_json::from_str::<Box<RawValue>>(text).unwrap();
    for (text, expected) in [("1", 1), ("5.0", 5), ("3e5", 300_000), ("1e300", (1 << 53) - 1), ("null", 30_000)] {
        assert_eq!(time(Some(&raw(text)), Some(DEFAULT_TTL_MS)), Ok(expected), "{text}");
    }
    for text in ["0", "-1", "1.5", "1e400", r#""5""#, "true", "[]", "{}"] {
        let refused = time(Some(&raw(text)), Some(DEFAULT_TTL_MS));
        assert_eq!(refused, Err("ttl must be a positive number".into()), "{text}");
    }
    assert_eq!(time(None, Some(DEFAULT_TTL_MS)), Ok(30_000));
    assert_eq!(time(None, None), Err("ttl must be a positive number".into()));
}
