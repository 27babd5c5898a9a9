//! Lines of an export, given back to the features they are of: a run of neighbours that go together is one commit.

use std::{collections::HashSet, fmt};

use foldhash::quality::RandomState;

use super::{
    Done, OnConflict, Record, count,
    file::Numbered,
    mark::{Current, How, Marked},
    record::{PointsLine, RecordLine},
    time,
};
use crate::{
    Engine, Error, Kind, Namespace, Result, keys::RowKey, kv, live::Live, namespaces, queue, recache, series, stream,
    txn, types,
};

/// What became of lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Imported {
    /// Lines that were written.
    pub written: u64,
    /// Lines about what is there already, exactly so.
    pub same: u64,
    /// Lines about what is there otherwise, and stays.
    pub skipped: u64,
    /// Lines about what has expired since.
    pub expired: u64,
}

impl std::ops::AddAssign for Imported {
    fn add_assign(&mut self, other: Imported) {
        self.written += other.written;
        self.same += other.same;
        self.skipped += other.skipped;
        self.expired += other.expired;
    }
}

impl Imported {
    fn count(&mut self, done: Done, lines: u64) {
        let of = match done {
            Done::Written => &mut self.written,
            Done::Same => &mut self.same,
            Done::Skipped => &mut self.skipped,
            Done::Expired => &mut self.expired,
        };
        *of += lines;
    }
}

/// Why an import ended, and where.
#[derive(Debug, Clone)]
pub struct ImportError {
    /// The line that was refused; every line before it is done.
    pub line: u64,
    /// Why.
    pub error: Error,
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.error)
    }
}

impl std::error::Error for ImportError {}

/// An import that is going on. There is to be one at a time: a second one takes the first one's place.
#[derive(Debug)]
pub struct Import {
    engine: Engine,
    on_conflict: OnConflict,
    marked: Marked,
}

impl Engine {
    /// Begins to import the export that `id` tells from others, or goes on with it where it was interrupted.
    pub fn import(&self, id: &str, on_conflict: OnConflict) -> Result<Import> {
        const ID_BYTES: usize = 256;
        if id.len() > ID_BYTES {
            return Err(Error::new(Kind::Invalid, format!("the id of an export has at most {ID_BYTES} bytes")));
        }
        let interrupted = Marked::read(self.live()?)?.filter(|marked| marked.id == id);
        // The first line says which export it is.
        let marked = interrupted.unwrap_or_else(|| Marked { id: id.to_owned(), line: 1, current: None });
        Ok(Import { engine: self.clone(), on_conflict, marked })
    }
}

impl Import {
    /// The same from the first line on, whatever was done before.
    #[must_use]
    pub fn anew(mut self) -> Import {
        self.marked = Marked { line: 1, current: None, ..self.marked };
        self
    }

    /// Every line up to this one is done, durably.
    pub fn line(&self) -> u64 {
        self.marked.line
    }

    /// Writes lines, which follow those before; what is done already is passed over. The answer is durable.
    ///
    /// # Errors
    /// The first line that was refused; those before it are done.
    pub async fn apply(&mut self, lines: &[Numbered]) -> Result<Imported, ImportError> {
        let mut imported = Imported::default();
        let done = lines.partition_point(|(line, _)| *line <= self.marked.line);
        let mut rest = &lines[done..];
        while let Some((line, _)) = rest.first() {
            let run = run(rest).map_err(|error| ImportError { line: *line, error })?;
            self.write(&rest[..run], &mut imported).await?;
            rest = &rest[run..];
        }
        Ok(imported)
    }

    /// All lines are done: the next import of the same export begins anew.
    pub async fn finish(self) -> Result<()> {
        let live = self.engine.live()?;
        let decided = txn::decide(live, |txn| {
            Marked::remove(txn);
            Ok(())
        });
        live.settle(decided).await.map(drop)
    }

    /// Writes a run. Where a line of it is refused, those before it are written all the same.
    async fn write(&mut self, lines: &[Numbered], imported: &mut Imported) -> Result<(), ImportError> {
        match self.write_all(lines, imported).await {
            Ok(()) => Ok(()),
            Err(error) => {
                let at = error.operation().unwrap_or(0).min(lines.len() - 1);
                if at > 0 {
                    let before = self.write_all(&lines[..at], imported).await;
                    before.map_err(|error| ImportError { line: lines[0].0, error })?;
                }
                Err(ImportError { line: lines[at].0, error })
            }
        }
    }

