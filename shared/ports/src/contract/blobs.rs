//! The laws of the blob store.

use crate::blobs::{Address, Blobs, ByteStream, Error, Stored};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use std::{io, io::Read, io::Seek, io::SeekFrom, sync::Arc, time::Duration};

/// Asks as any client of the web can: GET, or PUT where there is content; status and content.
pub type Http = Box<dyn Fn(&Address, Option<&[u8]>) -> (u16, Vec<u8>) + Send + Sync>;

/// A fresh, empty blob store.
pub struct Fresh {
    /// The store.
    pub blobs: Arc<dyn Blobs>,
    /// How addresses are asked; none: the store gives no addresses.
    pub http: Option<Http>,
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

/// The names of everything that is listed, in pages of `most`, with their sizes.
async fn names(blobs: &dyn Blobs, prefix: &str, most: usize) -> Vec<(String, u64)> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = blobs.list(prefix, after.as_deref(), most).await.expect("list");
        assert!(page.items.len() <= most, "{} of {most}", page.items.len());
        all.extend(page.items.into_iter().map(|listed| (listed.name, listed.size)));
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

/// What was put is listed, in the order of the names' bytes, each once, however long the pages are.
pub async fn what_was_put_is_listed_in_the_order_of_names(fresh: Fresh) {
    let blobs = &*fresh.blobs;
    assert_eq!(names(blobs, "", 10).await, []);
    // A hyphen and a full stop come before a slash, digits and letters after it.
    let sorted = ["a-1", "a.1", "a/1", "a/10", "a/2/x", "a/b", "a0", "b/c/d", "b/c/e", "z"];
    for (size, name) in sorted.iter().enumerate().rev() {
        blobs.put(name, parts(&vec![b"x".as_slice(); size]), LIMIT).await.expect("put");
    }
    let all: Vec<_> = (0..).zip(sorted).map(|(size, name)| (name.to_owned(), size)).collect();
    for most in [1, 2, 3, 9, 10, 1000] {
        assert_eq!(names(blobs, "", most).await, all, "{most} at a time");
        assert_eq!(names(blobs, "a/", most).await, all[2..6], "{most} at a time");
    }
    assert_eq!(names(blobs, "a/1", 10).await, all[2..4], "a prefix may end inside of a name");
    assert_eq!(names(blobs, "b/c", 1).await, all[7..9]);
    assert_eq!(names(blobs, "b/c/d/", 10).await, []);
    assert_eq!(names(blobs, "../", 10).await, []);
    let after = blobs.list("a", Some("a/15"), 2).await.expect("list");
    let after: Vec<_> = after.items.into_iter().map(|listed| listed.name).collect();
    assert_eq!(after, ["a/2/x", "a/b"], "after a name that nothing has");
}

/// What was deleted, and what never came whole, is not listed; what was replaced is listed as it
/// is.
pub async fn what_is_not_there_is_not_listed(fresh: Fresh) {
    let blobs = &*fresh.blobs;
    blobs.put("a/1", parts(&[b"old"]), LIMIT).await.expect("put");
    blobs.put("a/2", parts(&[b"x"]), LIMIT).await.expect("put");
    blobs.put("a/1", parts(&[b"replaced"]), LIMIT).await.expect("put");
    blobs.delete("a/2").await.expect("delete");
    let broken = Err(io::Error::new(io::ErrorKind::BrokenPipe, "the client has gone"));
    let broken = Box::pin(stream::iter([Ok(Bytes::from_static(b"half")), broken]));
    assert!(blobs.put("a/3", broken, LIMIT).await.is_err());
    assert_eq!(names(blobs, "", 10).await, [("a/1".to_owned(), 8)]);
}

/// What `hello world` is.
fn hello() -> Stored {
    let sha256 = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9".into();
    Stored { size: 11, sha256 }
}

/// How to ask, and an address for `hello world` under a name; none: the store gives no addresses.
async fn address<'a>(fresh: &'a Fresh, name: &str) -> Option<(&'a Http, Address)> {
    let minute = Duration::from_secs(60);
    let up = fresh.blobs.upload_url(name, &hello(), minute).await.expect("upload_url");
    let down = fresh.blobs.download_url(name, minute).await.expect("download_url");
    assert_eq!((up.is_some(), down.is_some()), (fresh.http.is_some(), fresh.http.is_some()));
    fresh.http.as_ref().zip(up)
}

/// What an address took is what is read, and what another address hands out.
pub async fn what_an_address_took_is_what_is_read(fresh: Fresh) {
    let Some((http, address)) = address(&fresh, "up/a-1").await else { return };
    let blobs = &*fresh.blobs;
    assert!(is_absent(blobs, "up/a-1").await);
    let (status, _) = http(&address, Some(b"hello world"));
    assert_eq!(status, 200);
    let (status, _) = http(&address, Some(b"hello world"));
    assert_eq!(status, 200, "the same once more");
    assert_eq!(blobs.size("up/a-1").await.expect("size"), 11);
    assert_eq!(text(blobs, "up/a-1", 4, 8).await, b"o wo");
    let url = blobs.download_url("up/a-1", Duration::from_secs(60)).await.expect("download_url");
    let mut get = Address { url: url.expect("an address"), headers: Vec::new() };
    assert_eq!(http(&get, None), (200, b"hello world".to_vec()));
    get.headers.push(("Range".into(), "bytes=4-7".into()));
    assert_eq!(http(&get, None), (206, b"o wo".to_vec()));
}

/// An address takes the content it was made for and no other; what it refuses changes nothing.
pub async fn an_address_takes_nothing_else(fresh: Fresh) {
    let Some((http, address)) = address(&fresh, "up/a-2").await else { return };
    let blobs = &*fresh.blobs;
    for other in [&b"hello_world"[..], b"hello world!", b"hello"] {
        let (status, said) = http(&address, Some(other));
        assert!((400..500).contains(&status), "{status} {}", String::from_utf8_lossy(&said));
        assert!(is_absent(blobs, "up/a-2").await);
    }
    assert_eq!(http(&address, Some(b"hello world")).0, 200);
    assert!((400..500).contains(&http(&address, Some(b"hello_world")).0));
    assert_eq!(text(blobs, "up/a-2", 0, 11).await, b"hello world", "what was there stays");
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
            a_name_stays_inside,
            what_was_put_is_listed_in_the_order_of_names,
            what_is_not_there_is_not_listed,
            what_an_address_took_is_what_is_read,
            an_address_takes_nothing_else
        );
    };
}
