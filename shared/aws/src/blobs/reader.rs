//! A blob for code that is not asynchronous: read by ranges, as of one revision.

use super::S3Blobs;
use bytes::Bytes;
use std::{
    io::{self, Read, Seek, SeekFrom},
    sync::mpsc,
};
use tokio::runtime::Handle;

/// Bytes fetched at a time by who jumps about.
const LEAST: u64 = 1 << 20;
/// Bytes fetched at a time by who reads on and on: a request costs as long as some MiB.
const MOST: u64 = 8 << 20;

/// A blob, and what of it was fetched last.
pub(super) struct Reader {
    blobs: S3Blobs,
    name: String,
    size: u64,
    revision: Option<String>,
    at: u64,
    chunk: Bytes,
    chunk_at: u64,
    /// How much was fetched last.
    ahead: u64,
    runtime: Handle,
}

impl Reader {
    pub(super) fn new(blobs: S3Blobs, name: String, size: u64, revision: Option<String>) -> Self {
        let runtime = Handle::current();
        let (chunk, ahead) = (Bytes::new(), LEAST);
        Self { blobs, name, size, revision, at: 0, chunk, chunk_at: 0, ahead, runtime }
    }

    /// What was fetched and lies at the place of reading.
    fn here(&self) -> &[u8] {
        let skip = self.at.checked_sub(self.chunk_at).and_then(|skip| usize::try_from(skip).ok());
        skip.and_then(|skip| self.chunk.get(skip..)).unwrap_or_default()
    }

    /// Fetches what lies at the place of reading.
    fn fetch(&mut self) -> io::Result<()> {
        let reads_on = !self.chunk.is_empty() && self.at == self.chunk_at + self.chunk.len() as u64;
        self.ahead = next(self.ahead, reads_on);
        let (from, to) = (self.at, self.size.min(self.at.saturating_add(self.ahead)));
        let (blobs, name, revision) =
            (self.blobs.clone(), self.name.clone(), self.revision.clone());
        let (answer, answered) = mpsc::sync_channel(1);
        // The runtime's other threads do the work: this one may block, as its caller said.
        self.runtime.spawn(async move {
            let body = match blobs.range(&name, (from, to), revision).await {
                Ok(Some(body)) => {
                    let whole = body.collect().await.map_err(io::Error::other);
                    whole.map(aws_sdk_s3::primitives::AggregatedBytes::into_bytes)
                }
                Ok(None) => Ok(Bytes::new()),
                Err(error) => Err(io::Error::other(error)),
            };
            // Whoever asked may be gone.
            drop(answer.send(body));
        });
        self.chunk = answered.recv().map_err(io::Error::other)??;
        self.chunk_at = from;
        Ok(())
    }
}

/// How much is fetched after so much was.
fn next(ahead: u64, reads_on: bool) -> u64 {
    if reads_on { (ahead * 2).min(MOST) } else { LEAST }
}

impl Read for Reader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.size || into.is_empty() {
            return Ok(0);
        }
        if self.here().is_empty() {
            self.fetch()?;
        }
        let here = self.here();
        if here.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let length = here.len().min(into.len());
        into[..length].copy_from_slice(&here[..length]);
        self.at += length as u64;
        Ok(length)
    }
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_reads_on_gets_more_at_once_and_who_jumps_little() {
        let mut ahead = LEAST;
        let mut fetched = Vec::new();
        for reads_on in [true, true, true, true, false, true] {
            ahead = next(ahead, reads_on);
            fetched.push(ahead >> 20);
        }
        assert_eq!(fetched, [2, 4, 8, 8, 1, 2]);
    }
}
