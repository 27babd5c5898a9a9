//! Queries over plain vectors, computed the plainest way.

use std::collections::BTreeMap;

use super::*;
use crate::series::{Comparison, Expr, Operator, UNTAGGED};

/// A stream with all its points.
#[derive(Debug, Clone)]
pub(crate) struct Stream {
    pub(crate) field: String,
    pub(crate) key: String,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) points: Vec<(i64, Scalar)>,
}

/// A raw stream of `m`.
pub(crate) fn stream(field: &str, tags: &[(&str, &str)], points: Vec<(i64, Scalar)>) -> Stream {
    let tags: BTreeMap<String, String> = tags.iter().map(|(tag, value)| (tag.to_string(), value.to_string())).collect();
    let key = tags.iter().fold("m".to_owned(), |key, (tag, value)| format!("{key},{tag}={value}"));
    Stream { field: field.to_owned(), key, tags, points }
}

/// What a query gives over raw streams.
pub(crate) fn answer(streams: Vec<Stream>, query: &Query) -> Vec<Stream> {
    let (from, to) = query.range;
    let mut streams = streams;
    streams.sort_by(|a, b| (&a.field, &a.key).cmp(&(&b.field, &b.key)));
    for stream in &mut streams {
        stream.points.retain(|(time, _)| (from..=to).contains(time));
    }
    for stage in &query.stages {
        streams.retain(|stream| !stream.points.is_empty());
        streams = apply(stage, streams);
    }
    for stream in &mut streams {
        let surplus = stream.points.len().saturating_sub(query.limit.unwrap_or(usize::MAX));
        stream.points.drain(..surplus);
    }
    streams.retain(|stream| !stream.points.is_empty());
    streams.sort_by(|a, b| (&a.field, &a.key).cmp(&(&b.field, &b.key)));
    streams
}

fn apply(stage: &Stage, streams: Vec<Stream>) -> Vec<Stream> {
    match stage {
        Stage::Aggregate { what, window, by } => grouped(streams, by, |streams| aggregate(*what, *window, streams)),
        Stage::Pool { by } => grouped(streams, by, |streams| {
            let mut all: Vec<(i64, Scalar)> = streams.iter().flat_map(|stream| stream.points.clone()).collect();
            all.sort_by_key(|(time, _)| *time);
            all
        }),
        Stage::Top(count) => best(streams, *count, true),
        Stage::Bottom(count) => best(streams, *count, false),
        stage => streams.into_iter().map(|stream| Stream { points: alone(stage, &stream.points), ..stream }).collect(),
    }
}

fn grouped(streams: Vec<Stream>, by: &[String], pool: impl Fn(&[Stream]) -> Vec<(i64, Scalar)>) -> Vec<Stream> {
    let mut groups: BTreeMap<(String, String), Vec<Stream>> = BTreeMap::new();
    for stream in streams {
        let key = by.iter().fold("m".to_owned(), |key, tag| {
            format!("{key},{tag}={}", stream.tags.get(tag).map_or(UNTAGGED, String::as_str))
        });
        groups.entry((stream.field.clone(), key)).or_default().push(stream);
    }
    groups
        .into_iter()
        .map(|((field, key), streams)| {
            let mut tags = streams[0].tags.clone();
            tags.retain(|tag, value| streams.iter().all(|stream| stream.tags.get(tag) == Some(value)));
            Stream { field, key, tags, points: pool(&streams) }
        })
        .collect()
}

fn aggregate(what: Aggregate, window: Option<i64>, streams: &[Stream]) -> Vec<(i64, Scalar)> {
    // By window: points in the order of streams by key, as they were sorted.
    let mut windows: BTreeMap<i128, Vec<(i64, Scalar)>> = BTreeMap::new();
    for (time, value) in streams.iter().flat_map(|stream| &stream.points) {
        let start = window.map_or(0, |width| i128::from(*time).div_euclid(width.into()) * i128::from(width));
        windows.entry(start).or_default().push((*time, value.clone()));
    }
    let mut results = Vec::new();
    for (start, mut points) in windows {
        points.sort_by_key(|(time, _)| *time);
        let start = i64::try_from(start).unwrap_or(i64::MIN);
        let edge = match what {
            Aggregate::First => {
                let time = points[0].0;
                points.iter().find(|point| point.0 == time)
            }
            Aggregate::Last => points.last(),
            _ => None,
        };
        let value = match (edge, what) {
            (Some((time, value)), _) => {
                let value = match value {
                    Scalar::Uint(value) => i64::try_from(*value).map_or(Scalar::Float(*value as f64), Scalar::Int),
                    value => value.clone(),
                };
                results.push((if window.is_some() { start } else { *time }, value));
                continue;
            }
            (None, Aggregate::Count) => Some(Scalar::Int(points.len() as i64)),
            (None, what) => computed(what, points.into_iter().map(|point| point.1).collect()),
        };
        results.extend(value.map(|value| (start, value)));
    }
    results
}

