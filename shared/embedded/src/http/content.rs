//! The content of a request as a stream that does not wait for ever.

use super::Limits;
use bytes::Bytes;
use futures_util::{Stream, stream};
use hyper::body::{Body, Incoming};
use mano_ports::http::Content;
use std::{future::poll_fn, io, pin::Pin, time::Duration};
use tokio::time::{Instant, timeout_at};

/// The content; a request without any costs nothing.
pub(super) fn of(body: Incoming, limits: &Limits) -> Content {
    if body.is_end_stream() {
        return Content::Bytes(Bytes::new());
    }
    let pace = Pace { pause: limits.pause, pace: limits.pace.max(1), begun: None, taken: 0 };
    Content::stream(Box::pin(pieces(body, pace)))
}

/// How slow content may be.
struct Pace {
    pause: Duration,
    pace: u64,
    begun: Option<Instant>,
    taken: u64,
}

impl Pace {
    /// When the next piece must be here: soon after the one before, and not so late that all of
    /// them together were too slow.
    fn due(&mut self) -> Instant {
        let now = Instant::now();
        let begun = *self.begun.get_or_insert(now);
        let earned = Duration::from_secs(self.taken / self.pace);
        (now + self.pause).min(begun + self.pause + earned)
    }
}

/// The pieces of a body.
fn pieces(body: Incoming, pace: Pace) -> impl Stream<Item = io::Result<Bytes>> + Send {
    stream::unfold(Some((body, pace)), |state| async {
        let (mut body, mut pace) = state?;
        loop {
            let next = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx));
            let frame = match timeout_at(pace.due(), next).await {
                Err(_) => return Some((Err(io::ErrorKind::TimedOut.into()), None)),
                Ok(None) => return None,
                Ok(Some(Err(error))) => return Some((Err(io::Error::other(error)), None)),
                Ok(Some(Ok(frame))) => frame,
            };
            // What is not data is trailers, which nobody asked for.
            let Ok(data) = frame.into_data() else { continue };
            pace.taken += u64::try_from(data.len()).unwrap_or(u64::MAX);
            return Some((Ok(data), Some((body, pace))));
        }
    })
}
