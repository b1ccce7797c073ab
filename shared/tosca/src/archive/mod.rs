//! A CSAR as a set of named files, read from anything that can be read and sought.
//!
//! ```text
//! directory (what the ZIP says) ─▶ hygiene (what is let in) ─▶ content (bounded streams)
//! ```
//! An outer archive (OPTION_2) is opened by spooling the inner CSAR to a temporary file.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tempfile::SpooledTempFile;

pub use content::Content;

use crate::finding::{Finding, Place};
use crate::limits::Limits;
use crate::rules::archive as rule;

mod content;
mod directory;
mod hygiene;
mod outer;

pub use outer::Outer;

/// One entry of the central directory, checked.
#[derive(Debug, Clone)]
struct Entry {
    name: Arc<str>,
    flags: u16,
    method: u16,
    crc: u32,
    packed: u64,
    size: u64,
    offset: u64,
    /// Where the next entry, or the directory, begins.
    end: u64,
    mode: u32,
}

impl Entry {
    fn is_folder(&self) -> bool {
        self.name.ends_with('/') || self.name.is_empty()
    }
}

/// Which file of an archive it is, as its directory tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    /// Where it begins.
    at: u64,
    /// Its bytes.
    pub(crate) size: u64,
    /// Its bytes in the archive.
    pub(crate) packed: u64,
    /// What its CRC-32 must be.
    crc: u32,
}

/// Something readable and seekable, whatever it is.
trait Source: Read + Seek {}
impl<T: Read + Seek> Source for T {}

/// An opened archive. Invariant: every entry passed the hygiene rules.
pub struct Archive<'r> {
    reader: Box<dyn Source + 'r>,
    entries: Vec<Entry>,
    index: HashMap<Arc<str>, usize>,
    sorted: Vec<Arc<str>>,
    limits: Limits,
    outer: Option<Outer>,
}

impl fmt::Debug for Archive<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Archive").field("entries", &self.entries.len()).finish_non_exhaustive()
    }
}

pub(crate) fn io_finding(error: io::Error) -> Finding {
    let rule = if error.kind() == io::ErrorKind::UnexpectedEof {
        &rule::NOT_ZIP
    } else if error.kind() == io::ErrorKind::InvalidData {
        &rule::ZIP_BROKEN
    } else {
        &rule::READ_FAILED
    };
    Finding::new(rule, error.to_string(), Place::archive())
}

impl<'r> Archive<'r> {
    /// Opens a CSAR, or the CSAR within an outer archive.
    ///
    /// # Errors
    /// A finding of the archive rules (`A…`).
    pub fn open(reader: impl Read + Seek + 'r, limits: Limits) -> Result<Self, Finding> {
        let mut archive = Self::open_plain(Box::new(reader), limits)?;
        let Some(outer) = Outer::recognise(&archive)? else { return Ok(archive) };
        let inner = archive.spool(&outer.csar)?;
        let mut archive = Self::open_plain(Box::new(inner), limits)?;
        archive.outer = Some(outer);
        Ok(archive)
    }

    fn open_plain(mut reader: Box<dyn Source + 'r>, limits: Limits) -> Result<Self, Finding> {
        let mut entries = directory::read(&mut reader, &limits)?;
        hygiene::check(&mut entries, &limits)?;
        let names = entries.iter().enumerate();
        let index = names.map(|(i, e)| (Arc::clone(&e.name), i)).collect();
        let mut sorted: Vec<Arc<str>> = entries.iter().map(|e| Arc::clone(&e.name)).collect();
        sorted.sort();
        Ok(Self { reader, entries, index, sorted, limits, outer: None })
    }

    fn spool(&mut self, path: &str) -> Result<SpooledTempFile, Finding> {
        let mut file = tempfile::spooled_tempfile(self.limits.spool_bytes);
        self.copy_to(path, &mut file)?;
        file.rewind().map_err(io_finding)?;
        Ok(file)
    }

    /// What lay around the CSAR, when it came in an outer archive (OPTION_2).
    #[must_use]
    pub fn outer(&self) -> Option<&Outer> {
        self.outer.as_ref()
    }

    /// The files' paths and sizes in bytes, in the order of the archive; no folders.
    pub fn files(&self) -> impl Iterator<Item = (&Arc<str>, u64)> {
        self.entries.iter().filter(|e| !e.is_folder()).map(|e| (&e.name, e.size))
    }

    /// Whether there is a file of exactly this path.
    #[must_use]
    pub fn has_file(&self, path: &str) -> bool {
        self.index.get(path).is_some_and(|&i| !self.entries[i].is_folder())
    }

    /// Whether the path is a folder, by its own entry or by what lies in it.
    #[must_use]
    pub fn has_folder(&self, path: &str) -> bool {
        let folder = format!("{}/", path.trim_end_matches('/'));
        let at = self.sorted.partition_point(|name| **name < *folder);
        self.sorted.get(at).is_some_and(|name| name.starts_with(&folder))
    }