fn computed(what: Aggregate, values: Vec<Scalar>) -> Option<Scalar> {
    let values: Vec<Scalar> = values.into_iter().filter(|value| !matches!(value, Scalar::Text(_))).collect();
    let count = values.len();
    if count == 0 {
        return None;
    }
    let mut floats: Vec<f64> = values.iter().filter_map(float).collect();
    floats.sort_by(f64::total_cmp);
    let ints: Option<Vec<i128>> = values.iter().map(int).collect();
    let sum = match &ints {
        Some(ints) => ints.iter().sum::<i128>() as f64,
        None => total(&values),
    };
    let exact = |ints: &[i128], of: fn(std::slice::Iter<'_, i128>) -> i128| {
        let value = of(ints.iter());
        i64::try_from(value).map_or(Scalar::Float(value as f64), Scalar::Int)
    };
    let value = match (what, &ints) {
        (Aggregate::Avg, _) => Scalar::Float(sum / count as f64),
        (Aggregate::Sum, Some(ints)) => exact(ints, |ints| ints.sum()),
        (Aggregate::Min, Some(ints)) => exact(ints, |ints| *ints.min().expect("one")),
        (Aggregate::Max, Some(ints)) => exact(ints, |ints| *ints.max().expect("one")),
        (Aggregate::Sum, None) => Scalar::Float(sum),
        (Aggregate::Min, None) => Scalar::Float(floats[0]),
        (Aggregate::Max, None) => Scalar::Float(floats[count - 1]),
        (Aggregate::Percentile(percent), _) => {
            let rank = percent / 100.0 * (count - 1) as f64;
            let (below, above) = (floats[rank.floor() as usize], floats[rank.ceil() as usize]);
            Scalar::Float(below + (above - below) * rank.fract())
        }
        _ => unreachable!("{what:?}"),
    };
    Some(value).filter(|value| float(value).is_some_and(f64::is_finite))
}

fn best(streams: Vec<Stream>, count: usize, greatest: bool) -> Vec<Stream> {
    let mut sums: Vec<(f64, Stream)> = streams
        .into_iter()
        .map(|stream| {
            let values: Vec<Scalar> = stream.points.iter().map(|point| point.1.clone()).collect();
            (stream, values)
        })
        .filter(|(_, values)| values.iter().any(|value| !matches!(value, Scalar::Text(_))))
        .map(|(stream, values)| {
            let ints: Option<Vec<i128>> = values.iter().map(int).collect();
            (ints.map_or_else(|| total(&values), |ints| ints.iter().sum::<i128>() as f64), stream)
        })
        .collect();
    sums.sort_by(|(a, one), (b, other)| {
        let order = a.partial_cmp(b).expect("numbers");
        let order = if greatest { order.reverse() } else { order };
        order.then_with(|| (&one.key, &one.field).cmp(&(&other.key, &other.field)))
    });
    let mut best: Vec<Stream> = sums.into_iter().take(count).map(|(_, stream)| stream).collect();
    best.sort_by(|a, b| (&a.field, &a.key).cmp(&(&b.field, &b.key)));
    best
}

fn alone(stage: &Stage, points: &[(i64, Scalar)]) -> Vec<(i64, Scalar)> {
    let points: Vec<(i64, Scalar)> =
        points.iter().filter(|point| !matches!(point.1, Scalar::Text(_))).cloned().collect();
    let pairs = points.windows(2).map(|pair| {
        let difference = match (int(&pair[0].1), int(&pair[1].1)) {
            (Some(old), Some(new)) => (new - old) as f64,
            _ => float(&pair[1].1).expect("a number") - float(&pair[0].1).expect("a number"),
        };
        (pair[0].0, pair[1].0, difference, float(&pair[1].1).expect("a number"))
    });
    let results: Vec<(i64, Scalar)> = match stage {
        Stage::Delta => pairs.map(|(_, time, difference, _)| (time, Scalar::Float(difference))).collect(),
        Stage::Rate => pairs
            .filter(|(before, time, ..)| before < time)
            .map(|(before, time, difference, new)| {
                let rise = if difference < 0.0 { new } else { difference };
                let seconds = (i128::from(time) - i128::from(before)) as f64 / 1e9;
                (time, Scalar::Float(rise / seconds))
            })
            .collect(),
        stage => points.into_iter().filter_map(|(time, value)| Some((time, changed(stage, value)?))).collect(),
    };
    results.into_iter().filter(|(_, value)| float(value).is_some_and(f64::is_finite)).collect()
}

