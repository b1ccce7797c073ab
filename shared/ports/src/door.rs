//! The door: from the functions' tables to an answer, with the conventions of SOL013 kept once.
//!
//! ```text
//!   path 404 ▶ method 405 ▶ token 400/401/403/503 ▶ Version 400/406 ▶ Accept 406, Content-Type 415
//!     ▶ query, size, syntax 400/413 ▶ handler (again after a lost race) ▶ answer or ProblemDetails
//! ```
//!
//! Knows no server: a host gives it the head and the content of a request and sends what it
//! gets back.

pub mod auth;
mod body;
pub mod jwt;
mod list;
mod media;
mod problem;
mod query;
mod routes;
mod run;
mod trace;
mod versions;

use crate::{
    Cx,
    function::{Function, Route},
    http::{Body, Content, Principal, Reply, Request},
};
use ::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts};
use auth::Authenticator;
use mano_model::sol::sol013::{Api, Version};
use problem::Rejection;
use routes::{Found, Routes, Row, Target};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

pub use list::{Asked, list, list_many};
pub use query::{decode, encode};
pub use routes::Clash;

/// How strict and how patient the door is.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Scheme, host and prefix for links, without a slash at the end; none: as the client called
    /// us.
    pub api_root: Option<String>,
    /// `https` or `http`, for links where `api_root` is none.
    pub scheme: &'static str,
    /// Whether a request must name the version where the standard says so.
    pub versions_required: bool,
    /// Largest JSON content, in bytes.
    pub max_json_bytes: usize,
    /// Largest streamed content, in bytes.
    pub max_stream_bytes: u64,
    /// Deepest JSON content, in levels.
    pub max_json_depth: usize,
    /// Longest path with query, in bytes.
    pub max_uri_bytes: usize,
    /// How long a handler may take.
    pub patience: Duration,
    /// How long a handler may take that receives a stream.
    pub stream_patience: Duration,
}

impl Settings {
    /// How long a handler may take, wherever it runs: API Gateway waits 29 s.
    pub const PATIENCE: Duration = Duration::from_secs(25);
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            api_root: None,
            scheme: "http",
            versions_required: true,
            max_json_bytes: 2 << 20,
            max_stream_bytes: 8 << 30,
            max_json_depth: 64,
            max_uri_bytes: 32 << 10,
            patience: Self::PATIENCE,
            stream_patience: Duration::from_secs(3600),
        }
    }
}

/// Scheme, host and prefix for the links of one request, without a slash at the end: an extension
/// of its head, from a host whose front sits behind changing prefixes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiRoot(pub String);

/// What goes back to the client.
pub struct Answer {
    /// The path template that answered, for metrics; empty: none did.
    pub route: &'static str,
    /// The status.
    pub status: StatusCode,
    /// The headers, `Content-Length` excepted.
    pub headers: HeaderMap,
    /// The content.
    pub body: Body,
}

/// The tables of all functions, ready to answer.
pub struct Door {
    routes: Routes,
    settings: Settings,
    authenticator: Arc<dyn Authenticator>,
}

/// What is known of a request once its conventions are checked.
struct Checked {
    principal: Principal,
    query: Vec<(String, String)>,
    path: BTreeMap<&'static str, String>,
    content: Content,
}

impl Door {
    /// A door to the routes of these functions.
    ///
    /// # Errors
    /// Two routes of the same method and path, or a path that is no template.
    pub fn new(
        functions: &[&'static Function],
        settings: Settings,
        authenticator: Arc<dyn Authenticator>,
    ) -> Result<Self, Clash> {
        let rows = functions.iter().flat_map(|function| function.routes);
        Ok(Self { routes: Routes::new(rows)?, settings, authenticator })
    }

    /// The path templates it answers, each once: for metrics and lists.
    pub fn templates(&self) -> impl Iterator<Item = &'static str> {
        self.routes.templates()
    }

    /// Answers one request; never fails and never panics.
    pub async fn answer(&self, cx: &Cx, mut head: Parts, content: Content) -> Answer {
        let api = Api::of(head.uri.path());
        let asked = version(api.or_else(|| Api::listed(head.uri.path())), &head.headers);
        let asked_trace = trace::of(&head, cx);
        let problem_type = media::problem_type(&head.headers);
        let (route, reply) = self.reply(cx, api, &mut head, content, asked_trace.clone()).await;
        let mut answer = match reply {
            Ok(reply) => plain(route, reply),
            Err(rejection) => rejection.answer(route, problem_type),
        };
        if let Some(version) = asked {
            answer.headers.insert(HeaderName::from_static("version"), version);
        }
        if let Some(trace) = asked_trace.and_then(|trace| HeaderValue::try_from(trace).ok()) {
            answer.headers.insert(trace::TRACEPARENT, trace);
        }
        answer
    }

