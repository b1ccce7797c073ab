//! What the orchestrator says no to, with which status, and that nothing changed.

use crate::world::{
    World,
    stock::{PAIR, SMALL, stocked},
};
use http::Method;
use serde_json::{Value, json};

async fn vnf(world: &World) -> String {
    world.post("/vnflcm/v2/vnf_instances", json!({ "vnfdId": SMALL })).await.expect(201).id()
}

/// Asks, expects a refusal with this status, and returns its sentence.
pub(super) async fn refused(world: &World, path: &str, body: Value, status: u16) -> String {
    let answer = world.post(path, body).await.expect(status);
    assert_eq!(answer.body["status"], status, "{answer:?}");
    answer.body["detail"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_things_are_named() {
    let world = stocked().await;
    let said =
        refused(&world, "/vnflcm/v2/vnf_instances", json!({ "vnfdId": "nobody" }), 422).await;
    assert!(said.contains("'nobody'"), "{said}");
    let said = refused(
        &world,
        "/nslcm/v2/ns_instances",
        json!({ "nsdId": "nobody", "nsName": "x", "nsDescription": "" }),
        422,
    );
    assert!(said.await.contains("'nobody'"));
    let answer = world.ask(Method::GET, "/vnflcm/v2/vnf_instances/none", None).await.expect(404);
    assert!(answer.body["detail"].as_str().unwrap().contains("'none'"), "{answer:?}");
    let path = "/vnflcm/v2/vnf_lcm_op_occs/none/retry";
    world.ask(Method::POST, path, None).await.expect(404);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_that_fit_in_no_line_are_refused_by_name() {
    let world = stocked().await;
    for name in ["two\nlines", "", &"x".repeat(5000)] {
        let body = json!({ "nsdId": PAIR, "nsName": name, "nsDescription": "" });
        let said = refused(&world, "/nslcm/v2/ns_instances", body, 422).await;
        assert!(said.starts_with("nsName: "), "{said}");
        let body = json!({ "vnfdId": SMALL, "vnfInstanceName": name });
        let said = refused(&world, "/vnflcm/v2/vnf_instances", body, 422).await;
        assert!(said.starts_with("vnfInstanceName: "), "{said}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_requests_change_nothing() {
    let mut world = stocked().await;
    let id = vnf(&world).await;
    let path = format!("/vnflcm/v2/vnf_instances/{id}");
    let before = world.get(&path).await;
    let task = |name: &str| format!("{path}/{name}");
    let said = refused(&world, &task("instantiate"), json!({ "flavourId": "big" }), 422).await;
    assert!(said.contains("it has: standard"), "{said}");
    let level = json!({ "flavourId": "standard", "instantiationLevelId": "huge" });
    let said = refused(&world, &task("instantiate"), level, 422).await;
    assert!(said.contains("it has: one"), "{said}");
    refused(&world, &task("instantiate"), json!({ "flavourId": 7 }), 422).await;
    refused(&world, &task("instantiate"), json!([]), 400).await;
    for (name, params) in [
        ("scale", json!({ "type": "SCALE_OUT", "aspectId": "size" })),
        ("heal", json!({})),
        ("terminate", json!({ "terminationType": "FORCEFUL" })),
    ] {
        let said = refused(&world, &task(name), params, 409).await;
        assert!(said.contains("NOT_INSTANTIATED"), "{said}");
    }
    assert_eq!(world.get(&path).await, before);
    let op = world.post(&task("instantiate"), json!({ "flavourId": "standard" })).await;
    let op = op.expect(202).id();
    assert_eq!(world.rests(&op).await, "COMPLETED");
    let far = json!({ "type": "SCALE_OUT", "aspectId": "size", "numberOfSteps": 4 });
    let said = refused(&world, &task("scale"), far, 422).await;
    assert!(said.contains("levels 0 to 3"), "{said}");
    let said = world.ask(Method::DELETE, &path, None).await.expect(409);
    assert!(said.body["detail"].as_str().unwrap().contains("terminate it first"));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_tasks_at_once_one_is_taken() {
    let mut world = stocked().await;
    let path = format!("/vnflcm/v2/vnf_instances/{}/instantiate", vnf(&world).await);
    let ask = || world.post(&path, json!({ "flavourId": "standard" }));
    let answers = futures_util::future::join_all((0..8).map(|_| ask())).await;
    let taken: Vec<_> = answers.iter().filter(|a| a.status == 202).collect();
    assert_eq!(taken.len(), 1, "{answers:?}");
    assert!(answers.iter().all(|a| a.status == 202 || a.status == 409), "{answers:?}");
    let op = taken[0].id();
    assert_eq!(world.rests(&op).await, "COMPLETED");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_grants_for_the_last_cpu_one_wins() {
    let mut world = World::new().await;
    world.add_vim("tiny", &[("z", 2)]).await;
    crate::world::stock::add_descriptors(&mut world).await;
    let mut ops = Vec::new();
    for _ in 0..2 {
        let path = format!("/vnflcm/v2/vnf_instances/{}/instantiate", vnf(&world).await);
        let asked = world.post(&path, json!({ "flavourId": "standard" })).await;
        ops.push(asked.expect(202).id());
    }
    let mut states = Vec::new();
    for op in &ops {
        states.push(world.rests(op).await);
    }
    states.sort();
    assert_eq!(states, ["COMPLETED", "ROLLED_BACK"]);
    for op in &ops {
        let shown = world.get(&format!("/vnflcm/v2/vnf_lcm_op_occs/{op}")).await;
        if shown["operationState"] == "ROLLED_BACK" {
            let said = shown["error"]["detail"].as_str().unwrap();
            assert!(said.contains("needs 2 vCPU") && said.contains("0 vCPU"), "{said}");
        }
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_waits_for_a_busy_function_and_then_names_the_operation() {
    let mut world = stocked().await;
    let body = json!({ "nsdId": PAIR, "nsName": "pair", "nsDescription": "" });
    let ns = world.post("/nslcm/v2/ns_instances", body).await.expect(201).id();
    let path = format!("/nslcm/v2/ns_instances/{ns}");
    super::done(&mut world, &format!("{path}/instantiate"), json!({ "nsFlavourId": "standard" }))
        .await;
    let vnf = world.get(&path).await["vnfInstance"][0]["id"].as_str().unwrap().to_owned();
    let refuse = json!({ "refuse": [{ "kind": "COMPUTE" }] });
    let behaviour = "/mano/v1/vims/vim-a/behaviour";
    world.ask(Method::PUT, behaviour, Some(refuse)).await.expect(200);
    let out = json!({ "type": "SCALE_OUT", "aspectId": "size" });
    let blocking = world.post(&format!("/vnflcm/v2/vnf_instances/{vnf}/scale"), out).await;
    let blocking = blocking.expect(202).id();
    assert_eq!(world.rests(&blocking).await, "FAILED_TEMP");
    let op = world.post(&format!("{path}/terminate"), json!({})).await.expect(202).id();
    assert_eq!(world.rests(&op).await, "FAILED_TEMP");
    let shown = world.get(&format!("/nslcm/v2/ns_lcm_op_occs/{op}")).await;
    let said = shown["error"]["detail"].as_str().unwrap();
    assert!(said.contains(&blocking), "{said}");
    world.ask(Method::PUT, behaviour, Some(json!({}))).await.expect(200);
    world.handle(&blocking, "vnf", "rollback").await.expect(202);
    assert_eq!(world.rests(&blocking).await, "ROLLED_BACK");
    world.handle(&op, "ns", "retry").await.expect(202);
    assert_eq!(world.rests(&op).await, "COMPLETED", "{:#}", world.tree(&op).await);
    assert_eq!(world.on_vims().await, []);
    world.stop().await;
}
