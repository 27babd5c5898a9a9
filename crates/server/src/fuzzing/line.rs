//! Lines of points: whatever comes, it is points or bad lines, at places inside of it; names that are known change
//! nothing; and what was understood is understood again when it is printed.

use crate::dialects::flo::ts::line::{
    self, Precision, Times,
    points::{Point, Points, Told},
};

fn print(out: &mut String, point: &Point) {
    let escape = |out: &mut String, name: &str, special: &[char]| {
        for character in name.chars() {
            if special.contains(&character) {
                out.push('\\');
            }
            out.push(character);
        }
    };
    let key = [',', ' ', '='];
    escape(out, &point.measurement, &key[..2]);
    for (tag, value) in &point.tags {
        out.push(',');
        escape(out, tag, &key);
        out.push('=');
        escape(out, value, &key);
    }
    for (at, (name, value)) in point.fields.iter().enumerate() {
        out.push(if at == 0 { ' ' } else { ',' });
        escape(out, name, &key);
        out.push('=');
        match value {
            Told::Float(bits) => *out += &format!("{:?}", f64::from_bits(*bits)),
            Told::Int(value) => *out += &format!("{value}i"),
            Told::Uint(value) => *out += &format!("{value}u"),
            Told::Bool(value) => *out += &value.to_string(),
            Told::Text(text) => {
                out.push('"');
                escape(out, text, &['"', '\\']);
                out.push('"');
            }
        }
    }
    *out += &format!(" {}", point.time);
}

pub(super) fn parse(body: &[u8]) {
    let times = Times::new(Precision::NANOSECOND, 1_700_000_000_000_000_000);
    let mut points = Points::default();
    let parsed = line::parse(body, times, &mut points);
    assert_eq!(parsed.good.len(), points.points.len());
    for fault in &parsed.faults {
        assert!(fault.line <= fault.token.start && fault.token.end <= body.len());
        let _text = fault.reason.text(&body[fault.token.clone()]);
    }

    let mut knowing = Points::remembering();
    for _ in 0..2 {
        knowing.points.clear();
        let again = line::parse(body, times, &mut knowing);
        assert_eq!((&again.good, &again.faults, again.bad), (&parsed.good, &parsed.faults, parsed.bad));
        assert_eq!(knowing.points, points.points);
    }

    let mut printed = String::new();
    for point in &points.points {
        print(&mut printed, point);
        printed.push('\n');
    }
    let mut read_back = Points::default();
    let parsed = line::parse(printed.as_bytes(), times, &mut read_back);
    assert_eq!(parsed.bad, 0, "{printed}");
    assert_eq!(read_back.points, points.points);
}
