//! What a thousand instantiations of a network service cost on AWS, counted on this machine.

use crate::{
    golden, workflows,
    world::{
        World,
        descriptors::{nsd, vnfd},
        stock::{PAIR, SMALL, stocked},
    },
};
use mano_model::{
    catalog::usage::{Descriptor, Usage},
    plan::{Kind, Plan},
};
use mano_ports::{http::Principal, store::Query};
use serde_json::{Value, json};

/// Price of a million in US dollars, us-east-1, as published in November 2026.
const PRICES: [(&str, f64); 6] = [
    ("API requests", 3.50),
    ("function calls of 100 ms at 256 MB", 0.20 + 0.1 * 0.25 * 16.6667),
    ("state transitions", 25.0),
    ("write units of the table", 0.625),
    ("read units of the table", 0.125),
    ("events on the bus", 1.00),
];

/// How often documents were written: a version grows by one with every write.
async fn writes(world: &World) -> u64 {
    let mut sum = 0;
    // What the simulated VIM remembers, the orchestrator does not pay for.
    for &kind in Kind::ALL.iter().filter(|kind| !kind.is_simulated()) {
        let mut query = Query {
            kind,
            tenant: World::tenant(),
            within: None,
            index: None,
            after: None,
            limit: 100,
        };
        loop {
            let page = world.host.cx().store.page(&query).await.unwrap();
            sum += page.documents.iter().map(|document| document.version).sum::<u64>();
            let Some(next) = page.next else { break };
            query.after = Some(next);
        }
    }
    sum
}

/// A service of three network functions, each of one link, one storage and one machine.
async fn service() -> World {
    let world = World::new().await;
    world.add_vim("vim-a", &[("zone-1", 64), ("zone-2", 64)]).await;
    let cx = world.host.cx();
    let principal = Principal { tenant: World::tenant(), name: "test".into() };
    let plan = Plan::new(cx.asked(&principal, None))
        .create(&vnfd())
        .create(&Usage::none(Descriptor::Vnfd, SMALL, "small-pkg"))
        .create(&nsd(2))
        .create(&Usage::none(Descriptor::Nsd, PAIR, "pair-info"));
    cx.store.commit(plan).await.unwrap();
    world
}

/// Every event of every run there was.
async fn history(world: &World) -> Vec<Value> {
    let mut events = Vec::new();
    for workflow in ["ns-instantiate", "vnf-instantiate"] {
        let path = format!("/mano/v1/workflows/{workflow}/runs");
        let runs = world.get(&path).await;
        for run in runs["items"].as_array().unwrap() {
            let path = format!("{path}/{}/history", run["name"].as_str().unwrap());
            let mut after = String::new();
            loop {
                let page = world.get(&format!("{path}{after}")).await;
                events.extend(page["items"].as_array().unwrap().iter().cloned());
                let Some(next) = page["next"].as_str() else { break };
                after = format!("?after={next}");
            }
        }
    }
    events
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cost_of_a_thousand_services_is_counted() {
    let mut world = service().await;
    let (written, before) = (writes(&world).await, world.host.store().counts());
    let body = json!({ "nsdId": PAIR, "nsName": "three", "nsDescription": "" });
    let ns = world.post("/nslcm/v2/ns_instances", body).await.expect(201).id();
    let path = format!("/nslcm/v2/ns_instances/{ns}/instantiate");
    crate::journeys::done(&mut world, &path, json!({ "nsFlavourId": "standard" })).await;
    let (after, written) = (world.host.store().counts(), writes(&world).await - written);
    let history = history(&world).await;
    let of_kind = |suffix: &str| {
        let is = |event: &&Value| event["type"].as_str().unwrap().ends_with(suffix);
        u64::try_from(history.iter().filter(is).count()).unwrap()
    };
    let kinds = history.iter().map(|event| event["type"].as_str().unwrap());
    let transitions = u64::try_from(workflows::transitions(kinds)).unwrap();
    let tasks = of_kind("TaskScheduled");
    let (plans, facts) = (after.plans - before.plans, after.facts - before.facts);
    assert!(transitions <= 50, "{transitions} transitions");

    // Create, instantiate, and a client that asks ten times how far it is.
    let requests = 12;
    // Each fact wakes the relay at most once.
    let calls = requests + tasks + facts;
    // A row of a transaction costs two units per KB: documents, facts, their places, the plan's
    // own; the relay deletes each fact when all have heard it.
    let write_units = 2 * (written + 2 * facts + plans) + facts;
    // Every expectation is read before it is decided on, strongly; once more to answer or to list.
    let read_units = 2 * (written + facts + tasks) + requests;
    let counts = [requests, calls, transitions, write_units, read_units, facts];
    let mut told = String::from(
        "| line | one service | a thousand services | US dollars |\n|---|---|---|---|\n",
    );
    let mut sum = 0.0;
    for ((line, price), count) in PRICES.iter().zip(counts) {
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let dollars = count as f64 * 1000.0 / 1_000_000.0 * price;
        sum += dollars;
        told.push_str(&format!("| {line} | {count} | {} | {dollars:.2} |\n", count * 1000));
    }
    told.push_str(&format!("| all | | | {sum:.2} |\n"));
    told.push_str(&format!(
        "\nOne service: {plans} transactions that write {written} documents and {facts} facts, \
         {tasks} calls of steps. Write and read units are reckoned from these: two units for each row \
         of a transaction, and each document read twice for a write and for a step.\n"
    ));
    golden::agrees(
        "docs/aws-cost.md",
        &format!(
            "# Cost of a thousand network services\n\nCounted by `tests/cost.rs`: a service of three network functions, each of one link, one storage and\none machine, created, instantiated, and looked at ten times.\n\n{told}"
        ),
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_are_counted() {
    let mut world = stocked().await;
    let body = json!({ "vnfdId": SMALL });
    let id = world.post("/vnflcm/v2/vnf_instances", body).await.expect(201).id();
    let before = world.host.store().counts().plans;
    let path = format!("/vnflcm/v2/vnf_instances/{id}/instantiate");
    crate::journeys::done(&mut world, &path, json!({ "flavourId": "standard" })).await;
    let vnf = world.host.store().counts().plans - before;
    assert!(vnf <= 8, "a VNF of three resources took {vnf} commits");
    let body = json!({ "nsdId": PAIR, "nsName": "pair", "nsDescription": "" });
    let ns = world.post("/nslcm/v2/ns_instances", body).await.expect(201).id();
    let before = world.host.store().counts().plans;
    let path = format!("/nslcm/v2/ns_instances/{ns}/instantiate");
    crate::journeys::done(&mut world, &path, json!({ "nsFlavourId": "standard" })).await;
    let ns = world.host.store().counts().plans - before;
    assert!(ns <= 4 + 2 * 8, "a service of two VNFs took {ns} commits");
    world.stop().await;
}
