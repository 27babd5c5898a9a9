//! Lines of an export: which types there are, and how they are written and read. A line is one JSON object whose first
//! member is `type`.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    Section,
    record::{
        CollectionLine, ConnectorLine, DedupLine, DocumentLine, FloorLine, GroupLine, KeyLine, MessageLine,
        NamespaceLine, PageRecordLine, PendingLine, PointsLine, QueueLine, RecacheEntryLine, RecacheLetterLine,
        RecordLine, StreamLine, TombstoneLine,
    },
    text::{Real, Text},
};

#[cfg(test)]
mod tests;

/// All types of lines: name, section and structure.
macro_rules! types {
    ($($(#[$doc:meta])* $name:literal, $section:ident => $variant:ident($line:ty),)*) => {
        /// A line between the first and the last.
        #[derive(Debug, Clone)]
        #[allow(clippy::large_enum_variant, reason = "there are few at a time; a box for each would cost more")]
        pub enum Record {
            $($(#[$doc])* $variant($line),)*
        }

        impl Record {
            /// The names of all types.
            pub const NAMES: &[&str] = &[$($name),*];

            /// The name of its type.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Record::$variant(_) => $name,)*
                }
            }

            /// What it is part of.
            pub fn section(&self) -> Section {
                match self {
                    $(Record::$variant(_) => Section::$section,)*
                }
            }

            /// Appends it as a line.
            pub fn write(&self, out: &mut Vec<u8>) {
                match self {
                    $(Record::$variant(line) => write_line(out, $name, line),)*
                }
            }

            fn read(name: &str, members: &[u8]) -> Result<Record, String> {
                match name {
                    $($name => read_members(members).map(Record::$variant),)*
                    _ => Err(format!("there is no type {name:?}")),
                }
            }
        }
    };
}

types! {
    /// A namespace.
    "namespace", Namespace => Namespace(NamespaceLine),
    /// A key with a value.
    "kv", Kv => Key(KeyLine),
    /// A key with a hash.
    "hash", Hash => Hash(CollectionLine<(Text, Text)>),
    /// A key with a list.
    "list", List => List(CollectionLine<Text>),
    /// A key with a set.
    "set", Set => Set(CollectionLine<Text>),
    /// A key with a sorted set.
    "sorted_set", SortedSet => SortedSet(CollectionLine<(Text, Real)>),
    /// The version of a key that was removed.
    "tombstone", Kv => Tombstone(TombstoneLine),
    /// The highest version of removed keys that are forgotten.
    "floor", Kv => Floor(FloorLine),
    /// A queue.
    "queue", Queue => Queue(QueueLine),
    /// A message.
    "message", Queue => Message(MessageLine),
    /// A deduplication key.
    "dedup", Queue => Dedup(DedupLine),
    /// A stream.
    "stream", Stream => Stream(StreamLine),
    /// A record of a stream.
    "record", Stream => Record(RecordLine),
    /// A group of consumers.
    "group", Stream => Group(GroupLine),
    /// What a group has not acknowledged.
    "pending", Stream => Pending(PendingLine),
    /// Points of a time series.
    "points", Series => Points(PointsLine),
    /// A page that waits to be fetched anew.
    "recache_entry", Recache => RecacheEntry(RecacheEntryLine),
    /// A page that was given up.
    "recache_letter", Recache => RecacheLetter(RecacheLetterLine),
    /// What is known of a stored page.
    "page_record", Recache => PageRecord(PageRecordLine),
    /// A document.
    "document", Document => Document(DocumentLine),
    /// A registered connection.
    "connector", Connector => Connector(ConnectorLine),
}

/// What one line of a file is.
#[derive(Debug, Clone)]
pub(crate) enum Line {
    Header,
    Record(Box<Record>),
    Trailer(Trailer),
}

/// The first line: which export this is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Always `export`.
    pub manifold: String,
    /// Version of the format.
    pub format: u64,
    /// Tells this export from every other one.
    pub id: String,
    /// The change feed's newest number in it.
    pub sequence: u64,
    /// When it was taken.
    pub at: u64,
}

/// The last line: what stands before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trailer {
    /// Lines of each type.
    pub counts: std::collections::BTreeMap<String, u64>,
    /// SHA-256 of all bytes before this line, in hexadecimal digits.
    pub sha256: String,
}

