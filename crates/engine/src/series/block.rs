//! Blocks: points of a column as they lie on the disk. The head is the summary, which stays in memory and answers for
//! the whole block; the body has times and values, each in whichever of a few layouts suits them. Numbers are compressed
//! with `pco`, which looks for a common step, for deltas and for decimals by itself.

use bytes::Bytes;

use crate::{
    Error, Kind, Result,
    codec::{self, Reader},
    series::{
        Scalar,
        column::{Numbers, Run, Summary, Values},
        number::Sum,
    },
};

mod head;
mod pack;
mod values;

#[cfg(test)]
mod tests;

pub(crate) use head::read_head;

const ENCODING: u8 = 1;
/// Most points of a block, far above what is sealed into one: a reader does not prepare for more.
const POINTS_MAX: u32 = 1 << 20;

/// How times are laid out.
mod times {
    /// Evenly from the first to the last: they are not stored.
    pub(super) const EVEN: u8 = 0;
    pub(super) const PACKED: u8 = 1;
}

/// A block to write.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) summary: Summary,
    /// The summary, for [`read_head`].
    pub(crate) head: Vec<u8>,
    pub(crate) body: Vec<u8>,
}

/// Compresses points: at least one, ascending, each instant once. `Bug` when they are not, or too many.
pub(crate) fn encode(run: &Run) -> Result<Encoded> {
    let summary = summarize(run)?;
    let mut body = vec![ENCODING];
    if step(&summary).is_some_and(|step| run.times.windows(2).all(|pair| pair[0].wrapping_add(step) == pair[1])) {
        body.push(times::EVEN);
    } else {
        body.push(times::PACKED);
        codec::put_bytes(&mut body, &pack::times(&run.times)?);
    }
    values::put(&mut body, &run.values)?;
    Ok(Encoded { head: head::encode(&summary), body, summary })
}

/// Reads the points of a block back.
pub(crate) fn decode(summary: &Summary, body: &[u8]) -> Result<Run> {
    let mut reader = Reader::new(body);
    let run = read(summary, &mut reader).ok_or_else(|| Error::unreadable("a block of a time series"))?;
    Ok(run)
}

fn read(summary: &Summary, reader: &mut Reader<'_>) -> Option<Run> {
    (reader.byte()? == ENCODING).then_some(())?;
    let count = summary.count as usize;
    let times = match reader.byte()? {
        times::EVEN => {
            let step = step(summary)?;
            std::iter::successors(Some(summary.first), |time| Some(time.wrapping_add(step))).take(count).collect()
        }
        times::PACKED => pack::read(reader.bytes()?, count)?,
        _ => return None,
    };
    let values = values::read(reader, summary)?;
    Some(Run { times, values })
}

/// The distance between neighbours if all are equally far apart, as a difference that wraps.
fn step(summary: &Summary) -> Option<i64> {
    let span = summary.last.wrapping_sub(summary.first) as u64;
    match u64::from(summary.count) - 1 {
        0 => Some(0),
        steps if span.is_multiple_of(steps) => Some((span / steps) as i64),
        _ => None,
    }
}

/// What is known of points without reading them.
pub(crate) fn summarize(run: &Run) -> Result<Summary> {
    let bug = |what: &str| Error::new(Kind::Bug, format!("{what} cannot become a block"));
    let (Some(first), Some(last)) = (run.times.first(), run.times.last()) else { return Err(bug("no points")) };
    if run.times.len() != run.values.len() || run.times.windows(2).any(|pair| pair[0] >= pair[1]) {
        return Err(bug("points out of order"));
    }
    let count = u32::try_from(run.len()).ok().filter(|count| *count <= POINTS_MAX).ok_or_else(|| bug("many points"))?;
    Ok(Summary { first: *first, last: *last, count, numbers: numbers(&run.values) })
}

fn numbers(values: &Values) -> Option<Numbers> {
    match values {
        Values::Float(values) => {
            let mut sum = Sum::default();
            values.iter().for_each(|value| sum.add(*value));
            let number = Scalar::Float;
            Some(Numbers {
                sum: sum.parts(),
                exact: None,
                min: number(values.iter().copied().min_by(f64::total_cmp)?),
                max: number(values.iter().copied().max_by(f64::total_cmp)?),
                first: number(*values.first()?),
                last: number(*values.last()?),
            })
        }
        Values::Int(values) => integers(values, Scalar::Int),
        Values::Uint(values) => integers(values, Scalar::Uint),
        Values::Bool(values) => integers(values, Scalar::Bool),
        Values::Text(_) => None,
        Values::Mixed(values) => mixed(values),
    }
}

fn integers<T: Copy + Ord + Into<i128>>(values: &[T], number: impl Fn(T) -> Scalar) -> Option<Numbers> {
    let exact = values.iter().map(|value| (*value).into()).sum();
    Some(Numbers {
        sum: Sum::from(exact).parts(),
        exact: Some(exact),
        min: number(*values.iter().min()?),
        max: number(*values.iter().max()?),
        first: number(*values.first()?),
        last: number(*values.last()?),
    })
}

/// None when there is text among them.
fn mixed(values: &[Scalar]) -> Option<Numbers> {
    let mut sum = Sum::default();
    for value in values {
        match value.integer() {
            // Great integers are not floats.
            Some(integer) => sum.merge(Sum::from(integer)),
            None => sum.add(value.float()?),
        }
    }
    let exact = values.iter().map(Scalar::integer).sum::<Option<i128>>();
    Some(Numbers {
        sum: exact.map_or(sum, Sum::from).parts(),
        exact,
        min: values.iter().min_by(|a, b| a.order(b))?.clone(),
        max: values.iter().max_by(|a, b| a.order(b))?.clone(),
        first: values.first()?.clone(),
        last: values.last()?.clone(),
    })
}

/// A text among others of its block, which stay in memory together.
fn text_at(all: &Bytes, at: &mut usize, len: usize) -> Option<Bytes> {
    let end = at.checked_add(len).filter(|end| *end <= all.len())?;
    let text = all.slice(*at..end);
    *at = end;
    Some(text)
}
