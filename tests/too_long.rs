//! A run that takes more than an execution holds: its operation fails for the moment, says why, and
//! a retry goes on from what was done.

use crate::world::{
    Workflows, World,
    stock::{PAIR, SMALL, stock},
};
use http::Method;
use mano_edge::serve::wiring;
use serde_json::{Value, json};

/// The behaviour of the one VIM; one in which a call is to fail counts the calls, from 0.
const BEHAVIOUR: &str = "/mano/v1/vims/vim-a/behaviour";

/// The workflows; one of them uses up what an execution holds before a state, in its first run.
fn using_up(workflow: &str, before: &str) -> Workflows {
    let changed = |(name, text): (String, String)| {
        let text = if name == workflow { with_detour(&text, before) } else { text };
        (name, text)
    };
    wiring::workflows().map(changed).collect()
}

fn with_detour(definition: &str, before: &str) -> String {
    let mut definition: Value = serde_json::from_str(definition).unwrap();
    let states = definition["States"].as_object_mut().unwrap();
    for state in states.values_mut().filter(|state| state["Next"] == before) {
        state["Next"] = "UseUp".into();
    }
    let none =
        json!({ "StartAt": "Nothing", "States": { "Nothing": { "Type": "Pass", "End": true } } });
    let detour = json!({
        "Type": "Map",
        "Items": "{% ($states.context.Execution.Input.run = 0 ? [1..7000] : []) %}",
        "ItemProcessor": none,
        "Output": "{% $states.input %}",
        "Next": before,
    });
    states.insert("UseUp".into(), detour);
    definition.to_string()
}

/// Instantiates it; its first run ends by itself, the second does what is left with so many calls
/// of the VIM.
async fn ends_and_goes_on(world: &mut World, kind: &str, created: Value, calls: u64) {
    let instances = format!("/{kind}lcm/v2/{kind}_instances");
    let id = world.post(&instances, created).await.expect(201).id();
    let asked = world.post(&format!("{instances}/{id}/instantiate"), json!({})).await;
    let op = asked.expect(202).id();
    assert_eq!(world.rests(&op).await, "FAILED_TEMP");
    let shown = world.get(&format!("/{kind}lcm/v2/{kind}_lcm_op_occs/{op}")).await;
    let said = shown["error"]["detail"].as_str().unwrap();
    assert!(said.contains("maximum number of history events (25000)"), "{said}");
    assert!(said.ends_with("a retry goes on from what is done"), "{said}");
    let before = world.on_vims().await;
    assert!(!before.is_empty());
    world.ask(Method::PUT, BEHAVIOUR, Some(json!({ "failNth": 1000 }))).await.expect(200);
    world.handle(&op, kind, "retry").await.expect(202);
    assert_eq!(world.rests(&op).await, "COMPLETED", "{:#?}", world.tree(&op).await);
    assert_eq!(world.get(BEHAVIOUR).await["calls"], calls);
    let after = world.on_vims().await;
    assert!(before.iter().all(|held| after.contains(held)), "{before:?}, then {after:?}");
    assert_eq!(u64::try_from(after.len() - before.len()).unwrap(), calls);
    let shown = world.get(&format!("/{kind}lcm/v2/{kind}_lcm_op_occs/{op}")).await;
    assert_eq!(shown.get("error"), None, "{shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_function_goes_on_where_its_run_became_too_long() {
    let mut world = World::with(using_up("vnf-instantiate", "MakeComputes")).await;
    stock(&mut world).await;
    ends_and_goes_on(&mut world, "vnf", json!({ "vnfdId": SMALL }), 1).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_goes_on_where_its_run_became_too_long() {
    let mut world = World::with(using_up("ns-instantiate", "Complete")).await;
    stock(&mut world).await;
    let created = json!({ "nsdId": PAIR, "nsName": "pair", "nsDescription": "" });
    ends_and_goes_on(&mut world, "ns", created, 0).await;
    world.stop().await;
}
