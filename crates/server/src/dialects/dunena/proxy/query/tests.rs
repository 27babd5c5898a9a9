use super::*;

#[test]
fn milliseconds_are_short() {
    for (micros, text) in [
        (0, "0"),
        (1, "0.01"),
        (10, "0.01"),
        (11, "0.02"),
        (800, "0.8"),
        (1_000, "1"),
        (1_050, "1.05"),
        (12_340, "12.34"),
        (30_000_000, "30000"),
    ] {
        let mut out = Vec::new();
        write_ms(&mut out, Duration::from_micros(micros));
        assert_eq!(String::from_utf8(out).unwrap(), text);
    }
}
