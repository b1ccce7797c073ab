//! What a client meets at the door of a deployment.

use crate::{cloud::Client, world::World};
use http::{HeaderMap, Method};
use serde_json::Value;

#[tokio::test]
async fn without_a_signature_nobody_is_let_in() {
    let world = World::new().await;
    for path in ["/nslcm/v2/ns_instances", "/mano/v1/vims", "/vnfpkgm/v2/vnf_packages"] {
        let none = HeaderMap::new();
        let (status, ..) = Client::new().send(&Method::GET, &world.url(path), none.iter(), &[]);
        assert!([401, 403].contains(&status), "{path}: {status}");
    }
}

#[tokio::test]
async fn every_function_answers_by_its_table() {
    let world = World::new().await;
    for path in [
        "/nslcm/v2/ns_instances",
        "/vnflcm/v2/vnf_lcm_op_occs",
        "/nsd/v2/ns_descriptors",
        "/vnfpkgm/v2/vnf_packages",
        "/mano/v1/vims",
        "/mano/v1/workflows",
    ] {
        assert!(world.get(path).await.is_array(), "{path}");
    }
    for (method, path, status) in [
        (Method::GET, "/nslcm/v9/ns_instances", 404),
        (Method::GET, "/mano/v1/nothing/here", 404),
        (Method::PATCH, "/nslcm/v2/ns_instances", 405),
        (Method::DELETE, "/mano/v1/vims", 405),
        (Method::GET, "/mano/v1/vims/nobody/resources", 404),
        (Method::GET, "/mano/v1/vnf_instances/nobody/resources", 404),
    ] {
        let answer = world.ask(method, path, None).await.expect(status);
        assert_eq!(answer.body["status"], Value::from(status), "{path}");
    }
    let all = world.get("/mano/v1/workflows").await;
    assert_eq!(all.as_array().unwrap().len(), 10, "{all}");
}
