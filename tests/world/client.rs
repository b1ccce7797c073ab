//! What a story asks of an orchestrator, wherever it runs.

use super::World;
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};

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
    /// GET.
    pub(crate) async fn get(&self, path: &str) -> Value {
        self.ask(Method::GET, path, None).await.expect(200).body
    }

    /// POST with content.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::POST, path, Some(body)).await
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

    /// Registers a simulated VIM; zones with so many vCPUs each.
    pub(crate) async fn add_vim(&self, id: &str, zones: &[(&str, u32)]) {
        let zones = zones.iter().map(
            |(id, vcpus)| json!({ "id": id, "vcpus": vcpus, "memoryGib": 256, "storageGib": 10_000 }),
        );
        let body = json!({ "id": id, "vimType": "sim", "zones": zones.collect::<Vec<_>>() });
        self.post("/mano/v1/vims", body).await.expect(201);
    }
}
