//! The content of an answer as hyper sends it.

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use mano_ports::{blobs::ByteStream, http};
use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

/// Content on its way out.
pub(super) enum Out {
    /// All of it, or nothing more.
    Whole(Option<Bytes>),
    /// Bytes as they come, and how many are still to come.
    Stream(u64, ByteStream),
}

impl From<http::Body> for Out {
    fn from(body: http::Body) -> Self {
        match body {
            http::Body::Empty => Self::Whole(None),
            http::Body::Json(bytes) | http::Body::Text(_, bytes) => {
                Self::Whole(Some(bytes).filter(|bytes| !bytes.is_empty()))
            }
            http::Body::Stream(_, length, stream) => Self::Stream(length, stream),
        }
    }
}

impl Body for Out {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match &mut *self {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Stream(left, stream) => {
                Poll::Ready(match ready!(stream.as_mut().poll_next(cx)) {
                    Some(Ok(bytes)) => {
                        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                        *left = left.saturating_sub(length);
                        Some(Ok(Frame::data(bytes)))
                    }
                    Some(Err(error)) => Some(Err(error)),
                    // A short answer must not look whole.
                    None if *left > 0 => Some(Err(io::ErrorKind::UnexpectedEof.into())),
                    None => None,
                })
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None) | Self::Stream(0, _))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => {
                let length = bytes.as_ref().map_or(0, Bytes::len);
                SizeHint::with_exact(u64::try_from(length).unwrap_or(u64::MAX))
            }
            Self::Stream(left, _) => SizeHint::with_exact(*left),
        }
    }
}
