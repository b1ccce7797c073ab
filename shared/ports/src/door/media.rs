//! Media types: what a client sends, what it takes, and what a failure is called for it.

use super::{problem::Rejection, routes::Row, text};
use crate::{
    function::Takes,
    http::{Body, Reply},
};
use ::http::{HeaderMap, Method, header};
use mano_model::{Refusal, refusal::Why, sol::sol013::ProblemDetails};

/// JSON.
pub(super) const JSON: &str = "application/json";
/// Everything a route may answer with.
const ANSWERS: [&str; 6] = [
    JSON,
    ProblemDetails::MEDIA_TYPE,
    "application/zip",
    "text/plain",
    "application/octet-stream",
    "application/cms",
];
/// What a stream of an archive or of a file may be called.
const STREAMS: [&str; 7] = [
    "application/zip",
    "application/x-zip-compressed",
    "application/x-zip",
    "application/octet-stream",
    "application/cms",
    "text/plain",
    "application/yaml",
];

/// The `Accept` headers of a request.
pub(super) struct Accept(Vec<String>);

impl Accept {
    /// As the request has them.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let values = headers.get_all(header::ACCEPT).iter();
        Self(values.map(|value| value.to_str().unwrap_or_default().to_owned()).collect())
    }

    /// The media ranges that are wanted at all, without parameters.
    fn ranges(&self) -> impl Iterator<Item = &str> {
        let all = self.0.iter().flat_map(|value| value.split(','));
        all.filter(|range| !refuses(range)).map(essence).filter(|range| !range.is_empty())
    }

    /// Whether it takes a media type; no header takes everything.
    fn takes(&self, media_type: &str) -> bool {
        self.0.is_empty() || self.ranges().any(|range| covers(range, media_type))
    }

    /// Whether it names a media type itself.
    fn names(&self, media_type: &str) -> bool {
        self.ranges().any(|range| range.eq_ignore_ascii_case(media_type))
    }
}

/// Whether a media range has weight 0.
fn refuses(range: &str) -> bool {
    let weight = range.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then(|| value.trim().parse::<f32>().ok())?
    });
    weight.is_some_and(|weight| weight <= 0.0)
}

/// A media type without its parameters.
fn essence(value: &str) -> &str {
    value.split(';').next().unwrap_or_default().trim()
}

/// Whether a media range covers a media type.
fn covers(range: &str, media_type: &str) -> bool {
    let family = |text: &str| text.split('/').next().unwrap_or_default().to_ascii_lowercase();
    range == "*/*"
        || range.eq_ignore_ascii_case(media_type)
        || (range.ends_with("/*") && family(range) == family(media_type))
}

/// The media type a failure is told in: older clients that name only JSON look for that.
pub(super) fn problem_type(headers: &HeaderMap) -> &'static str {
    if !headers.contains_key(header::ACCEPT) {
        return ProblemDetails::MEDIA_TYPE;
    }
    let accept = Accept::of(headers);
    match accept.names(JSON) && !accept.names(ProblemDetails::MEDIA_TYPE) {
        true => JSON,
        false => ProblemDetails::MEDIA_TYPE,
    }
}

/// Whether the client takes what the route can answer, and sends what it takes.
pub(super) fn check(row: &Row, headers: &HeaderMap) -> Result<(), Refusal> {
    if headers.contains_key(header::ACCEPT) {
        let accept = Accept::of(headers);
        let json_only = row.route.method != Method::GET || row.list;
        let answers = if json_only { &ANSWERS[..2] } else { &ANSWERS[..] };
        if !answers.iter().any(|answer| accept.takes(answer)) {
            return Err(not_acceptable(answers));
        }
    }
    let taken: &[&str] = match row.route.takes {
        Takes::Nothing => return Ok(()),
        Takes::Json => &[JSON],
        Takes::MergePatch => &["application/merge-patch+json", JSON],
        Takes::Stream => &STREAMS,
    };
    let Some(sent) = text(headers, header::CONTENT_TYPE.as_str()) else {
        return if sends(headers) { Err(unsupported("nothing", taken)) } else { Ok(()) };
    };
    let known = taken.iter().any(|taken| taken.eq_ignore_ascii_case(essence(sent)));
    if known && charset_fits(sent) { Ok(()) } else { Err(unsupported(sent, taken)) }
}

/// Whether the request has content.
fn sends(headers: &HeaderMap) -> bool {
    let length = text(headers, header::CONTENT_LENGTH.as_str());
    headers.contains_key(header::TRANSFER_ENCODING) || length.is_some_and(|length| length != "0")
}

/// Whether the characters are UTF-8, as JSON demands.
fn charset_fits(sent: &str) -> bool {
    sent.split(';').skip(1).all(|parameter| match parameter.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            let value = value.trim().trim_matches('"');
            value.eq_ignore_ascii_case("utf-8") || value.eq_ignore_ascii_case("us-ascii")
        }
        _ => true,
    })
}

/// The refusal of a body's type.
fn unsupported(sent: &str, taken: &[&str]) -> Refusal {
    let taken = taken.join(" or ");
    Refusal::new(Why::Unsupported, format!("Content-Type says {sent}; send {taken}"))
}

/// The refusal of what the client takes.
fn not_acceptable(answers: &[&str]) -> Refusal {
    let detail = format!("nothing in Accept can be made; accept one of {}", answers.join(", "));
    Refusal::new(Why::NotAcceptable, detail)
}

/// The reply, if the client takes its type. Streams have been agreed on by their handler.
pub(super) fn admit(accept: &Accept, reply: Reply) -> Result<Reply, Rejection> {
    let media_type = match &reply.body {
        Body::Json(_) => JSON,
        Body::Text(media_type, _) => essence(media_type),
        Body::Empty | Body::Stream(..) => return Ok(reply),
    };
    let taken = accept.takes(media_type) || accept.takes(ProblemDetails::MEDIA_TYPE);
    if taken { Ok(reply) } else { Err(not_acceptable(&[media_type]).into()) }
}
