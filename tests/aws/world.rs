//! A deployment, spoken to through API Gateway as the embedded world is spoken to.

#[path = "../world/client.rs"]
mod client;

pub(crate) use client::Answer;

use crate::{
    cloud::{Client, Ears, given},
    table,
};
use http::{HeaderMap, Method, StatusCode};
use serde_json::Value;

pub(crate) use crate::stock;

/// A story on AWS takes minutes where one in a process takes a second: some variants are enough.
pub(crate) const THOROUGH: bool = false;
/// How long a slow VIM takes, in milliseconds.
pub(crate) const SLOW_MS: u32 = 3_000;

/// A deployment that `make test-aws` made.
pub(crate) struct World {
    client: Client,
    root: String,
    pub(crate) ears: Ears,
}

impl World {
    /// The deployment with an empty table, and somebody who hears its facts.
    pub(crate) async fn new() -> Self {
        table::empty();
        Self { client: Client::new(), root: given("MANO_AWS_API"), ears: Ears::new() }
    }

    /// It goes on for the next story.
    pub(crate) async fn stop(self) {}

    /// Where a path of the interfaces is.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.root)
    }

    /// Asks as a client does.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let media = body.is_some().then_some("application/json");
        let content = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        self.send(method, path, media, content).await
    }

    /// PUT of an archive.
    pub(crate) async fn upload(&self, path: &str, archive: Vec<u8>) -> Answer {
        self.send(Method::PUT, path, Some("application/zip"), archive).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        media: Option<&'static str>,
        content: Vec<u8>,
    ) -> Answer {
        let mut headers = HeaderMap::new();
        if !path.starts_with("/mano/") {
            headers.insert("version", "2.0.0".parse().unwrap());
        }
        if let Some(media) = media {
            headers.insert("content-type", media.parse().unwrap());
        }
        let (url, client) = (self.url(path), self.client.clone());
        // Several may ask at the same time.
        let asking = tokio::task::spawn_blocking(move || {
            client.ask("execute-api", &method, &url, &headers, &content)
        });
        let (status, headers, said) = asking.await.unwrap();
        let body = serde_json::from_slice(&said).unwrap_or(Value::Null);
        Answer { status: StatusCode::from_u16(status).unwrap(), headers, body }
    }

    /// Waits for the next facts, up to a second.
    pub(crate) async fn something_happens(&mut self) {
        self.ears.listen();
    }

    /// Waits until the operation rests, and says in which state.
    pub(crate) async fn rests(&mut self, op: &str) -> String {
        for _ in 0..180 {
            if let Some(state) = self.state(op).await
                && !["STARTING", "PROCESSING", "ROLLING_BACK"].contains(&state.as_str())
            {
                return state;
            }
            self.something_happens().await;
        }
        panic!("operation {op} does not come to rest: {:#?}", self.tree(op).await);
    }
}
