//! An OSS that asks over the event bus, and hears what became of it.

use super::{deleted, done, example, onboard_ns, onboard_vnf};
use crate::{
    schema,
    world::{
        Answer, World,
        stock::{PAIR, SMALL, stocked},
    },
};
use http::Method;
use mano_model::plan::Announced;
use mano_ports::{function::Event, http::Principal};
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc};
use tokio::sync::broadcast::Receiver;

/// Somebody who hears every fact.
struct Oss {
    ears: Receiver<Arc<Announced>>,
    heard: Vec<Arc<Announced>>,
}

impl Oss {
    fn new(world: &World) -> Self {
        Self { ears: world.host.bus().subscribe(), heard: Vec::new() }
    }

    /// Asks, and is taken at its word.
    async fn asks(&self, world: &World, verb: &str, detail: Value) {
        self.asked(world, verb, detail).await.expect(202);
    }

    /// Asks, and is told no with this status; the sentence.
    async fn refused(&self, world: &World, verb: &str, detail: Value, status: u16) -> String {
        let answer = self.asked(world, verb, detail).await.expect(status);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        answer.body["detail"].as_str().unwrap().to_owned()
    }

    async fn asked(&self, world: &World, verb: &str, detail: Value) -> Answer {
        let event = json!({ "source": "oss", "detail-type": format!("mano.request.{verb}"), "detail": detail });
        world.post("/mano/v1/events", event).await
    }

    /// Everything heard so far.
    fn so_far(&mut self) -> &[Arc<Announced>] {
        while let Ok(fact) = self.ears.try_recv() {
            self.heard.push(fact);
        }
        &self.heard
    }

    /// The first fact of this name that answers this key.
    async fn hears(&mut self, world: &mut World, name: &str, key: &str) -> Announced {
        for _ in 0..1000 {
            let answer = |fact: &&Arc<Announced>| {
                fact.fact.name == name && fact.origin.correlation.as_deref() == Some(key)
            };
            if let Some(fact) = self.so_far().iter().find(answer) {
                return (**fact).clone();
            }
            world.something_happens().await;
        }
        panic!("nobody says {name} in answer to {key}: {:#?}", self.names());
    }

    fn names(&mut self) -> Vec<String> {
        self.so_far().iter().map(|fact| fact.fact.name.clone()).collect()
    }
}

fn create(key: &str) -> Value {
    let request = json!({ "nsdId": PAIR, "nsName": "pair" });
    json!({ "idempotencyKey": key, "kind": "NS", "request": request })
}

