//! An OSS that asks over EventBridge, and hears what became of it by a rule of its own.

use crate::{
    cloud::{Client, call, given, received},
    onboard_ns, onboard_vnf,
    steps::{deleted, example},
    stock::{SMALL, stocked},
    world::World,
};
use serde_json::{Value, json};

fn asks(verb: &str, detail: &Value) {
    let entry = json!({
        "Source": "oss",
        "DetailType": format!("mano.request.{verb}"),
        "Detail": detail.to_string(),
        "EventBusName": given("MANO_AWS_BUS"),
    });
    let told =
        call(&Client::new(), "events", "AWSEvents.PutEvents", &json!({ "Entries": [entry] }));
    assert_eq!(told["FailedEntryCount"], 0, "{told}");
}

/// The body of the fact of this name that answers this key.
async fn hears(world: &mut World, name: &str, key: &str) -> Value {
    for _ in 0..120 {
        let answers = |event: &&Value| {
            event["detail-type"] == name && event["detail"]["origin"]["correlation"] == key
        };
        if let Some(event) = world.ears.heard().iter().find(answers) {
            return event["detail"]["body"].clone();
        }
        world.something_happens().await;
    }
    panic!("nobody says {name} in answer to {key}: {:#?}", world.ears.heard());
}

/// Asks for a task of an instance, as a bus may: twice; it is done once.
async fn asks_twice(world: &mut World, verb: &str, (kind, id): (&str, &str), request: &Value) {
    let key = format!("e/{kind}/{verb}");
    let detail =
        json!({ "idempotencyKey": key, "kind": kind, "instanceId": id, "request": request });
    asks(verb, &detail);
    asks(verb, &detail);
    let ended = hears(world, &format!("{}.{verb}.ended", kind.to_lowercase()), &key).await;
    assert_eq!(ended["state"], "COMPLETED", "{ended:#}");
}

#[tokio::test]
async fn a_network_function_is_made_and_ended_over_the_event_bus() {
    let mut world = stocked().await;
    let request = json!({ "vnfdId": SMALL, "vnfInstanceName": "by event" });
    asks("create", &json!({ "idempotencyKey": "v/create", "kind": "VNF", "request": request }));
    let created = hears(&mut world, "vnf.identifier.created", "v/create").await;
    let vnf = created["vnfInstanceId"].as_str().unwrap().to_owned();
    for (verb, request) in [
        ("instantiate", json!({ "flavourId": "standard" })),
        ("scale", json!({ "type": "SCALE_OUT", "aspectId": "size" })),
        ("terminate", json!({ "terminationType": "FORCEFUL" })),
    ] {
        asks_twice(&mut world, verb, ("VNF", &vnf), &request).await;
    }
    let ops = world.get("/vnflcm/v2/vnf_lcm_op_occs").await;
    assert_eq!(ops.as_array().unwrap().len(), 3, "each request was carried out once");
    deleted(&world, &format!("/vnflcm/v2/vnf_instances/{vnf}")).await;
    world.stop().await;
}

#[tokio::test]
async fn a_service_is_made_and_ended_over_the_event_bus() {
    let mut world = World::new().await;
    world.add_vim("vim-a", &[("zone-1", 64), ("zone-2", 64)]).await;
    let mut packages = Vec::new();
    for name in ["edge-router", "edge-cache"] {
        let shown = onboard_vnf(&mut world, example(name)).await;
        assert_eq!(shown["onboardingState"], "ONBOARDED", "{shown:#}");
        packages.push(format!("/vnfpkgm/v2/vnf_packages/{}", shown["id"].as_str().unwrap()));
    }
    let nsd = onboard_ns(&mut world, example("edge-service")).await;
    assert_eq!(nsd["nsdOnboardingState"], "ONBOARDED", "{nsd:#}");
    let request = json!({ "nsdId": nsd["nsdId"], "nsName": "by event" });
    let create = json!({ "idempotencyKey": "e/create", "kind": "NS", "request": request });
    asks("create", &create);
    asks("create", &create);
    let created = hears(&mut world, "ns.identifier.created", "e/create").await;
    let ns = created["nsInstanceId"].as_str().unwrap().to_owned();
    let more = json!({ "scalingDirection": "SCALE_OUT", "aspectId": "caching" });
    let scale = json!({ "scaleType": "SCALE_NS", "scaleNsData": { "scaleNsByStepsData": more } });
    for (verb, request) in [
        ("instantiate", json!({ "nsFlavourId": "standard" })),
        ("scale", scale),
        ("terminate", json!({})),
    ] {
        asks_twice(&mut world, verb, ("NS", &ns), &request).await;
    }
    let ops = world.get("/nslcm/v2/ns_lcm_op_occs").await;
    let of_ns = ops.as_array().unwrap().iter().filter(|op| op["nsInstanceId"] == ns.as_str());
    assert_eq!(of_ns.count(), 3, "each request was carried out once");
    deleted(&world, &format!("/nslcm/v2/ns_instances/{ns}")).await;
    let disabled = json!({ "nsdOperationalState": "DISABLED" });
    let path = format!("/nsd/v2/ns_descriptors/{}", nsd["id"].as_str().unwrap());
    world.ask(http::Method::PATCH, &path, Some(disabled)).await.expect(200);
    deleted(&world, &path).await;
    for path in packages {
        let disabled = json!({ "operationalState": "DISABLED" });
        world.ask(http::Method::PATCH, &path, Some(disabled)).await.expect(200);
        deleted(&world, &path).await;
    }
    world.stop().await;
}

#[tokio::test]
async fn a_refused_request_is_answered_and_lies_in_its_queue() {
    let mut world = World::new().await;
    let detail = json!({ "idempotencyKey": "r/1", "kind": "NS", "instanceId": "nobody" });
    asks("heal", &detail);
    asks("paint", &json!({ "idempotencyKey": "r/2" }));
    for (key, status) in [("r/1", 404), ("r/2", 400)] {
        let refused = hears(&mut world, "request.refused", key).await;
        assert_eq!(refused["error"]["status"], status, "{refused:#}");
    }
    let queue = given("MANO_AWS_REJECTED");
    let mut keys = Vec::new();
    for _ in 0..30 {
        let lying = received(&Client::new(), &queue);
        keys.extend(lying.iter().map(|event| event["detail"]["origin"]["correlation"].clone()));
        if keys.contains(&json!("r/1")) && keys.contains(&json!("r/2")) {
            return;
        }
    }
    panic!("in the queue lie only {keys:?}");
}
