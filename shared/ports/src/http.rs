//! Requests and replies as functions see them: decoded, authorised, and free of any server.

use crate::{Error, blobs::ByteStream};
use ::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use bytes::Bytes;
use jiff::Timestamp;
use mano_model::{Refusal, TenantId, refusal::Why};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Whose data they may see and change.
    pub tenant: TenantId,
    /// Their name, for records.
    pub name: String,
}

/// The content of a request.
pub enum Content {
    /// It is here, whole.
    Bytes(Bytes),
    /// It comes; only for routes that take streams. The lock is never waited for: it lets a
    /// request be shared between threads, which a stream alone cannot be.
    Stream(Mutex<ByteStream>),
}

impl Content {
    /// Content that comes.
    #[must_use]
    pub fn stream(stream: ByteStream) -> Self {
        Self::Stream(Mutex::new(stream))
    }
}

/// A request whose route is found and whose conventions (SOL013) have been checked.
pub struct Request {
    /// The verb.
    pub method: Method,
    /// The path as asked, without query.
    pub uri_path: String,
    /// What stands in the route's braces: `nsInstanceId` and its kind, percent-decoded.
    pub path: BTreeMap<&'static str, String>,
    /// Query parameters in order, percent-decoded.
    pub query: Vec<(String, String)>,
    /// Headers.
    pub headers: HeaderMap,
    /// Who asks.
    pub principal: Principal,
    /// Scheme, host and prefix for links; no slash at the end.
    pub api_root: String,
    /// When the answer must be out.
    pub deadline: Timestamp,
    /// W3C `traceparent`.
    pub trace: Option<String>,
    /// The content.
    pub content: Content,
}

impl Request {
    /// The tenant of the caller.
    #[must_use]
    pub const fn tenant(&self) -> &TenantId {
        &self.principal.tenant
    }

    /// A path parameter; the route's table row guarantees it.
    #[must_use]
    pub fn param(&self, name: &str) -> &str {
        self.path.get(name).map_or("", String::as_str)
    }

    /// A query parameter.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// The body as a type; an empty body counts as `{}`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let Content::Bytes(bytes) = &self.content else {
            return Err(Error::Bug("a route that takes a stream was asked for JSON".into()));
        };
        let bytes: &[u8] = if bytes.is_empty() { b"{}" } else { bytes };
        Ok(mano_model::sol::read(bytes)?)
    }

    /// The whole body as any JSON object, for documents that keep what was asked.
    pub fn object(&self) -> Result<serde_json::Map<String, serde_json::Value>, Error> {
        self.json()
    }

    /// The version the client read (`If-Match`), if it says.
    pub fn if_match(&self) -> Result<Option<u64>, Error> {
        let Some(header) = self.headers.get(header::IF_MATCH) else { return Ok(None) };
        let text = header.to_str().unwrap_or_default();
        if text == "*" {
            return Ok(None);
        }
        let version = text.trim_matches('"').parse();
        version.map(Some).map_err(|_| {
            let detail = format!("If-Match is {text}; give the ETag of a GET of this resource");
            Refusal::new(Why::Changed, detail).into()
        })
    }

    /// The content, whatever its form, as a stream.
    #[must_use]
    pub fn stream(self) -> ByteStream {
        match self.content {
            Content::Stream(stream) => stream.into_inner().unwrap_or_else(PoisonError::into_inner),
            Content::Bytes(bytes) => Box::pin(futures_util::stream::iter([Ok(bytes)])),
        }
    }
}

/// The content of an answer.
pub enum Body {
    /// None.
    Empty,
    /// JSON, already text.
    Json(Bytes),
    /// Other text, with its media type.
    Text(&'static str, Bytes),
    /// Bytes as they come, with media type and length.
    Stream(&'static str, u64, ByteStream),
}

/// An answer.
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// Headers beyond those every answer has.
    pub headers: Vec<(HeaderName, String)>,
    /// The content.
    pub body: Body,
}

impl Reply {
    /// An answer without content.
    #[must_use]
    pub const fn empty(status: StatusCode) -> Self {
        Self { status, headers: Vec::new(), body: Body::Empty }
    }

    /// An answer with JSON content.
    #[must_use]
    pub fn json<T: Serialize>(status: StatusCode, value: &T) -> Self {
        #[expect(clippy::expect_used, reason = "wire forms have string keys and cannot fail")]
        let text = serde_json::to_vec(value).expect("a wire form is JSON");
        Self { status, headers: Vec::new(), body: Body::Json(text.into()) }
    }

    /// 200 with JSON content.
    #[must_use]
    pub fn ok<T: Serialize>(value: &T) -> Self {
        Self::json(StatusCode::OK, value)
    }

    /// 201 with JSON content, and where it is.
    #[must_use]
    pub fn created<T: Serialize>(location: String, value: &T) -> Self {
        Self::json(StatusCode::CREATED, value).header(header::LOCATION, location)
    }

    /// 202 without content, and where to look.
    #[must_use]
    pub fn accepted(location: String) -> Self {
        Self::empty(StatusCode::ACCEPTED).header(header::LOCATION, location)
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// With the version of what is shown.
    #[must_use]
    pub fn etag(self, version: u64) -> Self {
        self.header(header::ETAG, format!("\"{version}\""))
    }
}
