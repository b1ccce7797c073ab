//! What a client meets at the door of a deployment.

use crate::{
    cloud::{Client, call, given, now},
    world::World,
};
use http::{HeaderMap, Method};
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs};

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
    let names = all.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned());
    let files = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../workflows")).unwrap();
    let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let files = files.map(|name| name.strip_suffix(".asl.json").unwrap().to_owned());
    assert_eq!(names.collect::<BTreeSet<_>>(), files.collect::<BTreeSet<_>>());
}

#[tokio::test]
async fn a_dead_letter_is_shown_and_sent_once_more() {
    let world = World::new().await;
    let client = Client::new();
    let name = format!("{}-watch-dead.fifo", given("MANO_AWS_STACK"));
    let queue = call(&client, "sqs", "AmazonSQS.GetQueueUrl", &json!({ "QueueName": name }));
    let reason = format!("the VIM was away at {}", now());
    let body = json!({ "tenant": "default", "op": "o", "name": "n", "run": 0, "attempt": 0 });
    let letter = json!({
        "QueueUrl": queue["QueueUrl"], "MessageBody": body.to_string(),
        "MessageGroupId": "g", "MessageDeduplicationId": now().as_nanosecond().to_string(),
        "MessageAttributes": { "Reason": { "DataType": "String", "StringValue": reason } },
    });
    call(&client, "sqs", "AmazonSQS.SendMessage", &letter);
    let shown = world.get("/mano/v1/dead-letters").await;
    let shown = shown.as_array().unwrap().iter().find(|letter| letter["reason"] == *reason);
    let shown = shown.unwrap_or_else(|| panic!("it is not shown"));
    assert_eq!((&shown["queue"], &shown["body"]), (&json!("watch"), &body));
    let path = format!("/mano/v1/dead-letters/{}/redrive", shown["id"].as_str().unwrap());
    world.ask(Method::POST, &path, None).await.expect(204);
    assert_eq!(world.get("/mano/v1/dead-letters").await, json!([]));
    world.ask(Method::POST, &path, None).await.expect(404);
}
