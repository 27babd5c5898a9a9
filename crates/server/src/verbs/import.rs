use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
};

use axum::body::Body;
use http_body_util::BodyExt;
use hyper::{Response, body::Incoming};
use manifold_engine::export::{
    Counts, FileError, FileReader, Import, Imported, OnConflict, Piece, Record, longest_line,
};
use manifold_server::{
    config::{self, Loaded},
    control::{self, Client},
    dialects::dunena::ConnectorKind,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    Exit, Failure,
    data::{Absent, Data},
    meter::Meter,
    settings::{engine_options, load},
};

/// What to import, and how.
pub struct ImportFrom {
    /// `-` is standard input.
    pub file: PathBuf,
    pub on_conflict: OnConflict,
    pub dry_run: bool,
    pub restart: bool,
}

/// `manifold import`: a file is read once to see that all of it can be used, then again.
pub fn import(flags: &config::Flags, import: ImportFrom) -> Result<(), Failure> {
    let Loaded { config, .. } = load(flags)?;
    let longest = longest_line(engine_options(&config).limits.value_bytes);
    let source = Source { path: import.file.clone(), longest };
    if source.is_file() || import.dry_run {
        let counts = source.check()?;
        for (name, count) in counts.by_type() {
            eprintln!("manifold: {name}: {count}");
        }
        if import.dry_run {
            return Ok(());
        }
    }
    super::on_runtime(async {
        let mut data = Data::reach(&config, Absent::Made).await?;
        let imported = give(&source, &import, &mut data).await;
        let closed = data.close().await;
        eprintln!("manifold: imported {}", imported?);
        closed
    })
}

/// A file, or standard input.
struct Source {
    path: PathBuf,
    longest: usize,
}

type Reader = FileReader<Box<dyn BufRead>>;

impl Source {
    fn is_file(&self) -> bool {
        self.path != Path::new("-")
    }

    fn open(&self) -> Result<Reader, Failure> {
        let input: Box<dyn BufRead> = if self.is_file() {
            let file = File::open(&self.path).map_err(|error| self.failure(&FileError::Io(error)))?;
            Box::new(BufReader::with_capacity(BUFFER, file))
        } else {
            Box::new(BufReader::with_capacity(BUFFER, io::stdin()))
        };
        let reader = FileReader::open(input, self.longest).map_err(|error| self.failure(&error))?;
        Ok(reader.refusing(unknown_kind))
    }

    fn length(&self) -> Option<u64> {
        let length = std::fs::metadata(&self.path).ok().filter(std::fs::Metadata::is_file);
        length.filter(|_| self.is_file()).map(|file| file.len())
    }

    /// Reads all of it, and changes nothing.
    fn check(&self) -> Result<Counts, Failure> {
        let mut reader = self.open()?;
        let mut progress = Meter::new("checking", self.length());
        while reader.next_piece().map_err(|error| self.failure(&error))?.is_some() {
            progress.at(reader.read_bytes(), reader.counts().records());
        }
        Ok(reader.counts().clone())
    }

    fn failure(&self, error: &FileError) -> Failure {
        let exit = match error {
            FileError::Line { .. } => Exit::Data,
            FileError::Io(_) => Exit::Io,
        };
        Failure::new(exit, format!("{}: {error}", self.path.display()))
    }
}

/// Bytes read from the file at once.
const BUFFER: usize = 256 << 10;

/// The engine keeps any text as the kind of a connection; what is wrong with one that nothing would be served of.
fn unknown_kind(record: &Record) -> Option<String> {
    let Record::Connector(connector) = record else { return None };
    if ConnectorKind::named(&connector.kind).is_some() {
        return None;
    }
    let known = ConnectorKind::ALL.map(ConnectorKind::as_str).join(", ");
    Some(format!("the kind of a connection is one of {known}, and not {:?}", connector.kind))
}

/// Who takes the lines.
enum To<'a> {
    Process { client: &'a mut Client, target: String, anew: bool },
    Engine(Import),
}

/// Gives away all lines that are not done yet; says what it came to.
async fn give(source: &Source, import: &ImportFrom, data: &mut Data) -> Result<String, Failure> {
    let mut reader = source.open()?;
    let id = reader.header().id.clone();
    let (mut to, done) = To::begin(data, import, &id).await?;
    if done > 1 {
        eprintln!("manifold: going on behind line {done}, where an import of this file was interrupted");
    }
    let mut progress = Meter::new("importing", source.length());
    let mut all = Imported::default();
    while let Some(piece) = reader.next_piece().map_err(|error| source.failure(&error))? {
        let behind = piece.records.last().is_some_and(|(line, _)| *line > done);
        if behind {
            all += to.give(piece).await?;
        }
        progress.at(reader.read_bytes(), reader.counts().records());
    }
    to.finish(reader.counts().records() + 2).await?;
    let Imported { written, same, skipped, expired } = all;
    let sum = progress.sum();
    Ok(format!("{sum}: {written} written, {same} there already, {skipped} skipped, {expired} expired"))
}

impl To<'_> {
    /// And the line up to which an earlier import of the same file came.
    async fn begin<'a>(data: &'a mut Data, import: &ImportFrom, id: &str) -> Result<(To<'a>, u64), Failure> {
        match data {
            Data::Process(client) => {
                let id = utf8_percent_encode(id, NON_ALPHANUMERIC);
                let answer = client.get(&format!("/import?id={id}")).await.map_err(|error| Failure::control(&error))?;
                let line = if import.restart { 1 } else { read(answer).await?.line };
                let target = format!("/import?id={id}&on_conflict={}", import.on_conflict.as_str());
                Ok((To::Process { client, target, anew: import.restart }, line))
            }
            Data::Directory(engine) => {
                let begun = engine.import(id, import.on_conflict).map_err(|error| Failure::engine(&error, &error))?;
                let begun = if import.restart { begun.anew() } else { begun };
                let line = begun.line();
                Ok((To::Engine(begun), line))
            }
        }
    }

    async fn give(&mut self, piece: Piece) -> Result<Imported, Failure> {
        let Piece { records, bytes } = piece;
        match self {
            To::Engine(import) => {
                import.apply(&records).await.map_err(|refused| Failure::engine(&refused.error, &refused))
            }
            To::Process { client, target, anew } => {
                let from = records.first().map_or(2, |(line, _)| *line);
                let anew = u8::from(std::mem::take(anew));
                let target = format!("{target}&from={from}&anew={anew}");
                let answer = client.post(&target, Body::from(bytes)).await.map_err(|error| Failure::control(&error))?;
                Ok(read(answer).await?.imported())
            }
        }
    }

    /// All lines are done; `from` is the number of the one behind them.
    async fn finish(self, from: u64) -> Result<(), Failure> {
        match self {
            To::Engine(import) => import.finish().await.map_err(|error| Failure::engine(&error, &error)),
            To::Process { client, target, anew } => {
                let target = format!("{target}&from={from}&anew={}&last=1", u8::from(anew));
                let answer = client.post(&target, Body::empty()).await.map_err(|error| Failure::control(&error))?;
                read(answer).await.map(drop)
            }
        }
    }
}

async fn read(answer: Response<Incoming>) -> Result<control::Progress, Failure> {
    let body = answer.into_body().collect().await.map_err(|error| Failure::control(&control::Error::Gone(error)))?;
    let progress = serde_json::from_slice(&body.to_bytes());
    progress.map_err(|_| Failure::new(Exit::Unavailable, "the process does not say how far the import came"))
}
