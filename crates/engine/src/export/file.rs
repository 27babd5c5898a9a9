//! The file as a whole: a first line, records, a last line that says how many there were and what they hash to. Reading
//! takes a piece at a time, so that the length of a file does not matter.

use std::{
    collections::BTreeMap,
    fmt,
    io::{self, BufRead, Read},
};

use sha2::{Digest, Sha256};

use super::{
    Record,
    line::{Header, Line, Trailer, read_header},
};

#[cfg(test)]
mod tests;

/// Most lines of a piece.
const PIECE_LINES: usize = 1000;
/// A piece ends when it has as many bytes.
const PIECE_BYTES: usize = 1 << 20;

/// Why a file cannot be used.
#[derive(Debug)]
pub enum FileError {
    /// What stands in this line is wrong.
    Line {
        /// Counted from 1.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// It cannot be read.
    Io(io::Error),
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FileError::Line { line, what } => write!(f, "line {line}: {what}"),
            FileError::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for FileError {}

/// Lines of each type, and the hash of all that was counted.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    by_type: BTreeMap<&'static str, u64>,
    hash: Sha256,
}

impl Counts {
    /// Counts a record as it was written.
    pub(crate) fn record(&mut self, record: &Record) {
        *self.by_type.entry(record.name()).or_default() += 1;
    }

    /// Hashes bytes of the file.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
    }

    /// Lines of each type.
    pub fn by_type(&self) -> &BTreeMap<&'static str, u64> {
        &self.by_type
    }

    /// All records.
    pub fn records(&self) -> u64 {
        self.by_type.values().sum()
    }

    /// The last line.
    pub(crate) fn trailer(&self) -> Trailer {
        use fmt::Write;
        let counts = self.by_type.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
        let mut sha256 = String::with_capacity(64);
        for byte in self.hash.clone().finalize() {
            write!(sha256, "{byte:02x}").expect("a string takes everything");
        }
        Trailer { counts, sha256 }
    }
}

/// A record, and the number of its line.
pub type Numbered = (u64, Record);

/// Some lines of a file.
#[derive(Debug, Default)]
pub struct Piece {
    /// What they say.
    pub records: Vec<Numbered>,
    /// Their bytes, line breaks too.
    pub bytes: Vec<u8>,
}

/// Reads an export, line by line.
#[derive(Debug)]
pub struct FileReader<R> {
    input: R,
    header: Header,
    counts: Counts,
    /// The line read last.
    line: u64,
    /// Bytes read.
    read: u64,
    longest: usize,
    refuse: Refuse,
    ended: bool,
    /// What is wrong with the line behind the last piece.
    failed: Option<FileError>,
}

/// Says what is wrong with a record, if anything is, by a rule that is not the engine's.
pub type Refuse = fn(&Record) -> Option<String>;

/// The longest line there can be where values have at most so many bytes. A text may need six bytes for one.
pub fn longest_line(value_bytes: usize) -> usize {
    const LEAST: usize = 16 << 20;
    value_bytes.max(LEAST).saturating_mul(6).saturating_add(1 << 20)
}

/// The longest [`Piece`] there can be.
pub fn longest_piece(value_bytes: usize) -> usize {
    longest_line(value_bytes).saturating_add(PIECE_BYTES)
}

impl<R: BufRead> FileReader<R> {
    /// Reads the first line. A line longer than `longest` bytes is refused.
    pub fn open(mut input: R, longest: usize) -> Result<Self, FileError> {
        let mut counts = Counts::default();
        let bytes = read_line(&mut input, longest, 1)?.unwrap_or_default();
        let wrong = |what: String| FileError::Line { line: 1, what };
        let header = read_header(&bytes).map_err(wrong)?;
        if header.manifold != Header::KIND {
            return Err(wrong(format!("it is no export but {:?}", header.manifold)));
        }
        if header.format != Header::FORMAT {
            let known = Header::FORMAT;
            return Err(wrong(format!("the format is {}, this program reads {known}", header.format)));
        }
        counts.bytes(&bytes);
        let read = bytes.len() as u64;
        let refuse: Refuse = |_| None;
        Ok(FileReader { input, header, counts, line: 1, read, longest, refuse, ended: false, failed: None })
    }

