//! From lines to points for the engine.

use manifold_engine::{
    Engine, Namespace,
    series::{FieldRef, Mark, Points, SeriesKey, SeriesRef},
};

use super::{
    book::Book,
    line::{self, Parsed, Reason, Series, Sink, Times, Value},
};

#[cfg(test)]
mod tests;

/// Where numbers of names come from that no book has.
pub(super) trait Names {
    /// Most series there may be.
    fn max_series(&self) -> u64;
    fn series(&self, epoch: u64, key: &SeriesKey) -> Option<SeriesRef>;
    fn field(&self, epoch: u64, series: SeriesRef, name: &str) -> Option<FieldRef>;
}

/// The engine's names in a namespace. What it cannot tell is written by name, where it says why.
pub(super) struct EngineNames<'a> {
    pub(super) engine: &'a Engine,
    pub(super) namespace: &'a Namespace,
    pub(super) max_series: u64,
}

impl Names for EngineNames<'_> {
    fn max_series(&self) -> u64 {
        self.max_series
    }
    fn series(&self, epoch: u64, key: &SeriesKey) -> Option<SeriesRef> {
        self.engine.find_series(self.namespace, epoch, key).ok().flatten()
    }
    fn field(&self, epoch: u64, series: SeriesRef, name: &str) -> Option<FieldRef> {
        self.engine.find_field(self.namespace, epoch, series, name).ok().flatten()
    }
}

/// Reads all lines of `body`.
pub(super) fn read(body: &[u8], times: Times, names: &impl Names, book: &mut Book) -> (Points, Parsed) {
    book.begin();
    let points = Points::new(book.epoch);
    let mut fill = Fill { names, mark: points.mark(), points, book, line: Line::default(), last: None, new_series: 0 };
    let parsed = line::parse(body, times, &mut fill);
    (fill.points, parsed)
}

struct Fill<'a, N> {
    names: &'a N,
    book: &'a mut Book,
    points: Points,
    /// Where the line began in the points.
    mark: Mark,
    line: Line,
    /// The head of the line before.
    last: Option<usize>,
    /// Series that were named for the first time.
    new_series: u64,
}

/// The line that is being filled.
#[derive(Default)]
struct Line {
    measurement: usize,
    series: Whose,
    /// The field whose value comes next.
    field: Option<FieldRef>,
    /// The place where the field after it is expected.
    next_field: usize,
    /// Whether some field stood before its place, so that it may be there twice.
    disordered: bool,
    /// Fields that this line was the first of the request to name.
    said: Vec<usize>,
}

/// The series of a line.
#[derive(Default)]
enum Whose {
    /// Not known yet.
    #[default]
    None,
    /// The engine has it.
    Known { head: usize, series: SeriesRef },
    /// A line of this request has named it.
    Said { head: usize, series: SeriesRef },
    /// Named here for the first time, with the head as it stands there.
    New { raw: Box<[u8]>, key: SeriesKey },
}

impl<N: Names> Fill<'_, N> {
    fn begin(&mut self, measurement: usize, series: Whose) {
        self.mark = self.points.mark();
        self.line.measurement = measurement;
        self.line.series = series;
        self.line.next_field = 0;
        self.line.disordered = false;
        self.line.said.clear();
    }

    fn is_known(&self) -> bool {
        matches!(self.line.series, Whose::Known { .. })
    }

    /// The value of this field comes next.
    fn expect(&mut self, field: usize, number: FieldRef) {
        self.line.field = Some(number);
        self.line.disordered |= field < self.line.next_field;
        self.line.next_field = field + 1;
    }
}

impl<N: Names> Sink for Fill<'_, N> {
    fn series(&mut self, rest: &[u8]) -> Option<usize> {
        if self.book.begin_line() {
            self.last = None;
        }
        let found = self.book.series(self.last, rest)?;
        let (head, series) = (found.head, found.series);
        let whose = if found.known { Whose::Known { head, series } } else { Whose::Said { head, series } };
        self.begin(self.book.measurement_of(head), whose);
        Some(found.length)
    }

    fn new_series(&mut self, raw: &[u8], series: &Series<'_>) -> Result<(), Reason> {
        let tags: Vec<_> = series.tags.iter().map(|(tag, value)| (&**tag, &**value)).collect();
        let key = SeriesKey::new(&series.measurement, &tags).expect("the parser saw no tag twice");
        let measurement = self.book.measurement(&series.measurement);
        let found = if self.book.epoch == 0 { None } else { self.names.series(self.book.epoch, &key) };
        let whose = match found {
            Some(series) => Whose::Known { head: self.book.learn_series(raw, measurement, series, true), series },
            // The engine would refuse it too; but so many names need not be held until then.
            None if self.new_series >= self.names.max_series() => {
                return Err(Reason::TooManySeries(self.names.max_series()));
            }
            None => Whose::New { raw: raw.into(), key },
        };
        self.begin(measurement, whose);
        Ok(())
    }

    fn field(&mut self, rest: &[u8]) -> Option<usize> {
        let (field, length) = self.book.field(self.line.measurement, self.line.next_field, rest)?;
        let number = self.book.field_number(self.line.measurement, field, self.is_known())?;
        self.expect(field, number);
        Some(length)
    }

    fn new_field(&mut self, raw: &[u8], name: &str) {
        let known = match self.line.series {
            Whose::Known { series, .. } => self.names.field(self.book.epoch, series, name),
            Whose::None | Whose::Said { .. } | Whose::New { .. } => None,
        };
        let number = known.unwrap_or_else(|| self.points.new_field(name));
        let field = self.book.learn_field(self.line.measurement, raw, number, known.is_some());
        if known.is_none() {
            self.line.said.push(field);
        }
        self.expect(field, number);
    }

    fn value(&mut self, value: Value<'_>, _: usize) {
        let Some(field) = self.line.field.take() else { return };
        match value {
            Value::Float(value) => self.points.float(field, value),
            Value::Int(value) => self.points.int(field, value),
            Value::Uint(value) => self.points.uint(field, value),
            Value::Bool(value) => self.points.bool(field, value),
            Value::Text(text) => self.points.text(field, |out| out.extend_from_slice(text.unescaped().as_bytes())),
        }
    }

    fn end(&mut self, time: i64) {
        if self.line.disordered {
            self.points.keep_last(self.mark);
        }
        self.last = match std::mem::take(&mut self.line.series) {
            Whose::None => return,
            Whose::Known { head, series } | Whose::Said { head, series } => {
                self.points.end(series, time);
                Some(head)
            }
            Whose::New { raw, key } => {
                self.new_series += 1;
                let series = self.points.end_new(key, time);
                Some(self.book.learn_series(&raw, self.line.measurement, series, false))
            }
        };
    }

    fn abandon(&mut self) {
        // A line may be bad before it has a series: then there is nothing to take back.
        if !matches!(self.line.series, Whose::None) {
            self.points.rewind(self.mark);
            for field in self.line.said.drain(..) {
                self.book.unsay_field(self.line.measurement, field);
            }
            self.line.series = Whose::None;
        }
    }
}