fn task(key: &str, ns: &str, request: Value) -> Value {
    json!({ "idempotencyKey": key, "kind": "NS", "instanceId": ns, "request": request })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_is_made_and_ended_over_the_bus() {
    let mut world = stocked().await;
    let mut oss = Oss::new(&world);
    oss.asks(&world, "create", create("order-1")).await;
    let created = oss.hears(&mut world, "ns.identifier.created", "order-1").await;
    let ns = created.fact.body["nsInstanceId"].as_str().unwrap().to_owned();
    for (verb, request) in [
        ("instantiate", json!({ "nsFlavourId": "standard" })),
        ("heal", json!({ "healNsData": { "degreeHealing": "HEAL_RESTORE" } })),
        ("terminate", json!({})),
    ] {
        let key = format!("order-1/{verb}");
        oss.asks(&world, verb, task(&key, &ns, request)).await;
        let ended = oss.hears(&mut world, &format!("ns.{verb}.ended"), &key).await;
        assert_eq!(ended.fact.body["state"], "COMPLETED", "{ended:?}");
        let of_vnf = oss.hears(&mut world, &format!("vnf.{verb}.ended"), &key).await;
        assert_eq!(of_vnf.fact.body["state"], "COMPLETED");
    }
    assert_eq!(world.on_vims().await, []);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_function_is_made_and_scaled_over_the_bus() {
    let mut world = stocked().await;
    let mut oss = Oss::new(&world);
    let ask =
        |key: &str, request| json!({ "idempotencyKey": key, "kind": "VNF", "request": request });
    oss.asks(&world, "create", ask("v", json!({ "vnfdId": SMALL }))).await;
    let created = oss.hears(&mut world, "vnf.identifier.created", "v").await;
    for (verb, request) in [
        ("instantiate", json!({ "flavourId": "standard" })),
        ("scale", json!({ "type": "SCALE_OUT", "aspectId": "size" })),
    ] {
        let mut detail = ask(verb, request);
        detail["instanceId"] = created.fact.body["vnfInstanceId"].clone();
        oss.asks(&world, verb, detail).await;
        let ended = oss.hears(&mut world, &format!("vnf.{verb}.ended"), verb).await;
        assert_eq!(ended.fact.body["state"], "COMPLETED", "{ended:?}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_delivered_twice_is_carried_out_once() {
    let mut world = stocked().await;
    let mut oss = Oss::new(&world);
    for _ in 0..3 {
        oss.asks(&world, "create", create("once")).await;
    }
    let created = oss.hears(&mut world, "ns.identifier.created", "once").await;
    let ns = created.fact.body["nsInstanceId"].as_str().unwrap().to_owned();
    assert_eq!(world.get("/nslcm/v2/ns_instances").await.as_array().unwrap().len(), 1);
    let instantiate = || task("twice", &ns, json!({ "nsFlavourId": "standard" }));
    oss.asks(&world, "instantiate", instantiate()).await;
    oss.asks(&world, "instantiate", instantiate()).await;
    oss.hears(&mut world, "ns.instantiate.ended", "twice").await;
    oss.asks(&world, "instantiate", instantiate()).await;
    let ops = world.get("/nslcm/v2/ns_lcm_op_occs").await;
    assert_eq!(ops.as_array().unwrap().len(), 1, "{ops:#}");
    assert!(!oss.names().contains(&"request.refused".to_owned()), "{:?}", oss.names());
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_stays_refused_and_the_reason_is_told() {
    let mut world = stocked().await;
    let mut oss = Oss::new(&world);
    let told = oss.refused(&world, "heal", task("early", "nobody", json!({})), 404).await;
    let refused = oss.hears(&mut world, "request.refused", "early").await;
    assert_eq!(refused.fact.body["error"]["status"], 404);
    let said = refused.fact.body["error"]["detail"].as_str().unwrap();
    assert!(said.contains("'nobody'") && said == told, "{said}");
    assert_eq!(refused.fact.body["detailType"], "mano.request.heal");
    assert_eq!(refused.fact.body["detail"]["instanceId"], "nobody");

    oss.asks(&world, "create", create("late")).await;
    let created = oss.hears(&mut world, "ns.identifier.created", "late").await;
    let ns = created.fact.body["nsInstanceId"].as_str().unwrap().to_owned();
    let scale = || task("scale", &ns, json!({ "scaleType": "SCALE_NS" }));
    let told = oss.refused(&world, "scale", scale(), 409).await;
    let refused = oss.hears(&mut world, "request.refused", "scale").await;
    assert_eq!(refused.fact.body["error"]["status"], 409);
    done(
        &mut world,
        &format!("/nslcm/v2/ns_instances/{ns}/instantiate"),
        json!({ "nsFlavourId": "standard" }),
    )
    .await;
    // Now it would be possible; but this key was answered.
    assert_eq!(oss.refused(&world, "scale", scale(), 409).await, told);
    let other = oss.refused(&world, "terminate", task("scale", &ns, json!({})), 409).await;
    assert!(other.contains("used for another request"), "{other}");
    let reused = oss.hears(&mut world, "request.refused", "scale").await;
    assert_eq!(reused.id, refused.id);
    let answers = |oss: &mut Oss| {
        let about = |fact: &&Arc<Announced>| fact.origin.correlation.as_deref() == Some("scale");
        oss.so_far()
            .iter()
            .filter(about)
            .map(|fact| fact.fact.body["error"]["status"].clone())
            .collect::<Vec<_>>()
    };
    while answers(&mut oss).len() < 2 {
        world.something_happens().await;
    }
    assert_eq!(answers(&mut oss), [409, 422]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_answered_too() {
    let mut world = stocked().await;
    let mut oss = Oss::new(&world);
    for (verb, detail, key, status) in [
        ("paint", create("k1"), "k1", 400),
        ("create", json!({ "idempotencyKey": "k2", "kind": "NS" }), "k2", 422),
        ("create", json!({ "idempotencyKey": "k3", "kind": "NS", "shape": "round" }), "k3", 400),
    ] {
        oss.refused(&world, verb, detail, status).await;
        let refused = oss.hears(&mut world, "request.refused", key).await;
        assert_eq!(refused.fact.body["event"].as_str().map(str::is_empty), Some(false));
    }
    let event =
        json!({ "id": "e-9", "source": "oss", "detail-type": "mano.request.create", "detail": [] });
    world.post("/mano/v1/events", event.clone()).await.expect(400);
    world.post("/mano/v1/events", event).await.expect(400);
    oss.hears(&mut world, "request.refused", "e-9").await;
    let refused = oss.names().iter().filter(|name| *name == "request.refused").count();
    assert_eq!(refused, 4, "{:?}", oss.names());
    let foreign = json!({ "source": "oss", "detail-type": "weather.changed", "detail": {} });
    world.post("/mano/v1/events", foreign).await.expect(422);
    world.post("/mano/v1/events", json!({ "source": "oss" })).await.expect(422);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_known_to_nobody_is_told_so_and_may_ask_again() {
    let mut world = stocked().await;
    let mut oss = Oss::new(&world);
    let principal = Principal { tenant: World::tenant(), name: "111111111111/oss".into() };
    let mut event = Event {
        id: "e".into(),
        source: "stranger".into(),
        detail_type: "mano.request.create".into(),
        detail: create("k"),
        principal: None,
    };
    for _ in 0..2 {
        world.host.event(&event).await.unwrap();
    }
    let refused = oss.hears(&mut world, "request.refused", "k").await;
    assert_eq!(refused.fact.body["error"]["status"], 403);
    let why = refused.fact.body["error"]["detail"].as_str().unwrap();
    assert!(why.contains("'stranger'") && why.contains("Tenants"), "{why}");
    assert_eq!(world.get("/nslcm/v2/ns_instances").await, json!([]));
    event.principal = Some(principal);
    world.host.event(&event).await.unwrap();
    oss.hears(&mut world, "ns.identifier.created", "k").await;
    assert_eq!(oss.names().iter().filter(|name| *name == "request.refused").count(), 1);
    world.stop().await;
}

/// Everything there is to hear, once.
async fn whole_life(world: &mut World) {
    world.add_vim("vim-a", &[("zone-1", 64)]).await;
    world.add_vim("vim-b", &[("zone-1", 64)]).await;
    let packages = super::service::on_boarded(world).await;
    onboard_vnf(world, b"no archive".to_vec()).await;
    onboard_ns(world, b"no archive".to_vec()).await;
    let ns = super::service::created(world, &packages.2).await;
    let path = format!("/nslcm/v2/ns_instances/{ns}");
    done(world, &format!("{path}/instantiate"), json!({ "nsFlavourId": "standard" })).await;
    for direction in ["SCALE_OUT", "SCALE_IN"] {
        done(world, &format!("{path}/scale"), super::service::scale(direction)).await;
    }
    scale_one(world, &path).await;
    let heal = json!({ "healNsData": { "degreeHealing": "HEAL_RESTORE" } });
    done(world, &format!("{path}/heal"), heal).await;
    done(world, &format!("{path}/terminate"), json!({})).await;
    deleted(world, &path).await;
    super::service::gone(world, &packages).await;
    // Enabled again, of a package that stays.
    let shown = onboard_vnf(world, example("edge-cache")).await;
    let package = format!("/vnfpkgm/v2/vnf_packages/{}", shown["id"].as_str().unwrap());
    let shown = onboard_ns(world, example("edge-service")).await;
    let nsd = format!("/nsd/v2/ns_descriptors/{}", shown["id"].as_str().unwrap());
    for state in ["DISABLED", "ENABLED"] {
        let body = json!({ "operationalState": state });
        world.ask(Method::PATCH, &package, Some(body)).await.expect(200);
        let body = json!({ "nsdOperationalState": state });
        world.ask(Method::PATCH, &nsd, Some(body)).await.expect(200);
    }
    world.ask(Method::DELETE, "/mano/v1/vims/vim-b", None).await.expect(204);
}

/// One network function of the service grows.
async fn scale_one(world: &mut World, path: &str) {
    let shown = world.get(path).await;
    for vnf in shown["vnfInstance"].as_array().unwrap() {
        let scales = &vnf["instantiatedVnfInfo"]["scaleStatus"];
        if let Some(aspect) = scales.as_array().and_then(|s| s.first()) {
            let out = json!({ "type": "SCALE_OUT", "aspectId": aspect["aspectId"] });
            let id = vnf["id"].as_str().unwrap();
            done(world, &format!("/vnflcm/v2/vnf_instances/{id}/scale"), out).await;
            return;
        }
    }
    panic!("nothing scales: {shown:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fact_is_as_its_schema_says_and_every_schema_has_a_fact() {
    let mut world = World::new().await;
    let mut oss = Oss::new(&world);
    whole_life(&mut world).await;
    oss.refused(&world, "create", json!({}), 400).await;
    while !oss.names().contains(&"request.refused".to_owned()) {
        world.something_happens().await;
    }
    let mut names = BTreeSet::new();
    for fact in oss.so_far() {
        let name = &fact.fact.name;
        let event = json!({ "source": "mano", "detail-type": name, "detail": **fact });
        assert_eq!(schema::faults(&event), Vec::<String>::new(), "{event:#}");
        names.insert(name.clone());
    }
    let described = schema::by_detail_type().into_keys();
    let described: BTreeSet<String> =
        described.filter(|name| !name.starts_with("mano.request.")).collect();
    assert_eq!(names, described, "heard on the left, described on the right");
    world.stop().await;
}
