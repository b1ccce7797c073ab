//! What stands before the door: health, metrics, and the count of every request.

use super::metrics::Metrics;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts};
use mano_embedded::{Host, http::Answers};
use mano_ports::{
    door::{
        Answer, Door,
        auth::{Authenticator, Denied},
    },
    http::{Body, Content},
};
use std::{sync::Arc, time::Instant};

/// Everything a request can reach.
pub(super) struct Front {
    door: Door,
    host: Arc<Host>,
    authenticator: Arc<dyn Authenticator>,
    metrics: Metrics,
}

impl Front {
    /// The front of a door.
    pub(super) fn new(door: Door, host: Arc<Host>, authenticator: Arc<dyn Authenticator>) -> Self {
        let metrics = Metrics::new(door.templates());
        Self { door, host, authenticator, metrics }
    }

    /// Our own resources, which belong to no interface.
    async fn own(&self, head: &Parts) -> Option<Answer> {
        let answer = match head.uri.path() {
            "/healthz" => text("/healthz", StatusCode::OK, "alive\n".into()),
            "/readyz" => self.ready().await,
            "/metrics" => match self.authenticator.principal(head).await {
                Ok(_) => text("/metrics", StatusCode::OK, self.metrics.text(&self.host)),
                Err(denied) => refused("/metrics", &denied),
            },
            _ => return None,
        };
        if head.method == Method::GET || head.method == Method::HEAD {
            return Some(answer);
        }
        let mut refused = text(
            answer.route,
            StatusCode::METHOD_NOT_ALLOWED,
            format!("{} is not supported on this resource; use GET\n", head.method),
        );
        refused.headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        Some(refused)
    }

    /// Whether work can be taken: the store takes writes, the engine knows its workflows.
    async fn ready(&self) -> Answer {
        let missing = match self.host.store().writable().await {
            Err(error) => Some(mano_ports::Error::from(error).chain()),
            Ok(()) => match self.host.cx().workflows.workflows().await {
                Err(error) => Some(mano_ports::Error::from(error).chain()),
                Ok(names) if names.is_empty() => Some("there are no workflows".into()),
                Ok(_) => None,
            },
        };
        match missing {
            None => text("/readyz", StatusCode::OK, "ready\n".into()),
            Some(why) => {
                text("/readyz", StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}\n"))
            }
        }
    }
}

impl Answers for Front {
    async fn answer(&self, head: Parts, content: Content) -> Answer {
        let (begun, method) = (Instant::now(), head.method.clone());
        let _open = self.metrics.open();
        let answer = match self.own(&head).await {
            Some(answer) => answer,
            None => self.door.answer(self.host.cx(), head, content).await,
        };
        let took = begun.elapsed();
        self.metrics.count(answer.route, &method, answer.status, took);
        tracing::debug!(
            route = answer.route,
            method = method.as_str(),
            status = answer.status.as_u16(),
            micros = took.as_micros(),
            "answered"
        );
        answer
    }
}

/// Why somebody is not let in, and how to ask.
fn refused(route: &'static str, denied: &Denied) -> Answer {
    let mut answer = text(route, denied.status(), format!("{denied}\n"));
    if let Some(challenge) = denied.challenge() {
        answer.headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
    answer
}

/// A plain answer.
fn text(route: &'static str, status: StatusCode, content: String) -> Answer {
    const PLAIN: &str = "text/plain; charset=utf-8";
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PLAIN));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Answer { route, status, headers, body: Body::Text(PLAIN, content.into()) }
}
