//! Large immutable content: S3, or a folder.

use crate::error::Source;
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use std::io;

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

/// What was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Bytes in all.
    pub size: u64,
    /// SHA-256, lower-case hexadecimal.
    pub sha256: String,
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
}
