//! What the fuzz targets ask of values.

use mysql_async::{Column, Value, consts::ColumnType};

use super::value;
use crate::fuzzing::input::Input;

/// The JSON text of a value of any column; none where there is no such type.
pub(in crate::dialects::dunena::proxy::native) fn value(input: &mut Input<'_>) -> Option<Vec<u8>> {
    let of = ColumnType::try_from(input.byte()).ok()?;
    let column = Column::new(of).with_character_set(input.number() as u16);
    let kind = input.byte();
    let mut number = [0; 8];
    number.iter_mut().for_each(|byte| *byte = input.byte());
    let micros = u32::from_le_bytes([number[0], number[1], number[2], number[3]]);
    let [.., day, hour, minute, second] = number;
    let value = match kind % 8 {
        0 => Value::NULL,
        1 => Value::Int(i64::from_le_bytes(number)),
        2 => Value::UInt(u64::from_le_bytes(number)),
        3 => Value::Float(f32::from_le_bytes([number[0], number[1], number[2], number[3]])),
        4 => Value::Double(f64::from_le_bytes(number)),
        5 => Value::Date(input.number() as u16, input.byte(), day, hour, minute, second, micros),
        6 => Value::Time(day > 127, micros, hour, minute, second, input.number() as u32),
        _ => Value::Bytes(input.rest().to_vec()),
    };
    let mut out = Vec::new();
    value::write(&mut out, &column, value);
    Some(out)
}
