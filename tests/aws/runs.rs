//! Whose runs an operator sees, where the engine lists those of all.

use crate::{
    gone::{machines, states},
    stock::stocked,
};
use http::Method;
use serde_json::json;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};

#[tokio::test]
async fn the_runs_of_another_tenant_are_not_there() {
    let world = stocked().await;
    let machines = machines();
    let is_ours = |name: &str| name.ends_with("_vnf-instantiate");
    let machine = machines.iter().find(|machine| is_ours(machine["name"].as_str().unwrap()));
    let machine = &machine.unwrap()["stateMachineArn"];
    // The engine keeps the names of runs, and the runs of other stories.
    let once = RandomState::new().build_hasher().finish();
    let [ours, theirs] = ["ours", "theirs"].map(|whose| format!("{whose}-{once:x}-0"));
    for (run, tenant) in [(&ours, "default"), (&theirs, "another")] {
        let input = json!({ "tenant": tenant, "op": run, "run": 0, "mode": "FORWARD" });
        let start = json!({ "stateMachineArn": machine, "name": run, "input": input.to_string() });
        states("StartExecution", &start);
    }
    let path = "/mano/v1/workflows/vnf-instantiate/runs";
    let (mut names, mut after) = (Vec::new(), String::new());
    loop {
        let page = world.get(&format!("{path}{after}")).await;
        names.extend(page["items"].as_array().unwrap().iter().map(|run| run["name"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("?after={}", mano_ports::door::encode(next));
    }
    assert!(names.contains(&json!(ours)) && !names.contains(&json!(theirs)), "{names:?}");
    for (run, status) in [(&ours, 200), (&theirs, 404)] {
        world.ask(Method::GET, &format!("{path}/{run}"), None).await.expect(status);
    }
    world.stop().await;
}
