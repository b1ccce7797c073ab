//! How a failure leaves the door: one mapping for every function.

use super::{Answer, auth::Denied};
use crate::{Error, http::Body, store};
use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use mano_model::{Refusal, sol::sol013::ProblemDetails};
use std::io;

/// Why a request is not answered as it hoped.
#[derive(Debug)]
pub(super) struct Rejection {
    status: StatusCode,
    detail: String,
    header: Option<Box<(HeaderName, HeaderValue)>>,
    cause: Option<String>,
}

impl Rejection {
    fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), header: None, cause: None }
    }

    fn with(self, name: HeaderName, value: HeaderValue) -> Self {
        Self { header: Some(Box::new((name, value))), ..self }
    }

    /// 404: no route.
    pub(super) fn unknown_path(path: &str) -> Self {
        let shown: String = path.chars().take(200).collect();
        Self::new(StatusCode::NOT_FOUND, format!("there is no resource at {shown}"))
    }

    /// 405: the path has no such method.
    pub(super) fn method(method: &Method, allow: &str) -> Self {
        let detail = format!("{method} is not supported on this resource; use {allow}");
        let rejection = Self::new(StatusCode::METHOD_NOT_ALLOWED, detail);
        match HeaderValue::try_from(allow) {
            Ok(allow) => rejection.with(header::ALLOW, allow),
            Err(_) => rejection,
        }
    }

    /// 414: the URI is too long.
    pub(super) fn too_long(length: usize, limit: usize) -> Self {
        let detail = format!("the URI has {length} bytes; at most {limit} are taken");
        Self::new(StatusCode::URI_TOO_LONG, detail)
    }

    /// 400 or 408: the content did not arrive.
    pub(super) fn broken(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::TimedOut {
            return Self::new(StatusCode::REQUEST_TIMEOUT, "the content did not arrive in time");
        }
        Self::new(StatusCode::BAD_REQUEST, "the content broke off before its end")
    }

    /// 504: the handler took too long.
    pub(super) fn late() -> Self {
        let detail = "this was not finished in time and may still have been carried out; look \
                      before you ask again";
        Self::new(StatusCode::GATEWAY_TIMEOUT, detail)
    }

    /// 500: the handler panicked.
    pub(super) fn panic(what: String) -> Self {
        let rejection = Self::from(Error::Bug("a handler panicked".into()));
        Self { cause: Some(what), ..rejection }
    }

    /// 409 or, where the client named the version it knows, 412: others kept writing first.
    pub(super) fn lost_race(error: &store::Error, conditional: bool) -> Self {
        let detail = format!("{error} by another request; read it again, then repeat");
        let precondition = StatusCode::PRECONDITION_FAILED;
        Self::new(if conditional { precondition } else { StatusCode::CONFLICT }, detail)
    }

    /// What the client gets, and what the log gets.
    pub(super) fn answer(self, route: &'static str, media_type: &'static str) -> Answer {
        let (status, cause) = (self.status, self.cause.as_deref().unwrap_or(&self.detail));
        if status.is_server_error() {
            tracing::error!(route, status = status.as_u16(), cause, "request failed");
        } else {
            tracing::debug!(route, status = status.as_u16(), cause, "request refused");
        }
        let problem = ProblemDetails::new(status.as_u16(), self.detail)
            .titled(status.canonical_reason().unwrap_or("Error"));
        let text = serde_json::to_vec(&problem).unwrap_or_default();
        let mut headers = HeaderMap::with_capacity(4);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        if let Some((name, value)) = self.header.map(|header| *header) {
            headers.insert(name, value);
        }
        Answer { route, status, headers, body: Body::Json(text.into()) }
    }
}

impl From<Refusal> for Rejection {
    fn from(refusal: Refusal) -> Self {
        Error::Refused(refusal).into()
    }
}

impl From<Error> for Rejection {
    fn from(error: Error) -> Self {
        let status = error.status();
        let rejection = Self { cause: Some(error.chain()), ..Self::new(status, sentence(&error)) };
        match status {
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                rejection.with(header::RETRY_AFTER, HeaderValue::from_static("1"))
            }
            StatusCode::UNAUTHORIZED => {
                rejection.with(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
            }
            _ => rejection,
        }
    }
}

impl From<Denied> for Rejection {
    fn from(denied: Denied) -> Self {
        let rejection = Self::new(denied.status(), denied.to_string());
        match (denied.challenge(), &denied) {
            (Some(challenge), _) => rejection.with(header::WWW_AUTHENTICATE, challenge),
            (None, Denied::Unavailable(_)) => {
                rejection.with(header::RETRY_AFTER, HeaderValue::from_static("5"))
            }
            (None, _) => rejection,
        }
    }
}

/// What the client is told: the outer sentence, and where that says nothing of the client's own
/// resources, the one below it.
fn sentence(error: &Error) -> String {
    match error {
        Error::Store(inner @ (store::Error::Conflict(_) | store::Error::Exhausted { .. })) => {
            inner.to_string()
        }
        Error::Blobs(inner @ crate::blobs::Error::Absent(_)) => inner.to_string(),
        Error::Workflows(inner @ crate::workflows::Error::Absent(_)) => inner.to_string(),
        Error::Vim(inner) => inner.to_string(),
        Error::Refused(_) => error.to_string(),
        Error::Bug(_) => "this is a defect of the orchestrator; its log says more".into(),
        Error::Store(_)
        | Error::Workflows(_)
        | Error::Bus(_)
        | Error::Queue(_)
        | Error::Blobs(_) => match error.status() {
            StatusCode::SERVICE_UNAVAILABLE => format!("{error}; try again"),
            _ => error.to_string(),
        },
    }
}
