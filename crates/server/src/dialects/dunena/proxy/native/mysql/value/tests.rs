use super::*;

fn written(of: ColumnType, character_set: u16, value: Value) -> String {
    let mut out = Vec::new();
    write(&mut out, &Column::new(of).with_character_set(character_set), value);
    String::from_utf8(out).unwrap()
}

#[test]
fn the_type_of_a_column_says_what_its_bytes_are() {
    let bytes = |text: &str| Value::Bytes(text.as_bytes().to_vec());
    for (of, character_set, value, expected) in [
        // Of MySQL itself; MariaDB has no such type.
        (ColumnType::MYSQL_TYPE_JSON, BINARY, bytes("{\"a\": [1, 2]}"), "{\"a\":[1,2]}"),
        (ColumnType::MYSQL_TYPE_NEWDECIMAL, BINARY, bytes("1.50"), "\"1.50\""),
        (ColumnType::MYSQL_TYPE_BIT, BINARY, bytes("\x01"), "{\"$base64\":\"AQ==\"}"),
        (ColumnType::MYSQL_TYPE_BLOB, BINARY, bytes("x"), "{\"$base64\":\"eA==\"}"),
        (ColumnType::MYSQL_TYPE_BLOB, 45, bytes("x"), "\"x\""),
        (ColumnType::MYSQL_TYPE_GEOMETRY, 45, bytes("x"), "{\"$base64\":\"eA==\"}"),
        (ColumnType::MYSQL_TYPE_TIMESTAMP, BINARY, Value::Date(2024, 2, 29, 1, 2, 3, 0), "\"2024-02-29T01:02:03Z\""),
        (ColumnType::MYSQL_TYPE_TIMESTAMP, BINARY, Value::Date(0, 0, 0, 0, 0, 0, 0), "\"0000-00-00T00:00:00\""),
        (ColumnType::MYSQL_TYPE_DATETIME, BINARY, Value::Date(2024, 2, 0, 0, 0, 0, 0), "\"2024-02-00T00:00:00\""),
        (ColumnType::MYSQL_TYPE_DATE, BINARY, Value::Date(0, 0, 0, 0, 0, 0, 0), "\"0000-00-00\""),
        (ColumnType::MYSQL_TYPE_TIME, BINARY, Value::Time(true, 1, 2, 3, 4, 500_000), "\"-26:03:04.5\""),
        (ColumnType::MYSQL_TYPE_FLOAT, BINARY, Value::Float(0.1), "0.1"),
        (ColumnType::MYSQL_TYPE_LONGLONG, BINARY, Value::UInt(u64::MAX), "18446744073709551615"),
    ] {
        assert_eq!(written(of, character_set, value), expected, "{of:?}");
    }
}

#[test]
fn no_time_of_a_server_does_harm() {
    written(ColumnType::MYSQL_TYPE_TIME, BINARY, Value::Time(true, u32::MAX, u8::MAX, u8::MAX, u8::MAX, u32::MAX));
    let date = Value::Date(u16::MAX, u8::MAX, u8::MAX, u8::MAX, u8::MAX, u8::MAX, u32::MAX);
    written(ColumnType::MYSQL_TYPE_DATETIME, BINARY, date);
}
