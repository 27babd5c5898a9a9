//! Writing points: one commit for all lines of a call, then into the buffers.

use std::{mem, sync::Arc};

use manifold_store::Seq;

use crate::{
    Error, Kind, Namespace, Result, keys,
    live::Live,
    series::{
        Points, Refusal, Refused, SeriesKey, Written,
        catalog::{self, Catalog, Draft, Field},
        chunk::ChunkWriter,
        columns::Applied,
        points::{Line, NEW, Sample},
        seal::Target,
        space::{Space, Turn},
    },
    txn,
};

/// Writes points; none when the epoch of their references is over.
pub(crate) async fn write(live: &Live, namespace: &Namespace, points: Points, atomic: bool) -> Result<Option<Written>> {
    if points.is_empty() {
        return Ok(Some(Written::default()));
    }
    if u32::try_from(points.text.len()).is_err() {
        return Err(Error::new(Kind::TooLarge, format!("{} bytes of text are too many", points.text.len())));
    }
    live.store.room().await;
    live.series.upkeep.room(live).await?;
    let space = live.series.entry(namespace);
    let Some((frame, written)) = commit(live, &space, points, atomic)? else { return Ok(None) };
    live.store.durable(frame).await?;
    Ok(Some(written))
}

/// Commits the lines that may be written, and puts them into buffers. The frame to wait for.
fn commit(live: &Live, space: &Arc<Space>, mut points: Points, atomic: bool) -> Result<Option<(Seq, Written)>> {
    let mut turn = space.turn.lock();
    let catalog = space.catalog.read();
    if points.epoch != 0 && points.epoch != catalog.epoch() {
        return Ok(None);
    }
    let mut draft = Draft::new(space.id, &live.series.ids, &live.limits);
    let written = Resolve::new(&catalog, &mut draft).lines(&mut points)?;
    if written.lines == 0 || atomic && !written.refused.is_empty() {
        // What refuses a line may be so new that it is not durable.
        return Ok(Some((turn.frame, Written { refused: written.refused, ..Written::default() })));
    }
    let chunks = encode(live, &catalog, &draft, &points)?;
    let frame = txn::decide(live, |txn| {
        txn.grow()?;
        if !turn.founded {
            txn.enter(&space.namespace);
            let name = space.namespace.as_bytes();
            txn.put(keys::SERIES_SPACE, &keys::number(space.id), &catalog::space_head(), name);
        }
        draft.write(txn);
        for (number, chunk) in (turn.next_chunk..).zip(&chunks) {
            let key = keys::series_chunk(space.id, number);
            txn.put(keys::SERIES_CHUNK, &key, &chunk.points.head(), chunk.points.body());
        }
        Ok(())
    })
    .into_done()?
    .1;
    turn.founded = true;
    turn.frame = frame;
    drop(catalog);
    if !draft.is_empty() {
        space.change_names(live, |catalog| catalog.apply(draft, frame));
    }
    apply(live, space, &mut turn, frame, &points, &chunks);
    Ok(Some((frame, written)))
}

/// Lines of a chunk, encoded.
#[derive(Default)]
struct Chunk {
    points: ChunkWriter,
    /// The line after the last.
    end: usize,
}

fn encode(live: &Live, catalog: &Catalog, draft: &Draft<'_>, points: &Points) -> Result<Vec<Chunk>> {
    let mut chunks = Vec::new();
    let mut chunk = Chunk::default();
    for (at, line, values) in accepted(points) {
        let series = draft.id(catalog, line.series).ok_or_else(unknown)?;
        chunk.points.line(series, line.time, values, &points.text);
        chunk.end = at + 1;
        if chunk.points.body().len() >= live.series.tuning.chunk_bytes {
            chunks.push(mem::take(&mut chunk));
        }
    }
    if chunk.points.values() > 0 {
        chunks.push(chunk);
    }
    Ok(chunks)
}

/// Puts the lines of chunks that were committed into buffers.
fn apply(live: &Live, space: &Arc<Space>, turn: &mut Turn, frame: Seq, points: &Points, chunks: &[Chunk]) {
    let first = turn.next_chunk;
    let at = live.clock.now();
    let overdue = {
        let mut backlog = space.backlog.lock();
        for chunk in chunks {
            let values = chunk.points.values() as usize;
            backlog.add(turn.next_chunk, frame, at, values, chunk.points.body().len());
            turn.next_chunk += 1;
        }
        backlog.bytes() > live.series.tuning.backlog_bytes
    };
    let catalog = space.catalog.read();
    let mut numbers = (first..).zip(chunks);
    let mut current = numbers.next();
    let mut applied = Applied::default();
    for (at, line, values) in accepted(points) {
        while current.is_some_and(|(_, chunk)| chunk.end <= at) {
            current = numbers.next();
        }
        let (Some((number, _)), Some(series)) = (current, catalog.series(line.series)) else { continue };
        let full = |field| live.series.upkeep.add(Target { space: space.clone(), series: series.clone(), field });
        let mut columns = series.columns.lock();
        applied += columns.apply(&live.series.tuning, number, line.time, values, &points.text, full);
    }
    live.series.totals.applied(&applied);
    space.backlog.lock().applied(turn.next_chunk - 1);
    if overdue || live.series.totals.buffer_bytes() > live.series.tuning.buffer_bytes {
        live.series.upkeep.look();
    }
}