/// The type of [`Trailer`].
const END: &str = "end";

impl Header {
    /// The version this program writes, and the only one it reads.
    pub const FORMAT: u64 = 1;
    /// What [`Header::manifold`] says.
    pub const KIND: &str = "export";

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        serde_json::to_writer(&mut *out, self).expect("a header is JSON");
        out.push(b'\n');
    }
}

impl Trailer {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        write_line(out, END, self);
    }
}

impl Line {
    /// Reads a line without its line break; says what is wrong with one that cannot be.
    pub(crate) fn read(line: &mut [u8]) -> Result<Line, String> {
        if begins_file(line) {
            return Ok(Line::Header);
        }
        let (name, members) = split(line)?;
        if name == END {
            return read_members(members).map(Line::Trailer);
        }
        Record::read(&name, members).map(|record| Line::Record(Box::new(record)))
    }
}

/// The first line of a file.
pub(crate) fn read_header(line: &[u8]) -> Result<Header, String> {
    if !begins_file(line) {
        return Err("it is not the first line of an export".to_owned());
    }
    read_members(line)
}

fn begins_file(line: &[u8]) -> bool {
    const BEGINS: &[u8] = br#"{"manifold""#;
    line.iter().filter(|byte| !byte.is_ascii_whitespace()).take(BEGINS.len()).eq(BEGINS)
}

fn write_line(out: &mut Vec<u8>, name: &str, line: &impl Serialize) {
    out.extend_from_slice(br#"{"type":""#);
    out.extend_from_slice(name.as_bytes());
    let brace = out.len() + 1;
    out.push(b'"');
    serde_json::to_writer(&mut *out, line).expect("lines have names as members, and writing to memory does not fail");
    // The object goes on behind its type; all have further members.
    out[brace] = b',';
    out.push(b'\n');
}

fn read_members<T: DeserializeOwned>(members: &[u8]) -> Result<T, String> {
    serde_json::from_slice(members).map_err(|error| said(&error))
}

/// What is wrong, without a place: the number of the line in the file is what counts.
fn said(error: &serde_json::Error) -> String {
    let said = error.to_string();
    said.rsplit_once(" at line ").map_or(said.clone(), |(said, _)| said.to_owned())
}

/// The type of a line, and an object of its other members, made in place.
fn split(line: &mut [u8]) -> Result<(String, &[u8]), String> {
    let untyped = || "a line is an object whose first member is \"type\"".to_owned();
    let mut at = 0;
    let mut next = |line: &[u8], expected: &[u8]| {
        while line.get(at).is_some_and(u8::is_ascii_whitespace) {
            at += 1;
        }
        let found = line[at..].starts_with(expected);
        at += if found { expected.len() } else { 0 };
        found.then_some(at)
    };
    for expected in [&b"{"[..], br#""type""#, b":"] {
        next(line, expected).ok_or_else(untyped)?;
    }
    let start = next(line, b"\"").ok_or_else(untyped)?;
    let len = line[start..].iter().position(|byte| *byte == b'"').ok_or_else(untyped)?;
    let name = std::str::from_utf8(&line[start..start + len]).map_err(|_| untyped())?.to_owned();
    let mut rest = start + len + 1;
    while line.get(rest).is_some_and(u8::is_ascii_whitespace) {
        rest += 1;
    }
    match line.get_mut(rest) {
        Some(comma @ b',') => *comma = b'{',
        // There is no member but the type.
        Some(b'}') => {
            rest -= 1;
            line[rest] = b'{';
        }
        _ => return Err(untyped()),
    }
    Ok((name, &line[rest..]))
}
