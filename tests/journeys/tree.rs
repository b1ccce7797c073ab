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
