//! Bytes on their way in: counted, bounded, and, when they stop, with the reason why.

use futures_util::StreamExt;
use mano_model::{Refusal, catalog::Failure, refusal::Why};
use mano_ports::{Error, blobs, blobs::ByteStream};
use std::{
    io,
    sync::{Arc, OnceLock},
};

/// Why content did not arrive.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The client stopped or sent too much.
    Client(Refusal),
    /// We could not take it.
    Ours(Error),
}

impl Broken {
    /// Nothing came at all.
    pub(crate) fn empty() -> Self {
        Self::Client(Refusal::malformed("the content is empty; send a ZIP archive"))
    }

    /// Our own failure.
    pub(crate) const fn of_ours(error: Error) -> Self {
        Self::Ours(error)
    }

    /// What the entry remembers.
    pub(crate) fn failure(&self) -> Failure {
        let (status, detail) = match self {
            Self::Client(refusal) => (400, refusal.detail.clone()),
            Self::Ours(error) => (503, format!("{error}; send the content again")),
        };
        let title = "Upload failed".into();
        Failure { status, title, detail, errors: Vec::new() }
    }

    /// What the client is told.
    pub(crate) fn told(self) -> Error {
        match self {
            Self::Client(refusal) => refusal.into(),
            Self::Ours(error) => error,
        }
    }
}

/// A stream that notes why it ended early.
pub(crate) struct Metered {
    bytes: ByteStream,
    most: u64,
    trouble: Trouble,
}

/// The client's part in an upload that failed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trouble(Arc<OnceLock<Refusal>>);

impl Trouble {
    /// The reason of a failed `put`: the client's if there was one, else the store's.
    pub(crate) fn explain(&self, error: blobs::Error) -> Broken {
        match self.0.get() {
            Some(refusal) => Broken::Client(refusal.clone()),
            None => Broken::Ours(error.into()),
        }
    }

    fn note(&self, refusal: Refusal) -> io::Error {
        let error = io::Error::other(refusal.detail.clone());
        // Only the first reason counts.
        let _ = self.0.set(refusal);
        error
    }
}

impl Metered {
    /// At most `most` bytes of a stream.
    pub(crate) fn new(bytes: ByteStream, most: u64) -> Self {
        Self { bytes, most, trouble: Trouble::default() }
    }

    /// Where the reason will be.
    pub(crate) fn trouble(&self) -> Trouble {
        self.trouble.clone()
    }

    /// The stream.
    pub(crate) fn stream(self) -> ByteStream {
        let Self { bytes, most, trouble } = self;
        let mut taken: u64 = 0;
        Box::pin(bytes.map(move |chunk| match chunk {
            Ok(chunk) => {
                taken = taken.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
                if taken <= most { Ok(chunk) } else { Err(trouble.note(too_large(most))) }
            }
            Err(error) => Err(trouble.note(cut(taken, &error))),
        }))
    }
}

fn too_large(most: u64) -> Refusal {
    let detail = format!("the content is larger than {most} bytes, the most that is taken");
    Refusal::new(Why::TooLarge, detail)
}

fn cut(taken: u64, error: &io::Error) -> Refusal {
    let detail = format!(
        "the content broke off after {taken} bytes ({error}); send it again, from the beginning"
    );
    Refusal::malformed(detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use futures_util::{FutureExt, stream};

    /// What a stream gives, all of it ready.
    fn all(stream: ByteStream) -> Vec<io::Result<Bytes>> {
        stream.collect::<Vec<_>>().now_or_never().unwrap()
    }

    fn of(chunks: Vec<io::Result<Bytes>>, most: u64) -> (Vec<io::Result<Bytes>>, Trouble) {
        let metered = Metered::new(Box::pin(stream::iter(chunks)), most);
        let trouble = metered.trouble();
        (all(metered.stream()), trouble)
    }

    fn unavailable() -> blobs::Error {
        blobs::Error::Unavailable("disk".into())
    }

    #[test]
    fn bytes_pass_unchanged_up_to_the_limit_and_no_further() {
        let chunks = || vec![Ok(Bytes::from("abc")), Ok(Bytes::from("de"))];
        let (passed, trouble) = of(chunks(), 5);
        assert!(passed.iter().all(Result::is_ok));
        assert!(matches!(trouble.explain(unavailable()), Broken::Ours(_)));
        let (passed, trouble) = of(chunks(), 4);
        assert!(passed[1].is_err());
        let Broken::Client(refusal) = trouble.explain(unavailable()) else { panic!("client's") };
        assert_eq!(refusal.why, Why::TooLarge);
    }

    #[test]
    fn a_stream_that_breaks_says_after_how_many_bytes() {
        let chunks = vec![Ok(Bytes::from("abc")), Err(io::Error::other("reset by peer"))];
        let broken = of(chunks, 100).1.explain(unavailable());
        let failure = broken.failure();
        assert!(failure.detail.contains("after 3 bytes (reset by peer)"), "{}", failure.detail);
        assert_eq!(failure.status, 400);
    }
}
