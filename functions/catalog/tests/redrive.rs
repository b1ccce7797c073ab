//! On-boardings whose runs are gone go on from what the store says.

use crate::world::{PACKAGES, World, package, whole};
use http::StatusCode;
use serde_json::{Value, json};

/// A package whose on-boarding no engine has heard of: its path, and the name of its run.
async fn unheard(world: &World) -> (String, String) {
    let path = world.create(PACKAGES, json!({})).await;
    let sent = world.put(&format!("{path}/package_content"), whole(package("v1"))).await;
    assert_eq!(sent.status, StatusCode::ACCEPTED, "{:?}", sent.json());
    let run = format!("{}-1", path.rsplit('/').next().unwrap());
    (path, run)
}

async fn redriven(world: &World) -> Value {
    let told = world.send("POST", "/mano/v1/onboardings/redrive", json!({})).await;
    assert_eq!(told.status, StatusCode::OK, "{:?}", told.json());
    told.json()
}

/// The state of an entry once its run is over.
async fn rests(world: &World, path: &str, run: &str) -> Value {
    for _ in 0..10_000 {
        if world.host.cx().workflows.describe("package-onboard", run).await.unwrap().is_over() {
            return world.get(path).await.json();
        }
        tokio::task::yield_now().await;
    }
    panic!("{run} does not end");
}

#[tokio::test]
async fn an_onboarding_whose_run_is_gone_goes_on() {
    let world = World::alone().await;
    let (path, run) = unheard(&world).await;
    assert_eq!(world.get(&path).await.json()["onboardingState"], "PROCESSING");
    let told = redriven(&world).await;
    assert_eq!(told, json!({ "started": [run], "closed": [], "running": 0, "next": null }));
    assert_eq!(rests(&world, &path, &run).await["onboardingState"], "ONBOARDED");
    assert_eq!(redriven(&world).await["started"], json!([]));
}

#[tokio::test]
async fn a_run_that_ended_unheard_lets_its_onboarding_fail() {
    let world = World::alone().await;
    let (path, run) = unheard(&world).await;
    // Of a package that is not there, a run has nothing to say.
    let input = json!({ "tenant": "default", "op": "nobody", "run": 1 });
    world.host.cx().workflows.start("package-onboard", &run, input).await.unwrap();
    rests(&world, &path, &run).await;
    assert_eq!(redriven(&world).await["closed"], json!([run]));
    let shown = world.get(&path).await.json();
    assert_eq!(shown["onboardingState"], "ERROR");
    assert_eq!(shown["onboardingFailureDetails"]["status"], 503, "{shown:#}");
    assert_eq!(world.send("DELETE", &path, json!({})).await.status, StatusCode::NO_CONTENT);
}
