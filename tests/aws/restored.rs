//! A table and a bucket that go back to an earlier moment, and operations that go on from there.

use crate::{
    cloud::{Client, call, given, now},
    done,
    stock::{PAIR, stocked},
    table,
};
use http::{HeaderMap, Method};
use serde_json::{Value, json};
use std::process::Command;

/// A table like that of the deployment, as a restoration makes it, with the rows of this moment.
fn snapshot() -> String {
    let name = format!("{}-restored", given("MANO_AWS_TABLE"));
    let ask = |verb: &str, body: &Value| {
        call(&Client::new(), "dynamodb", &format!("DynamoDB_20120810.{verb}"), body)
    };
    let attribute = |name: &str| json!({ "AttributeName": name, "AttributeType": "S" });
    let key = |name: &str, kind: &str| json!({ "AttributeName": name, "KeyType": kind });
    let table = json!({
        "TableName": name, "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [attribute("pk"), attribute("sk")],
        "KeySchema": [key("pk", "HASH"), key("sk", "RANGE")],
    });
    ask("CreateTable", &table);
    table::fill(&name, &table::rows());
    name
}

fn object(method: &Method, key: &str) -> u16 {
    let url = format!("{}/{}/{key}", given("AWS_ENDPOINT_URL"), given("MANO_AWS_BUCKET"));
    Client::new().ask("s3", method, &url, &HeaderMap::new(), b"").0
}

fn restored(from: &str, moment: &str) {
    let tool = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/tools/restore.py");
    let mut tool = vec![tool.to_owned(), from.into(), given("MANO_AWS_TABLE")];
    tool.extend([given("MANO_AWS_BUCKET"), moment.into()]);
    let done = Command::new(given("MANO_PYTHON")).args(tool).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[tokio::test]
async fn operations_go_on_from_a_restored_table_and_bucket() {
    if given("MANO_TEST_AWS") != "emulator" {
        println!("skipped: in an account, functions are stopped first, which the emulator cannot");
        return;
    }
    let mut world = stocked().await;
    let slow = json!({ "asynchronousMs": 4_000 });
    world.ask(Method::PUT, "/mano/v1/vims/vim-a/behaviour", Some(slow)).await.expect(200);
    let body = json!({ "nsdId": PAIR, "nsName": "pair", "nsDescription": "" });
    let ns = world.post("/nslcm/v2/ns_instances", body).await.expect(201).id();
    let path = format!("/nslcm/v2/ns_instances/{ns}");
    let asked = json!({ "nsFlavourId": "standard" });
    let op = world.post(&format!("{path}/instantiate"), asked).await.expect(202).id();
    while world.get("/vnflcm/v2/vnf_lcm_op_occs").await == json!([]) {
        world.something_happens().await;
    }
    assert_eq!(object(&Method::PUT, "restored"), 200);
    let (table, moment) = (snapshot(), now().to_string());
    // Then the service is finished, ended and forgotten.
    assert_eq!(world.rests(&op).await, "COMPLETED", "{:#}", world.tree(&op).await);
    world.ask(Method::PUT, "/mano/v1/vims/vim-a/behaviour", Some(json!({}))).await.expect(200);
    done(&mut world, &format!("{path}/terminate"), json!({})).await;
    world.ask(Method::DELETE, &path, None).await.expect(204);
    // Twice, as a sweep does that repeats itself: each leaves a mark.
    assert_eq!(object(&Method::DELETE, "restored"), 204);
    assert_eq!(object(&Method::DELETE, "restored"), 204);
    assert_eq!(object(&Method::GET, "restored"), 404);

    restored(&table, &moment);
    assert_eq!(object(&Method::GET, "restored"), 200, "content is there again");
    assert_eq!(world.state(&op).await.as_deref(), Some("PROCESSING"));
    // The engine knows these runs as ended: each operation rests, and is tried once more.
    let told = world.post("/mano/v1/operations/redrive", json!({})).await.expect(200).body;
    assert_eq!(world.rests(&op).await, "FAILED_TEMP", "{told:#}");
    world.handle(&op, "ns", "retry").await.expect(202);
    assert_eq!(world.rests(&op).await, "COMPLETED", "{:#}", world.tree(&op).await);
    done(&mut world, &format!("{path}/terminate"), json!({})).await;
    world.ask(Method::DELETE, &path, None).await.expect(204);
    assert!(world.on_vims().await.is_empty(), "nothing is left at any VIM");
    world.stop().await;
}
