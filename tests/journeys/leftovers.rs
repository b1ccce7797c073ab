//! What a network function leaves at its VIM goes with it, and nobody who hears of its end asks the VIM.

use crate::world::{
    SLOW_MS, World,
    stock::{PAIR, stocked},
};
use http::Method;
use mano_model::{
    grant::Grant,
    op::Occurrence,
    plan::{Plan, Versioned},
    resource::Resource,
    vnf::op::VnfOp,
};
use serde_json::json;

/// The grant of a network function's operation that is under way.
async fn granted(world: &mut World) -> Versioned<Grant> {
    for _ in 0..100 {
        let store = &*world.host.cx().store;
        let listed = world.get("/vnflcm/v2/vnf_lcm_op_occs?filter=(eq,operation,TERMINATE)").await;
        for op in listed.as_array().unwrap() {
            let id = op["id"].as_str().unwrap();
            let op = store.find::<VnfOp>(&World::tenant(), id).await.unwrap().unwrap();
            let grant = store.find::<Grant>(&World::tenant(), id).await.unwrap();
            if let Some(grant) = grant.filter(|_| op.is_running()) {
                return grant;
            }
        }
        world.something_happens().await;
    }
    panic!("no network function is ever terminated");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leftovers_are_removed_by_the_task_and_not_by_who_hears_of_the_end() {
    let mut world = stocked().await;
    let body = json!({ "nsdId": PAIR, "nsName": "left", "nsDescription": "" });
    let ns = world.post("/nslcm/v2/ns_instances", body).await.expect(201).id();
    let path = format!("/nslcm/v2/ns_instances/{ns}");
    crate::journeys::done(
        &mut world,
        &format!("{path}/instantiate"),
        json!({ "nsFlavourId": "standard" }),
    )
    .await;
    let slow = json!({ "asynchronousMs": SLOW_MS });
    world.ask(Method::PUT, "/mano/v1/vims/vim-a/behaviour", Some(slow)).await.expect(200);
    let op = world.post(&format!("{path}/terminate"), json!({})).await.expect(202).id();
    let grant = granted(&mut world).await;
    // What its grant does not know, nobody removes before the end.
    let (cx, tenant) = (world.host.cx(), World::tenant());
    let rows = cx.store.children::<Resource>(&tenant, &grant.instance_id).await.unwrap();
    let mut left = rows[0].value.clone();
    left.want.name = "left".into();
    left.key = "left".into();
    let plan = Plan::new(cx.derived(&tenant, "test", &["left"])).create(&left);
    cx.store.commit(plan).await.unwrap();
    assert_eq!(world.rests(&op).await, "COMPLETED", "{:#?}", world.tree(&op).await);
    let row = Resource::id_of(&left.instance_id, "left");
    let row = world.host.cx().store.find::<Resource>(&World::tenant(), &row).await.unwrap();
    assert!(row.is_none(), "it is gone from the inventory, too");
    let history = format!("/mano/v1/workflows/ns-terminate/runs/{op}-0/history");
    let history = world.get(&history).await["items"].to_string();
    assert!(history.contains("its resources are not removed"), "the task was not called again");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_given_up_scaling_left_is_released_and_the_service_goes_on() {
    let mut world = stocked().await;
    let body = json!({ "nsdId": PAIR, "nsName": "grown", "nsDescription": "" });
    let ns = world.post("/nslcm/v2/ns_instances", body).await.expect(201).id();
    let path = format!("/nslcm/v2/ns_instances/{ns}");
    let flavour = json!({ "nsFlavourId": "standard" });
    crate::journeys::done(&mut world, &format!("{path}/instantiate"), flavour).await;
    let (before, reserved) = (world.on_vims().await, world.reserved().await);
    let members = world.get(&path).await["vnfInstance"].clone();
    let behaviour = "/mano/v1/vims/vim-a/behaviour";
    let refuse = json!({ "refuse": [{ "kind": "COMPUTE" }] });
    world.ask(Method::PUT, behaviour, Some(refuse)).await.expect(200);
    let steps = json!({ "scalingDirection": "SCALE_OUT", "aspectId": "backs" });
    let out = json!({ "scaleType": "SCALE_NS", "scaleNsData": { "scaleNsByStepsData": steps } });
    let op = world.post(&format!("{path}/scale"), out.clone()).await.expect(202).id();
    assert_eq!(world.rests(&op).await, "FAILED_TEMP");
    let release = format!("/mano/v1/ns_instances/{ns}/release");
    world.post(&release, json!({})).await.expect(409);
    world.handle(&op, "ns", "fail").await.expect(200);
    assert_ne!(world.on_vims().await, before, "something is left");
    world.ask(Method::PUT, behaviour, Some(json!({}))).await.expect(200);
    for released in [json!(["back-2"]), json!([])] {
        let answer = world.post(&release, json!({})).await.expect(200);
        assert_eq!(answer.body, json!({ "released": released, "left": [] }));
        assert_eq!(world.on_vims().await, before);
        assert_eq!(world.reserved().await, reserved);
        let shown = world.get(&path).await;
        assert_eq!((&shown["nsState"], &shown["vnfInstance"]), (&json!("INSTANTIATED"), &members));
    }
    crate::journeys::done(&mut world, &format!("{path}/scale"), out).await;
    crate::journeys::done(&mut world, &format!("{path}/terminate"), json!({})).await;
    assert_eq!(world.on_vims().await, []);
    world.stop().await;
}