    /// The reply of the route, or why there is none.
    async fn reply(
        &self,
        cx: &Cx,
        api: Option<&'static Api>,
        head: &mut Parts,
        content: Content,
        trace: Option<String>,
    ) -> (&'static str, Result<Reply, Rejection>) {
        let Some(found) = self.routes.find(head.uri.path()) else {
            return ("", Err(Rejection::unknown_path(head.uri.path())));
        };
        let Some(target) = found.method(&head.method) else {
            return (found.template(), Err(Rejection::method(&head.method, &found.allow())));
        };
        let row = match target {
            Target::Row(row) => row,
            Target::Versions(text) => {
                let admitted = self.authenticator.principal(head).await;
                let reply = admitted.map(|_| versions::reply(text)).map_err(Rejection::from);
                return (versions::TEMPLATE, reply);
            }
        };
        let route = row.route;
        let checked = match self.check(api, row, &found, head, content).await {
            Ok(checked) => checked,
            Err(rejection) => return (route.path, Err(rejection)),
        };
        let accepts = media::Accept::of(&head.headers);
        let request = self.request(cx, route, head, checked, trace);
        let reply = run::run(cx, route, request).await;
        (route.path, reply.and_then(|reply| media::admit(&accepts, reply)))
    }

    /// The conventions, in the order of SOL013.
    async fn check(
        &self,
        api: Option<&Api>,
        row: &Row,
        found: &Found<'_, '_>,
        head: &Parts,
        content: Content,
    ) -> Result<Checked, Rejection> {
        let principal = self.authenticator.principal(head).await?;
        if let Some(api) = api {
            let required = self.settings.versions_required && api.required;
            api.serve(text(&head.headers, "version"), required)?;
        }
        media::check(row, &head.headers)?;
        let length = head.uri.path_and_query().map_or(0, |whole| whole.as_str().len());
        if length > self.settings.max_uri_bytes {
            return Err(Rejection::too_long(length, self.settings.max_uri_bytes));
        }
        let query = query::read(row, head.uri.query().unwrap_or_default())?;
        let path = found.parameters(&head.method)?;
        let content = body::read(row.route, &head.headers, content, &self.settings).await?;
        Ok(Checked { principal, query, path, content })
    }

    /// The request as its handler sees it.
    fn request(
        &self,
        cx: &Cx,
        route: &Route,
        head: &mut Parts,
        checked: Checked,
        trace: Option<String>,
    ) -> Request {
        let streams = matches!(route.takes, crate::function::Takes::Stream);
        let patience = if streams { self.settings.stream_patience } else { self.settings.patience };
        Request {
            method: head.method.clone(),
            uri_path: head.uri.path().into(),
            path: checked.path,
            query: checked.query,
            api_root: self.api_root(head),
            headers: std::mem::take(&mut head.headers),
            principal: checked.principal,
            deadline: cx.clock.now() + patience,
            trace,
            content: checked.content,
        }
    }

    /// Scheme, host and prefix for links.
    fn api_root(&self, head: &Parts) -> String {
        if let Some(fixed) = &self.settings.api_root {
            return fixed.clone();
        }
        if let Some(ApiRoot(root)) = head.extensions.get() {
            return root.clone();
        }
        let host = head.uri.authority().map(::http::uri::Authority::as_str);
        let host = host.or_else(|| text(&head.headers, header::HOST.as_str()));
        let fits = |host: &&str| {
            let known = |b: u8| b.is_ascii_alphanumeric() || b".:-_[]".contains(&b);
            !host.is_empty() && host.bytes().all(known)
        };
        format!("{}://{}", self.settings.scheme, host.filter(fits).unwrap_or("localhost"))
    }
}

/// The value of the `Version` header of the answer.
fn version(api: Option<&Api>, headers: &HeaderMap) -> Option<HeaderValue> {
    let api = api?;
    let served = api.serve(text(headers, "version"), false);
    let version: Version = served.unwrap_or_else(|_| api.newest());
    HeaderValue::try_from(version.to_string()).ok()
}

/// A header as text.
fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    // What is no text cannot be a legal value: it reads as one that no rule accepts.
    headers.get(name).map(|value| value.to_str().unwrap_or("\u{fffd}"))
}

/// The answer of a handler.
fn plain(route: &'static str, reply: Reply) -> Answer {
    let mut headers = HeaderMap::with_capacity(reply.headers.len() + 4);
    let media_type = match &reply.body {
        Body::Empty => None,
        Body::Json(_) => Some(HeaderValue::from_static(media::JSON)),
        Body::Text(media_type, _) | Body::Stream(media_type, ..) => {
            Some(HeaderValue::from_static(media_type))
        }
    };
    if let Some(media_type) = media_type {
        headers.insert(header::CONTENT_TYPE, media_type);
    }
    for (name, value) in reply.headers {
        match HeaderValue::from_maybe_shared(bytes::Bytes::from(value)) {
            Ok(value) => drop(headers.append(name, value)),
            Err(_) => tracing::error!(route, header = %name, "a reply's header is no header"),
        }
    }
    Answer { route, status: reply.status, headers, body: reply.body }
}
