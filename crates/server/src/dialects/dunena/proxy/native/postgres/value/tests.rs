use proptest::prelude::*;

use super::*;

const TYPES: [Type; 22] = [
    Type::BOOL,
    Type::INT2,
    Type::INT8,
    Type::OID,
    Type::FLOAT4,
    Type::FLOAT8,
    Type::NUMERIC,
    Type::JSON,
    Type::JSONB,
    Type::UUID,
    Type::DATE,
    Type::TIME,
    Type::TIMETZ,
    Type::TIMESTAMP,
    Type::TIMESTAMPTZ,
    Type::TEXT,
    Type::INT4_ARRAY,
    Type::TEXT_ARRAY,
    Type::RECORD_ARRAY,
    Type::ANYARRAY,
    Type::INT2_VECTOR,
    Type::POINT,
];

fn written(of: &Type, raw: &[u8]) -> Result<String, Malformed> {
    let mut out = Vec::new();
    write(&mut out, of, Some(raw), &mut Texts::default())?;
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn a_value_that_is_too_short_is_malformed() {
    for of in [Type::BOOL, Type::INT4, Type::FLOAT8, Type::UUID, Type::NUMERIC, Type::JSONB, Type::INT4_ARRAY] {
        assert_eq!(written(&of, &[]), Err(Malformed), "{of}");
    }
}

#[test]
fn an_array_has_no_more_elements_than_bytes_came_for() {
    let array = |lengths: &[i32]| {
        let mut raw = Vec::new();
        for number in [lengths.len() as i32, 0, Type::INT4.oid() as i32] {
            raw.extend_from_slice(&number.to_be_bytes());
        }
        for length in lengths {
            raw.extend_from_slice(&length.to_be_bytes());
            raw.extend_from_slice(&1_i32.to_be_bytes());
        }
        raw
    };
    assert_eq!(written(&Type::INT4_ARRAY, &array(&[])).unwrap(), "[]");
    for lengths in [&[i32::MAX][..], &[i32::MAX, 0], &[-1], &[1, 1, 1, 1, 1, 1, 1]] {
        assert_eq!(written(&Type::INT4_ARRAY, &array(lengths)), Err(Malformed), "{lengths:?}");
    }
}

#[test]
fn the_ends_of_time_have_names() {
    assert_eq!(written(&Type::DATE, &i32::MAX.to_be_bytes()).unwrap(), "\"infinity\"");
    assert_eq!(written(&Type::TIMESTAMP, &i64::MIN.to_be_bytes()).unwrap(), "\"-infinity\"");
}

proptest! {
    #[test]
    fn no_bytes_of_a_server_do_harm(raw in proptest::collection::vec(any::<u8>(), 0..64), of in 0..TYPES.len()) {
        if let Ok(text) = written(&TYPES[of], &raw) {
            // What was left to the server is a gap.
            let gap = text.is_empty() || text.contains("[,") || text.contains(",,") || text.contains(",]") || text == "[]";
            prop_assert!(gap || serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{}", text);
        }
    }
}