fn changed(stage: &Stage, value: Scalar) -> Option<Scalar> {
    let number = float(&value)?;
    let exact = match &value {
        Scalar::Float(_) => None,
        Scalar::Bool(value) => Some(Scalar::Int((*value).into())),
        value => Some(value.clone()),
    };
    match stage {
        Stage::Where(comparison, other) => {
            let holds = match comparison {
                Comparison::Greater => number > *other,
                Comparison::GreaterOrEqual => number >= *other,
                Comparison::Less => number < *other,
                Comparison::LessOrEqual => number <= *other,
                Comparison::Equal => number == *other,
                Comparison::NotEqual => number != *other,
            };
            holds.then_some(value)
        }
        Stage::Math(expr) => evaluated(expr, number).map(Scalar::Float),
        Stage::Abs => Some(match int(&value) {
            Some(int) if int < 0 => i64::try_from(-int).map_or(Scalar::Uint(-int as u64), Scalar::Int),
            Some(_) => exact?,
            None => Scalar::Float(number.abs()),
        }),
        Stage::Ceil => exact.or(Some(Scalar::Float(number.ceil()))),
        Stage::Floor => exact.or(Some(Scalar::Float(number.floor()))),
        Stage::Round(places) => exact.or_else(|| {
            let scale = 10f64.powi(*places as i32);
            let is_whole = number.abs() * scale >= (1_u64 << 53) as f64;
            Some(Scalar::Float(if is_whole { number } else { (number * scale).round() / scale }))
        }),
        _ => None,
    }
}

fn evaluated(expr: &Expr, value: f64) -> Option<f64> {
    let result = match expr {
        Expr::Value => value,
        Expr::Number(number) => *number,
        Expr::Negate(of) => -evaluated(of, value)?,
        Expr::Binary(left, operator, right) => {
            let (left, right) = (evaluated(left, value)?, evaluated(right, value)?);
            match operator {
                Operator::Add => left + right,
                Operator::Subtract => left - right,
                Operator::Multiply => left * right,
                Operator::Divide | Operator::Remainder if right == 0.0 => return None,
                Operator::Divide => left / right,
                Operator::Remainder => left % right,
            }
        }
    };
    result.is_finite().then_some(result)
}

fn int(value: &Scalar) -> Option<i128> {
    match value {
        Scalar::Int(value) => Some((*value).into()),
        Scalar::Uint(value) => Some((*value).into()),
        Scalar::Bool(value) => Some((*value).into()),
        Scalar::Float(_) | Scalar::Text(_) => None,
    }
}

fn float(value: &Scalar) -> Option<f64> {
    match value {
        Scalar::Float(value) => Some(*value),
        value => int(value).map(|value| value as f64),
    }
}

/// The nearest float of the exact sum (Shewchuk).
fn total(values: &[Scalar]) -> f64 {
    let mut parts: Vec<f64> = Vec::new();
    let pieces = values.iter().flat_map(|value| match int(value) {
        // Great integers are two floats.
        Some(int) => vec![int as f64, (int - (int as f64) as i128) as f64],
        None => float(value).into_iter().collect(),
    });
    for mut value in pieces {
        let mut kept = Vec::new();
        for mut part in parts {
            if value.abs() < part.abs() {
                std::mem::swap(&mut value, &mut part);
            }
            let high = value + part;
            let low = part - (high - value);
            if low != 0.0 {
                kept.push(low);
            }
            value = high;
        }
        kept.push(value);
        parts = kept;
    }
    let mut parts = parts.into_iter().rev();
    let mut sum = parts.next().unwrap_or_default();
    while let Some(part) = parts.next() {
        let (high, old) = (sum + part, sum);
        let low = part - (high - old);
        sum = high;
        if low != 0.0 {
            // Halfway between two floats: what comes after it decides.
            let twice = low * 2.0;
            if parts.next().is_some_and(|next| (next < 0.0) == (low < 0.0)) && (sum + twice) - sum == twice {
                sum += twice;
            }
            break;
        }
    }
    sum
}
