//! `traceparent` (W3C Trace Context): whose trace a request belongs to.

use crate::Cx;
use ::http::{HeaderName, Method, request::Parts};

/// The header's name.
pub(super) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The trace of a request: the caller's, with a span of our own; a request that changes something
/// begins one if the caller has none.
pub(super) fn of(head: &Parts, cx: &Cx) -> Option<String> {
    let asked = head.headers.get(TRACEPARENT).and_then(|value| value.to_str().ok());
    let span = || format!("{:016x}", cx.ids.fresh().as_u64_pair().1);
    match asked.and_then(parts) {
        Some((trace, flags)) => Some(format!("00-{trace}-{}-{flags}", span())),
        None if head.method == Method::GET => None,
        None => Some(format!("00-{}-{}-01", cx.ids.fresh().simple(), span())),
    }
}

/// The trace id and the flags of a header; a later version may have more parts.
fn parts(header: &str) -> Option<(&str, &str)> {
    let hex = |text: &str, length: usize| {
        let digits = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        text.len() == length && digits
    };
    let zero = |text: &str| text.bytes().all(|b| b == b'0');
    let mut parts = header.trim().split('-');
    let (version, trace) = (parts.next()?, parts.next()?);
    let (span, flags) = (parts.next()?, parts.next()?);
    let shaped = hex(version, 2) && hex(trace, 32) && hex(span, 16) && hex(flags, 2);
    let closed = version != "00" || parts.next().is_none();
    (shaped && closed && version != "ff" && !zero(trace) && !zero(span)).then_some((trace, flags))
}
