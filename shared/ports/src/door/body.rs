//! The content of a request: bounded, and JSON where JSON is due, before any handler sees it.

use super::{Settings, problem::Rejection, text};
use crate::{
    blobs::ByteStream,
    function::{Route, Takes},
    http::Content,
};
use ::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt;
use mano_model::{Refusal, refusal::Why};
use serde::de::IgnoredAny;
use std::sync::PoisonError;

/// The content as the route takes it.
pub(super) async fn read(
    route: &Route,
    headers: &HeaderMap,
    content: Content,
    settings: &Settings,
) -> Result<Content, Rejection> {
    let announced = length(headers)?;
    match route.takes {
        Takes::Nothing => Ok(Content::Bytes(Bytes::new())),
        Takes::Stream => match announced {
            Some(length) if length > settings.max_stream_bytes => {
                Err(too_large(settings.max_stream_bytes).into())
            }
            _ => Ok(content),
        },
        Takes::Json | Takes::MergePatch => {
            let limit = settings.max_json_bytes;
            let limit_u64 = u64::try_from(limit).unwrap_or(u64::MAX);
            if announced.is_some_and(|length| length > limit_u64) {
                return Err(too_large(limit_u64).into());
            }
            let bytes = match content {
                Content::Bytes(bytes) if bytes.len() > limit => {
                    return Err(too_large(limit_u64).into());
                }
                Content::Bytes(bytes) => bytes,
                Content::Stream(stream) => {
                    let stream = stream.into_inner().unwrap_or_else(PoisonError::into_inner);
                    collect(stream, limit).await?
                }
            };
            json(&bytes, settings.max_json_depth)?;
            Ok(Content::Bytes(bytes))
        }
    }
}

/// The refusal of too many bytes.
fn too_large(limit: u64) -> Refusal {
    Refusal::new(Why::TooLarge, format!("the content is larger than {limit} bytes"))
}

/// The announced length.
fn length(headers: &HeaderMap) -> Result<Option<u64>, Refusal> {
    let Some(announced) = text(headers, header::CONTENT_LENGTH.as_str()) else { return Ok(None) };
    let length = announced.parse().map(Some);
    length.map_err(|_| Refusal::malformed(format!("Content-Length '{announced}' is no length")))
}

/// A stream in one piece.
async fn collect(mut stream: ByteStream, limit: usize) -> Result<Bytes, Rejection> {
    let mut whole = BytesMut::new();
    let mut first: Option<Bytes> = None;
    while let Some(piece) = stream.try_next().await.map_err(|error| Rejection::broken(&error))? {
        if whole.len() + first.as_ref().map_or(0, Bytes::len) + piece.len() > limit {
            return Err(too_large(u64::try_from(limit).unwrap_or(u64::MAX)).into());
        }
        match (first.take(), whole.is_empty()) {
            // Most content comes in one piece, which needs no copy.
            (None, true) => first = Some(piece),
            (held, _) => {
                whole.extend_from_slice(&held.unwrap_or_default());
                whole.extend_from_slice(&piece);
            }
        }
    }
    Ok(first.unwrap_or_else(|| whole.freeze()))
}

/// Whether the content is one JSON object, not too deep; nothing at all counts as `{}`.
///
/// # Errors
/// A refusal (400) that says where it stops being one.
pub(super) fn json(bytes: &[u8], max_depth: usize) -> Result<(), Refusal> {
    if bytes.is_empty() {
        return Ok(());
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Refusal::malformed(format!("the body is no UTF-8 at byte {}", error.valid_up_to() + 1))
    })?;
    if let Some(at) = too_deep(bytes, max_depth) {
        let detail =
            format!("the body is nested deeper than {max_depth} levels at byte {}", at + 1);
        return Err(Refusal::malformed(detail));
    }
    let syntax = serde_json::from_str::<IgnoredAny>(text);
    syntax.map_err(|error| Refusal::malformed(format!("the body is no JSON: {error}")))?;
    match text.trim_start().starts_with('{') {
        true => Ok(()),
        false => Err(Refusal::malformed("the body is JSON, but no object; write {…}")),
    }
}

/// The first byte that opens a level too many. Looks at brackets outside of strings only: what is
/// no JSON at all is found later.
fn too_deep(bytes: &[u8], max_depth: usize) -> Option<usize> {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => {
                depth += 1;
                if depth > max_depth {
                    return Some(at);
                }
            }
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}
