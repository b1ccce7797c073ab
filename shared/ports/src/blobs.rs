//! Large immutable content: S3, or a folder.

use crate::{error::Source, workflows::Listing};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use std::{io, time::Duration};

/// The most content, in bytes, that passes through the interfaces of every home; more goes past
/// them where the store gives addresses.
pub const THROUGH: u64 = 4 << 20;

/// The most content, in bytes, that an address takes.
pub const IN_ONE_PIECE: u64 = 5 << 30;

/// Bytes as they come.
pub type ByteStream = BoxStream<'static, io::Result<Bytes>>;

/// Why the blob store said no.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no blob of this name.
    #[error("there is no content '{0}'")]
    Absent(String),
    /// It could not be reached, or the stream broke; the same call may succeed later.
    #[error("the blob store is unavailable")]
    Unavailable(#[source] Source),
}

/// What was stored, or shall be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Bytes in all.
    pub size: u64,
    /// SHA-256, lower-case hexadecimal.
    pub sha256: String,
}

/// A blob as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Bytes in all.
    pub size: u64,
    /// When it was put, as exactly as the store remembers.
    pub modified: Timestamp,
}

/// Where a client sends content by itself. Whoever knows it may do so: it is for that client alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// The address of the PUT.
    pub url: String,
    /// The headers it must have, beside `Content-Length`.
    pub headers: Vec<(String, String)>,
}

/// A blob opened for reading anywhere in it; a handle for code that is not asynchronous.
pub trait ReadSeek: io::Read + io::Seek + Send {}
impl<T: io::Read + io::Seek + Send> ReadSeek for T {}

/// The blob store.
///
/// * A blob appears whole or not at all: a stream that breaks leaves nothing under its name.
/// * What was put is what is read, whole or by range.
/// * Putting under a name that is taken replaces it.
/// * Deleting what is absent is done.
/// * What was put is listed, and what was deleted is not: in the order of the names' bytes, each
///   once, however long the pages are.
/// * A store that gives addresses gives both kinds; one that gives none has all content come and
///   go through the interfaces.
/// * An address takes the content it was made for and no other; what it refuses changes nothing.
/// * What an address took is what is read, and what another address hands out.
#[async_trait]
pub trait Blobs: Send + Sync {
    /// Stores a stream under a name of letters, digits, `-`, `.`, `/`; at most `limit` bytes.
    async fn put(&self, name: &str, content: ByteStream, limit: u64) -> Result<Stored, Error>;
    /// Size in bytes.
    async fn size(&self, name: &str) -> Result<u64, Error>;
    /// Bytes `from..to` as a stream.
    async fn open(&self, name: &str, from: u64, to: u64) -> Result<ByteStream, Error>;
    /// The blob for reading by ranges from a blocking thread.
    async fn reader(&self, name: &str) -> Result<Box<dyn ReadSeek>, Error>;
    /// Removes a blob.
    async fn delete(&self, name: &str) -> Result<(), Error>;
    /// Blobs whose names begin with `prefix` and come after the name `after`, at most `most` (1 to
    /// 1,000) at a time; `next` is the `after` of the next page.
    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        most: usize,
    ) -> Result<Listing<Listed>, Error>;
    /// An address that takes this content under a name, and nothing else, for so long; at most
    /// [`IN_ONE_PIECE`] bytes.
    async fn upload_url(
        &self,
        _name: &str,
        _content: &Stored,
        _valid: Duration,
    ) -> Result<Option<Address>, Error> {
        Ok(None)
    }
    /// An address that hands a blob out, whole or by range, for so long.
    async fn download_url(&self, _name: &str, _valid: Duration) -> Result<Option<String>, Error> {
        Ok(None)
    }
}
