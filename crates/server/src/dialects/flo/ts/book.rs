//! Names of series and fields as clients spell them, with what they stand for in the engine: so that a known series is
//! neither read nor looked up again. A book is used by one request at a time and learns from it.

use std::{collections::HashMap, mem, sync::Arc};

use foldhash::quality::RandomState;
use manifold_engine::{
    Namespace,
    series::{FieldRef, SeriesRef},
};
use memchr::memchr;
use parking_lot::Mutex;

/// Bytes that a book may take before it begins anew with the next request.
const BOOK_BYTES: usize = 32 << 20;
/// Bytes that a book may take before it begins anew with the next line.
const MOST_BYTES: usize = 256 << 20;
/// Bytes that all books which wait for a request may take.
const SHELF_BYTES: usize = 128 << 20;
/// What a name takes beside its text, twice: in a list and in a map.
const NAME_BYTES: usize = 160;

/// Books that wait for a request to their namespace. Each has as many as requests to it were read at one time.
#[derive(Debug, Default)]
pub(in crate::dialects::flo) struct Shelf(Mutex<Books>);

#[derive(Debug, Default)]
struct Books {
    by_namespace: HashMap<Namespace, Vec<Book>, RandomState>,
    bytes: usize,
}

impl Shelf {
    /// The book that was used last for `namespace`, for the numbers of `epoch`.
    pub(super) fn take(&self, namespace: &Namespace, epoch: u64) -> Book {
        let taken = {
            let mut books = self.0.lock();
            let taken = books.by_namespace.get_mut(namespace).and_then(Vec::pop);
            books.bytes -= taken.as_ref().map_or(0, |book| book.bytes);
            taken
        };
        taken.filter(|book| book.epoch == epoch).unwrap_or_else(|| Book::new(epoch))
    }

    /// Keeps a book. When that makes too many, the others are forgotten: they fill again.
    pub(super) fn give_back(&self, namespace: &Namespace, book: Book) {
        let mut books = self.0.lock();
        if books.bytes + book.bytes > SHELF_BYTES {
            *books = Books::default();
        }
        books.bytes += book.bytes;
        match books.by_namespace.get_mut(namespace) {
            Some(shelf) => shelf.push(book),
            None => drop(books.by_namespace.insert(namespace.clone(), vec![book])),
        }
    }
}

/// Names of one namespace.
#[derive(Debug)]
pub(super) struct Book {
    /// The engine's numbers are those of this epoch; 0 = there are none.
    pub(super) epoch: u64,
    /// What is new to the engine has numbers for one request only: this one.
    request: u64,
    heads: Vec<Head>,
    by_head: HashMap<Arc<[u8]>, usize, RandomState>,
    measurements: Vec<Measurement>,
    by_measurement: HashMap<Box<str>, usize, RandomState>,
    bytes: usize,
}

/// A measurement with tags, as they stand in lines.
#[derive(Debug)]
struct Head {
    raw: Arc<[u8]>,
    series: Number<SeriesRef>,
    measurement: usize,
    /// The head of the line that came after one of this: lines tend to come in the same order again.
    next: usize,
}

/// The fields of a measurement, in the order in which lines had them.
#[derive(Debug, Default)]
struct Measurement {
    fields: Vec<Field>,
    by_name: HashMap<Arc<[u8]>, usize, RandomState>,
}

#[derive(Debug)]
struct Field {
    raw: Arc<[u8]>,
    number: Number<FieldRef>,
}

/// What a name stands for.
#[derive(Debug, Clone, Copy)]
struct Number<T> {
    /// In the engine.
    known: Option<T>,
    /// In a request, if it had to say the name.
    said: Option<(u64, T)>,
}

impl<T: Copy> Number<T> {
    const NONE: Self = Number { known: None, said: None };
    fn in_request(self, request: u64) -> Option<T> {
        self.said.filter(|(of, _)| *of == request).map(|(_, number)| number)
    }
}

/// A series that was found: which, and how long its name is.
#[derive(Debug, Clone, Copy)]
pub(super) struct FoundSeries {
    pub(super) head: usize,
    pub(super) length: usize,
    pub(super) series: SeriesRef,
    /// Whether the engine has it already.
    pub(super) known: bool,
}

impl Book {
    pub(super) fn new(epoch: u64) -> Self {
        Book {
            epoch,
            request: 0,
            heads: Vec::new(),
            by_head: HashMap::default(),
            measurements: Vec::new(),
            by_measurement: HashMap::default(),
            bytes: mem::size_of::<Book>(),
        }
    }

    /// Begins another request.
    pub(super) fn begin(&mut self) {
        self.request += 1;
        self.keep_within(BOOK_BYTES);
    }

    /// Begins another line. Whether everything was forgotten for it.
    pub(super) fn begin_line(&mut self) -> bool {
        self.keep_within(MOST_BYTES)
    }

    fn keep_within(&mut self, bytes: usize) -> bool {
        let full = self.bytes > bytes;
        if full {
            *self = Book { request: self.request, ..Book::new(self.epoch) };
        }
        full
    }

