//! Reading an archive in pieces: what was read is remembered, and the next reading goes on from there.

use std::fmt;
use std::io::Read;

use serde::{Deserialize, Serialize};

use crate::archive::{Archive, Content, Stamp, io_finding};
use crate::digest::Digest;
use crate::finding::{Finding, Place};
use crate::integrity::Algorithm;
use crate::limits::Limits;
use crate::rules::archive as rule;

/// Bytes read between two looks at the clock.
const PIECE: usize = 64 << 10;

/// What is known of the large files of one archive. It is of use for that archive only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Memory(Vec<Known>);

/// What is known of one file under one algorithm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    file: Stamp,
    algorithm: Algorithm,
    read: Extent,
}

/// How much of a file was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Extent {
    /// All of it, and its checksum (CRC-32) was right.
    Whole { hash: String },
    /// Its first bytes; only of files that are stored as they are.
    Part { bytes: u64, crc: u32, state: String },
}

impl Memory {
    /// Bytes of the archive that need not be read again.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let known = |known: &Known| match known.read {
            Extent::Whole { .. } => known.file.packed,
            Extent::Part { bytes, .. } => bytes,
        };
        // A file under two algorithms is one file.
        let once = self.0.iter().enumerate();
        let once = once.filter(|(i, k)| !self.0[..*i].iter().any(|other| other.file == k.file));
        once.map(|(_, k)| known(k)).sum()
    }

    fn of(&self, file: Stamp, algorithm: Algorithm) -> Option<&Extent> {
        let known = self.0.iter().find(|k| k.file == file && k.algorithm == algorithm);
        known.map(|known| &known.read)
    }

    /// Whether something about this file would be remembered. The largest are: they cost most.
    fn takes(&self, file: Stamp, algorithm: Algorithm, limits: &Limits) -> bool {
        let smaller = || self.0.last().is_some_and(|known| known.file.size < file.size);
        file.size >= limits.remember_from
            && (self.0.len() < limits.remembered || smaller() || self.of(file, algorithm).is_some())
    }

    /// Remembers what it takes.
    fn keep(&mut self, file: Stamp, algorithm: Algorithm, read: Extent, limits: &Limits) {
        self.0.retain(|k| k.file != file || k.algorithm != algorithm);
        self.0.push(Known { file, algorithm, read });
        self.0.sort_by_key(|known| std::cmp::Reverse(known.file.size));
        self.0.truncate(limits.remembered);
    }
}

/// One reading of an archive, which may end before the archive does.
pub struct Reading {
    memory: Memory,
    enough: Box<dyn Fn() -> bool + Send>,
    grew: bool,
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading").field("memory", &self.memory).finish_non_exhaustive()
    }
}

impl Reading {
    /// All at once, from the beginning.
    #[must_use]
    pub fn at_once() -> Self {
        Self::on(Memory::default(), || false)
    }

    /// On from `memory`, which must be of this very archive, until it is `enough`.
    ///
    /// It then stops as soon as what was read can be remembered, and never without having come
    /// further: with what it remembers, another reading comes to the end.
    #[must_use]
    pub fn on(memory: Memory, enough: impl Fn() -> bool + Send + 'static) -> Self {
        Self { memory, enough: Box::new(enough), grew: false }
    }

    /// Whether more is known now than before.
    #[must_use]
    pub fn grew(&self) -> bool {
        self.grew
    }

    /// What is known now.
    #[must_use]
    pub fn into_memory(self) -> Memory {
        self.memory
    }

    /// The digest of a file, which is read as far as it was not read before.
    pub(crate) fn digest(
        &mut self,
        archive: &mut Archive<'_>,
        file: &str,
        with: Algorithm,
    ) -> Result<String, Finding> {
        let (stamp, limits) = (archive.stamp(file)?, *archive.limits());
        let part = match self.memory.of(stamp, with) {
            Some(Extent::Whole { hash }) => return Ok(hash.clone()),
            Some(Extent::Part { bytes, crc, state }) if *bytes <= stamp.size => {
                Digest::again(with, state).map(|digest| (*bytes, *crc, digest))
            }
            Some(Extent::Part { .. }) | None => None,
        };
        let (from, crc, mut digest) = part.unwrap_or_else(|| (0, 0, Digest::new(with)));
        let takes = self.memory.takes(stamp, with, &limits);
        let mut content = archive.content_from(file, from, crc)?;
        let parts = takes && content.is_stored();
        let read = self.pump(&mut content, &mut digest, parts, file);
        let (left, crc) = (content.left(), content.crc());
        if let Err(finding) = read {
            if parts && left < stamp.size - from && finding.is_unread() {
                let bytes = stamp.size - left;
                let part = Extent::Part { bytes, crc, state: digest.state() };
                self.keep(stamp, with, part, &limits);
            }
            return Err(finding);
        }
        let hash = digest.hex();
        if takes {
            self.keep(stamp, with, Extent::Whole { hash: hash.clone() }, &limits);
        }
        Ok(hash)
    }

    fn keep(&mut self, file: Stamp, with: Algorithm, read: Extent, limits: &Limits) {
        self.memory.keep(file, with, read, limits);
        self.grew = true;
    }

    /// Reads to the end, or until it is enough and stopping loses nothing.
    fn pump(
        &self,
        content: &mut Content<'_>,
        digest: &mut Digest,
        parts: bool,
        file: &str,
    ) -> Result<(), Finding> {
        let mut buffer = vec![0; PIECE];
        // What would be lost by stopping now is no reason to stop.
        let mut further = self.grew;
        loop {
            if further && content.left() > 0 && (self.enough)() {
                let said = "the time for one reading is up";
                return Err(Finding::new(&rule::READ_FAILED, said, Place::file(file)));
            }
            let read = content.read(&mut buffer);
            match read.map_err(|e| Finding { file: file.into(), ..io_finding(e) })? {
                0 => return Ok(()),
                n => digest.update(&buffer[..n]),
            }
            further |= parts;
        }
    }
}
