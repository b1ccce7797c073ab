//! What an operator watches while an operation goes on.

use super::done;
use crate::world::{
    SLOW_MS,
    stock::{SMALL, stocked},
};
use http::Method;
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tree_tells_how_long_each_resource_took() {
    let mut world = stocked().await;
    let slow = json!({ "asynchronousMs": SLOW_MS });
    world.ask(Method::PUT, "/mano/v1/vims/vim-a/behaviour", Some(slow)).await.expect(200);
    let vnf = json!({ "vnfdId": SMALL });
    let vnf = world.post("/vnflcm/v2/vnf_instances", vnf).await.expect(201).id();
    let path = format!("/vnflcm/v2/vnf_instances/{vnf}/instantiate");
    let tree = done(&mut world, &path, json!({ "flavourId": "standard" })).await;
    let seconds: Vec<_> =
        tree["children"].as_array().unwrap().iter().map(|r| &r["seconds"]).collect();
    assert_eq!(seconds.len(), 3);
    let slow = f64::from(SLOW_MS) / 1000.0;
    assert!(seconds.iter().all(|s| s.as_f64().is_some_and(|s| s >= slow)), "{tree:#}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_runs_of_a_workflow_are_listed_with_what_they_were_given() {
    let mut world = stocked().await;
    let vnf = json!({ "vnfdId": SMALL });
    let vnf = world.post("/vnflcm/v2/vnf_instances", vnf).await.expect(201).id();
    let path = format!("/vnflcm/v2/vnf_instances/{vnf}/instantiate");
    let tree = done(&mut world, &path, json!({ "flavourId": "standard" })).await;
    let (op, path) = (&tree["id"], "/mano/v1/workflows/vnf-instantiate/runs");
    let listed = world.get(path).await;
    let ours = listed["items"].as_array().unwrap().iter().find(|run| run["input"]["op"] == *op);
    let ours = ours.unwrap_or_else(|| panic!("{op} is not among {listed:#}"));
    let run = world.get(&format!("{path}/{}", ours["name"].as_str().unwrap())).await;
    assert_eq!((&run["input"], &run["startDate"]), (&ours["input"], &ours["startDate"]));
    let missing = format!("{path}/nobody-0");
    world.ask(Method::GET, &missing, None).await.expect(404);
    world.stop().await;
}
