//! Every workflow, every step: repeats, and dies after every commit.

use crate::{
    journeys::ways::{CASES, Case, Picture, no_orphans},
    world::{Folder, World, stock},
};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_step_bears_a_second_delivery() {
    for case in CASES {
        let (mut world, id) = case.ready().await;
        let op = case.ask(&world, &id).await;
        assert_eq!(world.rests(&op).await, "COMPLETED", "{}", case.name);
        let expected = Picture::of(&world).await;
        let payloads = delivered(&world).await;
        assert!(payloads.len() > 2, "{}: {payloads:?}", case.name);
        for (function, payload) in payloads {
            // A late delivery may be refused; it may not change anything.
            let _ = world.host.call_step(&function, payload).await;
        }
        assert_eq!(Picture::of(&world).await, expected, "{}", case.name);
        no_orphans(&world, case.name).await;
        world.stop().await;
    }
}

/// Every call of a step that any run made, from the histories.
pub(crate) async fn delivered(world: &World) -> Vec<(String, Value)> {
    let mut calls = Vec::new();
    for workflow in world.get("/mano/v1/workflows").await.as_array().unwrap() {
        let workflow = workflow["name"].as_str().unwrap();
        let runs = world.get(&format!("/mano/v1/workflows/{workflow}/runs")).await;
        for run in runs["items"].as_array().unwrap() {
            let run = run["name"].as_str().unwrap();
            let path = format!("/mano/v1/workflows/{workflow}/runs/{run}/history");
            for event in world.get(&path).await["items"].as_array().unwrap() {
                let details = &event["taskScheduledEventDetails"]["parameters"];
                let Some(text) = details.as_str() else { continue };
                let mut call: Value = serde_json::from_str(text).unwrap();
                let function = call["FunctionName"].as_str().unwrap().to_owned();
                calls.push((function, call["Payload"].take()));
            }
        }
    }
    calls
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn death_after_any_commit_is_survived() {
    for case in CASES {
        let expected = case.undisturbed().await;
        let (deaths, op) = die_after_every_commit(case).await;
        assert!(deaths.len() > 5, "{}: only {} commits", case.name, deaths.len());
        for (nth, death) in deaths.iter().enumerate() {
            let when = format!("{}, dead after commit {nth} of {}", case.name, deaths.len());
            let mut world = World::open(death).await;
            if world.state(&op).await.is_none() {
                continue;
            }
            assert_eq!(world.rests(&op).await, "COMPLETED", "{when}: {:#?}", world.tree(&op).await);
            assert_eq!(Picture::of(&world).await, expected, "{when}");
            no_orphans(&world, &when).await;
            world.stop().await;
        }
    }
}

/// Runs a case once, and keeps what the disk held after every commit of it.
async fn die_after_every_commit(case: &Case) -> (Vec<Folder>, String) {
    let (mut world, deaths) = World::tapped().await;
    stock::stock(&mut world).await;
    let id = (case.prepare)(&mut world).await;
    drop(deaths.taken());
    let op = case.ask(&world, &id).await;
    assert_eq!(world.rests(&op).await, "COMPLETED", "{}", case.name);
    world.stop().await;
    (deaths.taken(), op)
}
