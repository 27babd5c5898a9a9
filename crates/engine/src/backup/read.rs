//! Reading an archive front to back, strictly: every byte is one that was written.

use std::{
    io::{self, Read},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::{
    BackupError, FileSum, Manifest, Mode,
    archive::{self, BLOCK, Header},
    manifest::{MANIFEST, MANIFEST_MAX, SUM, SUM_MAX, Unreadable, hex, may_be},
};

/// Bytes read at a time.
const PIECE: usize = 256 << 10;

type Result<T> = std::result::Result<T, BackupError>;

/// Who takes the files of an archive.
pub(super) trait Sink {
    /// A file begins; its bytes begin at this offset of the archive.
    fn begin(&mut self, header: &Header, at: u64) -> Result<()>;
    /// The next bytes of it.
    fn bytes(&mut self, bytes: &[u8]) -> Result<()>;
    /// All of it was there.
    fn end(&mut self) -> Result<()>;
}

/// Hands all files of an archive to a sink, then checks them against the manifest, which comes last: what the sink has
/// counts only when this succeeds. `name` is what the archive is called in errors. Nothing may follow the archive.
pub(super) fn read(from: &mut dyn Read, name: &Path, sink: &mut dyn Sink) -> Result<(Manifest, Vec<u8>)> {
    let mut archive = Archive { from, name: name.to_owned(), at: 0 };
    let mut found: Vec<(FileSum, u64)> = Vec::new();
    let manifest = loop {
        let (at, header) = archive.header()?;
        if header.name == MANIFEST {
            break archive.manifest(&header)?;
        }
        if !may_be(&header.name) {
            return Err(archive.damaged(at, "there is a file in it that no backup has"));
        }
        sink.begin(&header, archive.at)?;
        let mut sum = Sha256::new();
        archive.content(header.len, |bytes| {
            sum.update(bytes);
            sink.bytes(bytes)
        })?;
        sink.end()?;
        let Header { name, mode, len: bytes, .. } = header;
        found.push((FileSum { name, shared: mode == Mode::Shared, bytes, sha256: hex(sum.finalize()) }, at));
    };
    archive.end()?;
    let (manifest, encoded) = manifest;
    let mut listed = manifest.files.iter();
    for (file, at) in &found {
        if listed.next() != Some(file) {
            return Err(archive.damaged(*at, &format!("{} does not match its checksum", file.name)));
        }
    }
    match listed.next() {
        Some(missing) => Err(archive.damaged(archive.at, &format!("{} is missing", missing.name))),
        None => Ok((manifest, encoded)),
    }
}

struct Archive<'r> {
    from: &'r mut dyn Read,
    name: PathBuf,
    at: u64,
}

impl Archive<'_> {
    /// The next header and where it is.
    fn header(&mut self) -> Result<(u64, Header)> {
        let at = self.at;
        let mut block = [0; BLOCK];
        let got = self.fill(&mut block)?;
        match Header::parse(&block) {
            Some(header) if got == BLOCK => Ok((at, header)),
            _ if at == 0 => {
                Err(BackupError::Foreign { file: self.name.clone(), reason: "it does not begin like one".to_owned() })
            }
            _ if got < BLOCK => Err(self.damaged(self.at, "it ends in the middle")),
            _ => Err(self.damaged(at, "what stands before a file does not match its checksum")),
        }
    }

    /// Hands on so many bytes and skips the padding behind them.
    fn content(&mut self, len: u64, mut take: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mut piece = vec![0; usize::try_from(len).unwrap_or(PIECE).min(PIECE)];
        let mut left = len;
        while left > 0 {
            let want = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
            let got = self.fill(&mut piece[..want])?;
            if got < want {
                return Err(self.damaged(self.at, "it ends in the middle of a file"));
            }
            take(&piece[..want])?;
            left -= want as u64;
        }
        self.zeros(archive::padding(len))
    }

    fn zeros(&mut self, count: usize) -> Result<()> {
        let (at, mut zeros) = (self.at, [0; 2 * BLOCK]);
        let got = self.fill(&mut zeros[..count])?;
        if got < count {
            return Err(self.damaged(self.at, "it ends in the middle"));
        }
        if zeros.iter().any(|byte| *byte != 0) {
            return Err(self.damaged(at, "there are bytes where none belong"));
        }
        Ok(())
    }

    fn manifest(&mut self, header: &Header) -> Result<(Manifest, Vec<u8>)> {
        let at = self.at;
        let encoded = self.short(header, MANIFEST_MAX)?;
        let (_, header) = self.header()?;
        if header.name != SUM {
            return Err(self.damaged(at, "the manifest has no checksum"));
        }
        let sum = self.short(&header, SUM_MAX)?;
        match Manifest::parse(&encoded, &sum) {
            Ok(manifest) => Ok((manifest, encoded)),
            Err(Unreadable::Damaged(reason)) => Err(self.damaged(at, reason)),
            Err(Unreadable::Foreign(reason)) => Err(BackupError::Foreign { file: self.name.clone(), reason }),
        }
    }

    /// A file that is read into memory.
    fn short(&mut self, header: &Header, max: u64) -> Result<Vec<u8>> {
        if header.len > max {
            return Err(self.damaged(self.at, "the manifest is too long"));
        }
        let mut all = Vec::new();
        self.content(header.len, |bytes| {
            all.extend_from_slice(bytes);
            Ok(())
        })?;
        Ok(all)
    }

    /// The two blocks of zeros, and nothing behind them.
    fn end(&mut self) -> Result<()> {
        self.zeros(2 * BLOCK)?;
        match self.fill(&mut [0])? {
            0 => Ok(()),
            _ => Err(self.damaged(self.at - 1, "there are bytes behind the end")),
        }
    }

    /// As many bytes as there are, up to the length asked for.
    fn fill(&mut self, buf: &mut [u8]) -> Result<usize> {
        let mut done = 0;
        while done < buf.len() {
            match self.from.read(&mut buf[done..]) {
                Ok(0) => break,
                Ok(read) => done += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(BackupError::Cut(error)),
            }
        }
        self.at += done as u64;
        Ok(done)
    }

    fn damaged(&self, offset: u64, reason: &str) -> BackupError {
        BackupError::Damaged { file: self.name.clone(), offset, reason: reason.to_owned() }
    }
}
