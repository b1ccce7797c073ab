//! A deployment, spoken to through API Gateway as the embedded world is spoken to.

use crate::{
    cloud::{Client, Ears, given},
    table,
};
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};

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

/// An answer, as a client reads it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// The last part of `Location`.
    pub(crate) fn id(&self) -> String {
        let location = self.headers.get("location").unwrap_or_else(|| panic!("{self:?}"));
        location.to_str().unwrap().rsplit('/').next().unwrap().to_owned()
    }

    /// The same, if the status is this one.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        self
    }
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

    /// GET.
    pub(crate) async fn get(&self, path: &str) -> Value {
        self.ask(Method::GET, path, None).await.expect(200).body
    }

    /// POST with content.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::POST, path, Some(body)).await
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

    /// The state of an operation of either kind.
    pub(crate) async fn state(&self, op: &str) -> Option<String> {
        for path in ["/vnflcm/v2/vnf_lcm_op_occs", "/nslcm/v2/ns_lcm_op_occs"] {
            let answer = self.ask(Method::GET, &format!("{path}/{op}"), None).await;
            if answer.status == StatusCode::OK {
                return Some(answer.body["operationState"].as_str().unwrap().to_owned());
            }
        }
        None
    }

    /// The tree of an operation, for a person.
    pub(crate) async fn tree(&self, op: &str) -> Value {
        self.ask(Method::GET, &format!("/mano/v1/operations/{op}/tree"), None).await.body
    }

    /// What all VIMs hold, by their own memory: name and key, sorted.
    pub(crate) async fn on_vims(&self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for vim in self.get("/mano/v1/vims").await.as_array().unwrap() {
            let path = format!("/mano/v1/vims/{}/resources", vim["id"].as_str().unwrap());
            for found in self.get(&path).await.as_array().unwrap() {
                let text = |name: &str| found[name].as_str().unwrap_or_default().to_owned();
                all.push((text("name"), text("resourceId")));
            }
        }
        all.sort();
        all
    }

    /// Reservations of all zones, by VIM and zone.
    pub(crate) async fn reserved(&self) -> Value {
        let vims = self.get("/mano/v1/vims").await;
        let zones = vims.as_array().unwrap().iter().map(|vim| {
            let zones = vim["zones"].as_array().unwrap().iter();
            let zones = zones.map(|z| json!([z["id"], z["reserved"]]));
            json!([vim["id"], zones.collect::<Vec<_>>()])
        });
        zones.collect()
    }

    /// Asks an operation for a way forward.
    pub(crate) async fn handle(&self, op: &str, kind: &str, how: &str) -> Answer {
        let path = format!("/{kind}lcm/v2/{kind}_lcm_op_occs/{op}/{how}");
        self.ask(Method::POST, &path, None).await
    }
}