    async fn write_all(&mut self, lines: &[Numbered], imported: &mut Imported) -> Result<()> {
        let Some(((_, first), (last, _))) = lines.first().zip(lines.last()) else { return Ok(()) };
        let before = &self.marked;
        let mark = |done: &[Done]| Marked { line: *last, current: current(lines, done, before), ..before.clone() };
        let how = How { on_conflict: self.on_conflict, mark: &mark };
        let done = if !begins(first) && self.goes_on(first)?.skipped {
            marked(self.engine.live()?, vec![Done::Skipped; lines.len()], how).await?
        } else {
            write(&self.engine, lines, how).await?
        };
        let marked = mark(&done);
        done.iter().for_each(|done| imported.count(*done, 1));
        self.marked = marked;
        Ok(())
    }
}

impl Import {
    /// What a line goes on with that is not the first one of what it is part of.
    fn goes_on(&self, line: &Record) -> Result<&Current> {
        let of = part_of(line)?;
        let current = self.marked.current.as_ref().filter(|current| Some(&current.of) == of.as_ref());
        current.ok_or_else(|| Error::new(Kind::Invalid, "the line that it goes on from does not stand before it"))
    }
}

/// What the lines behind a run may go on with.
fn current(lines: &[Numbered], done: &[Done], before: &Marked) -> Option<Current> {
    let (_, last) = lines.last()?;
    let of = part_of(last).ok().flatten()?;
    // Whether it is written was decided with its first line.
    let begun = lines.iter().zip(done).rev().find(|((_, line), _)| begins(line));
    let skipped = match begun {
        Some((_, done)) => *done != Done::Written,
        None => before.current.as_ref().is_some_and(|current| current.of == of && current.skipped),
    };
    Some(Current { of, skipped })
}

/// What a line is part of, where several lines can be: the kind of thing, and its row key.
fn part_of(line: &Record) -> Result<Option<(String, Vec<u8>)>> {
    if let Some(row) = queue::row_key(line)? {
        return Ok(Some(("queue".to_owned(), row.to_vec())));
    }
    if let Some(row) = stream::row_key(line)? {
        return Ok(Some(("stream".to_owned(), row.to_vec())));
    }
    Ok(types::row_key(line)?.map(|row| ("key".to_owned(), row.to_vec())))
}

/// Whether it is the first line of what it is part of.
fn begins(line: &Record) -> bool {
    match line {
        Record::Hash(line) => line.from == 0,
        Record::List(line) | Record::Set(line) => line.from == 0,
        Record::SortedSet(line) => line.from == 0,
        Record::Message(_) | Record::Dedup(_) | Record::Record(_) | Record::Group(_) | Record::Pending(_) => false,
        _ => true,
    }
}

/// How lines are written, which must be the same for all of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Way {
    /// By itself.
    Alone,
    Keys,
    Messages(RowKey),
    Records(RowKey),
    Points(Namespace),
    Recache,
    Documents,
}

fn way(line: &Record) -> Result<Way> {
    Ok(match line {
        Record::Message(_) | Record::Dedup(_) => queue::row_key(line)?.map_or(Way::Alone, Way::Messages),
        Record::Record(_) => stream::row_key(line)?.map_or(Way::Alone, Way::Records),
        Record::Points(points) => Way::Points(series::namespace(points)?),
        Record::Document(_) | Record::Connector(_) => Way::Documents,
        line if recache::has(line) => Way::Recache,
        line if types::row_key(line)?.is_some() => Way::Keys,
        _ => Way::Alone,
    })
}

