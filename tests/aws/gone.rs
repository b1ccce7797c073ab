//! Every execution is gone; the operations go on from what the table says.

use crate::{
    cloud::{Client, call, given},
    stock::{PAIR, stocked},
    world::World,
};
use http::Method;
use serde_json::{Value, json};

/// Asks Step Functions.
pub(crate) fn states(verb: &str, body: &Value) -> Value {
    call(&Client::new(), "states", &format!("AWSStepFunctions.{verb}"), body)
}

/// Every state machine of the deployment, as it was made.
pub(crate) fn machines() -> Vec<Value> {
    let ours = format!("{}_", given("MANO_AWS_STACK"));
    let all = states("ListStateMachines", &json!({}));
    let all = all["stateMachines"].as_array().unwrap();
    let ours = all.iter().filter(|machine| machine["name"].as_str().unwrap().starts_with(&ours));
    ours.map(|machine| {
        states("DescribeStateMachine", &json!({ "stateMachineArn": machine["stateMachineArn"] }))
    })
    .collect()
}

/// Makes all state machines anew: their executions are gone with the old ones.
fn drop_executions() {
    for machine in machines() {
        states("DeleteStateMachine", &json!({ "stateMachineArn": machine["stateMachineArn"] }));
        let copy = ["name", "definition", "roleArn", "type"];
        let copy: serde_json::Map<_, _> =
            copy.iter().map(|name| ((*name).to_owned(), machine[*name].clone())).collect();
        states("CreateStateMachine", &Value::Object(copy));
    }
}

async fn redriven(world: &World) -> Value {
    world.post("/mano/v1/operations/redrive", json!({})).await.expect(200).body
}

#[tokio::test]
async fn what_was_under_way_is_driven_on_from_the_table_alone() {
    if given("MANO_TEST_AWS") != "emulator" {
        println!("skipped: the state machines of an account belong to its stack");
        return;
    }
    let mut world = stocked().await;
    // A VIM that takes its time keeps the operations under way.
    let slow = json!({ "asynchronousMs": 4_000 });
    world.ask(Method::PUT, "/mano/v1/vims/vim-a/behaviour", Some(slow)).await.expect(200);
    let mut ops = Vec::new();
    for _ in 0..2 {
        let body = json!({ "nsdId": PAIR, "nsName": "pair", "nsDescription": "" });
        let ns = world.post("/nslcm/v2/ns_instances", body).await.expect(201).id();
        let path = format!("/nslcm/v2/ns_instances/{ns}/instantiate");
        let asked = world.post(&path, json!({ "nsFlavourId": "standard" })).await.expect(202);
        ops.push(asked.id());
    }
    // The link of the service is there, and its first network function is being made.
    while world.get("/vnflcm/v2/vnf_lcm_op_occs").await == json!([]) {
        world.something_happens().await;
    }
    drop_executions();
    for op in &ops {
        assert_eq!(world.state(op).await.as_deref(), Some("PROCESSING"));
    }
    let told = redriven(&world).await;
    let started = told["started"].to_string();
    for op in &ops {
        assert!(started.contains(&format!("{op}-0")), "{told:#}");
    }
    assert!(started.matches("-0").count() > ops.len(), "network functions too: {told:#}");
    for op in &ops {
        assert_eq!(world.rests(op).await, "COMPLETED", "{:#}", world.tree(op).await);
    }
    assert_eq!(redriven(&world).await["running"], 0);
    let shown = world.get("/vnflcm/v2/vnf_instances").await;
    assert_eq!(shown.as_array().unwrap().len(), 4, "{shown:#}");
    let held = world.on_vims().await;
    let machines = held.iter().filter(|(name, _)| name.ends_with("unit-1")).count();
    assert_eq!(machines, 4, "one for each network function: {held:?}");
    world.stop().await;
}
