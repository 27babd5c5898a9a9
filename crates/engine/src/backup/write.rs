//! From a cut to a stream of bytes.

use std::io::{self, Read, Write};

use manifold_store::LogFile;
use sha2::{Digest, Sha256};

use super::{
    Backup, BackupError, Entry, FileSum, Manifest, Mode,
    archive::{self, BLOCK, Header},
    manifest::{MANIFEST, SUM, hex, may_be},
};
use crate::{Error, Kind};

type Result<T> = std::result::Result<T, BackupError>;

/// Bytes read at a time.
const PIECE: usize = 256 << 10;

impl Backup {
    /// Writes all of it, in the order of the log's files, what is beside them, the manifest. Blocks.
    ///
    /// # Errors
    /// Of whoever takes the bytes as [`BackupError::Cut`]; what cannot be read as [`BackupError::Engine`]. What was
    /// written until then is no backup.
    pub fn write_to(mut self, out: &mut dyn Write) -> Result<Manifest> {
        let elsewhere = std::mem::take(&mut self.elsewhere);
        let manifest = Manifest::new(self.taken_at.0, self.log.seq, elsewhere);
        let mut archive = Archive { out, modified: self.taken_at.0 / 1000, manifest, piece: vec![0; PIECE] };
        for file in std::mem::take(&mut self.log.files) {
            let (name, len) = (file.name.clone(), file.len);
            archive.file(&name, Mode::Private, len, &mut Log { file, at: 0 })?;
        }
        for entries in &mut self.beside {
            while let Some(Entry { name, mode, len, mut content }) = entries.next()? {
                archive.file(&name, mode, len, &mut content)?;
            }
        }
        archive.end()
    }
}

/// An archive that is being written.
struct Archive<'w> {
    out: &'w mut dyn Write,
    modified: u64,
    manifest: Manifest,
    piece: Vec<u8>,
}

impl Archive<'_> {
    /// A file, which goes into the manifest.
    fn file(&mut self, name: &str, mode: Mode, len: u64, content: &mut dyn Read) -> Result<()> {
        if !may_be(name) {
            return Err(Error::new(Kind::Invalid, format!("{name:?} is no name for a file of a backup")).into());
        }
        let sha256 = self.member(name, mode, len, content)?;
        let shared = mode == Mode::Shared;
        self.manifest.files.push(FileSum { name: name.to_owned(), shared, bytes: len, sha256 });
        Ok(())
    }

    /// Header, bytes and padding; the sum of the bytes.
    fn member(&mut self, name: &str, mode: Mode, len: u64, content: &mut dyn Read) -> Result<String> {
        let header = Header { name: name.to_owned(), mode, len, modified: self.modified };
        let header = header.encode().expect("the name was checked");
        self.out.write_all(&header).map_err(BackupError::Cut)?;
        let (mut sum, mut left) = (Sha256::new(), len);
        while left > 0 {
            let want = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
            let piece = &mut self.piece[..want];
            content.read_exact(piece).map_err(|error| unreadable(name, &error))?;
            sum.update(&*piece);
            self.out.write_all(piece).map_err(BackupError::Cut)?;
            left -= want as u64;
        }
        self.out.write_all(&[0; BLOCK][..archive::padding(len)]).map_err(BackupError::Cut)?;
        Ok(hex(sum.finalize()))
    }

    /// The manifest, its sum, and the end of the archive.
    fn end(mut self) -> Result<Manifest> {
        let encoded = self.manifest.encode();
        let sum = Manifest::sum(&encoded);
        self.member(MANIFEST, Mode::Private, encoded.len() as u64, &mut &*encoded)?;
        self.member(SUM, Mode::Private, sum.len() as u64, &mut sum.as_bytes())?;
        self.out.write_all(&[0; 2 * BLOCK]).and_then(|()| self.out.flush()).map_err(BackupError::Cut)?;
        Ok(self.manifest)
    }
}

fn unreadable(name: &str, error: &io::Error) -> BackupError {
    Error::new(Kind::Storage, format!("{name} could not be read: {error}")).into()
}

/// A segment, read front to back.
struct Log {
    file: LogFile,
    at: u64,
}

impl Read for Log {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buf, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}