/// How many lines go together: of one way, and each key begun only once.
fn run(lines: &[Numbered]) -> Result<usize> {
    let Some((_, first)) = lines.first() else { return Ok(0) };
    let way_of_all = way(first)?;
    if way_of_all == Way::Keys && !begins(first) {
        // The rest of a collection, which is passed over where its beginning was.
        let of = types::row_key(first)?;
        let same = |line: &Record| !begins(line) && types::row_key(line).is_ok_and(|row| row == of);
        return Ok(lines.iter().take_while(|(_, line)| same(line)).count());
    }
    let mut keys: HashSet<RowKey, RandomState> = HashSet::default();
    let mut run = 0;
    for (_, line) in lines {
        // What cannot be read ends the run, and is told when it is its turn.
        if run > 0 && (way_of_all == Way::Alone || !way(line).is_ok_and(|way| way == way_of_all)) {
            break;
        }
        if way_of_all == Way::Keys
            && let Some(row) = types::row_key(line)?
        {
            let known = !keys.insert(row);
            if run > 0 && known {
                break;
            }
        }
        run += 1;
    }
    Ok(run)
}

async fn write(engine: &Engine, lines: &[Numbered], how: How<'_>) -> Result<Vec<Done>> {
    let live = engine.live()?;
    let Some((_, first)) = lines.first() else { return Ok(Vec::new()) };
    let records: Vec<&Record> = lines.iter().map(|(_, record)| record).collect();
    match way(first)? {
        Way::Alone => alone(live, first, how).await.map(|done| vec![done]),
        Way::Keys => types::restore(live, &records, how).await,
        Way::Messages(row) => queue::fill(live, &row, &records, how).await,
        Way::Records(row) => {
            let records: Vec<&RecordLine> = records
                .into_iter()
                .filter_map(|record| if let Record::Record(line) = record { Some(line) } else { None })
                .collect();
            stream::restore_records(live, &row, &records, how).await
        }
        Way::Points(namespace) => {
            let points: Vec<&PointsLine> = records
                .into_iter()
                .filter_map(|record| if let Record::Points(line) = record { Some(line) } else { None })
                .collect();
            series::restore(engine, &namespace, &points).await?;
            // Written twice they are the same, so the mark may come behind them.
            marked(live, vec![Done::Written; points.len()], how).await
        }
        Way::Recache => recache::restore(live, &records, how).await,
        Way::Documents => {
            let documents = live.documents.get().map(|upkeep| &upkeep.documents);
            let documents = documents.filter(|documents| documents.path().is_some());
            let none = || Error::new(Kind::Invalid, "there is no file for documents here");
            let records = records.into_iter().cloned().collect();
            let done = documents.ok_or_else(none)?.restore(records, how.on_conflict).await?;
            marked(live, done, how).await
        }
    }
}

/// Lines that are neither neighbours of others nor parts of anything.
async fn alone(live: &Live, line: &Record, how: How<'_>) -> Result<Done> {
    let namespace = |name: &super::text::Text| {
        let name = Namespace::new(name.0.clone());
        name.map_err(|error| Error::new(Kind::Invalid, format!("the namespace {error}")))
    };
    match line {
        Record::Namespace(line) => {
            namespaces::restore(live, &namespace(&line.namespace)?, time(line.created_at)?, how).await
        }
        Record::Floor(line) => kv::restore_floor(live, &namespace(&line.namespace)?, count(line.version)?, how).await,
        Record::Queue(line) => queue::begin(live, line, how).await,
        Record::Stream(begun) => match stream::row_key(line)? {
            Some(row) => stream::begin(live, &row, begun, how).await,
            None => Err(misplaced(line)),
        },
        Record::Group(group) => match stream::row_key(line)? {
            Some(row) => stream::group(live, &row, group, how).await,
            None => Err(misplaced(line)),
        },
        Record::Pending(pending) => match stream::row_key(line)? {
            Some(row) => stream::pending(live, &row, pending, how).await,
            None => Err(misplaced(line)),
        },
        other => Err(misplaced(other)),
    }
}

fn misplaced(line: &Record) -> Error {
    Error::new(Kind::Bug, format!("nobody takes a line of the type {:?}", line.name()))
}

/// Writes how far the import is behind lines that are kept elsewhere.
async fn marked(live: &Live, done: Vec<Done>, how: How<'_>) -> Result<Vec<Done>> {
    let decided = txn::decide(live, |txn| {
        (how.mark)(&done).write(txn);
        Ok(())
    });
    live.settle(decided).await?;
    Ok(done)
}
