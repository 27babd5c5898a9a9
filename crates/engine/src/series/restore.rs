//! Points from lines of an export: written as any others are, so that of two at one instant the later line wins.

use crate::{
    Engine, Error, Kind, Namespace, Result,
    export::record::PointsLine,
    series::{Points, Refusal, SeriesKey},
};

/// Writes points of one namespace; an error names the line by its index.
pub(crate) async fn restore(engine: &Engine, namespace: &Namespace, lines: &[&PointsLine]) -> Result<()> {
    let limit = engine.live()?.limits.value_bytes;
    let mut points = Points::new(0);
    // Which line each of the points is of.
    let mut of = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        add(&mut points, line, limit).map_err(|error| error.at(index))?;
        of.resize(points.len(), index);
    }
    let written = engine.write_points(namespace, points, true).await?;
    let written = written.ok_or_else(|| Error::new(Kind::Bug, "points without references have no epoch"))?;
    match written.refused.first() {
        None => Ok(()),
        Some(refused) => Err(refuse(&refused.why).at(of.get(refused.line).copied().unwrap_or_default())),
    }
}

/// The namespace of a line.
pub(crate) fn namespace(line: &PointsLine) -> Result<Namespace> {
    Namespace::new(line.namespace.0.clone()).map_err(|error| invalid(format!("the namespace {error}")))
}

fn invalid(what: impl Into<String>) -> Error {
    Error::new(Kind::Invalid, what)
}

fn add(points: &mut Points, line: &PointsLine, limit: usize) -> Result<()> {
    let PointsLine { measurement, tags, field, times, floats, ints, uints, bools, texts, .. } = line;
    let lengths = [floats.len(), ints.len(), uints.len(), bools.len(), texts.len()];
    let values: usize = lengths.iter().sum();
    if times.is_empty() || values != times.len() || !lengths.contains(&values) {
        return Err(invalid("there are as many values, of one type, as there are times, and one at least"));
    }
    if texts.iter().any(|text| text.len() > limit) {
        return Err(Error::new(Kind::TooLarge, format!("a text is over the limit of {limit} bytes")));
    }
    let tags: Vec<_> = tags.iter().map(|(tag, value)| (tag.as_str(), value.as_str())).collect();
    let key = SeriesKey::new(measurement, &tags).ok_or_else(|| invalid("a tag is there twice"))?;
    let mut key = Some(key);
    let mut series = None;
    let field = points.new_field(field);
    for (at, time) in times.iter().enumerate() {
        // Exactly one of them has as many as there are times.
        floats.get(at).into_iter().for_each(|value| points.float(field, value.0));
        ints.get(at).into_iter().for_each(|value| points.int(field, *value));
        uints.get(at).into_iter().for_each(|value| points.uint(field, *value));
        bools.get(at).into_iter().for_each(|value| points.bool(field, *value));
        texts.get(at).into_iter().for_each(|value| points.text(field, |out| out.extend_from_slice(value.as_bytes())));
        match (series, key.take()) {
            (Some(series), _) => points.end(series, *time),
            (None, Some(key)) => series = Some(points.end_new(key, *time)),
            (None, None) => return Err(Error::new(Kind::Bug, "a series has lost its name")),
        }
    }
    Ok(())
}

fn refuse(why: &Refusal) -> Error {
    match why {
        Refusal::Type { field, measurement, .. } => {
            Error::conflict(0, format!("the field {field:?} of {measurement:?} is of another kind there"))
        }
        Refusal::TooManySeries { limit } => Error::new(Kind::Full, format!("the namespace has its {limit} series")),
        Refusal::TooManyFields { limit } => Error::new(Kind::Full, format!("the measurement has its {limit} fields")),
    }
}