    /// Refuses lines by this rule too.
    #[must_use]
    pub fn refusing(self, refuse: Refuse) -> Self {
        FileReader { refuse, ..self }
    }

    /// The first line.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// What was read so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Bytes read so far.
    pub fn read_bytes(&self) -> u64 {
        self.read
    }

    /// The next lines; none at the end, when the last line has said that all was there.
    pub fn next_piece(&mut self) -> Result<Option<Piece>, FileError> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let mut piece = Piece::default();
        while !self.ended && piece.records.len() < PIECE_LINES && piece.bytes.len() < PIECE_BYTES {
            match self.next_line() {
                Ok(Some((bytes, record))) => {
                    piece.bytes.extend_from_slice(&bytes);
                    piece.records.push((self.line, record));
                }
                Ok(None) => self.ended = true,
                // What stands before it is told first.
                Err(error) if piece.records.is_empty() => return Err(error),
                Err(error) => {
                    self.failed = Some(error);
                    break;
                }
            }
        }
        Ok((!piece.records.is_empty()).then_some(piece))
    }
}

impl<R: BufRead> FileReader<R> {
    /// The next record with its bytes; none behind the last line.
    fn next_line(&mut self) -> Result<Option<(Vec<u8>, Record)>, FileError> {
        self.line += 1;
        let Some(bytes) = read_line(&mut self.input, self.longest, self.line)? else {
            return Err(self.wrong("the file ends before its last line: a part of it is missing"));
        };
        self.read += bytes.len() as u64;
        let mut line = bytes.clone();
        match Line::read(&mut line).map_err(|what| self.wrong(what))? {
            Line::Header => Err(self.wrong("a second export begins here")),
            Line::Record(record) => {
                if let Some(what) = (self.refuse)(&record) {
                    return Err(self.wrong(what));
                }
                self.counts.bytes(&bytes);
                self.counts.record(&record);
                Ok(Some((bytes, *record)))
            }
            Line::Trailer(trailer) => self.end(&trailer).map(|()| None),
        }
    }

    fn end(&mut self, trailer: &Trailer) -> Result<(), FileError> {
        let expected = self.counts.trailer();
        if trailer.counts != expected.counts {
            return Err(self.wrong("the lines are not as many of each type as the last line says"));
        }
        if trailer.sha256 != expected.sha256 {
            return Err(self.wrong("the bytes before the last line are not those that were written"));
        }
        let line = self.line + 1;
        match read_line(&mut self.input, self.longest, line)? {
            None => Ok(()),
            Some(_) => Err(FileError::Line { line, what: "there is something behind the last line".to_owned() }),
        }
    }

    fn wrong(&self, what: impl Into<String>) -> FileError {
        FileError::Line { line: self.line, what: what.into() }
    }
}

/// Reads records without a first and a last line: a piece that was checked before.
///
/// # Errors
/// The number of the line that cannot be read, counted from `first`.
pub fn read_records(bytes: &[u8], first: u64) -> Result<Vec<Numbered>, FileError> {
    let mut records = Vec::new();
    for (number, line) in (first..).zip(bytes.split_inclusive(|byte| *byte == b'\n')) {
        let wrong = |what: String| FileError::Line { line: number, what };
        match Line::read(&mut line.to_vec()).map_err(wrong)? {
            Line::Record(record) => records.push((number, *record)),
            Line::Header | Line::Trailer(_) => return Err(wrong("a record belongs here".to_owned())),
        }
    }
    Ok(records)
}

/// A line with its break; none at the end.
fn read_line(input: &mut impl BufRead, longest: usize, line: u64) -> Result<Option<Vec<u8>>, FileError> {
    let mut bytes = Vec::new();
    let most = longest as u64 + 1;
    input.take(most).read_until(b'\n', &mut bytes).map_err(FileError::Io)?;
    if bytes.len() > longest {
        let what = format!("the line is longer than {longest} bytes");
        return Err(FileError::Line { line, what });
    }
    Ok((!bytes.is_empty()).then_some(bytes))
}
