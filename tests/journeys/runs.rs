//! Whose runs an operator sees.

use crate::world::{World, stock::stocked};
use http::Method;
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_runs_of_another_tenant_are_not_there() {
    let world = stocked().await;
    let workflows = &world.host.cx().workflows;
    for (run, tenant) in [("ours-0", World::tenant().as_str()), ("theirs-0", "another")] {
        let input = json!({ "tenant": tenant, "op": run, "run": 0 });
        workflows.start("vnf-instantiate", run, input).await.unwrap();
    }
    let path = "/mano/v1/workflows/vnf-instantiate/runs";
    let shown = world.get(path).await;
    let names: Vec<_> = shown["items"].as_array().unwrap().iter().map(|r| &r["name"]).collect();
    assert_eq!(names, ["ours-0"]);
    for (run, status) in [("ours-0", 200), ("theirs-0", 404)] {
        world.ask(Method::GET, &format!("{path}/{run}"), None).await.expect(status);
    }
    world.stop().await;
}
