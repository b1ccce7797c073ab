//! Services of network functions whose descriptor is disabled, before and after they were begun.

use super::{done, refusals::refused};
use crate::world::{
    SLOW_MS, World,
    stock::{PAIR, SMALL, stocked},
};
use http::Method;
use mano_model::{
    catalog::usage::{Descriptor, Usage},
    plan::Plan,
};
use serde_json::json;

/// Closes the descriptor that the worlds are stocked with, or opens it.
async fn disable(world: &World, disabled: i64) {
    let (cx, tenant) = (world.host.cx(), World::tenant());
    let id = Usage::id_of(Descriptor::Vnfd, SMALL);
    let usage = cx.store.find::<Usage>(&tenant, &id).await.unwrap().unwrap();
    let closed = Usage { disabled, ..usage.value };
    let origin = cx.derived(&tenant, "test", &["disable", &usage.version.to_string()]);
    cx.store.commit(Plan::new(origin).update(usage.version, &closed)).await.unwrap();
}

const SAID: &str = "the VNF descriptor 'small-vnf' is DISABLED; enable it, or use another";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_service_is_begun_of_a_network_function_that_is_disabled() {
    let mut world = stocked().await;
    let body = json!({ "nsdId": PAIR, "nsName": "pair", "nsDescription": "" });
    let ns = world.post("/nslcm/v2/ns_instances", body).await.expect(201).id();
    let path = format!("/nslcm/v2/ns_instances/{ns}");
    let task = |name: &str| format!("{path}/{name}");
    let flavour = || json!({ "nsFlavourId": "standard" });
    disable(&world, 1).await;
    assert_eq!(refused(&world, &task("instantiate"), flavour(), 409).await, SAID);
    disable(&world, 0).await;
    done(&mut world, &task("instantiate"), flavour()).await;
    disable(&world, 1).await;
    let steps = |direction: &str| {
        let steps = json!({ "scalingDirection": direction, "aspectId": "backs" });
        json!({ "scaleType": "SCALE_NS", "scaleNsData": { "scaleNsByStepsData": steps } })
    };
    assert_eq!(refused(&world, &task("scale"), steps("SCALE_OUT"), 409).await, SAID);
    let heal = json!({ "healNsData": { "degreeHealing": "HEAL_RESTORE" } });
    done(&mut world, &task("heal"), heal).await;
    done(&mut world, &task("terminate"), json!({})).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_disabled_while_a_service_comes_is_told_and_can_be_gone_on_with() {
    let mut world = stocked().await;
    let slow = json!({ "asynchronousMs": SLOW_MS });
    world.ask(Method::PUT, "/mano/v1/vims/vim-a/behaviour", Some(slow)).await.expect(200);
    let body = json!({ "nsdId": PAIR, "nsName": "pair", "nsDescription": "" });
    let ns = world.post("/nslcm/v2/ns_instances", body).await.expect(201).id();
    let path = format!("/nslcm/v2/ns_instances/{ns}/instantiate");
    let op = world.post(&path, json!({ "nsFlavourId": "standard" })).await.expect(202).id();
    // The front is on its way, and the back comes after it.
    while world.get("/vnflcm/v2/vnf_instances").await == json!([]) {
        world.something_happens().await;
    }
    disable(&world, 1).await;
    assert_eq!(world.rests(&op).await, "FAILED_TEMP");
    let shown = world.get(&format!("/nslcm/v2/ns_lcm_op_occs/{op}")).await;
    let said = shown["error"]["detail"].as_str().unwrap();
    assert!(said.contains(&format!("back-1: {SAID}")), "{said}");
    disable(&world, 0).await;
    world.handle(&op, "ns", "retry").await.expect(202);
    assert_eq!(world.rests(&op).await, "COMPLETED");
    world.stop().await;
}
