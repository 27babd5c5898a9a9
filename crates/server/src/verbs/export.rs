use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use http_body_util::BodyExt;
use manifold_engine::export::{Export, Section, Selection};
use manifold_server::{
    config::{self, Loaded},
    control,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    Exit, Failure,
    data::{Absent, Data},
    meter::Meter,
    settings::load,
};

/// What to export, and where to.
pub struct ExportTo {
    /// `-` is standard output.
    pub file: PathBuf,
    pub only: Option<Vec<Section>>,
    pub namespace: Option<String>,
    pub secrets: bool,
}

/// `manifold export`.
pub fn export(flags: &config::Flags, export: ExportTo) -> Result<(), Failure> {
    let Loaded { config, .. } = load(flags)?;
    super::on_runtime(async {
        let mut data = Data::reach(&config, Absent::Refused).await?;
        let mut out = Output::create(&export.file).map_err(|error| out_failure(&export.file, &error))?;
        let exported = take(&mut data, &export, &mut out).await;
        let closed = data.close().await;
        match exported.and_then(|sum| closed.map(|()| sum)) {
            Ok(sum) => {
                out.finish().map_err(|error| out_failure(&export.file, &error))?;
                eprintln!("manifold: exported {sum}");
                Ok(())
            }
            Err(failure) => {
                out.discard();
                Err(failure)
            }
        }
    })
}

/// Writes the whole file; says what it came to.
async fn take(data: &mut Data, export: &ExportTo, out: &mut Output) -> Result<String, Failure> {
    let mut pieces = Pieces::begin(data, export).await?;
    let mut progress = Meter::new("exporting", None);
    let (mut bytes, mut lines, mut last) = (0, 0u64, Vec::new());
    while let Some(piece) = pieces.next().await? {
        out.write(&piece).map_err(|error| out_failure(&export.file, &error))?;
        bytes += piece.len() as u64;
        lines += memchr::memchr_iter(b'\n', &piece).count() as u64;
        last.extend_from_slice(&piece[piece.len().saturating_sub(LAST_BYTES)..]);
        last.drain(..last.len().saturating_sub(LAST_BYTES));
        // Neither the first line nor the last one is a record.
        progress.at(bytes, lines.saturating_sub(2));
    }
    // The end of a body says nothing about who ended it.
    let whole = last.split(|byte| *byte == b'\n').rev().nth(1).is_some_and(|line| line.starts_with(LAST));
    if !whole {
        return Err(Failure::new(Exit::Unavailable, "the export ended before its last line"));
    }
    Ok(progress.sum())
}

/// More than the last line has, and what it begins with.
const LAST_BYTES: usize = 4096;
const LAST: &[u8] = br#"{"type":"end""#;

/// The pieces of an export, wherever they come from.
enum Pieces {
    Body(hyper::body::Incoming),
    Engine(Export),
}

impl Pieces {
    async fn begin(data: &mut Data, export: &ExportTo) -> Result<Pieces, Failure> {
        match data {
            Data::Process(client) => {
                let target = target(export);
                let answer = client.get(&target).await.map_err(|error| Failure::control(&error))?;
                Ok(Pieces::Body(answer.into_body()))
            }
            Data::Directory(engine) => {
                let namespace = export.namespace.clone().map(manifold_engine::Namespace::new).transpose();
                let namespace = namespace.map_err(|error| Failure::new(Exit::Usage, format!("--namespace {error}")))?;
                let selection = Selection { only: export.only.clone(), namespace, secrets: export.secrets };
                let export = engine.export(selection).map_err(|error| Failure::engine(&error, &error))?;
                Ok(Pieces::Engine(export))
            }
        }
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        match self {
            Pieces::Engine(export) => export.next().await.map_err(|error| Failure::engine(&error, &error)),
            Pieces::Body(body) => loop {
                match body.frame().await.transpose() {
                    Ok(None) => return Ok(None),
                    Ok(Some(frame)) => {
                        if let Ok(piece) = frame.into_data()
                            && !piece.is_empty()
                        {
                            return Ok(Some(piece));
                        }
                    }
                    Err(error) => return Err(Failure::control(&control::Error::Gone(error))),
                }
            },
        }
    }
}

fn target(export: &ExportTo) -> String {
    let mut target = format!("/export?secrets={}", u8::from(export.secrets));
    if let Some(only) = &export.only {
        let names: Vec<_> = only.iter().map(|section| section.as_str()).collect();
        target += "&only=";
        target += &names.join(",");
    }
    if let Some(namespace) = &export.namespace {
        target += "&namespace=";
        target.extend(utf8_percent_encode(namespace, NON_ALPHANUMERIC));
    }
    target
}

fn out_failure(file: &Path, error: &io::Error) -> Failure {
    Failure::new(Exit::Io, format!("{}: {error}", file.display()))
}

/// Where the file goes: under another name until it is whole.
enum Output {
    Standard,
    /// A device, a pipe: what is no file has no other name.
    Stream(File),
    File {
        file: File,
        unfinished: PathBuf,
        path: PathBuf,
    },
}

impl Output {
    fn create(path: &Path) -> io::Result<Output> {
        if path == Path::new("-") {
            return Ok(Output::Standard);
        }
        let path = match fs::metadata(path) {
            Ok(found) if !found.is_file() => return OpenOptions::new().write(true).open(path).map(Output::Stream),
            // What a link leads to is replaced, not the link.
            Ok(_) => fs::canonicalize(path)?,
            Err(_) => path.to_owned(),
        };
        let mut unfinished = path.as_os_str().to_owned();
        unfinished.push(".unfinished");
        let unfinished = PathBuf::from(unfinished);
        match fs::remove_file(&unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        // What is kept for clients is nobody else's business.
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
        Ok(Output::File { file, unfinished, path })
    }

    fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        match self {
            Output::Standard => io::stdout().lock().write_all(piece),
            Output::Stream(file) | Output::File { file, .. } => file.write_all(piece),
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Output::Standard => io::stdout().lock().flush(),
            Output::Stream(mut file) => file.flush(),
            Output::File { file, unfinished, path } => {
                file.sync_all()?;
                fs::rename(&unfinished, &path)?;
                let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
                File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
            }
        }
    }

    fn discard(self) {
        if let Output::File { unfinished, .. } = self
            && let Err(error) = fs::remove_file(&unfinished)
        {
            eprintln!("manifold: {} stays behind: {error}", unfinished.display());
        }
    }
}