/// The lines that are written, with their values.
fn accepted(points: &Points) -> impl Iterator<Item = (usize, &Line, &[Sample])> {
    let mut start = 0;
    let lines = points.lines.iter().enumerate().map(move |(at, line)| {
        let values = start..line.values_end as usize;
        start = values.end;
        (at, line, &points.values[values])
    });
    lines.filter(|(_, line, _)| line.series & NEW == 0)
}

/// Makes slots and numbers of all names, and leaves out lines that break a rule.
struct Resolve<'a, 'b> {
    catalog: &'a Catalog,
    draft: &'a mut Draft<'b>,
    /// The fields of the measurement that was asked for last.
    fields: (u64, &'a [Field]),
}

/// Why a line is left out, and because of which of its values; or what is wrong with all of it.
type Resolved<T> = Result<T, (usize, Refusal)>;

impl<'a, 'b> Resolve<'a, 'b> {
    fn new(catalog: &'a Catalog, draft: &'a mut Draft<'b>) -> Self {
        Resolve { catalog, draft, fields: (0, &[]) }
    }

    /// Lines left out are marked as new.
    fn lines(mut self, points: &mut Points) -> Result<Written> {
        let mut written = Written::default();
        let Points { lines, values, new_series, new_fields, .. } = points;
        let mut start = 0;
        for (at, line) in lines.iter_mut().enumerate() {
            let end = line.values_end as usize;
            let values = values.get_mut(start..end).filter(|values| !values.is_empty()).ok_or_else(unknown)?;
            start = end;
            let mark = self.draft.mark();
            match self.line(line, values, new_series, new_fields)? {
                Ok(slot) => {
                    line.series = slot;
                    written.lines += 1;
                    written.values += values.len() as u64;
                }
                Err((value, why)) => {
                    self.draft.rewind(mark);
                    line.series = NEW;
                    written.refused.push(Refused { line: at, value, why });
                }
            }
        }
        Ok(written)
    }
}

impl<'a> Resolve<'a, '_> {
    fn line(
        &mut self,
        line: &Line,
        values: &mut [Sample],
        new_series: &[SeriesKey],
        new_fields: &[Box<str>],
    ) -> Result<Resolved<u32>> {
        let slot = match new(line.series) {
            None => line.series,
            Some(index) => {
                let key = new_series.get(index).ok_or_else(unknown)?;
                match self.draft.series(self.catalog, key) {
                    Ok(slot) => slot,
                    Err(why) => return Ok(Err((0, why))),
                }
            }
        };
        for (at, value) in values.iter_mut().enumerate() {
            let field = match new(value.field) {
                None => self.known_field(slot, value)?,
                Some(index) => {
                    let name = new_fields.get(index).ok_or_else(unknown)?;
                    self.draft.field(self.catalog, slot, name, value.kind)
                }
            };
            match field {
                Ok(field) => value.field = field,
                Err(why) => return Ok(Err((at, why))),
            }
        }
        Ok(Ok(slot))
    }

    /// Whether a value may be written to a field that exists.
    fn known_field(&mut self, slot: u32, value: &Sample) -> Result<Result<u32, Refusal>> {
        let series = self.catalog.series(slot).ok_or_else(unknown)?;
        let measurement = &series.measurement;
        if self.fields.0 != measurement.id {
            self.fields = (measurement.id, self.catalog.fields(measurement));
        }
        let field = self.fields.1.get(value.field as usize).ok_or_else(unknown)?;
        if field.kind.is_text() == value.kind.is_text() {
            return Ok(Ok(value.field));
        }
        let (field, exists) = (field.name.clone(), field.kind);
        Ok(Err(Refusal::Type { field, measurement: measurement.name.clone(), given: value.kind, exists }))
    }
}

/// The index of what is new to the caller.
fn new(number: u32) -> Option<usize> {
    (number & NEW != 0).then_some((number & !NEW) as usize)
}

fn unknown() -> Error {
    Error::new(Kind::Bug, "points refer to a series or field that does not exist")
}