    /// Size of a file in bytes.
    #[must_use]
    pub fn size(&self, path: &str) -> Option<u64> {
        self.index.get(path).map(|&i| self.entries[i].size)
    }

    /// Opens a file for reading; the stream checks its length and CRC-32 at its end.
    ///
    /// # Errors
    /// A finding when there is no such file or its header is damaged.
    pub fn content(&mut self, path: &str) -> Result<Content<'_>, Finding> {
        self.content_from(path, 0, 0)
    }

    /// Opens a file for reading on, after so many bytes of this CRC-32; 0 and 0 for all of it.
    pub(crate) fn content_from(
        &mut self,
        path: &str,
        from: u64,
        crc: u32,
    ) -> Result<Content<'_>, Finding> {
        let entry = self.entry(path)?.clone();
        let start = self.data_start(&entry)?;
        self.reader.seek(SeekFrom::Start(start.saturating_add(from))).map_err(io_finding)?;
        let reader: &mut dyn Read = &mut self.reader;
        let data = reader.take(entry.packed.saturating_sub(from));
        Ok(Content::new(data, entry.method == 8, entry.size, entry.crc).after(from, crc))
    }

    fn entry(&self, path: &str) -> Result<&Entry, Finding> {
        let at = self.index.get(path).filter(|&&i| !self.entries[i].is_folder());
        let absent = || Finding::new(&rule::ZIP_BROKEN, "no such file", Place::file(path));
        at.map(|&at| &self.entries[at]).ok_or_else(absent)
    }

    /// Which file it is.
    pub(crate) fn stamp(&self, path: &str) -> Result<Stamp, Finding> {
        let &Entry { offset: at, size, packed, crc, .. } = self.entry(path)?;
        Ok(Stamp { at, size, packed, crc })
    }

    /// Where an entry's bytes begin; the local header must agree with the directory.
    fn data_start(&mut self, entry: &Entry) -> Result<u64, Finding> {
        let broken = |why: &str| Finding::new(&rule::ZIP_BROKEN, why, Place::file(&*entry.name));
        let mut header = [0; 30];
        self.reader.seek(SeekFrom::Start(entry.offset)).map_err(io_finding)?;
        self.reader.read_exact(&mut header).map_err(io_finding)?;
        if directory::u32_at(&header, 0) != 0x0403_4b50 {
            return Err(broken("its header is missing"));
        }
        let method = directory::u16_at(&header, 8);
        let (name, extra) = (directory::u16_at(&header, 26), directory::u16_at(&header, 28));
        let mut local = vec![0; name.into()];
        self.reader.read_exact(&mut local).map_err(io_finding)?;
        let same = String::from_utf8_lossy(&local);
        if method != entry.method || same.trim_start_matches("./") != &*entry.name {
            return Err(broken("its header differs from the directory"));
        }
        let start = entry.offset + 30 + u64::from(name) + u64::from(extra);
        if start.checked_add(entry.packed).is_none_or(|end| end > entry.end) {
            return Err(broken("it overlaps what follows it"));
        }
        Ok(start)
    }

    /// Copies a file out, in bounded pieces.
    ///
    /// # Errors
    /// A finding when the file cannot be read or `to` cannot be written.
    pub fn copy_to(&mut self, path: &str, to: &mut dyn Write) -> Result<u64, Finding> {
        let mut content = self.content(path)?;
        io::copy(&mut content, to).map_err(|e| at_file(io_finding(e), path))
    }

    /// A small text file as a whole.
    ///
    /// # Errors
    /// A finding when it is too large, damaged or not UTF-8.
    pub fn text(&mut self, path: &str) -> Result<String, Finding> {
        if self.size(path).is_some_and(|size| size > self.limits.text_bytes) {
            let said = format!("it has more than {} bytes", self.limits.text_bytes);
            return Err(Finding::new(&rule::TEXT_TOO_LARGE, said, Place::file(path)));
        }
        let mut bytes = Vec::new();
        self.copy_to(path, &mut bytes)?;
        let text = String::from_utf8(bytes).map_err(|e| {
            let line = 1 + e.as_bytes()[..e.utf8_error().valid_up_to()]
                .iter()
                .filter(|b| **b == b'\n')
                .count();
            let place = Place::line(path, u32::try_from(line).unwrap_or(u32::MAX));
            Finding::new(&rule::NOT_UTF8, "a byte here is not UTF-8", place)
        })?;
        Ok(text.strip_prefix('\u{feff}').map_or(text.clone(), str::to_owned))
    }

    /// The bounds this archive was opened with.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }
}

fn at_file(finding: Finding, path: &str) -> Finding {
    if finding.file.is_empty() { Finding { file: path.into(), ..finding } } else { finding }
}
