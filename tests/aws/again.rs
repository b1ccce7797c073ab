//! What comes twice, late or in another order, and what an earlier release sent.

use crate::{
    cloud::{Client, given},
    done,
    stock::{PAIR, stocked},
    table,
    ways::Picture,
    world::World,
};
use http::{HeaderMap, Method};
use serde_json::{Value, json};

/// Hands an event to a function as AWS does; what it answers, or how it failed.
fn invoke(function: &str, event: &Value) -> Result<Value, Value> {
    let endpoint = std::env::var("AWS_ENDPOINT_URL")
        .unwrap_or_else(|_| format!("https://lambda.{}.amazonaws.com", given("AWS_REGION")));
    let name = format!("{}-{function}", given("MANO_AWS_STACK"));
    let url = format!("{endpoint}/2015-03-31/functions/{name}/invocations?Qualifier=live");
    let body = event.to_string();
    let none = HeaderMap::new();
    let (status, headers, said) =
        Client::new().ask("lambda", &Method::POST, &url, &none, body.as_bytes());
    let text = String::from_utf8_lossy(&said);
    assert_eq!(status, 200, "{name}: {text}");
    let said = serde_json::from_str(&text).unwrap_or(Value::Null);
    if headers.contains_key("x-amz-function-error") { Err(said) } else { Ok(said) }
}

/// Messages as SQS hands them over.
fn batch(bodies: &[Value]) -> Value {
    let record = |(place, body): (usize, &Value)| {
        json!({
            "messageId": format!("m-{place}"), "receiptHandle": "gone", "body": body.to_string(),
            "attributes": { "ApproximateReceiveCount": "1", "MessageGroupId": format!("g-{place}") },
            "messageAttributes": {}, "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:111111111111:mano-watch.fifo",
        })
    };
    json!({ "Records": bodies.iter().enumerate().map(record).collect::<Vec<_>>() })
}

/// Records of the table's stream, of all that was ever said about any document, backwards.
fn records() -> Value {
    let rows = table::rows();
    let spoken = rows.iter().filter(|row| row["pk"]["S"].as_str().unwrap().starts_with("spoken#"));
    let about = |row: &Value| row["sk"]["S"].as_str().unwrap().to_owned();
    let keys =
        spoken.flat_map(|row| (1..=4).rev().map(move |seq| format!("{}#{seq:020}", about(row))));
    let record = |(place, sk): (usize, String)| {
        json!({ "eventSource": "aws:dynamodb", "eventName": "INSERT", "dynamodb": {
            "SequenceNumber": place.to_string(),
            "Keys": { "pk": { "S": "fact#0" }, "sk": { "S": sk } } } })
    };
    json!({ "Records": keys.enumerate().map(record).collect::<Vec<_>>() })
}

/// Every operation there is, with its state.
async fn operations(world: &World) -> Vec<(String, String, String)> {
    let mut all = Vec::new();
    for kind in ["vnf", "ns"] {
        let ops = world.get(&format!("/{kind}lcm/v2/{kind}_lcm_op_occs")).await;
        for op in ops.as_array().unwrap() {
            let text = |name: &str| op[name].as_str().unwrap().to_owned();
            all.push((kind.to_owned(), text("id"), text("operationState")));
        }
    }
    all.sort();
    all
}

#[tokio::test]
async fn what_comes_twice_late_or_in_another_order_changes_nothing() {
    let mut world = stocked().await;
    let body = json!({ "nsdId": PAIR, "nsName": "pair", "nsDescription": "" });
    let ns = world.post("/nslcm/v2/ns_instances", body).await.expect(201).id();
    let path = format!("/nslcm/v2/ns_instances/{ns}/instantiate");
    done(&mut world, &path, json!({ "nsFlavourId": "standard" })).await;
    let (picture, before) = (Picture::of(&world).await, operations(&world).await);
    assert_eq!(before.len(), 3);
    for (kind, op, _) in &before {
        let look = |attempt: u32| json!({ "tenant": "default", "op": op, "name": "unit-1", "run": 0, "attempt": attempt });
        let told = invoke("adapters", &batch(&[look(3), look(0), look(0), look(1)])).unwrap();
        assert_eq!(told, json!({ "batchItemFailures": [] }));
        let call = |step: &str, more: &[(&str, &str)]| {
            let mut call = json!({ "step": format!("{kind}.{step}"), "tenant": "default", "op": op, "run": 0 });
            for (name, value) in more {
                call[*name] = json!(value);
            }
            call
        };
        let late = [
            call("close", &[("outcome", "COMPLETED")]),
            call("close", &[("outcome", "FAILED_TEMP")]),
        ];
        for call in late {
            // It may be refused; it may not change anything.
            let _ = invoke("service-management", &call);
        }
        let input = json!({ "tenant": "default", "op": op, "run": 0, "mode": "FORWARD" });
        let ended = json!({
            "id": op, "source": "aws.states", "account": "111111111111",
            "detail-type": "Step Functions Execution Status Change",
            "detail": { "status": "ABORTED", "input": input.to_string() },
        });
        invoke("service-management", &ended).unwrap();
    }
    for _ in 0..2 {
        let told = invoke("relay", &records()).unwrap();
        assert_eq!(told, json!({ "batchItemFailures": [] }));
    }
    assert_eq!(operations(&world).await, before);
    assert_eq!(Picture::of(&world).await, picture);
    world.stop().await;
}

/// The function that an invocation was for.
fn whose(invocation: &Value) -> &'static str {
    let event = &invocation["event"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (source, queue) = (text(&event["source"]), text(&event["Records"][0]["eventSourceARN"]));
    match invocation["is"].as_str().unwrap() {
        "records" => "relay",
        "messages" if queue.contains("upload-watch") => "catalog",
        "messages" => "adapters",
        "step" if text(&event["step"]).starts_with("vim.") => "adapters",
        "step" if text(&event["step"]).starts_with("package.") => "catalog",
        "events" if source == "aws.s3" => "catalog",
        "events" if source == "aws.events" => "relay",
        _ => "service-management",
    }
}

#[tokio::test]
async fn what_earlier_releases_sent_is_taken_by_the_deployed_functions() {
    let world = stocked().await;
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/golden");
    let folders = std::fs::read_dir(golden).unwrap().map(|entry| entry.unwrap().path());
    for file in folders.map(|folder| folder.join("invocations.json")).filter(|file| file.is_file())
    {
        let kept: Vec<Value> = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        for invocation in kept {
            match invoke(whose(&invocation), &invocation["event"]) {
                Ok(told) => assert!(told["batchItemFailures"][0].is_null(), "{told}"),
                // Of an operation that is not here; anything else would be a defect.
                Err(failure) => assert_ne!(failure["errorType"], "Mano.Bug", "{failure}"),
            }
        }
    }
    world.stop().await;
}
