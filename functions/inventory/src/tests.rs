//! The inventory's routes, through the door that clients use.

use crate::FUNCTION;
use async_trait::async_trait;
use http::{Method, Request};
use jiff::Timestamp;
use mano_embedded::{
    FolderBlobs, HeldClock, Host, RandomIds, SqliteStore,
    host::Parts,
    store::{Options, Synchronous},
    workflows::{self, Engine},
};
use mano_model::{
    Refusal, TenantId,
    plan::{Change, Expect, Index, Key, Kind, Origin, Plan},
    resource::{Amounts, Presence, Resource, ResourceKind, Want},
    vim::Zone,
};
use mano_ports::{
    clock::Clock,
    door::{Door, Settings, auth::Anyone},
    function::Function,
    http::{Body, Content},
    queue::{Message, Queue},
    vim::{Error, Found, Place, Progress, StepKey, Target, Vim, Vims},
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tempfile::TempDir;
use uuid::Uuid;

static FUNCTIONS: &[&Function] = &[&FUNCTION];

/// A message that no function consumes, given up at once or after its last attempt.
async fn dead_letter(world: &World) {
    let message = Message {
        queue: "nobody's",
        group: "g".into(),
        dedup: "d".into(),
        delay: Duration::ZERO,
        body: json!({ "tenant": world.tenant, "op": "op-1" }),
    };
    world.host.queue().send(message).await.unwrap();
    while world.get("/dead-letters").await == json!([]) {
        world.clock.jump(Duration::from_secs(300));
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_dead_letter_is_shown_with_its_reason_and_can_be_sent_once_more() {
    let world = world().await;
    dead_letter(&world).await;
    let letters = world.get("/dead-letters").await;
    assert_eq!(letters[0]["body"]["op"], "op-1");
    assert_eq!(letters[0]["reason"], "no function consumes queue 'nobody's'");
    let path = format!("/dead-letters/{}/redrive", letters[0]["id"].as_str().unwrap());
    assert_eq!(world.ask(Method::POST, &path, &Value::Null).await.0, 204);
    assert_eq!(world.get("/dead-letters").await, json!([]));
    let (status, problem) = world.ask(Method::POST, &path, &Value::Null).await;
    assert_eq!(status, 404, "{problem}");
}

/// VIMs nobody answers for: the inventory only asks whether somebody could.
struct Silent;

impl Vims for Silent {
    fn driver(&self, vim_type: &str) -> Result<Arc<dyn Vim>, Refusal> {
        match vim_type {
            "sim" | "other" => Ok(Arc::new(Self)),
            _ => Err(Refusal::unprocessable(format!("there is no driver for '{vim_type}'"))),
        }
    }
}

fn silence() -> Error {
    Error::Transient("nobody answers".into())
}

#[async_trait]
impl Vim for Silent {
    async fn ensure(
        &self,
        _: &Target,
        _: &Want,
        _: &Place,
        _: &StepKey,
        _: u64,
    ) -> Result<Progress<String>, Error> {
        Err(silence())
    }
    async fn remove(&self, _: &Target, _: &StepKey, _: u64) -> Result<Progress<()>, Error> {
        Err(silence())
    }
    async fn look(&self, _: &Target, _: &StepKey) -> Result<Option<Progress<String>>, Error> {
        Err(silence())
    }
    async fn list(&self, _: &Target, _: Option<&str>, _: usize) -> Result<Vec<Found>, Error> {
        Err(silence())
    }
}

/// A host with nothing but the inventory.
struct World {
    host: Arc<Host>,
    door: Door,
    clock: Arc<HeldClock>,
    tenant: TenantId,
    _folder: TempDir,
}

async fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { synchronous: Synchronous::Off, ..Options::default() };
    let store = Arc::new(SqliteStore::open(folder.path(), &options).unwrap());
    let held = Arc::new(HeldClock::new(Timestamp::UNIX_EPOCH));
    let clock: Arc<dyn Clock> = Arc::clone(&held) as _;
    let none = workflows::Options::default();
    let engine = Engine::open(&store, &clock, Vec::new(), none).await.unwrap();
    let parts = Parts {
        engine,
        store,
        blobs: Arc::new(FolderBlobs::open(&folder.path().join("blobs")).unwrap()),
        vims: Arc::new(Silent),
        clock,
        ids: Arc::new(RandomIds),
    };
    let settings = Settings { api_root: Some("http://mano".into()), ..Settings::default() };
    let door = Door::new(FUNCTIONS, settings, Arc::new(Anyone)).unwrap();
    let host = Host::start(FUNCTIONS, parts);
    World { host, door, clock: held, tenant: TenantId::default(), _folder: folder }
}

impl World {
    async fn ask(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let request = Request::builder().method(method).uri(format!("/mano/v1{path}"));
        let request = request.header("content-type", "application/json").body(()).unwrap();
        let content = Content::Bytes(body.to_string().into());
        let answer = self.door.answer(self.host.cx(), request.into_parts().0, content).await;
        let body = match answer.body {
            Body::Json(text) => serde_json::from_slice(&text).unwrap(),
            Body::Empty | Body::Text(..) | Body::Stream(..) => Value::Null,
        };
        (answer.status.as_u16(), body)
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask(Method::GET, path, &Value::Null).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    async fn register(&self, body: &Value) -> (u16, Value) {
        self.ask(Method::POST, "/vims", body).await
    }

    async fn commit(&self, plan: Plan) {
        self.host.cx().store.commit(plan).await.unwrap();
    }

    fn plan(&self) -> Plan {
        Plan::new(Origin {
            id: Uuid::new_v4(),
            at: Timestamp::UNIX_EPOCH,
            tenant: self.tenant.clone(),
            actor: "test".into(),
            correlation: None,
            causation: None,
            trace: None,
        })
    }

    /// An instance as the inventory needs it: that it is there, and under what it is found.
    async fn instance(&self, kind: Kind, id: &str, of: Option<&str>) {
        let key = Key { kind, tenant: self.tenant.clone(), id: id.into() };
        let index = of.map(|ns| (Index::NsInstanceId, ns.to_owned())).into_iter().collect();
        let body = json!({ "id": id }).to_string();
        let change = Change::Put { body, schema: 1, index, kept_for: None };
        self.commit(self.plan().write(key, Expect::Absent, change)).await;
    }

    async fn resource(&self, instance: &str, name: &str) {
        let amounts = Amounts { vcpu_milli: 500, memory_mib: 256, storage_gib: 1 };
        let want = Want {
            name: name.into(),
            kind: ResourceKind::Compute,
            template: "a".into(),
            amounts,
            image: None,
            joins: Vec::new(),
        };
        let row = Resource {
            instance_id: instance.into(),
            want,
            key: format!("op/{name}"),
            vim_id: "east".into(),
            zone_id: "z1".into(),
            resource_id: Some("srv-1".into()),
            presence: Presence::Present,
            op_id: "op".into(),
        };
        self.commit(self.plan().create(&row)).await;
    }
}

fn east() -> Value {
    json!({ "id": "east", "vimType": "sim", "accessInfo": { "password": "secret" }, "zones": [
        { "id": "z1", "vcpus": 4, "memoryGib": 8, "storageGib": 100 },
        { "id": "z2", "vcpus": 2, "memoryGib": 4, "storageGib": 50 },
    ]})
}

#[tokio::test]
async fn a_vim_is_shown_with_what_it_has_and_what_is_promised_and_never_how_it_is_reached() {
    let w = world().await;
    let (status, made) = w.register(&east()).await;
    assert_eq!(status, 201);
    assert_eq!(w.get("/vims/east").await, made);
    assert_eq!(w.get("/vims").await, json!([made]));
    assert!(!made.to_string().contains("secret"));
    assert_eq!(made["capacity"], json!({ "vcpus": 6, "memoryGib": 12, "storageGib": 150 }));
    let half = Amounts { vcpu_milli: 1500, memory_mib: 1536, storage_gib: 0 };
    let all = Amounts { vcpu_milli: 4000, memory_mib: 8192, storage_gib: 100 };
    w.commit(w.plan().add::<Zone>("east/z1", Zone::reserve(all, half))).await;
    let shown = w.get("/vims/east").await;
    let reserved = json!({ "vcpus": 1.5, "memoryGib": 1.5, "storageGib": 0 });
    assert_eq!(shown["reserved"], reserved);
    assert_eq!(shown["zones"][0]["reserved"], reserved);
    assert_eq!(shown["zones"][1]["reserved"]["vcpus"], 0);
}

#[tokio::test]
async fn what_cannot_be_registered_is_refused_with_the_reason() {
    let w = world().await;
    assert_eq!(w.register(&east()).await.0, 201);
    let (status, problem) = w.register(&east()).await;
    assert_eq!(status, 409);
    assert!(problem["detail"].as_str().unwrap().contains("'east'"), "{problem}");
    for (field, value) in [
        ("vimType", json!("abacus")),
        ("zones", json!([])),
        ("zones", json!([{ "id": "z", "vcpus": -1, "memoryGib": 1, "storageGib": 1 }])),
        ("zones", json!([{ "id": "z", "vcpus": 1 }])),
        ("id", json!("a/b")),
        ("extra", json!(1)),
    ] {
        let mut body = east();
        body["id"] = "west".into();
        body[field] = value;
        let (status, problem) = w.register(&body).await;
        assert_eq!(status, 422, "{body} {problem}");
    }
    assert_eq!(w.get("/vims").await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_vim_goes_only_when_it_is_empty() {
    let w = world().await;
    w.register(&east()).await;
    w.resource("vnf", "a-1").await;
    let (status, problem) = w.ask(Method::DELETE, "/vims/east", &Value::Null).await;
    assert_eq!(status, 409);
    assert!(problem["detail"].as_str().unwrap().contains("'a-1'"), "{problem}");
    w.commit(w.plan().delete::<Resource>(1, "vnf/a-1")).await;
    let all = Amounts { vcpu_milli: 4000, memory_mib: 8192, storage_gib: 100 };
    let one = Amounts { vcpu_milli: 1, ..Amounts::default() };
    w.commit(w.plan().add::<Zone>("east/z2", Zone::reserve(all, one))).await;
    let (status, problem) = w.ask(Method::DELETE, "/vims/east", &Value::Null).await;
    assert_eq!(status, 409);
    assert!(problem["detail"].as_str().unwrap().contains("'z2'"), "{problem}");
    w.commit(w.plan().add::<Zone>("east/z2", Zone::give_back(one))).await;
    assert_eq!(w.ask(Method::DELETE, "/vims/east", &Value::Null).await.0, 204);
    assert_eq!(w.get("/vims").await, json!([]));
    assert_eq!(w.ask(Method::DELETE, "/vims/east", &Value::Null).await.0, 404);
    assert_eq!(w.register(&east()).await.0, 201);
}

#[tokio::test]
async fn a_network_function_shows_its_own_resources_and_no_others() {
    let w = world().await;
    w.instance(Kind::VnfInstance, "vnf-1", None).await;
    for (instance, name) in [("vnf-1", "a-1"), ("vnf-1", "a-2"), ("vnf-10", "b-1")] {
        w.resource(instance, name).await;
    }
    let shown = w.get("/vnf_instances/vnf-1/resources").await;
    let names: Vec<_> = shown.as_array().unwrap().iter().map(|r| &r["name"]).collect();
    assert_eq!(names, ["a-1", "a-2"]);
    assert_eq!(shown[0]["resourceId"], "srv-1");
    assert_eq!((&shown[0]["presence"], &shown[0]["kind"]), (&json!("PRESENT"), &json!("COMPUTE")));
    let one = w.get("/vnf_instances/vnf-1/resources?filter=(eq,name,a-2)").await;
    assert_eq!(one.as_array().unwrap().len(), 1);
    assert_eq!(w.ask(Method::GET, "/vnf_instances/none/resources", &Value::Null).await.0, 404);
    assert_eq!(w.ask(Method::GET, "/ns_instances/vnf-1/resources", &Value::Null).await.0, 404);
}

#[tokio::test]
async fn a_network_service_shows_its_functions_resources_in_pages_that_miss_nothing() {
    let w = world().await;
    w.instance(Kind::NsInstance, "ns", None).await;
    w.resource("ns", "link").await;
    for vnf in ["m-vnf", "z-vnf"] {
        w.instance(Kind::VnfInstance, vnf, Some("ns")).await;
        for n in 0..70 {
            w.resource(vnf, &format!("a-{n:02}")).await;
        }
    }
    w.instance(Kind::VnfInstance, "other", Some("another")).await;
    w.resource("other", "a-1").await;
    let mut path = "/ns_instances/ns/resources".to_owned();
    let (mut sizes, mut seen) = (Vec::new(), std::collections::BTreeSet::new());
    loop {
        let request = Request::builder().uri(format!("/mano/v1{path}")).body(()).unwrap();
        let (head, content) = (request.into_parts().0, Content::Bytes(Vec::new().into()));
        let answer = w.door.answer(w.host.cx(), head, content).await;
        let Body::Json(text) = answer.body else { panic!("{}", answer.status) };
        let page: Vec<Value> = serde_json::from_slice(&text).unwrap();
        sizes.push(page.len());
        seen.extend(page.iter().map(|r| format!("{}/{}", r["instanceId"], r["name"])));
        let Some(link) = answer.headers.get("link") else { break };
        let url = link.to_str().unwrap().split(['<', '>']).nth(1).unwrap();
        path = url.trim_start_matches("http://mano/mano/v1").to_owned();
    }
    assert_eq!(sizes, [100, 41]);
    assert_eq!(seen.len(), 141);
}