    /// The series that `rest` begins with, when it comes after a line of `last`.
    pub(super) fn series(&mut self, last: Option<usize>, rest: &[u8]) -> Option<FoundSeries> {
        let guess = last.map(|last| self.heads[last].next).filter(|guess| self.begins(*guess, rest));
        let head = match guess {
            Some(guess) => guess,
            None => {
                let found = *self.by_head.get(&rest[..head_length(rest)])?;
                if let Some(last) = last {
                    self.heads[last].next = found;
                }
                found
            }
        };
        let Head { raw, series, .. } = &self.heads[head];
        let length = raw.len();
        match series.known {
            Some(series) => Some(FoundSeries { head, length, series, known: true }),
            None => series.in_request(self.request).map(|series| FoundSeries { head, length, series, known: false }),
        }
    }

    /// Whether `rest` begins with a head. None of them ends in a backslash, so a space behind one ends it.
    fn begins(&self, head: usize, rest: &[u8]) -> bool {
        let raw = &self.heads[head].raw;
        rest.get(raw.len()) == Some(&b' ') && rest.starts_with(raw)
    }

    pub(super) fn measurement_of(&self, head: usize) -> usize {
        self.heads[head].measurement
    }

    pub(super) fn measurement(&mut self, name: &str) -> usize {
        if let Some(found) = self.by_measurement.get(name) {
            return *found;
        }
        let number = self.measurements.len();
        self.measurements.push(Measurement::default());
        self.by_measurement.insert(name.into(), number);
        self.bytes += name.len() + NAME_BYTES;
        number
    }

    /// Learns which series a head stands for, in the engine or only in this request.
    pub(super) fn learn_series(&mut self, raw: &[u8], measurement: usize, series: SeriesRef, known: bool) -> usize {
        let number = match known {
            true => Number { known: Some(series), said: None },
            false => Number { known: None, said: Some((self.request, series)) },
        };
        if let Some(head) = self.by_head.get(raw) {
            self.heads[*head].series = number;
            return *head;
        }
        let (head, raw): (_, Arc<[u8]>) = (self.heads.len(), raw.into());
        self.bytes += raw.len() + NAME_BYTES;
        self.heads.push(Head { raw: raw.clone(), series: number, measurement, next: head });
        self.by_head.insert(raw, head);
        head
    }

    /// The field of `measurement` that `rest` begins with, most likely the one at `likely`, and how long its name is.
    pub(super) fn field(&self, measurement: usize, likely: usize, rest: &[u8]) -> Option<(usize, usize)> {
        let Measurement { fields, by_name } = &self.measurements[measurement];
        let likely =
            fields.get(likely).filter(|field| is_name(&field.raw, rest)).map(|field| (likely, field.raw.len()));
        likely.or_else(|| {
            let name = &rest[..name_length(rest)?];
            by_name.get(name).map(|field| (*field, name.len()))
        })
    }

    /// What a field stands for in a line of a series that the engine has, or of one that it has not: there, no number
    /// of the engine's own is of any use.
    pub(super) fn field_number(&self, measurement: usize, field: usize, of_known: bool) -> Option<FieldRef> {
        let number = self.measurements[measurement].fields[field].number;
        number.known.filter(|_| of_known).or_else(|| number.in_request(self.request))
    }

    pub(super) fn learn_field(&mut self, measurement: usize, raw: &[u8], number: FieldRef, known: bool) -> usize {
        let request = self.request;
        let Measurement { fields, by_name } = &mut self.measurements[measurement];
        let field = match by_name.get(raw) {
            Some(field) => *field,
            None => {
                let raw: Arc<[u8]> = raw.into();
                self.bytes += raw.len() + NAME_BYTES;
                by_name.insert(raw.clone(), fields.len());
                fields.push(Field { raw, number: Number::NONE });
                fields.len() - 1
            }
        };
        match known {
            true => fields[field].number.known = Some(number),
            false => fields[field].number.said = Some((request, number)),
        }
        field
    }

    /// Forgets what a field stood for in this request.
    pub(super) fn unsay_field(&mut self, measurement: usize, field: usize) {
        self.measurements[measurement].fields[field].number.said = None;
    }
}

fn is_name(raw: &[u8], rest: &[u8]) -> bool {
    rest.get(raw.len()) == Some(&b'=') && rest.starts_with(raw)
}

/// How long measurement and tags at the beginning of a line are: up to the first space without a backslash before it. A
/// backslash never escapes another one.
fn head_length(rest: &[u8]) -> usize {
    unescaped(b' ', rest).unwrap_or(rest.len())
}

/// How long the field's name at the beginning of `rest` is, if it is one.
fn name_length(rest: &[u8]) -> Option<usize> {
    unescaped(b'=', rest)
}

fn unescaped(wanted: u8, rest: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr(wanted, &rest[at..])?;
        if at == 0 || rest[at - 1] != b'\\' {
            return Some(at);
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests;
