use super::{
    points::{Point, Points, Told},
    *,
};

mod printed;
mod rules;

const NOW: i64 = 1_700_000_000_123_456_789;

/// What a body gives; whether names are known already must make no difference.
fn read(body: &[u8], precision: Precision) -> (Vec<Point>, Parsed) {
    let mut points = Points::default();
    let parsed = parse(body, Times::new(precision, NOW), &mut points);
    let mut knowing = Points::remembering();
    for _ in 0..2 {
        knowing.points.clear();
        let again = parse(body, Times::new(precision, NOW), &mut knowing);
        assert_eq!((&knowing.points, &again.faults, &again.good), (&points.points, &parsed.faults, &parsed.good));
    }
    assert_eq!(parsed.good.len(), points.points.len());
    (points.points, parsed)
}

/// The points of a body without a bad line.
fn good(body: &[u8]) -> Vec<Point> {
    let (points, parsed) = read(body, Precision::NANOSECOND);
    assert_eq!(parsed.bad, 0, "{}: {:?}", body.escape_ascii(), parsed.faults);
    points
}

/// `line:column reason` of each bad line, and how many good ones there are.
fn faults(body: &[u8]) -> (Vec<String>, usize) {
    let (points, parsed) = read(body, Precision::NANOSECOND);
    let each = parsed.faults.iter().map(|fault| {
        let line = 1 + memchr::memchr_iter(b'\n', &body[..fault.line]).count();
        let column = 1 + fault.token.start - fault.line;
        format!("{line}:{column} {}", fault.reason.text(&body[fault.token.clone()]))
    });
    (each.collect(), points.len())
}
