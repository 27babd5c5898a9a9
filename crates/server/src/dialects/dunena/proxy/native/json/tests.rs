use super::*;

fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn days_are_those_of_the_calendar() {
    for (days, expected) in [
        (0, "1970-01-01"),
        (-1, "1969-12-31"),
        (11_016, "2000-02-29"),
        (19_782, "2024-02-29"),
        (19_783, "2024-03-01"),
        (47_540, "2100-02-28"),
        (47_541, "2100-03-01"),
        (2_932_896, "9999-12-31"),
        (2_932_897, "+010000-01-01"),
        (-719_528, "0000-01-01"),
        (-719_529, "-000001-12-31"),
    ] {
        assert_eq!(date(days), expected, "{days}");
    }
}

#[test]
fn every_day_follows_the_one_before() {
    let lengths = |year: i64| {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    };
    let mut days = -719_528;
    for year in 0..2500 {
        for (month, length) in (1..).zip(lengths(year)) {
            for day in 1..=length {
                assert_eq!(civil(days), (year, month, day), "{days}");
                days += 1;
            }
        }
    }
}

#[test]
fn times_have_the_digits_they_need() {
    for (micros, expected) in [
        (0, "00:00:00"),
        (1, "00:00:00.000001"),
        (86_399_999_999, "23:59:59.999999"),
        (86_400_000_000, "24:00:00"),
        (47_655_500_000, "13:14:15.5"),
        (3_020_399_000_000, "838:59:59"),
    ] {
        assert_eq!(time(micros, Zone::Local), expected, "{micros}");
    }
    assert_eq!(date_time(-1, Zone::Utc), "1969-12-31T23:59:59.999999Z");
    assert_eq!(time(time_to_utc(5_400_000_000, -7200), Zone::Utc), "23:30:00Z");
    assert_eq!(time(time_to_utc(82_800_000_000, 7200), Zone::Utc), "01:00:00Z");
}

#[test]
fn numbers_that_json_lacks_are_names() {
    for (number, expected) in [
        (0.1, "0.1"),
        (-0.0, "-0.0"),
        (5.0, "5.0"),
        (f64::MAX, "1.7976931348623157e+308"),
        (f64::NAN, "\"NaN\""),
        (f64::INFINITY, "\"Infinity\""),
        (f64::NEG_INFINITY, "\"-Infinity\""),
    ] {
        assert_eq!(written(|out| write_f64(out, number)), expected);
    }
    assert_eq!(written(|out| write_f32(out, 0.1)), "0.1");
    assert_eq!(written(|out| write_f32(out, f32::NAN)), "\"NaN\"");
}

#[test]
fn json_of_a_column_loses_only_white_space() {
    for (column, expected) in [
        ("{\"a b\" : [1,\t2.50]\n}", r#"{"a b":[1,2.50]}"#),
        (r#""a \" \\ b""#, r#""a \" \\ b""#),
        (r#"{"b":1,"a":2,"b":3}"#, r#"{"b":1,"a":2,"b":3}"#),
        ("12345678901234567890.10", "12345678901234567890.10"),
        ("no json", "\"no json\""),
        ("", "\"\""),
        ("[1", "\"[1\""),
    ] {
        assert_eq!(written(|out| write_json(out, column.as_bytes())), expected);
    }
    assert_eq!(written(|out| write_json(out, b"\"\xff\"")), "\"\\\"\u{fffd}\\\"\"");
}
