//! The laws of the blob store.

use crate::blobs::{Blobs, ByteStream, Error};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use std::{io, io::Read, io::Seek, io::SeekFrom, sync::Arc};

/// A fresh, empty blob store.
pub struct Fresh {
    /// The store.
    pub blobs: Arc<dyn Blobs>,
    /// Whatever must live as long.
    pub keep: Box<dyn std::any::Any + Send>,
}

const LIMIT: u64 = 1 << 20;

fn parts(parts: &[&'static [u8]]) -> ByteStream {
    let parts: Vec<_> = parts.iter().map(|part| Ok(Bytes::from_static(part))).collect();
    Box::pin(stream::iter(parts))
}

async fn text(blobs: &dyn Blobs, name: &str, from: u64, to: u64) -> Vec<u8> {
    let mut stream = blobs.open(name, from, to).await.expect("open");
    let mut all = Vec::new();
    while let Some(part) = stream.next().await {
        all.extend_from_slice(&part.expect("read"));
    }
    all
}

async fn is_absent(blobs: &dyn Blobs, name: &str) -> bool {
    matches!(blobs.size(name).await, Err(Error::Absent(_)))
        && matches!(blobs.open(name, 0, 1).await, Err(Error::Absent(_)))
        && matches!(blobs.reader(name).await, Err(Error::Absent(_)))
}

/// What was put is what is read, whole or by range.
pub async fn what_was_put_is_what_is_read(fresh: Fresh) {
    let blobs = &*fresh.blobs;
    let stored = blobs.put("a/b-1.csar", parts(&[b"hello ", b"", b"world"]), LIMIT).await;
    let stored = stored.expect("put");
    let sha = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9";
    assert_eq!((stored.size, &*stored.sha256), (11, sha));
    assert_eq!(blobs.size("a/b-1.csar").await.expect("size"), 11);
    assert_eq!(text(blobs, "a/b-1.csar", 0, 11).await, b"hello world");
    assert_eq!(text(blobs, "a/b-1.csar", 4, 8).await, b"o wo");
    assert_eq!(text(blobs, "a/b-1.csar", 5, 5).await, b"");
    let mut reader = blobs.reader("a/b-1.csar").await.expect("reader");
    let mut end = String::new();
    reader.seek(SeekFrom::End(-5)).expect("seek");
    reader.read_to_string(&mut end).expect("read");
    assert_eq!(end, "world");
}

/// A blob appears whole or not at all: a stream that breaks leaves nothing under its name.
pub async fn a_stream_that_breaks_leaves_nothing(fresh: Fresh) {
    let blobs = &*fresh.blobs;
    let broken = || -> ByteStream {
        let broken = Err(io::Error::new(io::ErrorKind::BrokenPipe, "the client has gone"));
        Box::pin(stream::iter([Ok(Bytes::from_static(b"half")), broken]))
    };
    assert!(matches!(blobs.put("a", broken(), LIMIT).await, Err(Error::Unavailable(_))));
    assert!(is_absent(blobs, "a").await);
    assert!(blobs.put("a", parts(&[b"12345", b"6"]), 5).await.is_err(), "over its limit");
    assert!(is_absent(blobs, "a").await);
    blobs.put("a", parts(&[b"old"]), LIMIT).await.expect("put");
    assert!(blobs.put("a", broken(), LIMIT).await.is_err());
    assert_eq!(text(blobs, "a", 0, 3).await, b"old", "what was there stays");
}

/// Putting under a name that is taken replaces it; a reader of the old one is not disturbed.
pub async fn putting_again_replaces(fresh: Fresh) {
    let blobs = &*fresh.blobs;
    blobs.put("a", parts(&[b"old content"]), LIMIT).await.expect("put");
    blobs.put("a", parts(&[b"new"]), LIMIT).await.expect("put");
    assert_eq!(blobs.size("a").await.expect("size"), 3);
    assert_eq!(text(blobs, "a", 0, 3).await, b"new");
}

/// Deleting what is absent is done.
pub async fn deleting_what_is_absent_is_done(fresh: Fresh) {
    let blobs = &*fresh.blobs;
    blobs.put("a/b", parts(&[b"x"]), LIMIT).await.expect("put");
    blobs.delete("a/b").await.expect("delete");
    blobs.delete("a/b").await.expect("again");
    blobs.delete("never/was").await.expect("never");
    assert!(is_absent(blobs, "a/b").await);
}

/// A name cannot lead out of the store.
pub async fn a_name_stays_inside(fresh: Fresh) {
    let blobs = &*fresh.blobs;
    for name in ["", "/etc/x", "../x", "a/../../x", "a//b", "a\\b", "a b", "a/", ".", "a/./b"] {
        assert!(blobs.put(name, parts(&[b"x"]), LIMIT).await.is_err(), "{name:?}");
        assert!(blobs.size(name).await.is_err(), "{name:?}");
        assert!(blobs.reader(name).await.is_err(), "{name:?}");
    }
}

/// Stamps the blob store's laws out for one implementation: `$make` makes a [`Fresh`].
#[macro_export]
macro_rules! blobs_contract {
    ($make:expr) => {
        $crate::laws!(blobs, $make;
            what_was_put_is_what_is_read,
            a_stream_that_breaks_leaves_nothing,
            putting_again_replaces,
            deleting_what_is_absent_is_done,
            a_name_stays_inside
        );
    };
}
