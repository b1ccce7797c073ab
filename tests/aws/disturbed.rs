//! What the functions ask of AWS fails, comes late, is done twice, or is done and not answered.

use crate::{
    cloud::Client,
    done,
    stock::{PAIR, add_descriptors},
    ways::{Picture, no_orphans},
    world::World,
};
use http::{HeaderMap, Method};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Every n-th call of a service is disturbed: numbers that no operation's calls are a multiple of.
const EVERY: [(&str, u64); 5] =
    [("dynamodb", 7), ("states", 3), ("sqs", 2), ("events", 3), ("s3", 3)];

/// The proxy between functions and emulator; none: nothing can be disturbed here.
struct Proxy(String);

impl Proxy {
    fn new() -> Option<Self> {
        std::env::var("MANO_AWS_FAULTS").ok().map(Self)
    }

    fn ask(&self, method: &Method, faults: &Value) -> Value {
        let body = if method == Method::PUT { faults.to_string() } else { String::new() };
        let none = HeaderMap::new();
        let (status, _, said) = Client::new().send(method, &self.0, none.iter(), body.as_bytes());
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&said));
        serde_json::from_slice(&said).unwrap()
    }

    /// From now on calls are disturbed in this way.
    fn disturb(&self, how: &str) {
        let fault = |(service, every): (&str, u64)| {
            (service.to_owned(), json!({ "every": every, "how": how }))
        };
        let faults = EVERY.into_iter().map(fault).collect::<Map<_, _>>();
        self.ask(&Method::PUT, &Value::Object(faults));
    }

    /// Disturbs no more; how many calls were, by service.
    fn rest(&self) -> BTreeMap<String, u64> {
        let told = self.ask(&Method::GET, &Value::Null);
        self.ask(&Method::PUT, &json!({}));
        let disturbed = told
            .as_object()
            .unwrap()
            .iter()
            .map(|(service, count)| (service.clone(), count["disturbed"].as_u64().unwrap()));
        disturbed.filter(|(_, times)| *times > 0).collect()
    }
}

/// Packages are on-boarded, a service lives and ends; what there was meanwhile.
async fn life(world: &mut World) -> Picture {
    world.add_vim("vim-a", &[("zone-1", 64), ("zone-2", 64)]).await;
    // A VIM that takes its time is looked at again, by messages.
    let slow = json!({ "asynchronousMs": 500 });
    world.ask(Method::PUT, "/mano/v1/vims/vim-a/behaviour", Some(slow)).await.expect(200);
    add_descriptors(world).await;
    let body = json!({ "nsdId": PAIR, "nsName": "pair", "nsDescription": "" });
    let ns = world.post("/nslcm/v2/ns_instances", body).await.expect(201).id();
    let path = format!("/nslcm/v2/ns_instances/{ns}");
    done(world, &format!("{path}/instantiate"), json!({ "nsFlavourId": "standard" })).await;
    let picture = Picture::of(world).await;
    no_orphans(world, "instantiated").await;
    done(world, &format!("{path}/terminate"), json!({})).await;
    assert_eq!(world.on_vims().await, []);
    let ops = world.get("/nslcm/v2/ns_lcm_op_occs").await;
    assert_eq!(ops.as_array().unwrap().len(), 2, "what is asked once is done once: {ops:#}");
    let ops = world.get("/vnflcm/v2/vnf_lcm_op_occs").await;
    assert_eq!(ops.as_array().unwrap().len(), 4, "two network functions, made and ended: {ops:#}");
    picture
}

/// Facts of the ends of this world's operations that were heard, each with how often.
async fn ends(world: &mut World) -> BTreeMap<String, usize> {
    let mut ops = BTreeSet::new();
    for kind in ["ns", "vnf"] {
        let all = world.get(&format!("/{kind}lcm/v2/{kind}_lcm_op_occs")).await;
        ops.extend(all.as_array().unwrap().iter().map(|op| op["id"].to_string()));
    }
    let mut ends = BTreeMap::new();
    for _ in 0..60 {
        ends.clear();
        let mut known = BTreeSet::new();
        for event in world.ears.heard() {
            let name = event["detail-type"].as_str().unwrap();
            let ours = ops.contains(&event["detail"]["body"]["op"].to_string());
            // A fact may be heard twice; it has an identity.
            if ours && name.ends_with(".ended") && known.insert(event["detail"]["id"].to_string()) {
                *ends.entry(name.to_owned()).or_default() += 1;
            }
        }
        if known.len() >= ops.len() {
            break;
        }
        world.something_happens().await;
    }
    ends
}

#[tokio::test]
async fn calls_that_fail_come_late_are_doubled_or_lose_their_answer_change_nothing() {
    let Some(proxy) = Proxy::new() else {
        println!("skipped: no proxy stands before this deployment (MANO_AWS_FAULTS)");
        return;
    };
    let mut world = World::new().await;
    let expected = life(&mut world).await;
    for how in ["fail", "delay", "duplicate", "lose"] {
        let mut world = World::new().await;
        proxy.disturb(how);
        let picture = life(&mut world).await;
        let ends = ends(&mut world).await;
        let disturbed = proxy.rest();
        assert_eq!(picture, expected, "{how}");
        let all = [
            ("ns.instantiate.ended", 1),
            ("ns.terminate.ended", 1),
            ("vnf.instantiate.ended", 2),
            ("vnf.terminate.ended", 2),
        ];
        assert_eq!(ends, all.map(|(name, times)| (name.to_owned(), times)).into(), "{how}");
        let services: Vec<_> = disturbed.keys().map(String::as_str).collect();
        assert_eq!(services, ["dynamodb", "events", "s3", "sqs", "states"], "{how}: {disturbed:?}");
    }
    world.stop().await;
}
